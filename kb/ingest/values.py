"""What people write in a cell, as a value of an entry. What cannot be understood is an InvalidInput that says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, timedelta

from core.errors import InvalidInput
from core.text import normalize
from kb.ingest.marks import question_of
from kb.ingest.rows import Cell
from kb.ingest.workbooks import unguarded
from kb.words import bare

_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]|_x000[dD]_"
)
_DATE = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:[T ]\s*\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?)?起?止?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_NO_DATE = {"", "长期", "长期有效", "永久", "永久有效", "无", "无期限", "不限", "none", "null", "na"}
NAMES = re.compile(r"[,，、|;；\n]+")
_WEB = re.compile(r"https?://", re.I)
_UNSAFE_IN_LINK = re.compile(r"[\x00-\x20()<>\\]")
_LONGEST_LINK = 40
_LISTING = re.compile(r"\s*[、/／]\s*")
_ASKING = re.compile(
    "怎么|怎样|如何|多少|多久|什么|哪|几[天个张次]|[吗呢?？]|能否|是否|可否|能不能|可不可以|要不要|需不需要|为何|何时|谁"
)


def text_of(cell: Cell) -> str:
    """The text of a cell: no controls, line ends as `\\n`, nothing around it; a day as `2026-01-31`."""
    if cell is None:
        return ""
    return clean(unguarded(cell) if isinstance(cell, str) else str(cell))


def clean(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def line_of(text: str) -> str:
    """`text` in one line, as a question or a name stands."""
    return " ".join(clean(text).split())


def is_web(address: str) -> bool:
    return _WEB.match(address) is not None


def names_address(text: str, address: str) -> bool:
    """Whether `text` names an address as people write it: without http:// or the slash at its end."""
    return _WEB.sub("", address).removeprefix("mailto:").rstrip("/") in text


def linked(text: str, address: str) -> str:
    """`text` with the address that its cell opens, in Markdown: a few words are the link, after a text stands one."""
    target = _UNSAFE_IN_LINK.sub(lambda found: f"%{ord(found[0]):02X}", address.strip())
    short = len(text) <= _LONGEST_LINK and not re.search(r"[\n\[\]|]", text)
    return f"[{text.strip()}]({target})" if short else f"{text.rstrip()}\n\n[查看链接]({target})"


def split_similar(text: str) -> list[str]:
    """The questions in one cell: one a line, or with |, ； or ; between them, or 、 or / where each reads like one.

    What stands before them (`1.`, `问：`) goes. `\\|` is a bar that belongs to the question; one after `\\` is taken as it stands.
    """
    found: list[str] = []
    for piece in (piece for line in text.split("\n") for piece in re.split(r"(?<!\\)\|", line)):
        whole = line_of(piece)
        if whole.startswith("\\") and not whole.startswith("\\|"):
            found.append(line_of(whole[1:].replace("\\|", "|")))
        else:
            plain = (line_of(part.replace("\\|", "|")) for part in re.split("[；;]", whole))
            found += [question_of(one) for part in plain for one in _listed(part)]
    return [one for one in found if one]


def _listed(text: str) -> list[str]:
    parts = [part.strip() for part in _LISTING.split(text)]
    return parts if len(parts) > 1 and all(map(_asks, parts)) else [text]


def _asks(text: str) -> bool:
    """Whether a text is a question by itself: 餐补多少, but neither 机票 nor 怎么报."""
    found, letters = _ASKING.search(text), len(bare(text))
    return found is not None and letters >= (7 if found.start() == 0 else 4)


def join_similar(questions: Iterable[str]) -> str:
    """What `split_similar` reads back."""
    return "\n".join(map(_verbatim, questions))


def _verbatim(question: str) -> str:
    plain = question.replace("|", "\\|")
    return plain if split_similar(plain) == [question] else f"\\{plain}"


def distinct(questions: Iterable[str], but: str = "") -> list[str]:
    """Each question once, in order, and not the standard question `but`."""
    seen = {but}
    return [one for one in questions if one and not (one in seen or seen.add(one))]


def names_of(text: str) -> list[str]:
    """Values one a line; in a single line with commas, semicolons, 、 or | between them."""
    pieces = text.split("\n") if "\n" in text else NAMES.split(text)
    return distinct(line_of(piece) for piece in pieces)


def join_names(names: Iterable[str]) -> str:
    """What `names_of` reads back: one a line; a single name that holds a comma or the like stands there twice."""
    lines = list(names)
    return "\n".join(lines * 2 if len(lines) == 1 and NAMES.search(lines[0]) else lines)


def day_of(cell: Cell, *, last: bool = False) -> date | None:
    """The day that a cell names; None for an empty one and for 长期. A month alone is its first day, or its `last`."""
    if isinstance(cell, date):
        return cell
    text = normalize(text_of(cell))
    if bare(text) in _NO_DATE or not bare(text):
        return None
    try:
        if found := _DATE.fullmatch(text) or _COMPACT.fullmatch(text):
            return date(*map(int, found.groups()[:3]))
        if found := re.fullmatch(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*月?", text):
            return _month(int(found[1]), int(found[2]), last)
        if _SERIAL.fullmatch(text) and 20_000 <= float(text) <= 80_000:
            return date(1899, 12, 30) + timedelta(days=int(float(text)))
    except ValueError:
        pass
    raise InvalidInput(f"日期“{text[:30]}”看不懂，请写成 2026-01-31 这样的日期")


def _month(year: int, month: int, last: bool) -> date:
    first = date(year, month, 1)
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1) if last else first


def extra_of(text: str) -> list[list[str]] | None:
    """The pairs of the column 其他信息 as an export writes it; None when it is somebody's own text."""
    try:
        pairs = json.loads(text)
    except ValueError:
        return None
    good = isinstance(pairs, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair) for pair in pairs
    )
    return pairs if good else None


def as_json(value: object) -> str:
    """JSON that a cell carries unharmed: readable Chinese, and controls escaped that `clean` would take out."""
    text = json.dumps(value, ensure_ascii=False)
    return _CONTROLS.sub(lambda found: "".join(f"\\u{ord(c):04x}" for c in found[0]), text)
