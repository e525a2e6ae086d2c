"""How much an entry may hold, whichever way it comes in: by hand or from a file."""

from __future__ import annotations

import re

QUESTION, SIMILAR = 500, 500
ANSWER = 100_000
NAME = 40
"""Of a business type or an owner."""
TITLE = 200
AUDIENCE, AUDIENCES = 100, 200
SCENE, SCENES = 200, 100
SOURCE, SOURCES, QUOTE = 300, 30, 5000
ID, RELATED = 64, 20
EXTRA_NAME, EXTRA, EXTRAS = 200, 32_767, 256
"""What is kept aside: as much as a cell of Excel holds, as many as a sheet has columns that we read."""

_ID = re.compile(r"(?!\.+$)[^\s/\\#?%&\"'<>\x00-\x1f\x7f\ud800-\udfff]{1,64}")
WRONG_ID = f"编号最长 {ID} 个字符，不能含空格和 / \\ # ? % & 引号、尖括号；也可以留空由系统编号"


def is_id(text: str) -> bool:
    """Whether an entry may be called so: it stands in addresses."""
    return _ID.fullmatch(text) is not None
