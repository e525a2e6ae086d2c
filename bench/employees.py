"""Those who ask: a population of intents, each with the words that employees type for it, and a day's visits.

The words are the wordings of `kb/starter` that the first release is not given, and the questions that people wrote who had not
seen the entries (`tests/data/starter_queries.tsv`, `starter_unanswerable.txt`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from bot.turns import Place
from core.clock import SHANGHAI
from core.identity import Identity
from kb.entries import Audience, Entry
from kb.files import read_knowledge

ROOT = Path(__file__).resolve().parent.parent
KNOWN, MISSING, GAP, NOT_OURS = "known", "missing", "gap", "not ours"
SHARES = {NOT_OURS: 0.06, GAP: 0.02}
"""Of all visits; the rest ask what a finance centre answers."""

_GIVEN = 2
"""Of the other wordings of an entry the first release has one in so many."""
_GAPS = (
    "股权激励行权",
    "进口设备海关报关",
    "补充医疗报",
    "年会抽奖",
    "出口退税",
    "公务卡额度",
    "车辆出险",
    "外汇远期锁汇",
)
"""Of the questions that the starter knowledge does not answer, those of which a policy of the centre might speak."""
_LATE = 0.2
"""So many of the missing intents come up only during the year."""
_PERSONAL = 0.03
_HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 5, 12, 14, 9, 3, 6, 11, 12, 10, 6, 2, 1, 1, 1, 0, 0)
_WEEKEND = 0.1
_OPENINGS = ("", "", "", "", "请问", "请问一下，", "我想问下，", "你好，")
_ENDINGS = ("", "", "", "", "？", "？", "，谢谢", "，急")
_COMPANIES = ("华晟制造", "华晟销售", "华晟物流", "华晟地产", "华晟能源", "华晟科技")
_DEPARTMENTS = ("财务部", "销售一部", "生产部", "人事部", "研发中心", "采购部")
_FAMILY, _GIVEN_NAMES = "王李张刘陈杨黄赵吴周徐孙", ("志强", "秀英", "晓雯", "建国", "文博", "敏", "浩然", "静")


@dataclass(frozen=True)
class Intent:
    """What somebody may want. `entry` answers it, or will; `texts` are what is typed for it; nobody asks before `since`, a
    day of the year; `weight` is how often it is asked, beside others of its kind."""

    id: str
    kind: str
    texts: tuple[str, ...]
    entry: Entry | None
    since: int
    weight: float


@dataclass(frozen=True)
class Visit:
    """Somebody comes with something; `texts` are their ways to put it, `mood` decides what they do next."""

    at: datetime
    identity: Identity
    channel: str
    place: Place
    intent: Intent
    texts: tuple[str, ...]
    mood: random.Random


class Population:
    """`missing` is the share of the starter's entries that the first release lacks; `intents` at most that many entries."""

    def __init__(self, seed: int, missing: float, intents: int, days: int) -> None:
        rng = random.Random(f"population {seed}")
        self._seed = seed
        entries = sorted(read_knowledge(ROOT / "kb" / "starter").entries, key=lambda entry: entry.id)
        rng.shuffle(entries)
        entries = entries[:intents]
        blind: dict[str, list[str]] = {}
        for line in _lines("starter_queries.tsv")[1:]:
            text, entry_id = line.split("\t")
            blind.setdefault(entry_id, []).append(text)
        lacking = round(len(entries) * missing)
        self.first: list[Entry] = []
        self.intents: list[Intent] = []
        for entry in sorted(entries, key=lambda _: rng.random()):
            held = len(self.intents) < lacking
            given = entry.similar[::_GIVEN]
            texts = [text for text in entry.similar if held or text not in given] + blind.get(entry.id, [])
            if held:
                texts.append(entry.question)
            else:
                self.first.append(replace(entry, similar=given))
            late = held and rng.random() < _LATE
            since = rng.randrange(days // 6, days * 5 // 6) if late else 0
            kind = MISSING if held else KNOWN
            self.intents.append(Intent(entry.id, kind, tuple(texts), entry, since, 1.0))
        ranks = list(range(1, len(self.intents) + 1))
        rng.shuffle(ranks)
        self.intents = [replace(one, weight=1 / rank) for one, rank in zip(self.intents, ranks, strict=True)]
        foreign = _lines("starter_unanswerable.txt")
        rng.shuffle(foreign)
        for n, text in enumerate(foreign):
            gap = any(word in text for word in _GAPS)
            answer = Entry(
                "", text, f"制度已经明确：{text.rstrip('？?')}，按共享中心本年发布的口径办理。", owner="制度组"
            )
            self.intents.append(
                Intent(f"foreign-{n}", GAP if gap else NOT_OURS, (text,), answer if gap else None, 0, 1 / (n % 40 + 1))
            )
        self.by_id = {one.id: one for one in self.intents}

    def visits(self, day: int, on: date, volume: int) -> Iterator[Visit]:
        """Those of the `day`-th day, in order; the same ones whatever the desk has learnt."""
        rng = random.Random(f"day {self._seed} {day}")
        count = round(volume * (_WEEKEND if on.weekday() > 4 else rng.uniform(0.85, 1.15)))
        hours = sorted(rng.choices(range(24), _HOURS, k=count))
        times = sorted(
            datetime.combine(on, time(hour, rng.randrange(60), rng.randrange(60)), SHANGHAI) for hour in hours
        )
        asked = {kind: [one for one in self.intents if one.since <= day and _drawer(one) == kind] for kind in _DRAWERS}
        for n, at in enumerate(times):
            drawer = rng.choices(_DRAWERS, [1 - sum(SHARES.values()), SHARES[GAP], SHARES[NOT_OURS]])[0]
            some = asked[drawer]
            intent = rng.choices(some, [one.weight for one in some])[0]
            yield self._visit(at, intent, random.Random(f"visit {self._seed} {day} {n}"))

    def _visit(self, at: datetime, intent: Intent, rng: random.Random) -> Visit:
        number = rng.randrange(3000)
        name = rng.choice(_FAMILY) + rng.choice(_GIVEN_NAMES)
        seen_by = intent.entry.audience if intent.entry else Audience()
        company = min(seen_by.companies, default=_COMPANIES[number % 6])
        department = _DEPARTMENTS[number // 6 % 6]
        who = Identity(f"E{number:05d}", name, company, department, tuple(sorted(seen_by.groups)))
        scenes = intent.entry.scenes if intent.entry else ()
        page, _, node = rng.choice(scenes).partition("/") if scenes and rng.random() < 0.5 else ("", "", "")
        texts = rng.sample(intent.texts, min(3, len(intent.texts)))
        said = [rng.choice(_OPENINGS) + text.rstrip("？?") + rng.choice(_ENDINGS) for text in texts]
        if rng.random() < _PERSONAL:
            said[0] = f"我是{name}，手机13{rng.randrange(10**9):09d}，{said[0]}"
        channel = rng.choices(("widget", "wecom", "dingtalk"), (6, 3, 1))[0]
        return Visit(at, who, channel, Place(page, node), intent, tuple(said), rng)


_DRAWERS = ("ours", GAP, NOT_OURS)


def _drawer(intent: Intent) -> str:
    return "ours" if intent.kind in (KNOWN, MISSING) else intent.kind


def _lines(name: str) -> Sequence[str]:
    return (ROOT / "tests" / "data" / name).read_text(encoding="utf-8").splitlines()


def workday(moment: datetime) -> bool:
    return moment.astimezone(SHANGHAI).weekday() < 5


DAY = timedelta(days=1)
