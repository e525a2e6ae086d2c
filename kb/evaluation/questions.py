"""Entries and questions with known answers, from files: tab-separated, no quoting, UTF-8, the first line names the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from core.errors import InvalidInput
from core.text import normalize
from kb.entries import Entry

_SHOWN = 40
_T = TypeVar("_T")


@dataclass(frozen=True)
class Questions:
    """`queries` are (text, id of the right entry); no entry answers those `out_of_scope`."""

    entries: list[Entry]
    queries: list[tuple[str, str]]
    out_of_scope: list[str]

    @property
    def texts(self) -> list[str]:
        """What is asked, as an encoder sees it: those in scope first."""
        return [normalize(text) for text in (*(text for text, _ in self.queries), *self.out_of_scope)]

    def limited(self, count: int) -> Questions:
        """At most `count` queries and as many questions out of scope, evenly spaced; every entry."""
        return replace(self, queries=_spaced(self.queries, count), out_of_scope=_spaced(self.out_of_scope, count))


def read_questions(entries: Path, queries: Path, out_of_scope: Path | None = None) -> Questions:
    """Read what `fssc kb eval` is given. Raises InvalidInput naming the file, the line and what is wrong with it."""
    held = read_entries(entries)
    asked = _queries(queries, {entry.id for entry in held}, entries.name)
    return Questions(held, asked, _lines_of(out_of_scope) if out_of_scope else [])


def read_entries(path: Path) -> list[Entry]:
    """Columns `id`, `question`, `similar` (separated by |) and `answer`; an entry with an answer alone is a passage."""
    found: dict[str, Entry] = {}
    for line, row in _rows(path, needed=("id",), one_of=("question", "answer")):
        question, answer = row.get("question", ""), row.get("answer", "")
        if not question and not answer:
            raise InvalidInput(f"{path.name} line {line}: neither a question nor an answer")
        similar = dict.fromkeys(text.strip() for text in row.get("similar", "").split("|"))
        similar.pop("", None)
        similar.pop(question, None)
        if similar and not question:
            raise InvalidInput(f"{path.name} line {line}: similar questions, but no question")
        if row["id"] in found:
            raise InvalidInput(f"{path.name} line {line}: the id {_shown(row['id'])} stands above already")
        found[row["id"]] = Entry(row["id"], question, answer, tuple(similar))
    return list(found.values())


def _queries(path: Path, known: set[str], entries: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    strange: list[tuple[int, str]] = []
    for line, row in _rows(path, needed=("query", "id")):
        if not row["query"]:
            raise InvalidInput(f"{path.name} line {line}: no query")
        if row["id"] not in known:
            strange.append((line, row["id"]))
        found.append((row["query"], row["id"]))
    if strange:
        line, one = strange[0]
        more = f", and {len(strange) - 1} more like it" if len(strange) > 1 else ""
        raise InvalidInput(f"{path.name} line {line}: no entry of {entries} has the id {_shown(one)}{more}")
    return found


def _lines_of(path: Path) -> list[str]:
    found = [text.strip() for _, text in _lines(path) if text.strip()]
    if not found:
        raise InvalidInput(f"{path.name}: empty; one question a line is expected")
    return found


def _rows(path: Path, needed: Sequence[str], one_of: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers from 1 and each line's values by column; `needed` columns are there, and `id` has a value."""
    lines = _lines(path)
    header = next(lines, (1, ""))[1].split("\t")
    columns = [name.strip().lower() for name in header]
    missing = [name for name in needed if name not in columns]
    if one_of and not set(one_of) & set(columns):
        missing.append(" or ".join(one_of))
    if missing:
        seen = ", ".join(filter(None, columns))
        raise InvalidInput(
            f"{path.name} line 1: no column {', '.join(missing)}; columns are separated by tabs"
            + (f", these are there: {_shown(seen)}" if seen else "")
        )
    twice = {name for name in columns if name and columns.count(name) > 1}
    if twice:
        raise InvalidInput(f"{path.name} line 1: the column {', '.join(sorted(twice))} stands there twice")
    empty = True
    for line, text in lines:
        if not text.strip():
            continue
        values = [value.strip() for value in text.split("\t")]
        if len(values) > len(columns):
            raise InvalidInput(
                f"{path.name} line {line}: {len(values)} values for {len(columns)} columns; a stray tab?"
            )
        row = dict(zip(columns, values, strict=False))
        row = {name: row.get(name, "") for name in columns}
        if not row["id"]:
            raise InvalidInput(f"{path.name} line {line}: no id")
        empty = False
        yield line, row
    if empty:
        raise InvalidInput(f"{path.name}: nothing below the names of the columns")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line numbers from 1 and the lines; only a line feed ends one, with a carriage return or without."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"{path}: there is no such file") from error
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read: {error.strerror}") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{path.name} line {line}: not UTF-8{_guess(content)}") from error
    if "\0" in text:
        raise InvalidInput(f"{path.name} line {text[: text.index(chr(0))].count(chr(10)) + 1}: no text file")
    for number, one in enumerate(text.split("\n"), start=1):
        yield number, one.removesuffix("\r")


def _guess(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "; it looks like UTF-16: save it as UTF-8"
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "; it looks like GB18030: save it as UTF-8"


def _shown(text: str) -> str:
    return f"“{text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}”"


def _spaced(items: Sequence[_T], count: int) -> list[_T]:
    if len(items) <= count:
        return list(items)
    return [items[i * len(items) // count] for i in range(count)]
