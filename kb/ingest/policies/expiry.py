"""The end of a policy's own validity: 有效期至2026年6月30日, 试行一年."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kb.ingest.policies.commencement import DAY, NOUNS, day_of
from kb.ingest.policies.labels import value_of

_OWN = re.compile(rf"本(?:{NOUNS})")
_OTHERS = re.compile(r"《|原(?!则|始|因)|发票|合同|证件|证书|授权|签证|保函|协议|借款")
_BEGINS = re.compile("自[^，。；]{4,30}起[^，。；]{0,4}(?:施行|实施|执行|生效|试行)|(?:施行|实施|执行|生效|试行)之日起")
_UNTIL = re.compile(
    rf"(?:有效期(?:限)?|试行期?|执行期?|施行期?|有效)[^。；，《（(]{{0,24}}?(?:至|到|截至|截止)\s*{DAY}|(?:至|到)\s*{DAY}\s*(?:止|失效|废止|自动失效)"
)
_FOR = re.compile(
    r"(?:有效期(?:限)?|试行期?(?:限)?|暂行期?)\s*(?:暂定)?\s*(?:为)?\s*([\d一二两三四五六七八九十半]{1,3})\s*(个月|年|月)"
)
_SENTENCE = re.compile("[。；\n]")


@dataclass(frozen=True)
class Expiry:
    """`day` is the last day of validity as ISO text, `""` where it is not told or not certain; `note` is Chinese."""

    day: str = ""
    note: str = ""


def expiry_of(texts: Sequence[str], begins: str) -> Expiry:
    """When the policy ends that begins on the day `begins` (ISO, or empty)."""
    days: list[str] = []
    spans: list[str] = []
    for sentence in _sentences(texts):
        for found in filter(_of_this, _UNTIL.finditer(sentence)):
            groups = found.groups()
            days += filter(None, [day_of(groups[:3]) if groups[0] else day_of(groups[3:])])
        for found in filter(_of_this, _FOR.finditer(sentence)):
            spans.append(found[0])
            days += filter(None, [_after(begins, found[1], found[2])])
    known = list(dict.fromkeys(days))
    if len(known) == 1 and (not begins or begins <= known[0]):
        said = f"（文中写明“{spans[0]}”）" if spans else ""
        return Expiry(known[0], f"失效日期按 {known[0]} 填写{said}，请核对；到期以后机器人不再引用这份制度。")
    if known or spans:
        told = "、".join([*known, *spans])
        return Expiry(note=f"文中写到这份制度的有效期（{told}），不能确定到哪一天，请填写失效日期。")
    return Expiry()


def _of_this(found: re.Match[str]) -> bool:
    """Whether nothing else is named in its clause, such as 原《差旅费规定》 or the contracts that end."""
    return not _OTHERS.search(re.split("[，,]", found.string[: found.start()])[-1])


def _sentences(texts: Sequence[str]) -> Iterator[str]:
    """The sentences that speak of this policy's own validity."""
    for text in texts:
        for sentence in _SENTENCE.split(text):
            own = _OWN.search(sentence) or (_BEGINS.search(sentence) and not _OTHERS.search(sentence))
            field = re.match(r"\s*(?:有效期|试行期|失效日期)(?:限)?\s*[:：至为到]", sentence)
            if own or field:
                yield sentence


def _after(begins: str, number: str, unit: str) -> str:
    """The last day of so many months or years from a day."""
    many = None if "半" in number else value_of(number)
    months = 6 if number == "半" and unit == "年" else (many or 0) * (12 if unit == "年" else 1)
    if not begins or not months:
        return ""
    first = date.fromisoformat(begins)
    year, month = divmod(first.month - 1 + months, 12)
    try:
        return (date(first.year + year, month + 1, first.day) - timedelta(days=1)).isoformat()
    except ValueError:
        return ""
