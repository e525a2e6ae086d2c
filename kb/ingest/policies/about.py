"""What a document says of itself: title, number, version, the day from which it applies. Guesses, for a person to correct."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise, takewhile
from pathlib import PurePath
from typing import Any

from pypinyin import lazy_pinyin

from kb.ingest.policies.blocks import TITLE, Document
from kb.ingest.policies.commencement import DAY, Commencement, commencement_of, day_of
from kb.ingest.policies.dialogue import NOTE as DIALOGUE
from kb.ingest.policies.dialogue import is_dialogue
from kb.ingest.policies.expiry import Expiry, expiry_of
from kb.ingest.policies.labels import label_of
from kb.ingest.policies.notices import notice_of
from kb.ingest.policies.secrecy import secrecy_of
from kb.ingest.policies.splitter import Split

_KINDS = "实施细则|管理办法|暂行办法|试行办法|管理规定|暂行规定|管理制度|操作规程|操作手册|工作指引|管理程序|控制程序|办法|规定|制度|细则|规程|流程|准则|条例|规范|指引|指南|手册|标准|通知|意见|方案|须知|说明|规则|章程|公告|决定|程序|政策"
_ENDS_LIKE_A_TITLE = re.compile(rf"(?:{_KINDS})(?:[（(][^）)]{{1,20}}[）)])?$")
_KIND_AT_END = re.compile(rf"(?:{_KINDS})$")
_EDITION = re.compile(
    r"[（(](?:试行|暂行|修订|修订版|征求意见稿|[^）)]*(?:版|修订|修正|V[\d.]+)[^）)]*)[）)]", re.IGNORECASE
)
_COMPANY = re.compile(r"^.*(?:公司|集团|总部)(?=.{2,})")
_ISSUED = re.compile(r"关于(?:印发|发布|修订|下发)[^《]*《([^》]{2,80})》")
_NUMBER = re.compile(
    r"[\u3400-\u9fffA-Za-z·]{0,14}\s*[〔\[［【（(]\s*(?:19|20)\d{2}\s*[〕\]］】）)]\s*(?:第\s*)?\d{1,5}\s*号"
    r"|[\u3400-\u9fff]{2,20}(?:公告|令|通告)\s*(?:(?:19|20)\d{2}\s*年\s*)?第\s*\d{1,5}\s*号"
    r"|(?:文件编号|制度编号|编号|文号)\s*[:：]\s*[A-Za-z0-9][\w./-]{2,30}"
)
_VERSION = re.compile(
    r"(?:版本号?|版次)\s*[:：]?\s*[Vv]?(\d+(?:\.\d+){0,2})(?![\d年])|(?:[（(]\s*|\s)[Vv](\d+(?:\.\d+){0,2})\s*(?:[）)]|$)"
    r"|(?:版本号?|版次)\s*[:：]\s*([A-Z]/\d{1,2})(?!\d)"
)
_NAMED = re.compile(r"^(?:文件|制度|标准|程序)(?:名称|标题)：(\S.{1,60})$")
_LONGEST_FIELD = 8
_EDITION_YEAR = re.compile(r"[（(]?((?:19|20)\d{2})\s*年?\s*(?:版|修订|修正)")


def about_of(document: Document, split: Split, file_name: str) -> dict[str, Any]:
    """`{title, number, version, effective_from, effective_to, owner, note, notes, notice, secrecy}`; what is not told is `""` or None.

    `note` says in Chinese why the day from which it applies is left for a person to fill in, `notes` what else is to be checked;
    `notice` what a document does that only amends or repeals others; `secrecy` repeats what restricts who may read it.
    """
    front = list(split.front)
    body = [article.text for article in split.articles]
    fields = _fields(document)
    opening = [*front, *fields, *(text for article in split.articles[:1] for text in article.text.splitlines()[:12])]
    told = [
        *(_NUMBER.search(text) for text in (*front, *fields)),
        *(_NUMBER.fullmatch(text.strip()) for text in opening),
    ]
    number = next((found[0] for found in told if found), "")
    number = re.sub(r"\s+", "", re.sub(r"^(?:文件|制度)?(?:编号|文号)\s*[:：]\s*", "", number))
    title = document.about.get("title", "") if "number" in document.about or "id" in document.about else ""
    printed = [block.text for block in document.blocks[:5] if block.kind == "heading"]
    notice = None if title else notice_of(split, printed)
    title = title or (notice.title if notice else _title(document, front, opening, file_name))
    told_since = document.about.get("effective_from", "")
    begins = Commencement(_iso(told_since) or "") if told_since else commencement_of(title, [*front, *fields, *body])
    told_until = document.about.get("effective_to", "")
    ends = _iso(told_until)
    notes = [
        f"文件头里的{name}“{told}”认不出是哪一天，请填写{name}（写法如 2026-01-01）。"
        for name, told in (("施行日期", told_since), ("失效日期", told_until))
        if told and told.lower() not in ("none", "null") and not _iso(told)
    ]
    if is_dialogue([line for block in document.blocks for line in block.text.splitlines()]):
        notes.append(DIALOGUE)
    expiry = Expiry() if ends or notice else expiry_of([*front, *body], begins.day)
    above = takewhile(lambda block: block.kind != "table" and label_of(block.text) is None, document.blocks[:12])
    marks = [*document.about.get("margin", "").splitlines(), *front, *(block.text for block in above)]
    marks += fields
    marks += [
        f"密级：{document.about[key]}" for key in ("密级", "secrecy", "classification") if document.about.get(key)
    ]
    return {
        "title": title[:200],
        "number": document.about.get("number") or number,
        "version": document.about.get("version") or _version(opening, title, number, begins.day),
        "effective_from": begins.day or None,
        "effective_to": ends or expiry.day or None,
        "owner": document.about.get("owner", "")[:40],
        "note": begins.note,
        "notes": [*notes, *filter(None, [expiry.note])],
        "notice": notice.text if notice else "",
        "secrecy": secrecy_of(marks),
    }


def policy_id(title: str, taken: Iterable[str]) -> str:
    """A short id of letters for a policy that is new: chailvfei for 差旅费管理办法."""
    core = _without_company(_EDITION.sub("", title))
    core = _KIND_AT_END.sub("", core) or core
    letters = "".join(re.sub(r"[^a-z0-9]", "", part.lower()) for part in lazy_pinyin(core[:8]))[:32] or "policy"
    known, name, k = set(taken), letters, 1
    while name in known:
        k += 1
        name = f"{letters}-{k}"
    return name


def same_policy(title: str, known: Iterable[dict[str, Any]]) -> str | None:
    """The id of the stored policy `[{id, title}]` that bears this title, but for year, edition and how its company is written.

    Where only one of the two names a company they may be the same; those of two companies are not.
    """
    alike = _alike(title, known)
    ours = _company(title)
    same = [one for one in alike if _company(one["title"]) == ours]
    perhaps = [one for one in alike if not ours or not _company(one["title"])]
    return next((one["id"] for one in (*same, *perhaps)), None)


def namesake(title: str, known: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The stored policy `{id, title}` that differs from this title by its company only, where none is of the same one."""
    known = list(known)
    ours, identity = _company(title), same_policy(title, known)
    alike = sorted(_alike(title, known), key=lambda one: one["id"] != identity)
    return alike[0] if alike and _company(alike[0]["title"]) != ours else None


