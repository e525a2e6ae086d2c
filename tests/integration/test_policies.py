"""Versions of a policy: all kept, the right ones published, none overwritten."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.database import Database
from core.errors import Conflict, NotFound
from kb.passages import passages_of
from kb.policies import policies_to_publish, policy_version, policy_versions, save_policy
from kb.store import documents, save_document


def policy(version: str, since: str | None, text: str = "住宿费限额500元。", **more: Any) -> dict[str, Any]:
    article = {"number": 1, "label": "第一条", "title": "", "chapter": "", "text": text}
    return {
        "id": "travel", "title": "差旅费管理办法", "number": "", "version": version, "effective_from": since, "owner": "报销组",
        "articles": [article], **more,
    }  # fmt: skip


def test_every_version_is_kept_and_the_newest_is_the_document(database: Database):
    with database.write() as session:
        save_document(session, "policy", policy("2026.1", "2026-01-01"))
        assert save_policy(session, policy("2027.1", "2027-01-01", "住宿费限额550元。"), "chen")
    with database.read() as session:
        rows = policy_versions(session, "travel")
        assert [(row.version, row.author) for row in rows] == [("2027.1", "chen"), ("2026.1", "")]
        assert documents(session, "policy")[0]["version"] == "2027.1"
        assert policy_version(session, "travel", "2026.1")["articles"][0]["text"] == "住宿费限额500元。"
        with pytest.raises(NotFound):
            policy_version(session, "travel", "2020.1")
        with pytest.raises(NotFound):
            policy_versions(session, "lunch")


def test_a_version_is_never_overwritten_by_another_text(database: Database):
    with database.write() as session:
        save_policy(session, policy("2026.1", "2026-01-01"), "chen")
    with pytest.raises(Conflict, match=r"已有版本 2026\.1"), database.write() as session:
        save_policy(session, policy("2026.1", "2026-01-01", "住宿费限额900元。"), "chen")
    with database.read() as session:
        assert documents(session, "policy")[0]["articles"][0]["text"] == "住宿费限额500元。"


def test_the_details_of_a_version_can_be_corrected(database: Database):
    closed = {"companies": ["华晟制造公司"], "groups": []}
    with database.write() as session:
        save_document(session, "policy", policy("2026.1", "2026-01-01"))
        assert save_policy(session, policy("2026.1", "2026-02-01", "住宿费限额 500元。\n", audience=closed), "chen")
    with database.read() as session:
        [body] = documents(session, "policy")
        assert (body["effective_from"], body["audience"]) == ("2026-02-01", closed)
        assert [(row.version, row.effective_from) for row in policy_versions(session, "travel")] == [
            ("2026.1", date(2026, 2, 1))
        ]
    with database.write() as session:
        assert save_policy(session, policy("2027.1", "2027-01-01"), "chen")
        assert not save_policy(session, policy("2027.1", "2025-01-01"), "chen"), "it takes effect before the other now"
    with database.read() as session:
        assert documents(session, "policy")[0]["version"] == "2026.1"


def test_an_older_edition_becomes_history_only(database: Database):
    with database.write() as session:
        save_policy(session, policy("2026.1", "2026-01-01"), "chen")
        assert not save_policy(session, policy("2019.1", "2019-05-01", "住宿费限额350元。"), "chen")
    with database.read() as session:
        assert documents(session, "policy")[0]["version"] == "2026.1"
        assert [row.version for row in policy_versions(session, "travel")] == ["2026.1", "2019.1"]


def test_what_is_in_force_and_what_comes_are_published_side_by_side(database: Database):
    with database.write() as session:
        for version in (policy("2024.1", "2024-01-01"), policy("2026.1", "2026-01-01"), policy("2027.1", "2027-01-01")):
            save_policy(session, version, "chen")

    def published(day: date) -> list[tuple[str, date | None, date | None]]:
        with database.read() as session:
            found = [one for body in policies_to_publish(session, day) for one in passages_of(body)]
        return [(one.id, one.effective_from, one.effective_to) for one in found]

    assert published(date(2026, 11, 21)) == [
        ("travel@2027.1#1", date(2027, 1, 1), None),
        ("travel#1", date(2026, 1, 1), date(2026, 12, 31)),
    ]
    assert published(date(2027, 1, 1)) == [("travel#1", date(2027, 1, 1), None)]
    assert published(date(2023, 1, 1))[-1] == ("travel#1", date(2024, 1, 1), date(2025, 12, 31))


def test_policies_loaded_from_files_are_published_as_they_are(database: Database):
    with database.write() as session:
        save_document(session, "policy", policy("2026.1", None))
    with database.read() as session:
        [body] = policies_to_publish(session, date(2026, 11, 21))
    assert [one.id for one in passages_of(body)] == ["travel#1"] and passages_of(body)[0].effective_to is None
