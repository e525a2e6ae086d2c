"""The day from which a policy applies, told apart from the days of other documents that it names or repeals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from kb.ingest.policies.labels import value_of

DAY = r"([\d〇○零一二三四五六七八九]{4})\s*[年./-]\s*([\d十一二三四五六七八九]{1,3})\s*[月./-]\s*([\d十一二三四五六七八九]{1,3})\s*日?"
_VERB = "(?:施行|实施|生效|执行)"
_FROM = (
    re.compile(rf"自\s*{DAY}\s*(?:起|开始)"),
    re.compile(rf"{_VERB}(?:日期|时间)?\s*[:：]?\s*{DAY}"),
    re.compile(rf"(?:从|于)\s*{DAY}\s*(?:起|开始|{_VERB})"),
    re.compile(rf"{DAY}\s*(?:起|开始)\s*{_VERB}"),
)
_FIELD = re.compile(rf"^\s*{_VERB}(?:日期|时间)")
_BARE = re.compile(rf"^(?:正式)?{_VERB}?[\s。；]*$")
_OF_A_NOUN = re.compile(rf"^(?:正式)?(?:{_VERB}|印发|发布)?的")
_ON_ISSUE = re.compile("自(?:印发|发布|公布|下发|颁布)之日起")
_SIGNED = re.compile(rf"^[（(]?{DAY}(?:印发|发布)?[）)]?$")
NOUNS = "办法|规定|制度|细则|规程|流程|准则|条例|规范|指引|指南|手册|标准|通知|意见|方案|须知|说明|规则|章程|公告|决定|文件|政策"
_SUBJECT = re.compile(
    rf"(?P<own>本(?P<noun>{NOUNS}))|《(?P<title>[^》]*)》|(?P<part>第[一二三四五六七八九十百\d]+[编章节条款项](?!\s))|(?<![太中还复高])原(?![则始因件料价])|旧"
)
_REPEALED = re.compile("废止|停止执行|停止使用|失效|作废")
_BRACKETS = re.compile(r"[（(][^（）()]*[）)]")
_SENTENCE, _CLAUSE = re.compile("[。；\n]"), re.compile("[，,]")

_OF_THIS_KIND, _OWN, _STATED, _UNSAID, _LOOSE = range(5)
"""How surely a day is this policy's: 本办法 in a 管理办法, 本通知 in it, 施行日期：, 自…起施行 of nothing named, and other words."""


@dataclass(frozen=True)
class Commencement:
    """`day` is ISO text, `""` where it is not told or not certain; `note` says in Chinese what a person has to fill in then."""

    day: str = ""
    note: str = ""


def commencement_of(title: str, texts: Sequence[str]) -> Commencement:
    """The day from which the policy `title` applies; the day of signature when it applies from its issue."""
    days: dict[int, list[str]] = {}
    others: list[str] = []
    for text in texts:
        for rank, day in _days(title, text):
            (others if rank is None else days.setdefault(rank, [])).append(day)
    for rank in (_OF_THIS_KIND, _OWN, _STATED):
        if rank in days:
            return _agreed(days[rank])
    lines = [line for text in texts for line in text.splitlines()]
    if any(_ON_ISSUE.search(line) for line in lines):
        signed = [day for line in lines if (found := _SIGNED.match(line.strip())) and (day := _day(found))]
        return (
            Commencement(signed[-1])
            if signed
            else Commencement(note="制度自印发之日起施行，文中没有找到印发日期，请填写施行日期。")
        )
    for rank in (_UNSAID, _LOOSE):
        if rank in days:
            return _agreed(days[rank])
    if others:
        listed = "、".join(dict.fromkeys(others))
        return Commencement(note=f"文中写到的施行日期（{listed}）像是别的文件或个别条款的，请填写这份制度的施行日期。")
    return Commencement()


def _agreed(days: list[str]) -> Commencement:
    known = list(dict.fromkeys(days))
    if len(known) == 1:
        return Commencement(known[0])
    return Commencement(note=f"文中有几个施行日期（{'、'.join(known)}），不能确定是哪一个，请填写这份制度的施行日期。")


def _days(title: str, text: str) -> Iterator[tuple[int | None, str]]:
    """`(how surely it is this policy's, day)` of every day from which something applies; None for another document's."""
    plain = _BRACKETS.sub(lambda found: "" if _of_another(text, found) else found[0], text)
    for found in _BRACKETS.finditer(text):
        if _of_another(text, found):
            yield from ((None, day) for match in _matches(found[0]) if (day := _day(match)))
    for sentence in _SENTENCE.split(plain):
        for match in _matches(sentence):
            if day := _day(match):
                yield _rank(title, sentence, match), day


def _matches(sentence: str) -> Iterator[re.Match[str]]:
    """Every day of the sentence once, in the words of the first pattern that finds it."""
    if not re.search(_VERB, sentence):
        return
    seen: set[int] = set()
    for pattern in _FROM:
        for match in pattern.finditer(sentence):
            if match.start(1) not in seen:
                seen.add(match.start(1))
                yield match


def _of_another(text: str, brackets: re.Match[str]) -> bool:
    """Whether brackets with a day speak of a document that is named before them or repealed after them."""
    if not re.search(DAY, brackets[0]):
        return False
    before = _SENTENCE.split(text[: brackets.start()])[-1]
    after = _SENTENCE.split(text[brackets.end() :])[0]
    named = list(_SUBJECT.finditer(before))
    return bool(named and not named[-1]["own"]) or bool(_REPEALED.search(after))


def _rank(title: str, sentence: str, match: re.Match[str]) -> int | None:
    *earlier, before = _CLAUSE.split(sentence[: match.start()])
    after, *_ = _CLAUSE.split(sentence[match.end() :])
    if _OF_A_NOUN.match(after):
        return None
    named = list(_SUBJECT.finditer(before))
    directly = re.match(rf"(?:正式)?{_VERB}", after) or re.search(rf"{_VERB}$", match[0])
    if _REPEALED.search(before + match[0] + after) and not (named and named[-1]["own"] and directly):
        return None
    if named:
        return _own(title, named[-1], before)
    if _FIELD.match(match[0]):
        return _STATED
    rest = after if directly else sentence[match.end() :]
    for clause in (rest, *reversed(earlier)):
        if subjects := list(_SUBJECT.finditer(clause)):
            if subjects[-1]["own"]:
                return _own(title, subjects[-1], clause)
            break
    return _UNSAID if _BARE.match(after) else _LOOSE


def _own(title: str, subject: re.Match[str], before: str) -> int | None:
    """The rank of a day whose subject is named; None where that is another document, or a part of this one."""
    if subject["own"]:
        kind = re.sub(r"[（(][^（）()]*[）)]$", "", title)
        return _OF_THIS_KIND if kind.endswith(subject["noun"]) else _OWN
    named = subject["title"]
    old = before[: subject.start()].rstrip().endswith(("原", "旧"))
    return _OWN if named and title.endswith(named) and not old else None


def _day(found: re.Match[str]) -> str:
    return day_of(found.groups()[:3])


def day_of(parts: Sequence[str]) -> str:
    """A day as ISO text for what `DAY` finds as year, month and day; `""` for one that the calendar does not have."""
    year, month, day = map(value_of, parts)
    try:
        return date(year or 0, month or 0, day or 0).isoformat()
    except ValueError:
        return ""
