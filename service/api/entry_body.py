"""An entry as the console sends it."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from kb import limits
from kb.entries import Audience, Entry, Source


def _one_line(text: str) -> str:
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """Without control characters and lone surrogates, which no database keeps."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()


def _ids(value: Any) -> Any:
    """A follow-up as it was sent out, `{id, question}`, may come back so."""
    if not isinstance(value, list):
        return value
    return [one.get("id") if isinstance(one, dict) else one for one in value]


def line(most: int) -> Any:
    return Annotated[str, Field(max_length=most), AfterValidator(_one_line)]


Day = date | None


def _id(text: str) -> str:
    if text and not limits.is_id(text):
        raise ValueError(limits.WRONG_ID + "。")
    return text


EntryId = Annotated[str, AfterValidator(_id)]
Labels = list[line(limits.AUDIENCE)]
Text = Annotated[str, Field(max_length=limits.EXTRA), AfterValidator(_printable)]


class AudienceBody(BaseModel):
    companies: Labels = Field([], max_length=limits.AUDIENCES)
    groups: Labels = Field([], max_length=limits.AUDIENCES)

    def audience(self) -> Audience:
        return Audience(frozenset(filter(None, self.companies)), frozenset(filter(None, self.groups)))


class SourceBody(BaseModel):
    label: line(limits.SOURCE)
    policy: line(64) | None = None
    article: Annotated[int, Field(ge=0, le=100_000)] | None = None
    table: line(64) | None = None
    regulation: line(300) | None = None
    quote: Annotated[str, Field(max_length=limits.QUOTE), AfterValidator(_printable)] | None = None

    def source(self) -> Source:
        return Source(
            self.label, self.policy or None, self.article, self.table or None, self.regulation or None, self.quote
        )


class EntryBody(BaseModel):
    """As much as `kb.limits` says; text comes in as it was typed and loses only what nobody can type."""

    id: EntryId = ""
    question: line(limits.QUESTION)
    similar: list[line(limits.QUESTION)] = Field([], max_length=limits.SIMILAR)
    answer: Annotated[str, Field(max_length=limits.ANSWER), AfterValidator(_printable)]
    business_type: line(limits.NAME) = ""
    scenes: list[line(limits.SCENE)] = Field([], max_length=limits.SCENES)
    audience: AudienceBody = Field(default_factory=AudienceBody)
    sources: list[SourceBody] = Field([], max_length=limits.SOURCES)
    effective_from: Day = None
    effective_to: Day = None
    related: Annotated[list[line(limits.ID)], BeforeValidator(_ids)] = Field([], max_length=limits.RELATED)
    owner: line(limits.NAME) = ""
    title: line(limits.TITLE) = ""
    review_on: Day = None
    extra: list[tuple[line(limits.EXTRA_NAME), Text]] = Field([], max_length=limits.EXTRAS)

    def entry(self, entry_id: str) -> Entry:
        """As the knowledge base keeps it, under this id."""
        return Entry(
            id=entry_id,
            question=self.question,
            answer=self.answer,
            similar=tuple(filter(None, self.similar)),
            business_type=self.business_type,
            scenes=tuple(dict.fromkeys(filter(None, self.scenes))),
            audience=self.audience.audience(),
            sources=tuple(source.source() for source in self.sources if source.label),
            effective_from=self.effective_from,
            effective_to=self.effective_to,
            related=tuple(dict.fromkeys(filter(None, self.related))),
            owner=self.owner,
            title=self.title,
            review_on=self.review_on,
            extra=tuple(self.extra),
        )


class ChangeBody(BaseModel):
    """What a bulk edit changes: only what is there."""

    owner: line(limits.NAME) = ""
    business_type: line(limits.NAME) = ""
    effective_from: Day = None
    effective_to: Day = None
    review_on: Day = None
    audience: AudienceBody = Field(default_factory=AudienceBody)
    add_scenes: list[line(limits.SCENE)] = Field([], max_length=limits.SCENES)
    remove_scenes: list[line(limits.SCENE)] = Field([], max_length=limits.SCENES)
    retire: bool = False
