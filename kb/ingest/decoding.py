"""Text files in the encodings that Chinese offices save: UTF-8, UTF-16, GB18030."""

from __future__ import annotations

import codecs

from core.errors import InvalidInput

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> str:
    """The text of a file, line ends as they are. Raises InvalidInput when it is no text."""
    for encoding in _candidates(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_text(text, guessed=encoding == "gb18030"):
            return text
    raise InvalidInput("文件不是可读的文本，请用记事本另存为 UTF-8 编码后重试。")


def _candidates(data: bytes) -> tuple[str, ...]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return (encoding,)
    # UTF-16 without a mark has a zero byte in every Latin letter, comma and line end.
    even, odd = data[0:4096:2].count(0), data[1:4096:2].count(0)
    if even or odd:
        return ("utf-16-le", "utf-16-be") if odd >= even else ("utf-16-be", "utf-16-le")
    return ("utf-8", "gb18030")


def _is_text(text: str, guessed: bool) -> bool:
    """`guessed`: any bytes may be decoded, so that characters nobody writes tell that these are none."""
    start = text[:20_000]
    odd = sum(c < " " and c not in "\t\r\n\f\v\x1a\x1c\x1e" for c in start)
    if guessed:
        odd += sum("\ue000" <= c <= "\uf8ff" for c in start)
    return "\x00" not in text and odd <= len(start) // 100
