"""Knowledge as files: entries and tables in YAML, policies in Markdown with numbered articles.

The layout is that of `kb/starter/`; its README describes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import InvalidInput
from kb.entries import Audience, Entry, Source

_ARTICLE = re.compile(r"^###\s+(第[一二三四五六七八九十百零〇]+条)\s*(.*)$")
_CHAPTER = re.compile(r"^##\s+(.+)$")
_NUMERALS = "零一二三四五六七八九"


@dataclass(frozen=True)
class Knowledge:
    """Everything in one directory. Documents are plain JSON values."""

    entries: list[Entry]
    policies: list[dict[str, Any]]
    tables: list[dict[str, Any]]
    scenes: dict[str, Any]


def read_knowledge(directory: Path) -> Knowledge:
    """Read a directory laid out like `kb/starter/`. Raises InvalidInput naming the file and what is wrong with it."""
    policies = [read_policy(path) for path in sorted((directory / "policies").glob("*.md"))]
    tables = [_plain(_yaml(path)) for path in sorted((directory / "tables").glob("*.yaml"))]
    titles = {document["id"]: document["title"] for document in (*policies, *tables)}
    entries = [entry for path in sorted((directory / "entries").glob("*.yaml")) for entry in _entries(path, titles)]
    scenes = {"id": "scenes", "title": "页面与节点", **_yaml(directory / "scenes.yaml")}
    return Knowledge(entries, policies, tables, scenes)


def read_policy(path: Path) -> dict[str, Any]:
    """`{id, title, number, version, effective_from, owner, articles: [{number, label, title, chapter, text}]}`."""
    parts = path.read_text(encoding="utf-8").split("---\n", 2)
    if len(parts) != 3:
        raise InvalidInput(f"{path.name}: no front matter between two lines of ---")
    articles: list[dict[str, Any]] = []
    chapter = ""
    for line in parts[2].splitlines():
        if heading := _CHAPTER.match(line):
            chapter = heading[1].strip()
        elif heading := _ARTICLE.match(line):
            articles.append(
                {"number": len(articles) + 1, "label": heading[1], "title": heading[2], "chapter": chapter, "text": ""}
            )
        elif articles:
            articles[-1]["text"] += line + "\n"
    for article in articles:
        article["text"] = article["text"].strip()
        if article["label"] != article_label(article["number"]):
            raise InvalidInput(
                f"{path.name}: {article['label']} stands where {article_label(article['number'])} belongs"
            )
    return {**_plain(yaml.safe_load(parts[1])), "articles": articles}


def article_label(number: int) -> str:
    """第十二条 for 12, up to 199."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = "一百" if hundreds else ""
    if tens:
        text += ("一" if hundreds and tens == 1 else "" if tens == 1 else _NUMERALS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return f"第{text}{_NUMERALS[ones] if ones else ''}条"


def _entries(path: Path, titles: dict[str, str]) -> Iterator[Entry]:
    for data in _yaml(path):
        try:
            audience = data.get("audience") or {}
            yield Entry(
                id=data["id"],
                question=data["question"].strip(),
                answer=data["answer"].strip(),
                similar=tuple(text.strip() for text in data.get("similar", ())),
                business_type=data["business_type"],
                scenes=tuple(data.get("scenes") or ()),
                audience=Audience(frozenset(audience.get("companies") or ()), frozenset(audience.get("groups") or ())),
                sources=tuple(_source(source, titles) for source in data["sources"]),
                effective_from=data.get("effective_from"),
                effective_to=data.get("effective_to"),
                related=tuple(data.get("related") or ()),
                owner=data["owner"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"{path.name}: entry {data.get('id', '?')}: {error!r}") from error


def _source(data: dict[str, Any], titles: dict[str, str]) -> Source:
    if "policy" in data:
        label = f"《{titles[data['policy']]}》{article_label(data['article'])}"
        return Source(label, policy=data["policy"], article=data["article"])
    if "table" in data:
        return Source(f"《{titles[data['table']]}》", table=data["table"])
    return Source(data["regulation"], regulation=data["regulation"], quote=data.get("quote"))


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InvalidInput(f"{path.name}: not valid YAML: {error}") from error


def _plain(value: Any) -> Any:
    """Dates as ISO text, so that a document is JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
