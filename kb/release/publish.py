"""Publish: freeze the entries as a numbered release, fitted, measured and compared with the one before; roll back.

Only what changed is encoded, cut into words and asked again. The matcher and its thresholds are carried over while less
than `CARRIED_SHARE` of the entries changed since they were fitted, and employees gave fewer than `NEW_VERDICTS`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import Conflict, InvalidInput
from kb.encoder import Encoder, facing
from kb.entries import Entry
from kb.evaluate import cross_validated
from kb.fitting import fit
from kb.index import Index
from kb.ingest.policies.references import due, follow_due
from kb.lessons import out_of_scope
from kb.release.comparison import Comparison, compare, curated_questions, lately_asked, real_questions
from kb.release.contents import (
    EMPTY,
    Changes,
    Contents,
    Item,
    changes_between,
    different,
    freeze,
    live_contents,
    unpack,
)
from kb.release.diagrams import curve, reliability
from kb.release.gate import Asked, Gate, judge, on_common, told
from kb.release.judgement import Judgement
from kb.release.loading import Loaded, Progress, directory_of, load, prune, write
from kb.release.rejudging import MEASURES, moved
from kb.release.releases import KnowledgeSettingRow, ReleaseRow, add_release, current_number, move_back, release_of
from kb.release.vectors import texts_to_vectors, vectors_of
from kb.reviewed import Reviewed, lately_reviewed
from kb.search import Searcher
from kb.store import DocumentRow, EntryRow
from kb.thresholds import choose
from kb.tokens import Tokens

CARRIED_SHARE = 0.02
NEW_VERDICTS = 20
"""So many verdicts of employees since the matcher was fitted are reason to fit it again."""
_MATCHING = "11"
"""Raise it when the same entries would be fitted differently, so that the next publish fits anew."""
_MOST_LISTED = 500
_ATTEMPTS = 3


@dataclass(frozen=True)
class Published:
    """`new` is False when the current release already holds exactly this."""

    number: int
    entries: int
    new: bool
    encoded: int
    seconds: float


@dataclass(frozen=True)
class Candidate:
    """A release that is ready but for its number. `prepared` are the columns of `kb.release.releases.Prepared`; `stamp` says what it
    was made of (`live_stamp`); `carried` whether the matcher is the one before's."""

    prepared: dict[str, Any]
    stamp: str
    contents: Contents
    index: Index
    judgement: Judgement
    encoded: int
    carried: bool

    @property
    def gate(self) -> Gate:
        found = self.prepared["report"]["gate"]
        return Gate(found["passed"], tuple(found["reasons"]))