def next_version(year: int, taken: Iterable[str]) -> str:
    """2026.1, or 2026.2 when that is taken, and so on."""
    known, k = set(taken), 1
    while f"{year}.{k}" in known:
        k += 1
    return f"{year}.{k}"


def _alike(title: str, known: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = _without_company(_core(title))
    return [one for one in known if wanted and _without_company(_core(one["title"])) == wanted]


def _core(title: str) -> str:
    title = _EDITION.sub("", re.sub(r"[\s《》]", "", title))
    return re.sub(r"(?:19|20)\d{2}年?版?", "", title)


def _without_company(title: str) -> str:
    """差旅费管理办法 for 华晟集团有限公司差旅费管理办法; 子公司管理办法 is of companies, and stays."""
    rest = _COMPANY.sub("", title)
    return rest if len(_KIND_AT_END.sub("", rest)) >= 2 else title


def _company(title: str) -> str:
    """华晟 for 华晟集团有限公司差旅费管理办法; empty where a title names no company, or only 集团 or 公司."""
    core = _core(title)
    named = unicodedata.normalize("NFKC", core.removesuffix(_without_company(core)))
    return re.sub(r"有限责任|股份|有限|公司|集团|总部|本部|[^\w]", "", named)


def _fields(document: Document) -> list[str]:
    """What the tables above the text say of it, as 文件编号：HS-QP-018: those of a form, or of the head of a procedure."""
    above = takewhile(lambda block: block.kind == "table" or label_of(block.text) is None, document.blocks[:12])
    rows = [list(dict.fromkeys(filter(None, row))) for block in above for row in block.rows]
    return [
        f"{name}：{value}"
        for row in rows
        for name, value in pairwise(row)
        if len(name) <= _LONGEST_FIELD and len(value) <= 80 and not re.search(r"\d", name)
    ]


def _title(document: Document, front: list[str], opening: list[str], file_name: str) -> str:
    for text in opening:
        if found := _ISSUED.search(text):
            return found[1]
    printed = [block.text for block in document.blocks if block.kind == "heading" and block.level == TITLE]
    lines = [re.sub(r"\s+", "", text).strip("《》") for text in (*printed, *front)]
    for at, line in enumerate(lines):
        if _ENDS_LIKE_A_TITLE.search(line) and len(line) <= 80 and not _NUMBER.search(line):
            short = _KIND_AT_END.sub("", line)
            return lines[at - 1] + line if len(short) < 2 and at else line
    if named := next((found[1] for text in opening if (found := _NAMED.match(text))), ""):
        return named.strip("《》")
    told = document.about.get("title", "")
    if told and not re.match(
        r"(?i)microsoft word|untitled|无标题|about:blank|(?:文档|document) ?\d*$|新建|powerpoint", told
    ):
        return re.sub(r"\.(?:docx?|pdf|html?|wps)$", "", told)
    headings = [block.text for block in document.blocks[:5] if block.kind == "heading"]
    return (printed or headings or [PurePath(file_name).stem])[0]


def _version(opening: list[str], title: str, number: str, since: str) -> str:
    for text in (title, *opening):
        if found := _VERSION.search(text):
            return next(filter(None, found.groups()))
    for text in (title, *opening[:6]):
        if found := _EDITION_YEAR.search(text):
            return f"{found[1]}.1"
    year = re.search(r"(?:19|20)\d{2}", since) or re.search(r"(?:19|20)\d{2}", number)
    return f"{year[0]}.1" if year else "1"


def _iso(value: str | None) -> str | None:
    """2026-01-01 for that, 2026/1/1, 2026.1.1 or 2026年1月1日; None for what is no day."""
    found = re.fullmatch(DAY, re.sub(r"[\sT]00:00:00.*$", "", (value or "").strip()))
    return day_of(found.groups()) or None if found else None
