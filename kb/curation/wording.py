"""What a question says without what people put around it: greetings, thanks, and who they are (masked by then).

`我是某某,手机136****9195,你好,打印封面呢` and `打印封面呢,谢谢` are one question, and neither is a name for a cluster.
"""

from __future__ import annotations

import re

_END = r"[,，。;；!！~、\s]+"
_BEFORE = re.compile(
    rf"(?:(?:[您你]好[啊呀]?|在[吗么]|hi|hello|老师好?|客服|打扰一?下?了?|请教一?下?|麻烦问?一?下|(?:我?想)?(?:咨询|请?问)一?下?"
    rf"|(?:我是|我叫|本人)(?:[^,，。;；!！~、\s]{{0,12}}的)?某某|(?:我是|我叫|本人)?某某|[^,，。;；!！~、\s*]{{0,8}}\d*\*{{2,}}[\w@.*]*){_END})+",
    re.IGNORECASE,
)
_OPENING = re.compile(r"(?:请问一?下?|我?想(?:咨询|请?问)一?下?|麻烦问一?下|问一下|请教一?下?|咨询一?下)[:：]?")
_AFTER = re.compile(
    rf"(?:{_END}(?:(?:非常|多|十分)?(?:感谢|谢谢|谢了|多谢)(?:了|啦|您|你|老师)?|很?急+|在线等|拜托了?|麻烦了?|辛苦了?))+[,，。;；!！~、\s]*$"
)
_SHORTEST = 2


def plain(text: str) -> str:
    """`text` without them; as it is where nothing would be left."""
    said = text.strip()
    if found := _BEFORE.match(said):
        said = said[found.end() :]
    if found := _OPENING.match(said):
        said = said[found.end() :].lstrip(" ,，")
    said = _AFTER.sub("", said).strip()
    return said if sum(letter.isalnum() for letter in said) >= _SHORTEST else text