class Publisher:
    """Prepares releases; keeps the current one in memory, so that the next is made from it. One thread at a time."""

    def __init__(self, database: Database, home: Path, encoder: Encoder) -> None:
        self._database = database
        self._home = home
        self._encoder = encoder
        self._current: Loaded | None = None
        self._fitted: tuple[ReleaseRow, tuple[Item, ...]] | None = None

    def prepare(self, wrong_rate: float, progress: Progress, refit: bool = False) -> Candidate | None:
        """The release that the live entries would make; None when the current one holds exactly this.

        Raises InvalidInput when there are no entries.
        """
        base = self._base(progress)
        with self._database.read() as session:
            behind = due(session)
        if behind:
            with self._database.write() as session:
                follow_due(session, "system")
        with self._database.read() as session:
            stamp = live_stamp(session)
            contents = live_contents(session, base.contents if base else EMPTY)
            real = lately_asked(session) if base else []
            reviewed = lately_reviewed(session)
        if not contents.items:
            raise InvalidInput(
                "没有可发布的知识，请先导入，例如运行 fssc kb load kb/starter。", code="nothing_to_publish"
            )
        digest = self._digest(contents, wrong_rate, base.row.number if base and refit else None)
        if base is not None and base.row.digest == digest:
            return None
        known = None
        if base is not None and base.encoder == self._encoder.fingerprint:
            known = base.known
        vectors, told, encoded = vectors_of(self._database, self._encoder, contents.entries, progress, known)
        tokens = Tokens.of(contents.entries, base.index.tokens if base else None)
        index = Index(contents.entries, vectors, tokens, facing(self._encoder.fingerprint), told)
        carried = base is not None and not refit and self._carries(base, contents, reviewed)
        judgement = self._judgement(base if carried else None, index, vectors, wrong_rate, reviewed, progress)
        progress("正在评测，并与线上版本对比")
        changes = changes_between(base.contents if base else EMPTY, contents)
        comparison = self._compared(base, index, judgement, changes, real, not carried, progress)
        evaluation = _evaluation(contents, judgement)
        if base is not None and carried:
            evaluation |= self._moved(base, evaluation, index, judgement, changes, progress)
        with self._database.write() as session:
            freeze(session, contents, base.contents if base else EMPTY)
        prepared = _prepared(base, digest, contents, judgement, evaluation, changes, comparison, carried)
        prepared |= {"encoder": self._encoder.fingerprint, "wrong_rate": wrong_rate}
        return Candidate(prepared, stamp, contents, index, judgement, encoded, carried)

    def publish(self, candidate: Candidate, author: str, override_reason: str | None = None) -> ReleaseRow:
        """Number it and make it the one that serves. Raises Conflict: `gate_refused` when the gate refuses it and no reason
        overrides that, `preview_stale` when another release was published meanwhile."""
        with self._database.write() as session:
            row = put_to_work(session, candidate.prepared, author, override_reason)
        self.keep(candidate)
        searcher = _searcher(candidate.index, candidate.judgement, self._encoder, row.number)
        self._current = Loaded(row, self._encoder.fingerprint, candidate.contents, candidate.judgement, searcher)
        return row

    def keep(self, candidate: Candidate) -> None:
        """Write the directory that replicas on this machine start from."""
        directory = directory_of(self._home, candidate.prepared["digest"], self._encoder)
        if not directory.exists():
            write(directory, candidate.index, candidate.judgement)
        prune(directory)

    def _base(self, progress: Progress) -> Loaded | None:
        with self._database.read() as session:
            number = current_number(session)
        if number is None:
            return None
        if self._current is None or self._current.row.number != number:
            self._current = load(self._database, self._home, self._encoder, number, progress, self._current)
        return self._current

    def _carries(self, base: Loaded, contents: Contents, reviewed: Sequence[Reviewed]) -> bool:
        if base.row.report.get("matching") != _MATCHING or base.row.encoder != self._encoder.fingerprint:
            return False
        number = base.row.fitted_in or base.row.number
        if self._fitted is None or self._fitted[0].number != number:
            with self._database.read() as session:
                row = release_of(session, number)
            if row is None:
                return False
            self._fitted = row, unpack(row.contents)
        row, items = self._fitted
        if sum(one.at > row.created_at for one in reviewed) >= NEW_VERDICTS:
            return False
        return different(items, contents.items) < CARRIED_SHARE * len(contents.items)

    def _judgement(
        self,
        base: Loaded | None,
        index: Index,
        vectors: np.ndarray,
        wrong_rate: float,
        reviewed: Sequence[Reviewed],
        progress: Progress,
    ) -> Judgement:
        if base is not None:
            kept = base.judgement
            if base.row.wrong_rate == wrong_rate:
                return kept
            return Judgement(kept.matcher, choose(kept.held_out, wrong_rate), kept.held_out)
        progress(f"正在训练匹配模型：{len(index.entries)} 条知识、{len(index.texts)} 个问题和段落")
        fitted = fit(
            index.entries, vectors, lambda texts: self._encode(texts, progress), reviewed=reviewed, index=index
        )
        return Judgement(fitted.matcher, choose(fitted.held_out, wrong_rate), fitted.held_out)

    def _moved(
        self,
        base: Loaded,
        evaluation: dict[str, Any],
        index: Index,
        judgement: Judgement,
        changes: Changes,
        progress: Progress,
    ) -> dict[str, Any]:
        """The measures of a release whose matcher is carried over."""
        if base.row.evaluation.get("accepted_wrong_rate") == evaluation["accepted_wrong_rate"]:
            evaluation = {**evaluation, **{name: base.row.evaluation[name] for name in MEASURES}}
        vectors = self._encode(list(out_of_scope()), progress)
        kept = {name: evaluation[name] for name in MEASURES}
        return kept | moved(
            evaluation, (base.index, base.judgement), (index, judgement), changes, (list(out_of_scope()), vectors)
        )

    def _encode(self, texts: list[str], progress: Progress) -> np.ndarray:
        """What the matcher learns from and is judged by is kept too, for the next time."""
        return texts_to_vectors(self._database, self._encoder, [(text, False) for text in texts], progress)[0]

    def _compared(
        self,
        base: Loaded | None,
        index: Index,
        judgement: Judgement,
        changes: Changes,
        real: list[str],
        everything: bool,
        progress: Progress,
    ) -> Comparison:
        if base is None or base.encoder != self._encoder.fingerprint:
            return Comparison([], 0, Asked())
        vectors = self._encode(real, progress)
        questions = curated_questions(base.index, index, changes, everything)
        questions += real_questions(real, vectors, base.index, index, changes, everything)
        return compare(base.searcher, _searcher(index, judgement, self._encoder, 0), questions)

    def _digest(self, contents: Contents, wrong_rate: float, refitted_after: int | None) -> str:
        made = [
            _MATCHING,
            self._encoder.fingerprint,
            wrong_rate,
            refitted_after,
            [item.digest for item in contents.items],
        ]
        return hashlib.sha256(json.dumps(made).encode()).hexdigest()


