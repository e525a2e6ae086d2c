"""What lies on a sheet beside its cells and is not read: pictures, text boxes, comments."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.utils import coordinate_to_tuple, get_column_letter
from openpyxl.xml.functions import fromstring

_LONGEST = 100
_THREADED = re.compile(r"(?:Comment|批注|注释)\s*[:：]")


def attachments(archive: zipfile.ZipFile, part: str) -> dict[int, list[str]]:
    """What a person should be told of the attachments of a sheet, by line."""
    found: dict[int, list[str]] = {}
    rels = get_rels_path(part)
    names = set(archive.namelist())
    for rel in get_dependents(archive, rels) if rels in names else ():
        read = {"drawing": _drawn, "comments": _commented}.get(rel.Type.rsplit("/", 1)[-1])
        if read is None or rel.Target not in names:
            continue
        for line, column, what in read(fromstring(archive.read(rel.Target))):
            told = found.setdefault(line, [])
            if (note := f"{get_column_letter(column)} 列{what}") not in told:
                told.append(note)
    return found


def _drawn(drawing: Any) -> Iterator[tuple[int, int, str]]:
    for anchor in drawing:
        at = {_name(one): one.text for one in anchor.iter() if _name(one) in ("col", "row") and _in_from(anchor, one)}
        if "row" not in at or "col" not in at:
            continue
        names = {_name(one) for one in anchor.iter()}
        text = "".join(one.text or "" for one in anchor.iter() if _name(one) == "t").strip()
        line, column = int(at["row"] or 0) + 1, int(at["col"] or 0) + 1
        if text:
            yield line, column, f"处文本框里的文字没有读取：{text[:_LONGEST]}"
        elif names & {"pic", "graphicFrame"}:
            yield line, column, "处的图片没有读取；图里的内容请写成文字"


def _in_from(anchor: Any, one: Any) -> bool:
    begin = next((child for child in anchor if _name(child) == "from"), None)
    return begin is not None and any(child is one for child in begin)


def _commented(comments: Any) -> Iterator[tuple[int, int, str]]:
    for comment in comments.iter():
        if _name(comment) == "comment" and (ref := comment.get("ref")):
            text = " ".join("".join(one.text or "" for one in comment.iter() if _name(one) == "t").split())
            if text.startswith("["):  # What stands before a threaded comment tells that this Excel is too old for it.
                text = _THREADED.split(text, maxsplit=1)[-1].strip()
            if text:
                yield *coordinate_to_tuple(ref), f"的批注没有读取：{text[:_LONGEST]}"


def _name(element: Any) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""
