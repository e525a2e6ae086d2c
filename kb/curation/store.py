"""Curation in the database: open questions with their signals, clusters of them, decisions, policy gaps and runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Json, Moment

SIGNALS = {
    "no_answer": "没有答案",
    "none_of_these": "都不是",
    "rated_bad": "评价没用",
    "handoff": "转人工",
    "rephrased": "反复换说法",
    "abandoned": "把握不大、问完就走",
    "reopened": "工单重开",
}
"""Why a question is open, and what people read."""

OPEN, SNOOZED, REVIEW, GAP, CLOSED, DISMISSED, MERGED = (
    "open",
    "snoozed",
    "review",
    "gap",
    "closed",
    "dismissed",
    "merged",
)
"""States of a cluster. `review`: what was drafted waits for review or for the next release. `gap`: the policy's owner has to
say. `closed`: a release answers it. `dismissed`: not for us."""

ANSWERED, NOT_OURS, GAP_CLOSED = "answered", "not_ours", "gap_closed"
"""How a question was closed."""


class ClusterRow(Base):
    """Open questions that mean the same; it keeps its id from night to night. `named_by` is who named it, empty where it has
    the name of its most central question. `recent` and `before` count its questions of the last seven days and of the seven before; `minutes` are those that agents spent on its
    tickets; `came_back` how often it was asked again after it was closed. `version` rises with every decision."""

    __tablename__ = "curation_cluster"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(500))
    named_by: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    business_type: Mapped[str] = mapped_column(String(40), default="")
    questions: Mapped[int] = mapped_column(default=0)
    people: Mapped[int] = mapped_column(default=0)
    answered: Mapped[int] = mapped_column(default=0)
    recent: Mapped[int] = mapped_column(default=0)
    before: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[float] = mapped_column(default=0.0)
    snoozed_until: Mapped[datetime | None] = mapped_column(Moment)
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("curation_cluster.id"))
    split_from: Mapped[int | None] = mapped_column(ForeignKey("curation_cluster.id"))
    came_back: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime] = mapped_column(Moment)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_curation_cluster_state", "state", "people"),)

    def comes_back(self) -> None:
        """A question that was thought to be answered is asked again."""
        if self.state == CLOSED:
            self.state, self.closed_at = OPEN, None
            self.came_back += 1
            self.version += 1


class OpenQuestionRow(Base):
    """What one employee wanted to know in one conversation and did not learn; `text` is masked, `signals` lists the kinds of
    its signals. `asker` is their number, or the conversation of an anonymous visitor; `groups` with `company` say what they
    may see. `shown` is what was offered, `{entry_id, question, probability}`, `probability` that of the best. `cluster` is
    null until the next run; `placed_by` names the person who put it there. `closed_as` says how it was closed: answered (by
    `entry_id` in `release_now`), not_ours or gap_closed. `told_at` is when the employee heard that there is an answer."""

    __tablename__ = "curation_question"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    conversation_id: Mapped[str] = mapped_column(String(36))
    digest: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    asker: Mapped[str] = mapped_column(String(64))
    anonymous: Mapped[bool] = mapped_column(default=False)
    company: Mapped[str] = mapped_column(String(100), default="")
    department: Mapped[str] = mapped_column(String(100), default="")
    groups: Mapped[list[str]] = mapped_column(Json, default=list)
    channel: Mapped[str] = mapped_column(String(20), default="")
    page: Mapped[str] = mapped_column(String(100), default="")
    node: Mapped[str] = mapped_column(String(100), default="")
    shown: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    probability: Mapped[float | None]
    release: Mapped[int | None]
    signals: Mapped[list[str]] = mapped_column(Json, default=list)
    first_at: Mapped[datetime] = mapped_column(Moment, index=True)
    last_at: Mapped[datetime] = mapped_column(Moment, index=True)
    cluster: Mapped[int | None] = mapped_column(ForeignKey("curation_cluster.id"))
    likeness: Mapped[float | None]
    placed_by: Mapped[str] = mapped_column(String(64), default="")
    closed_as: Mapped[str | None] = mapped_column(String(12))
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    entry_id: Mapped[str | None] = mapped_column(String(64))
    probability_now: Mapped[float | None]
    release_now: Mapped[int | None]
    told_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (
        UniqueConstraint("conversation_id", "digest"),
        Index("ix_curation_question_cluster", "cluster", "last_at"),
        Index("ix_curation_question_closed", "closed_as", "last_at"),
    )


class SignalRow(Base):
    """One reason why a question is open. `key` names what caused it, so that it counts once; `detail` holds a bad rating's
    `reason` and `comment`, or why a ticket was reopened; `ticket` is the one that it led to."""

    __tablename__ = "curation_signal"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    question: Mapped[int] = mapped_column(ForeignKey("curation_question.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    ticket: Mapped[str | None] = mapped_column(String(20), index=True)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_curation_signal_kind", "kind", "at"),)


class DecisionRow(Base):
    """What a person decided about a cluster: `kind` is similar, entry, gap, dismiss, split, merge, snooze,
    wake, rename, gap_done. `entry_id`
    is the entry whose draft came of it; `state` of such a decision is drafted, approved, rejected or live. `questions` counts
    those that it settles."""

    __tablename__ = "curation_decision"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cluster: Mapped[int] = mapped_column(ForeignKey("curation_cluster.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    entry_id: Mapped[str | None] = mapped_column(String(64), index=True)
    version: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="")
    questions: Mapped[int] = mapped_column(default=0)
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class GapRow(Base):
    """A task for a policy's owner: the policy does not say. `article` is the nearest one; `evidence` holds what was asked, how
    often, where, with tickets and passages, as it was when the task was opened. `state` is open or closed; `outcome` amended,
    explained, or refused."""

    __tablename__ = "curation_gap"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    cluster: Mapped[int] = mapped_column(ForeignKey("curation_cluster.id"), index=True)
    question: Mapped[str] = mapped_column(String(500))
    policy_id: Mapped[str | None] = mapped_column(String(64), index=True)
    policy: Mapped[str] = mapped_column(String(200), default="")
    article: Mapped[int | None]
    owner: Mapped[str] = mapped_column(String(40), default="")
    assignee: Mapped[str | None] = mapped_column(String(64), index=True)
    missing: Mapped[str] = mapped_column(Text)
    evidence: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="open")
    opened_by: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(String(12), default="")
    answer: Mapped[str] = mapped_column(Text, default="")
    closed_by: Mapped[str | None] = mapped_column(String(64))
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    __table_args__ = (Index("ix_curation_gap_state", "state", "opened_at"),)


class ContributionRow(Base):
    """Who had a part in an entry that came out of curation: `part` is curator, agent (whose reply was used) or reviewer."""

    __tablename__ = "curation_contribution"

    decision: Mapped[int] = mapped_column(ForeignKey("curation_decision.id"), primary_key=True)
    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    part: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_curation_contribution_person", "person", "at"),)


class RunRow(Base):
    """One gathering and grouping of what is open: `state` is waiting, working, done or failed; signals up to `until` were looked
    for in finished turns; `counts` says what came of it."""

    __tablename__ = "curation_run"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    asked_by: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(10), index=True)
    progress: Mapped[str] = mapped_column(String(200), default="")
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    error: Mapped[str] = mapped_column(String(500), default="")
    attempt: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    until: Mapped[datetime | None] = mapped_column(Moment)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment)


class AskedAgainRow(Base):
    """A release that the open questions were asked again; `counts` says how many of them it answers."""

    __tablename__ = "curation_asked_again"

    release: Mapped[int] = mapped_column(primary_key=True)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    at: Mapped[datetime] = mapped_column(Moment)


class CurationSettingRow(Base):
    """What curators set in the console."""

    __tablename__ = "curation_setting"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
