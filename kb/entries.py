"""The entry: one curated question with its answer, and who may see it when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Source:
    """Where an answer comes from. `label` is what the employee reads, such as 《差旅费管理办法》第十二条."""

    label: str
    policy: str | None = None
    article: int | None = None
    table: str | None = None
    regulation: str | None = None
    quote: str | None = None


@dataclass(frozen=True)
class Audience:
    """Who may see an entry. Empty sets mean everybody, anonymous visitors included."""

    companies: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def public(self) -> bool:
        return not self.companies and not self.groups


@dataclass(frozen=True)
class Viewer:
    """Who is asking, as far as an audience is concerned."""

    company: str | None = None
    groups: frozenset[str] = frozenset()

    def may_see(self, audience: Audience) -> bool:
        return (not audience.companies or self.company in audience.companies) and (
            not audience.groups or bool(self.groups & audience.groups)
        )


class _Staff(Viewer):
    def may_see(self, audience: Audience) -> bool:
        return True


PUBLIC = Viewer()
STAFF = _Staff()
"""Whoever looks after the entries: sees those of every audience."""


@dataclass(frozen=True)
class Entry:
    """`id` is stable over versions; `scenes` are `page` or `page/node`; `effective_to` is the last valid day.

    An entry with an answer and no question is a passage: a piece of a policy, found by its text and shown under `title`.
    `review_on` is the day its owner looks at it again; `extra` keeps the columns of an import that we have no use for.
    """

    id: str
    question: str
    answer: str = ""
    similar: tuple[str, ...] = ()
    business_type: str = ""
    scenes: tuple[str, ...] = ()
    audience: Audience = field(default_factory=Audience)
    sources: tuple[Source, ...] = ()
    effective_from: date | None = None
    effective_to: date | None = None
    related: tuple[str, ...] = ()
    owner: str = ""
    title: str = ""
    review_on: date | None = None
    extra: tuple[tuple[str, str], ...] = ()
    version: int = 1

    @property
    def is_passage(self) -> bool:
        return not self.question

    @property
    def heading(self) -> str:
        """What people read above the answer: the standard question, or the title of a passage."""
        return self.question or self.title

    @property
    def questions(self) -> tuple[str, ...]:
        """The standard question first, then the similar ones; none for a passage."""
        return (self.question, *self.similar) if self.question else ()

    def valid_on(self, day: date) -> bool:
        return (self.effective_from is None or self.effective_from <= day) and (
            self.effective_to is None or day <= self.effective_to
        )

    def visible_to(self, viewer: Viewer, day: date) -> bool:
        return self.valid_on(day) and viewer.may_see(self.audience)
