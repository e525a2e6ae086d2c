"""Ratings in a chat: a score as a number or in words while the question is open, then reasons, then a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.turns import Option, Reply, TurnContext
from core.outbox import PULLED
from core.transcript import Message
from handoff.actors import employee
from handoff.quality import satisfaction
from handoff.quality.documents import document
from handoff.quality.satisfaction import SCORES

_NUMERALS = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5}
_WORDS = {label: score for score, label in SCORES.items()} | {
    "很满意": 5,
    "好评": 5,
    "满分": 5,
    "差评": 1,
    "非常不满意": 1,
}
_BARE = re.compile(r"(?P<score>[1-5])[。!.]?")
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_STARS = rf"[{''.join(_NUMERALS)}1-5]\s*(?:分|颗星|星)"
_SAID = re.compile(
    rf"(?:我?(?:打|给|评)?(?:个|您|你|你们)?)?(?:全|满)?(?P<first>{_STARS}|{_WORD})"
    rf"(?:[\s·:,]*(?:非常|很)?(?:{_STARS}|{_WORD}))*[了吧哦。!.~ ]*"
)
_STAR = re.compile(_STARS)
_NUMBERS = re.compile(r"\d{1,2}(?:[\s,、;和]+\d{1,2})*[。.]?")
_COMMENT = re.compile(r"(?:评价|意见|建议|原因)\s*[:]\s*(?P<words>.+)", re.S)
_SEEN = 12
"""How many of the newest messages are looked at for the question."""


@dataclass(frozen=True)
class Rating:
    """What somebody says of a ticket. No `score`: the one that they gave before."""

    number: str
    score: int | None = None
    reasons: tuple[str, ...] = ()
    words: str = ""


def pressed(number: str, rest: str) -> Rating | None:
    """`5`, or `2:时效:回复太慢|流程:被转来转去`, from a button of this ticket."""
    score, _, reasons = rest.partition(":")
    if score not in ("1", "2", "3", "4", "5"):
        return None
    return Rating(number, int(score), tuple(one for one in reasons.split("|") if one))


def spoken(session: Session, conversation_id: str, text: str) -> Rating | None:
    """The rating that `text` is, given what was said before: a bare digit only while nothing else was asked since,
    a score in words while the invitation is open."""
    comment, numbers, score = _COMMENT.fullmatch(text), _NUMBERS.fullmatch(text), _score(text)
    if not (comment or numbers or score):
        return None
    said = _told(session, conversation_id)
    asked = next((n for n, one in enumerate(said) if one.type == "rating"), None)
    if said and said[0].type == "reasons":
        number = str(said[0].body["number"])
        if comment:
            return Rating(number, words=comment["words"])
        if numbers and (chosen := _reasons(said[0], text)):
            return Rating(number, reasons=chosen)
    if asked is None:
        return None
    number, later = str(said[asked].body["number"]), said[:asked]
    if comment:
        thanked = all(one.type in ("answer", "reasons", "thanks") for one in later)
        return Rating(number, words=comment["words"]) if thanked and _rated(session, number) else None
    if score is None or not _still_asked(later, plainly=bool(_BARE.fullmatch(text))):
        return None
    return Rating(number, score) if not later or _open(session, number) else None


def rate(session: Session, context: TurnContext, rating: Rating) -> Reply:
    """Keep it, and ask for reasons where they can still be given. Raises FSSCError as `satisfaction.rate` does."""
    standing = satisfaction.standing(session, rating.number) or {}
    score = rating.score or standing.get("score")
    if score is None:
        return Reply("请先打 1 到 5 分，再说说原因。")
    same = score == standing.get("score")
    reasons = rating.reasons or (standing.get("reasons", ()) if same else ())
    words = rating.words or (standing.get("words", "") if same else "")
    actor = employee(context.identity, context.conversation_id)
    satisfaction.rate(session, rating.number, actor, score, reasons, words)
    if rating.reasons or rating.words or context.channel in PULLED:
        return Reply("谢谢您的评价，我们会认真对待。", "thanks" if rating.reasons or rating.words else "text")
    return _why(session, rating.number, score)


def label(value: str) -> str:
    """What a pressed `rate:VALUE` says, for the transcript."""
    found = pressed(*value.partition(":")[::2])
    if found is None:
        return value
    return "、".join(one.partition(":")[2] for one in found.reasons) or f"{found.score} 分"


def _why(session: Session, number: str, score: int) -> Reply:
    offered = satisfaction.reasons_of(document(session, "satisfaction"), "low" if score <= 3 else "high")
    if not offered:
        return Reply("谢谢您的评价，我们会认真对待。")
    return Reply(
        "谢谢您的评价。方便的话，说说是什么原因：",
        "reasons",
        tuple(Option(one.replace(":", "·", 1), f"rate:{number}:{score}:{one}") for one in offered),
        {"number": number, "score": score},
    )


def _told(session: Session, conversation_id: str) -> list[Message]:
    return list(
        session.scalars(
            select(Message)
            .where(Message.conversation_id == conversation_id, Message.sender != "user")
            .order_by(Message.seq.desc())
            .limit(_SEEN)
        )
    )


def _score(text: str) -> int | None:
    found = _BARE.fullmatch(text)
    if found:
        return int(found["score"])
    said = _SAID.fullmatch(text)
    if not said:
        return None
    if star := _STAR.search(text):
        return _NUMERALS.get(star[0][0]) or int(star[0][0])
    return _WORDS[said["first"]]


def _still_asked(later: list[Message], *, plainly: bool) -> bool:
    """Whether a score answers the invitation although this was said after it: a bare digit only after answers without a list that
    it could mean, a score in words unless it answers what was asked last."""
    if plainly:
        return all(one.type == "answer" and not one.body.get("options") for one in later)
    return (
        not later or later[0].type not in ("question", "summary", "supplement") and not later[0].body.get("reopening")
    )


def _open(session: Session, number: str) -> bool:
    return (satisfaction.standing(session, number) or {}).get("state") == "open"


def _rated(session: Session, number: str) -> bool:
    return (satisfaction.standing(session, number) or {}).get("state") == "rated"


def _reasons(asked: Message, text: str) -> tuple[str, ...]:
    options = asked.body.get("options", [])
    places = [int(one) for one in re.findall(r"\d{1,2}", text)]
    if not all(1 <= place <= len(options) for place in places):
        return ()
    return tuple(dict.fromkeys(options[place - 1]["choice"].split(":", 3)[3] for place in places))
