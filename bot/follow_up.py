"""Questions that go on from the one before: another case of it (那上海呢, 部门负责人呢), or something else about the same (多久到账)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from kb.search import CHOICES, Band, SearchResult
from kb.words import bare

_SHORT, _MARKED_SHORT = 8, 14
# How choices are weighed: at these, of 59 questions that went on 48 had the right one among five choices (24 alone), and of 96 that
# changed the subject none lost it.
_CLEAR, _JOINT = 0.5, 0.5
_MARKED = re.compile(r"^(?:那|如果|要是|万一)|呢[\W_]*$")
_FILLING = re.compile(
    r"那么|那|如果|要是|假如|换成|改成|的话|怎么样|怎样|什么样|多少钱|多少|几块|几|标准|限额|呢|么|嘛|吗|吧|啊|呀|哦|嗯|再|又|还有|和|跟|与|或|是|去|到|在|想|我|问|也|一样|同样|[份底初市\W_]"
)


@dataclass(frozen=True)
class Previous:
    """The question before, if it was answered or asked back about, and the entry that answered it, empty where none did yet."""

    question: str
    entry_id: str = ""


def names_only_a_case(rest: str) -> bool:
    """Whether what a question says beside its case (`kb.tables.case_of`) is nothing."""
    return not _FILLING.sub("", rest)


def goes_on(text: str, alone: SearchResult) -> bool:
    """Whether what came before may say what a text means that found little by itself: short ones about which it is asked back,
    and 那…, …呢, 如果…."""
    best = alone.candidates[0].probability if alone.candidates else 0.0
    if alone.band is Band.ANSWER or (alone.band is Band.CLARIFY and best >= _CLEAR):
        return False
    length = len(bare(text))
    marked = length <= _MARKED_SHORT and _MARKED.search(text) is not None
    return marked or (alone.band is Band.CLARIFY and length <= _SHORT)


def together(alone: SearchResult, joint: SearchResult, answered: str) -> SearchResult:
    """To ask back with: what a text finds by itself and what it finds with the question before it, which the entry `answered`
    answered; this one again, last, where it may be what is meant. Never an answer outright: what both say together is a guess."""
    others = [one for one in joint.candidates if one.entry.id != answered]
    if joint.band is Band.NONE or not others:
        return alone
    whole = max(sum(one.probability for one in others), 1e-9)
    weights = {one.entry.id: one.probability for one in alone.candidates}
    for one in others:
        weights[one.entry.id] = weights.get(one.entry.id, 0.0) + _JOINT * one.probability / whole
    found = {one.entry.id: one for one in (*others, *alone.candidates)}
    ranked = sorted(found.values(), key=lambda one: -weights[one.entry.id])
    again = next((one for one in joint.candidates[:1] if one.entry.id == answered), None)
    if again and answered not in found:
        ranked.insert(CHOICES - 1, again)
    return replace(joint, band=Band.CLARIFY, candidates=ranked[:CHOICES])
