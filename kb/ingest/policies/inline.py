"""Marks within a line of Markdown, as Feishu, Yuque and Notion export it: what a reader of the page sees of the line."""

from __future__ import annotations

import re
from html import unescape

from kb.ingest.policies.labels import label_of
from kb.ingest.policies.superscripts import raised

_TAGS = (
    "a|abbr|article|aside|b|big|blockquote|body|br|callout|center|cite|code|col|colgroup|dd|details|div|dl|dt|em|figcaption|figure|"
    "font|grid|column|h[1-6]|header|hr|html|i|iframe|img|ins|kbd|label|li|main|mark|ol|p|pre|q|quote-container|section|small|"
    "span|strong|style|sub|summary|sup|table|tbody|td|text|tfoot|th|thead|tr|u|ul|video|view"
)
_SUP = re.compile("<sup>(.*?)</sup>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\]]*\]\([^()]*(?:\([^()]*\)[^()]*)*\)|<img\b[^<>]*>", re.IGNORECASE)
_ANCHOR = re.compile(r"\[([^\[\]]+)\]\(#[^()]*\)")
_CONTENTS = re.compile(
    r"^\s*(?:(?:[-*+]|\d+[.)])\s+)?\[[^\[\]]+\]\(#[^()]*\)\s*$|^\s*\[{1,2}toc\]{1,2}\s*$", re.IGNORECASE
)
_FRAME = re.compile(r"^\s*:{3,}\s*\S*\s*$|^\s*>?\s*\[!\w+\]\s*$")
_CALLOUT = re.compile(r"^\s*\[!\w+\][+-]?\s+")
_END = re.compile(r"(?<!\\)\\$")
"""A backslash that only ends the line."""
_QUOTE = re.compile(r"^\s{0,3}(?:>[ \t]?)+(?!\s*[\d¥￥=])")
_TASK = re.compile(r"^(\s*)(?:[-*+]|\d+[.)])\s+\[([ xX])\]\s+")
_BULLET = re.compile(r"^\s*[-*+]\s+(?=\S)")
_ATTRIBUTES = re.compile(r"\s*\{[#.][^{}]*\}\s*$")
_BOLD = re.compile(r"(?<![\\*])\*{2,3}(?!\*)")
_LOW_BOLD = re.compile(r"(?<![\w\\])__(?=\S)([^_\n]+?)(?<=\S)__(?!\w)")
_ITALIC = re.compile(r"(?<![\w\\*])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
_MARKED = re.compile(r"(?<!=)==(?=[^\s=])([^=\n]+?)(?<=[^\s=])==(?!=)")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def is_contents(line: str) -> bool:
    """Whether a line is one of a table of contents: nothing but a link into the page itself."""
    return bool(_CONTENTS.match(line))


def has_picture(text: str) -> bool:
    return bool(_IMAGE.search(text))


def shown(line: str) -> list[str]:
    """What is seen of a line outside tables: one text for each line that `<br>` makes of it.

    A bullet goes where a number stands behind it, for it is the number that people cite. A line that begins with `> 5000` means
    more than that.
    """
    if _FRAME.match(line):
        return []
    line = _END.sub("", _CALLOUT.sub("", _QUOTE.sub("", line)))
    line = _TASK.sub(lambda found: f"{found[1]}{'☐' if found[2] == ' ' else '☑'} ", line)
    lines = [unmarked(part) for part in _BREAK.split(line)]
    return [_BULLET.sub("", one) if label_of(_BULLET.sub("", one)) else one for one in lines]


def unmarked(text: str) -> str:
    """A text without pictures, tags, entities, emphasis and escapes; links to other pages stay."""
    text = _SUP.sub(lambda found: raised(found[1]), text)
    text = _TAG.sub("", _ATTRIBUTES.sub("", _IMAGE.sub("", text)))
    text = _ANCHOR.sub(r"\1", text)
    if len(_BOLD.findall(text)) % 2 == 0:
        text = _BOLD.sub("", text)
    for pattern in (_LOW_BOLD, _ITALIC, _MARKED, _CODE):
        text = pattern.sub(r"\1", text)
    return _ESCAPED.sub(r"\1", unescape(text))
