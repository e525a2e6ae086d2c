"""How good the starter knowledge answers people who have never seen its curated questions.

`tests/data` was written from the standard questions and the beginnings of the answers alone. Nothing is fitted to it.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from connectors.widget import sign_token
from core.identity import Identity
from tests.stack import Stack

pytestmark = pytest.mark.engine

DATA = Path(__file__).resolve().parents[1] / "data"
NEAR_MISSES = 70
EVERYBODY = Identity("E9001", "测试", "华晟销售公司", "测试部", ("finance",))


@pytest.fixture(scope="module")
def client(stack: Stack):
    token = sign_token(EVERYBODY, stack.settings.widget_key, "fssc-demo")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=stack.url, headers=headers, timeout=60, trust_env=False) as client:
        yield client


def found(client: httpx.Client, question: str) -> dict:
    response = client.get("/api/v1/kb/search", params={"q": question, "top_k": 5})
    assert response.status_code == 200, response.text
    return response.json()


def test_people_in_their_own_words_get_the_right_entry_or_are_asked_back(client: httpx.Client) -> None:
    rows = [line.split("\t") for line in (DATA / "starter_queries.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    results = [(found(client, query), entry_id) for query, entry_id in rows]
    ids = [[candidate["entry_id"] for candidate in result["candidates"]] for result, _ in results]
    wanted = [entry_id for _, entry_id in results]
    top1 = sum(one[:1] == [entry_id] for one, entry_id in zip(ids, wanted, strict=True)) / len(rows)
    top5 = sum(entry_id in one for one, entry_id in zip(ids, wanted, strict=True)) / len(rows)
    answered = [
        (one[0], entry_id) for (result, entry_id), one in zip(results, ids, strict=True) if result["band"] == "answer"
    ]
    wrong = sum(one != entry_id for one, entry_id in answered) / len(answered)
    offered = sum(
        entry_id in one and result["band"] != "none" for (result, entry_id), one in zip(results, ids, strict=True)
    ) / len(rows)
    print(
        f"{len(rows)} questions: top-1 {top1:.3f}, top-5 {top5:.3f}, answered outright {len(answered) / len(rows):.3f}, "
        f"wrong among them {wrong:.3f}, right one shown {offered:.3f}"
    )
    assert top1 >= 0.85 and top5 >= 0.95
    assert wrong <= 0.035
    assert len(answered) / len(rows) >= 0.35 and offered >= 0.75


def test_what_nobody_wrote_an_answer_for_is_not_answered(client: httpx.Client) -> None:
    questions = (DATA / "starter_unanswerable.txt").read_text(encoding="utf-8").splitlines()
    answered = [question for question in questions if found(client, question)["band"] == "answer"]
    far = [question for question in answered if question in questions[NEAR_MISSES:]]
    print(f"near misses answered: {[one for one in answered if one not in far]}, far ones: {far}")
    assert len(far) <= 0.02 * (len(questions) - NEAR_MISSES), far
    assert (len(answered) - len(far)) / NEAR_MISSES <= 0.1, answered


def test_probabilities_are_probabilities(client: httpx.Client) -> None:
    for question in ("发票", "出差住宿费能报多少？", "今天天气怎么样", "asdf"):
        shown = [candidate["probability"] for candidate in found(client, question)["candidates"]]
        assert all(0 <= one <= 1 for one in shown) and sum(shown) <= 1.0001 and shown == sorted(shown, reverse=True)
