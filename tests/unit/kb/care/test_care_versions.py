"""What changed between two versions, in people's words."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from kb.care.bulk import applied
from kb.care.versions import FIELDS, compare, lines
from kb.entries import Audience, Entry, Source
from kb.store import entry_to_dict

OLD = Entry("e", "问", "一\n二\n三", similar=("甲", "乙"), sources=(Source("《办法》第一条"),))
NEW = Entry(
    "e",
    "问",
    "一\n二点五\n三",
    similar=("乙", "丙"),
    audience=Audience(frozenset({"华晟销售公司"}), frozenset({"finance"})),
    sources=(Source("《办法》第一条"), Source("公告", regulation="公告", quote="原文")),
    effective_to=date(2026, 12, 31),
)


def test_only_what_differs_is_told_line_by_line() -> None:
    fields = {field["field"]: field for field in compare(entry_to_dict(OLD), entry_to_dict(NEW))}
    assert set(fields) == {"answer", "similar", "audience", "sources", "effective_to"}
    assert [(line["op"], line["text"]) for line in fields["answer"]["lines"]] == [
        (" ", "一"),
        ("-", "二"),
        ("+", "二点五"),
        (" ", "三"),
    ]
    assert [line["op"] for line in fields["similar"]["lines"]] == ["-", " ", "+"]
    assert fields["audience"]["before"] == "所有人"
    assert fields["audience"]["after"] == "公司：华晟销售公司\n人员组：finance"
    assert fields["sources"]["lines"][-1] == {"op": "+", "text": "公告：原文"}
    assert fields["effective_to"]["after"] == "2026-12-31" and fields["effective_to"]["label"] == "失效日期"


def test_nothing_differs_from_itself_and_everything_from_nothing() -> None:
    assert compare(entry_to_dict(NEW), entry_to_dict(NEW)) == []
    assert {field["field"] for field in compare(None, entry_to_dict(NEW))} >= {"question", "answer", "audience"}


def test_bodies_of_earlier_releases_can_be_compared() -> None:
    old = {name: value for name, value in entry_to_dict(OLD).items() if name not in ("title", "review_on", "extra")}
    assert compare(old, entry_to_dict(OLD)) == []


def test_every_field_of_an_entry_has_a_name_but_its_id_and_version() -> None:
    assert set(FIELDS) == set(entry_to_dict(OLD)) - {"id", "version"}


@given(st.text(alphabet="甲乙\n"), st.text(alphabet="甲乙\n"))
def test_both_texts_can_be_read_back_from_their_difference(before: str, after: str) -> None:
    told = lines(before, after)
    assert [line["text"] for line in told if line["op"] != "+"] == before.splitlines()
    assert [line["text"] for line in told if line["op"] != "-"] == after.splitlines()


def test_a_bulk_change_touches_what_it_names_alone() -> None:
    entry = Entry("e", "问", "答", scenes=("a", "b"), effective_to=date(2026, 1, 1), owner="报销组")
    assert applied(entry, {}) == entry
    assert applied(entry, {"effective_to": None}).effective_to is None
    changed = applied(entry, {"add_scenes": ["c", "a"], "remove_scenes": ["b"], "owner": "税务组"})
    assert (changed.scenes, changed.owner, changed.effective_to) == (("a", "c"), "税务组", date(2026, 1, 1))
