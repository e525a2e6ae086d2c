"""The starter knowledge base keeps its own rules: every violation is listed with the entry's id, all at once."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import yaml

from core.text import normalize
from kb.care.amounts import amounts
from kb.care.checks import findings, known_of, source_amounts
from kb.files import read_knowledge
from kb.typical import FOREIGN, read_asked
from kb.words import bare, is_chinese

STARTER = Path(__file__).resolve().parents[3] / "kb" / "starter"
BUSINESS_TYPES = (
    "差旅报销", "日常报销", "借款与冲销", "发票", "应付与付款", "税务", "资金与账户", "系统操作", "影像与单据退回",
)  # fmt: skip
OWNERS = ("报销组", "应付组", "税务组", "资金组", "系统支持组")
COMPANIES = ("华晟集团总部", "华晟销售公司", "华晟制造公司")
GROUPS = ("finance",)
REQUIRED = {"id", "question", "similar", "answer", "business_type", "sources", "effective_from", "owner"}
OPTIONAL = {"scenes", "audience", "related", "effective_to"}
DAY = date(2026, 11, 21)
SOURCE_SHAPES = ({"policy", "article"}, {"table"}, {"regulation", "quote"})


def chinese_number(text: str) -> int:
    digits = {c: i for i, c in enumerate("零一二三四五六七八九")}
    total = current = 0
    for c in text:
        if c in "十百":
            total += (current or 1) * {"十": 10, "百": 100}[c]
            current = 0
        else:
            current = digits[c]
    return total + current


def read_policies() -> dict[str, list[tuple[int, str]]]:
    """`{policy id: [(article number, title and text), ...]}`, in the order of the file."""
    policies = {}
    for path in sorted((STARTER / "policies").glob("*.md")):
        _, front, body = path.read_text("utf-8").split("---\n", 2)
        parts = re.split(r"(?m)^### 第([一二三四五六七八九十百零]+)条 ", body)
        texts = [re.sub(r"(?m)^## .*$", "", text) for text in parts[2::2]]
        articles = list(zip(map(chinese_number, parts[1::2]), texts, strict=True))
        policies[yaml.safe_load(front)["id"]] = articles
    return policies


def read_entries() -> list[dict]:
    entries = []
    for path in sorted((STARTER / "entries").glob("*.yaml")):
        entries += yaml.safe_load(path.read_text("utf-8")) or []
    return entries


POLICY_ARTICLES = read_policies()
POLICIES = {policy: dict(articles) for policy, articles in POLICY_ARTICLES.items()}
TABLES = {t["id"]: t for t in (yaml.safe_load(p.read_text("utf-8")) for p in (STARTER / "tables").glob("*.yaml"))}
ENTRIES = read_entries()
KNOWLEDGE = read_knowledge(STARTER)
KNOWN = known_of(KNOWLEDGE.entries, KNOWLEDGE.policies, KNOWLEDGE.tables, [KNOWLEDGE.scenes])
IDS = Counter(entry.get("id") for entry in ENTRIES)


def scenes() -> set[str]:
    pages = yaml.safe_load((STARTER / "scenes.yaml").read_text("utf-8"))["pages"]
    return {p["page"] for p in pages} | {f"{p['page']}/{n['node']}" for p in pages for n in p["nodes"]}


def report(violations: list[str]) -> None:
    if violations:
        pytest.fail(f"{len(violations)} violations\n" + "\n".join(violations), pytrace=False)


def test_articles_are_numbered_consecutively():
    report(
        [
            f"{policy}: {[n for n, _ in articles]}"
            for policy, articles in POLICY_ARTICLES.items()
            if [n for n, _ in articles] != list(range(1, len(articles) + 1))
        ]
    )


def test_the_notes_of_a_table_are_text():
    """A note with `: ` in it reads as a mapping unless it is quoted."""
    report([f"{t['id']}: {note}" for t in TABLES.values() for note in t.get("notes", []) if not isinstance(note, str)])


def test_there_are_enough_entries_of_every_business_type():
    counts = Counter(entry["business_type"] for entry in ENTRIES)
    missing = [b for b in BUSINESS_TYPES if not counts[b]]
    report([f"no entry of {b}" for b in missing] + ([f"only {len(ENTRIES)} entries"] if len(ENTRIES) < 240 else []))


def test_ids_are_unique():
    report([f"{entry_id}: {n} times" for entry_id, n in IDS.items() if n > 1])


def schema_violations(entry: dict) -> list[str]:
    wrong = [f"key missing: {k}" for k in sorted(REQUIRED - entry.keys())]
    wrong += [f"key unknown: {k}" for k in sorted(entry.keys() - REQUIRED - OPTIONAL)]
    if wrong:
        return wrong
    if not re.fullmatch(r"[a-z]+-\d{3}", entry["id"]):
        wrong.append("id is not <prefix>-NNN")
    if not isinstance(entry["question"], str) or not 2 <= len(entry["question"]) <= 40:
        wrong.append(f"question of {len(str(entry['question']))} characters")
    if not all(isinstance(s, str) and s.strip() for s in entry["similar"]):
        wrong.append("a similar question is not text")
    if len(entry["similar"]) < 5:
        wrong.append(f"{len(entry['similar'])} similar questions")
    if entry["business_type"] not in BUSINESS_TYPES:
        wrong.append(f"business type {entry['business_type']}")
    if entry["owner"] not in OWNERS:
        wrong.append(f"owner {entry['owner']}")
    if type(entry["effective_from"]) is not date or type(entry.get("effective_to", date.max)) is not date:
        wrong.append("effective_from or effective_to is not a date")
    audience = entry.get("audience", {})
    if audience.keys() - {"companies", "groups"} or set(audience.get("companies", [])) - set(COMPANIES):
        wrong.append(f"audience {audience}")
    if set(audience.get("groups", [])) - set(GROUPS):
        wrong.append(f"audience {audience}")
    return wrong


def test_every_entry_has_the_agreed_shape():
    report([f"{entry.get('id')}: {wrong}" for entry in ENTRIES for wrong in schema_violations(entry)])


def test_an_answer_is_short_enough_to_read_in_a_chat():
    violations = []
    for entry in ENTRIES:
        length = len(re.findall(r"[\u4e00-\u9fff]", entry["answer"]))
        if not 60 <= length <= 220:
            violations.append(f"{entry['id']}: {length} Chinese characters, want 60 to 220")
        if re.search(r"https?://|www\.", entry["answer"]):
            violations.append(f"{entry['id']}: an address in the answer")
    report(violations)


def test_no_question_occurs_twice():
    seen: dict[str, str] = {}
    violations = []
    for entry in ENTRIES:
        for question in (entry["question"], *entry["similar"]):
            key = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", str(question)).lower())
            if key in seen:
                violations.append(f"{entry['id']}: 「{question}」 is also in {seen[key]}")
            seen[key] = entry["id"]
    report(violations)


def test_related_entries_exist():
    report(
        [
            f"{entry['id']}: related {other}"
            for entry in ENTRIES
            for other in entry.get("related", [])
            if other not in IDS or other == entry["id"]
        ]
    )


def test_scenes_exist():
    known = scenes()
    report([f"{e['id']}: scene {s}" for e in ENTRIES for s in e.get("scenes", []) if s not in known])


def source_violations(source: dict) -> list[str]:
    if set(source) not in SOURCE_SHAPES:
        return [f"source {source}"]
    if "policy" in source and source["article"] not in POLICIES.get(source["policy"], {}):
        return [f"no article {source['article']} in policy {source['policy']}"]
    if "table" in source and source["table"] not in TABLES:
        return [f"no table {source['table']}"]
    if "regulation" in source and not (str(source["regulation"]).strip() and str(source["quote"]).strip()):
        return ["a regulation needs its name and the quote"]
    return []


def test_sources_exist():
    violations = [f"{e['id']}: {wrong}" for e in ENTRIES for s in e["sources"] for wrong in source_violations(s)]
    report(violations + [f"{e['id']}: no source" for e in ENTRIES if not e["sources"]])


def test_every_amount_of_an_answer_stands_in_its_sources():
    violations = []
    for entry in KNOWLEDGE.entries:
        known = set().union(*(source_amounts(source, KNOWN, DAY) or set() for source in entry.sources))
        violations += [f"{entry.id}: 「{a}」" for a in sorted(amounts(entry.answer) - known)]
    report(violations)


def test_nothing_is_found_that_an_editor_would_be_told_of():
    report([f"{entry.id}: {found['message']}" for entry in KNOWLEDGE.entries for found in findings(entry, KNOWN, DAY)])


def test_every_entry_is_asked_for_in_another_language() -> None:
    asked = read_asked(FOREIGN)
    assert len({text for text, _ in asked}) == len(asked)
    assert {entry_id for _, entry_id in asked if entry_id} == {entry["id"] for entry in read_entries()}
    assert sum(not entry_id for _, entry_id in asked) > 100
    assert not [text for text, _ in asked if is_chinese(text)]


def test_the_questions_that_typical_matchers_learn_from_are_no_others() -> None:
    """Each belongs to an entry, two to most; none, and no sentence out of scope, is among the blind ones that judge the starter."""
    asked = read_asked()
    known = {entry["id"] for entry in read_entries()}
    assert {entry_id for _, entry_id in asked} == known
    data = Path(__file__).resolve().parents[2] / "data"
    blind = [line.split("\t")[0] for line in (data / "starter_queries.tsv").read_text("utf-8").splitlines()[1:]]
    blind += (data / "starter_unanswerable.txt").read_text("utf-8").splitlines()
    spoken = [bare(normalize(text)) for text, _ in asked]
    assert len(set(spoken)) == len(spoken) > 600
    strangers = (data.parents[1] / "kb" / "out_of_scope.txt").read_text("utf-8").splitlines()
    known = {bare(normalize(text)) for text in blind}
    assert not set(spoken) & known
    assert not {bare(normalize(text)) for text in strangers if text} & known