def publish(
    database: Database,
    home: Path,
    encoder: Encoder,
    *,
    author: str,
    wrong_rate: float,
    progress: Progress,
    override_reason: str | None = None,
    refit: bool = False,
    shown: Callable[[Candidate], None] = lambda _: None,
) -> Published:
    """Make the live entries the current release; `shown` sees it before. Raises InvalidInput when there are none, Conflict
    as `Publisher.publish` does. When somebody else publishes meanwhile, it is prepared again from what they published."""
    started = time.perf_counter()
    publisher = Publisher(database, home, encoder)
    for attempt in range(_ATTEMPTS):
        candidate = publisher.prepare(wrong_rate, progress, refit)
        if candidate is None:
            with database.read() as session:
                row = release_of(session, current_number(session) or 0)
            assert row is not None
            return Published(row.number, len(unpack(row.contents)), False, 0, time.perf_counter() - started)
        shown(candidate)
        try:
            row = publisher.publish(candidate, author, override_reason)
            break
        except Conflict as error:
            if error.code != "preview_stale" or attempt == _ATTEMPTS - 1:
                raise
            progress("刚刚有人发布了新版本，正在以它为基础重新准备")
    return Published(row.number, len(candidate.contents.items), True, candidate.encoded, time.perf_counter() - started)


def put_to_work(
    session: Session, prepared: dict[str, Any], author: str, override_reason: str | None, stamp: str | None = None
) -> ReleaseRow:
    """Number what was prepared and point at it, in the caller's transaction. With a `stamp`, only if the live entries are
    still those that it was made of. Raises Conflict."""
    gate = prepared["report"]["gate"]
    if not gate["passed"] and not (override_reason or "").strip():
        raise Conflict(
            "质量检查没有通过：" + " ".join(gate["reasons"]) + " 如仍要发布，请填写理由。", code="gate_refused"
        )
    if stamp is not None and stamp != live_stamp(session):
        raise Conflict("预览之后知识又有变化，请重新预览后再发布。", code="preview_stale")
    return add_release(session, prepared, author, None if gate["passed"] else (override_reason or "").strip()[:500])


