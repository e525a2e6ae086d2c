"""Words that people write about quality, kept as they wrote them."""

from __future__ import annotations

import unicodedata
from typing import Any


def written(text: Any, most: int) -> str:
    """`text` without control characters and outer blanks, at most `most` characters; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    kept = "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs"))
    return kept.strip()[:most]
