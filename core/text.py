"""What people type, in one form: the same question reads the same however it was entered."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import opencc

_PLAIN = re.compile(r"(?:[!-~]+(?: [!-~]+)*)?")
_SPACE = re.compile(r"\s+")
_NOISE = re.compile(
    # Controls that are no white space, then what is invisible or has no meaning outside its author's machine:
    # soft hyphen, zero width, direction marks, lone surrogates, private use, tags.
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef\U000f0000-\U0010ffff]+"
)
_ACCOUNT = re.compile("(?<![蚊营])帐(?![篷幕])")
"""帐 where it stands for 账, as most people type it and as OpenCC leaves 帳: not in the words for tents."""
_KEPT_CHARACTERS = 500
"""One question is normalized by everything that reads it: its last form is kept."""
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def normalize(text: str) -> str:
    """NFKC, simplified characters, single spaces, nothing invisible; never longer than a few times the input.

    Full-width letters and digits become half-width, traditional characters simplified by OpenCC's `t2s`, 转帐 and 轉帳 转账.
    Case is kept.
    """
    return _kept(text) if len(text) <= _KEPT_CHARACTERS else _normalized(text)


def _normalized(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    text = _NOISE.sub("", text)
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = _SPACE.sub(" ", text).strip()
    return _ACCOUNT.sub("账", _simplifier().convert(text)) if _IDEOGRAPH.search(text) else text


_kept = lru_cache(maxsize=1024)(_normalized)


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
