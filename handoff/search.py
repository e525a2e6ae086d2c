"""Finding tickets by words, among millions: what can be searched of each ticket, cut into short pieces.

No extension is needed. On PostgreSQL a row's `grams` hold the pieces of its text (two characters of Chinese, four of
letters and digits) and facets such as `==s:closed` or `==w:2960`, under one GIN index, so that words and filters are
intersected before any row is read. Answers come newest first: the last weeks are asked, then months, then all, until
there is enough, so that a common word does not read half the table. Pieces only narrow down; the words themselves are
then looked for in the text. On SQLite, which serves small desks, the text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Select, String, Text, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY, TSVECTOR
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.clock import now
from core.database import Base, Database, Moment
from core.errors import InvalidInput
from core.text import normalize
from core.transcript import Message
from handoff.tickets import TicketEventRow, TicketRow

MOST = 1000
"""More matches than these are not counted, nor paged through."""
_KEPT = 6_000
"""Characters of a ticket that can be found; of a longer conversation the newest."""
_PERIODS = {"w": 1, "m": 4, "q": 16}
"""Weeks, by the letter of their facet. Each is one piece: asking for many weeks at a time costs more than asking for all."""
_WORDS = 8
_RUNS = re.compile(r"\S+")
_ASCII = re.compile(r"[!-~]+")
_MONDAY = date(1970, 1, 5)


class TicketSearchRow(Base):
    """`text` is normalized and in lower case."""

    __tablename__ = "ticket_search"

    number: Mapped[str] = mapped_column(ForeignKey("ticket.number"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str] = mapped_column(Text)
    grams: Mapped[Any] = mapped_column(TSVECTOR().with_variant(Text(), "sqlite"), nullable=True)

    __table_args__ = (
        Index(
            "ix_ticket_search_grams", "grams", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 1024}
        ).ddl_if(dialect="postgresql"),
    )


@dataclass(frozen=True)
class Wanted:
    """What to look for: every word, and for each facet any of its values. `any_facet` are alternatives of their own."""

    words: tuple[str, ...] = ()
    facets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    any_facet: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.words or self.any_facet or any(self.facets.values()))


def words_of(typed: str) -> tuple[str, ...]:
    """The words of a search. Raises InvalidInput when none has two characters."""
    words = tuple(dict.fromkeys(normalize(typed).lower().split()))[:_WORDS]
    if words and all(len(word) < 2 for word in words):
        raise InvalidInput("请至少输入两个字再搜索。", code="too_short")
    return words


def facet(kind: str, value: object) -> str:
    """A facet as it stands in `grams`; longer than any piece of text, so that they are never mistaken."""
    return f"=={kind}:{value}"


def week_of(moment: datetime) -> int:
    return (moment.astimezone(UTC).date() - _MONDAY).days // 7


def grams_of(text: str) -> set[str]:
    """The pieces by which `text`, normalized and in lower case, is found."""
    found: set[str] = set()
    for run in _RUNS.findall(text):
        found |= {run[i : i + 2] for i in range(len(run) - 1) if not (run[i] <= "~" and run[i + 1] <= "~")}
        if len(run) == 1:
            found.add(run)
        for letters in _ASCII.findall(run):
            found |= {letters[i : i + 4] for i in range(len(letters) - 3)}
            found |= {letters[-3:], letters[-2:]}
    return found


def _asked(word: str) -> set[str]:
    """Pieces that whatever holds `word` has; a last `*` asks for a beginning: two or three letters begin or are a piece. One
    character narrows nothing down."""
    pieces = {word[i : i + 2] for i in range(len(word) - 1) if not (word[i] <= "~" and word[i + 1] <= "~")}
    for letters in _ASCII.findall(word):
        pieces |= {letters[i : i + 4] for i in range(len(letters) - 3)}
    return pieces or ({f"{word}*"} if len(word) > 1 else set())


def follow(session: Session, ticket: TicketRow, event: TicketEventRow | None = None) -> None:
    """Keep what can be found of `ticket`; called with each of its events, in the same transaction."""
    session.flush()
    searched = searched_text(session, ticket)
    values: dict[str, Any] = {"number": ticket.number, "created_at": ticket.created_at, "text": searched}
    if session.get_bind().dialect.name == "postgresql":
        pieces = sorted(grams_of(searched) | set(facets_of(ticket)))
        values["grams"] = func.array_to_tsvector(cast(pieces, ARRAY(Text)))
        made: Any = postgres_insert(TicketSearchRow)
    else:
        made = sqlite_insert(TicketSearchRow)
    session.execute(
        made.values(values).on_conflict_do_update(
            index_elements=["number"], set_={name: made.excluded[name] for name in values if name != "number"}
        )
    )


def searched_text(session: Session, ticket: TicketRow) -> str:
    """Number, people, document, description and solution, then what was said and noted, newest first."""
    requester = ticket.requester
    said = session.scalars(
        select(Message.text)
        .where(Message.conversation_id == ticket.conversation_id, Message.sender != "bot")
        .order_by(Message.seq.desc())
        .limit(100)
    )
    noted = session.scalars(
        select(TicketEventRow.text)
        .where(TicketEventRow.ticket == ticket.number, TicketEventRow.kind.in_(("noted", "replied", "employee_said")))
        .order_by(TicketEventRow.id.desc())
        .limit(100)
    )
    parts = (
        ticket.number,
        ticket.document_no,
        requester.get("name"),
        ticket.employee_no,
        requester.get("company"),
        requester.get("department"),
        ticket.business_type,
        ticket.subtype,
        ticket.description,
        ticket.resolution,
        *dict.fromkeys((*noted, *said)),
    )
    return normalize(" ".join(filter(None, parts))[:_KEPT]).lower()


def facets_of(ticket: TicketRow) -> Iterator[str]:
    yield facet("s", ticket.status)
    yield facet("b", ticket.business_type)
    yield facet("u", ticket.urgency)
    yield facet("g", ticket.group_id or "-")
    yield facet("a", ticket.assignee or "-")
    yield facet("v", ticket.service_tier)
    yield facet("t", ticket.tier)
    for period, weeks in _PERIODS.items():
        yield facet(period, week_of(ticket.created_at) // weeks)
    if ticket.emergency:
        yield facet("e", 1)
    for username in ticket.experts:
        yield facet("x", username)


def newest(session: Session, wanted: Wanted, most: int, *, moment: datetime | None = None) -> list[str]:
    """The numbers of up to `most` tickets on PostgreSQL, newest first. What they are now is for the caller to check."""
    # Both settings hold for this transaction. Statistics know how common a piece is, not how rarely two meet: believing
    # them, the planner would now and then read the whole table; compiling a query takes longer than these run.
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL jit = off"))
    for period in _periods(moment or now()):
        found = list(session.scalars(_query(wanted, period, most)))
        if len(found) >= most:
            break
    return found


def _periods(moment: datetime) -> Iterator[tuple[str, ...]]:
    """Facets of the newest tickets, then of those and earlier ones, at last none: this period and the one before."""
    for kind, weeks in _PERIODS.items():
        block = week_of(moment) // weeks
        yield facet(kind, block), facet(kind, block - 1)
    yield ()


def _query(wanted: Wanted, period: tuple[str, ...], most: int) -> Select[tuple[str]]:
    narrowed = [piece for word in wanted.words for piece in sorted(_asked(word))]
    clauses = [_lexeme(piece) for piece in dict.fromkeys(narrowed)]
    clauses += [_any(facet(kind, value) for value in values) for kind, values in wanted.facets.items() if values]
    if wanted.any_facet:
        clauses.append(_any(wanted.any_facet))
    if period:
        clauses.append(_any(period))
    query = select(TicketSearchRow.number)
    if clauses:
        query = query.where(TicketSearchRow.grams.op("@@")(cast(literal(" & ".join(clauses), String), TSQUERY)))
    for word in wanted.words:
        query = query.where(TicketSearchRow.text.contains(word, autoescape=True))
    return query.order_by(TicketSearchRow.created_at.desc(), TicketSearchRow.number.desc()).limit(most)


def _lexeme(piece: str) -> str:
    beginning = piece.endswith("*") and len(piece) <= 4
    quoted = (piece[:-1] if beginning else piece).replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}':*" if beginning else f"'{quoted}'"


def _any(pieces: Iterable[str]) -> str:
    return "(" + " | ".join(_lexeme(piece) for piece in pieces) + ")"


def catch_up(database: Database, batch: int = 500) -> int:
    """Make the rows of tickets that have none, such as those of before there was a search; return how many."""
    made = 0
    while True:
        with database.write() as session:
            missing = session.scalars(
                select(TicketRow)
                .where(~select(TicketSearchRow.number).where(TicketSearchRow.number == TicketRow.number).exists())
                .limit(batch)
            ).all()
            for ticket in missing:
                follow(session, ticket)
        made += len(missing)
        if len(missing) < batch:
            return made
