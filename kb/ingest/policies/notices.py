"""Notices that amend or repeal a policy: they are not its text, and none becomes its new version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.ingest.policies.labels import ARTICLE, label_of
from kb.ingest.policies.splitter import Split

_HEAD = re.compile(
    r"关于(?P<about>[^。；]{2,160}?)的(?:通知|决定|公告|通告)(?!》)|《(?P<named>[^》]{2,80})》(?:修正案|修订案)"
)
_BESIDE = re.compile(r"^[^。；]{0,60}(?:修订|修改|修正|新旧|变更)[^。；]{0,10}对照[表稿]")
_ISSUES = re.compile("印发|发布|下发|颁布|颁发")
_REPEALS = re.compile("废止|停止执行|停用|失效")
_AMENDS = re.compile("修订|修改|修正|调整|变更|更正|补充")
_PARTLY = re.compile("(?:部分|个别|有关|相关|若干|第[一二三四五六七八九十百\\d]+)[^《》]{0,6}(?:条|内容|规定)")
_CHANGES = re.compile(
    r"(?:修改|修订|调整|变更|改)为\s*[:：]?\s*[“「\"]|删[除去]第|(?:增加|新增)(?:一|两|[二三四五六七八九十])(?:条|款|项)|第[^。]{1,12}[条款项][^。]{0,20}(?:修改|修订|调整)为"
)
_TITLE = re.compile("《([^》]{2,80})》")


@dataclass(frozen=True)
class Notice:
    """`title` is the notice's own; `text` says in Chinese what it does, to which policies, and what to do."""

    title: str
    text: str


def notice_of(split: Split, headings: Sequence[str]) -> Notice | None:
    """What a document is that only amends or repeals others; None for one that has a policy's whole text."""
    bodies = [article.text for article in split.articles]
    opening = [*headings, *split.front, *(line for text in bodies[:1] for line in text.splitlines()[:3])]
    lines = [re.sub(r"\s+", "", line) for line in opening]
    if (beside := next(filter(_BESIDE.search, lines), "")) and not _has_text(split):
        return Notice(
            beside[:80],
            "这份文件是修订前后的对照表，旧条文也在里面，不能作为新版本。请导入修改后的全文。",
        )
    found = _HEAD.search("".join(lines))
    if found is None:
        return None
    about = found["about"] or f"修改《{found['named']}》部分条款"
    if _ISSUES.search(about):
        return None
    names = _TITLE.findall(about) or _TITLE.findall("\n".join(bodies))
    listed = "、".join(f"《{name}》" for name in dict.fromkeys(names[:5])) or "别的制度"
    if _REPEALS.search(about):
        return Notice(
            found[0],
            f"这份文件废止{listed}，它不是制度全文，入库也不会让原制度失效。"
            "已经废止的，请在“制度”页停用原制度；以后才废止的，请重新导入它的原文（版本不变），在“失效日期”里填写废止前的最后一天。",
        )
    if not names or not _AMENDS.search(about) or not (_PARTLY.search(about) or _is_changes(split)):
        return None
    return Notice(
        found[0],
        f"这份文件只写了对{listed}的改动，不是修改后的全文，不能作为它的新版本。"
        "请把改动写进原文，把修改后的全文作为新版本导入。",
    )


def _has_text(split: Split) -> bool:
    labels = (label_of(one.label) for one in split.articles)
    return sum(label is not None and label.kind == ARTICLE for label in labels) >= 3


def _is_changes(split: Split) -> bool:
    """Whether the text says what is changed rather than what applies."""
    whole = [one for one in split.articles if (label := label_of(one.label)) and label.kind == ARTICLE]
    changing = sum(bool(_CHANGES.search(one.text)) for one in split.articles)
    return changing > 0 and (len(whole) < 3 or 2 * changing >= len(split.articles))
