"""What a person should know of a policy's file before confirming it, in Chinese, as the body of its import tells."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kb.articles import headings
from kb.ingest.policies.labels import ARTICLE, label_of
from kb.ingest.policies.splitter import Split


def notes_of(body: dict[str, Any]) -> list[str]:
    """What a person should know before confirming, in Chinese: what was not read, and what is left to fill in."""
    undated = "" if body["policy"].get("effective_from") else body.get("undated", "")
    grave = [why_notice(body), why_secret(body), body.get("vanishing", "")]
    return [*filter(None, grave), *body["notes"], *filter(None, [undated, _told_apart(body)])]


def why_notice(body: dict[str, Any]) -> str:
    """Why a notice that amends or repeals is not to be kept; empty once a person has given it a title of its own."""
    notice = body.get("notice")
    if not notice or notice["title"] != body["policy"]["title"]:
        return ""
    return f"{notice['text']}确要把这份文件本身入库，请先修改“制度名称”（在管理台的导入页）。"


def why_secret(body: dict[str, Any]) -> str:
    """Why a document that says who may read it is not to be kept for everybody; empty once it has an audience."""
    audience = body["policy"].get("audience") or {}
    if not body.get("secrecy") or any(audience.get(key) for key in ("companies", "groups")):
        return ""
    return (
        f"文件里写着“{body['secrecy']}”，不能让所有人看到。请先填写“可见公司”或“可见人员组”（在管理台的导入页）再入库；"
        "如果确实可以公开，请去掉文件里的这些字样后重新导入。"
    )


def vanishing(counts: dict[str, int], summary: dict[str, Any]) -> str:
    """A warning where most articles of the stored version are not in the new one."""
    removed = counts["removed"]
    before = removed + counts["unchanged"] + counts["changed"]
    if not summary["against"] or removed < 3 or 2 * removed <= before:
        return ""
    return (
        f"已入库的版本有 {before} 条，其中 {removed} 条在这份文件里没有了；请确认它是同一份制度的全文，"
        "而不是修改通知、摘要或没有读全的文件。"
    )


def _told_apart(body: dict[str, Any]) -> str:
    other = body.get("namesake")
    if not other:
        return ""
    if body["policy"]["id"] == other["id"]:
        return f"这份文件作为已入库的《{other['title']}》的新版本；它们只有公司不同，如果不是同一份制度，请在“入库为”里选“一份新制度”。"
    return f"已入库的《{other['title']}》只有公司不同；如果这份文件是它的新版本，请在“入库为”里选它。"


def several(found: Split) -> list[str]:
    """That 第一条 comes again in the same place: the file may be a collection, whose articles would all bear one title."""
    firsts: Counter[tuple[object, ...]] = Counter()
    for article in found.articles:
        label = label_of(article.label)
        if label and label.kind == ARTICLE and label.value == 1 and "之" not in label.text:
            firsts[tuple(tuple(headings(text)) or text for text in article.heading_path)] += 1
    if max(firsts.values(), default=0) < 2:
        return []
    return [
        "“第一条”在同一位置出现了不止一次，这份文件里可能有几份制度；合在一起导入，后面几份的条款会被说成是第一份制度的。"
        "如果是制度汇编，请拆成几份文件分别导入。"
    ]


def passed_over(found: Split) -> list[str]:
    """That numbers of articles are missing in the text."""
    listed = "、".join(found.gaps[:10]) + (" 等" if len(found.gaps) > 10 else "")
    return [f"{listed}缺号，其余条号照原文保留；请核对原文，确认没有漏掉条款。"] if listed else []