def roll_back(database: Database, number: int, author: str, reason: str) -> None:
    """Let an earlier release serve again; every replica takes it up within seconds. Raises NotFound or Conflict."""
    with database.write() as session:
        move_back(session, number, author, reason[:500])


def live_stamp(session: Session) -> str:
    """Changes whenever the next release may have: entries, policies, the accepted rate, or the release it builds on."""
    entries = session.execute(select(func.count(), func.sum(EntryRow.version), func.max(EntryRow.updated_at))).one()
    live = session.scalar(select(func.count()).where(EntryRow.deleted.is_(False)))
    policies = session.execute(
        select(func.count(), func.max(DocumentRow.updated_at)).where(DocumentRow.kind == "policy")
    ).one()
    setting = session.get(KnowledgeSettingRow, "wrong_rate")
    accepted = setting.value if setting else None
    made = "|".join(map(str, (*entries, live, *policies, accepted, current_number(session))))
    return hashlib.sha256(made.encode()).hexdigest()


def load_searcher(
    database: Database, home: Path, encoder: Encoder, number: int, progress: Progress = lambda _: None
) -> Searcher:
    """Release `number`, from its directory or, if that is missing or damaged, rebuilt from the database."""
    return load(database, home, encoder, number, progress).searcher


def _searcher(index: Index, judgement: Judgement, encoder: Encoder, number: int) -> Searcher:
    return Searcher.of(index, judgement.matcher, judgement.thresholds, encoder.encode_queries, number)


def _prepared(
    base: Loaded | None,
    digest: str,
    contents: Contents,
    judgement: Judgement,
    after: dict[str, Any],
    changes: Changes,
    comparison: Comparison,
    carried: bool,
) -> dict[str, Any]:
    before = base.row.evaluation if base else None
    common = on_common(base.judgement, judgement) if base and not carried else None
    gate = judge(*(common or (before, after)), comparison.asked)
    report = {
        "matching": _MATCHING,
        "carried": carried,
        "before": before,
        "common": common and {"before": told(common[0]), "after": told(common[1])},
        "gate": {"passed": gate.passed, "reasons": list(gate.reasons)},
        "changes": {
            "added": _named(changes.added),
            "changed": _named([entry for _, entry in changes.changed]),
            "removed": _named(changes.removed),
        },
        "answer_changes": comparison.answer_changes,
        "answers_changed": comparison.changed,
        "answers_compared": vars(comparison.asked),
        "reliability": reliability(judgement.held_out),
        "curve": curve(judgement.held_out),
    }
    return {
        "digest": digest,
        "base": base.row.number if base else None,
        "contents": contents.pack(),
        "fitted": judgement.pack(),
        "fitted_in": (base.row.fitted_in or base.row.number) if base and carried else None,
        "evaluation": after,
        "changes": changes.counts,
        "report": report,
    }


def _named(entries: tuple[Entry, ...] | list[Entry]) -> list[dict[str, str]]:
    return [{"id": entry.id, "question": entry.heading} for entry in entries[:_MOST_LISTED]]


def _evaluation(contents: Contents, judgement: Judgement) -> dict[str, Any]:
    """What the release promises, measured on questions that its matcher had not seen."""
    thresholds = judgement.thresholds
    measured = vars(cross_validated(len(contents.items), judgement.held_out, thresholds))
    return {
        "questions": sum(len(entry.questions) for entry in contents.entries),
        "passages": sum(entry.is_passage for entry in contents.entries),
        "answer_threshold": thresholds.answer,
        "clarify_threshold": thresholds.clarify,
        "accepted_wrong_rate": thresholds.accepted_wrong_rate,
        **{name: round(value, 4) if isinstance(value, float) else value for name, value in measured.items()},
    }
