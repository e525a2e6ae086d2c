"""What a document says of who may read it: 机密★3年, 内部资料, 仅限财务部查阅."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LONGEST = 60
_MARK = re.compile(
    r"^[\W_]*(?:绝密|机密|秘密|商密|商业秘密|商业机密|核心商密|普通商密)(?:级|文件|资料)?(?:$|[\W_]|\d)"
    r"|(?:密级|保密级别|保密等级|秘密等级)\s*[:：]?\s*(?!公开|无|非密|不|[:：\s])\S"
    r"|内部(?:资料|文件|材料|使用|公开|传阅|掌握)|(?:不得|严禁|禁止|请勿|切勿|勿)(?:对外|向外|外)(?:传|泄|公开|转发)"
    r"|仅(?:限|供|向)[^。]{1,40}(?:查阅|阅读|知悉|传阅|阅知|可见|掌握|内部)|(?:注意|请|严格)保密"
)


def secrecy_of(lines: Iterable[str]) -> str:
    """The short lines that restrict who may read a document, `""` where none does."""
    texts = (" ".join(line.split()) for line in lines)
    return "；".join(dict.fromkeys(text for text in texts if len(text) <= _LONGEST and _MARK.search(text)))[:120]
