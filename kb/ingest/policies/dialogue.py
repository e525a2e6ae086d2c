"""Questions and answers in a text file: they are entries, which come in as a sheet, and no policy."""

from __future__ import annotations

import re
from collections.abc import Sequence

NOTE = (
    "这份文件像是一问一答，不像制度：作为制度导入后，每一问不会成为可以匹配的标准问。"
    "请把问题和答案填进问答模板（Excel 或 CSV，列名“标准问”“答案”）后导入。"
)
_QUESTION = re.compile(r"^(?:问题?|Q)\s*\d*\s*[:：.、]|^(?!第).{2,60}[？?]$", re.IGNORECASE)
_ANSWER = re.compile(r"^(?:答案?|回答|A)\s*\d*\s*[:：]", re.IGNORECASE)


def is_dialogue(lines: Sequence[str]) -> bool:
    """Whether most lines are questions and what answers them."""
    texts = [text for line in lines if (text := line.strip())]
    asked = sum(bool(_QUESTION.match(text)) for text in texts)
    answered = sum(bool(_ANSWER.match(text)) for text in texts)
    return asked >= 2 and (answered >= 2 or (asked >= 3 and 4 * asked >= len(texts)))
