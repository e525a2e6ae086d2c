"""The intents, on utterances that were written apart from the training data and are never trained on."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from kb.typical import FOREIGN, read_asked

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
HELD_OUT = yaml.safe_load((ROOT / "tests" / "nlu" / "heldout.yml").read_text("utf-8"))
SMALL = ("cancel", "handoff", "goodbye", "skip", "correct", "affirm", "deny", "thanks", "none_of_these", "unhelpful")

# Questions with a command's words in them: each belongs to the knowledge base.
CONFUSABLE = [
    "怎么取消报销单",
    "取消报销单在哪里点",
    "我想取消出差申请怎么操作",
    "付款申请可以取消吗",
    "怎么修改收款账户",
    "收款账户写错了怎么修改",
    "怎么修改报销单金额",
    "工单在哪里看",
    "人工成本怎么入账",
    "人工费怎么报",
    "劳务人工费用走哪个单据",
    "谢谢信的费用怎么报",
    "感谢信制作费能报吗",
    "客服外包费怎么付",
    "电话费怎么报销",
    "打电话的费用能报吗",
    "没有发票怎么报",
    "没有行程单能报销吗",
    "不用发票能报吗",
    "跳过影像扫描可以提交吗",
    "报销单提交后怎么确认",
    "确认提交后还能修改吗",
    "提交按钮点不了",
    "我的单据被退回了",
    "我的报销被取消了是为什么",
    "单据被作废了怎么恢复",
    "错误的发票怎么处理",
    "退出登录后草稿还在吗",
    "这张发票没用了怎么办",
    "离职了借款怎么还",
    "下班后提交的单据什么时候审",
    "结束出差后多久报销",
    "停车费怎么报",
    "差旅标准",
]

# One for each entry of the starter knowledge.
ENGLISH = [text for text, entry_id in read_asked(FOREIGN) if entry_id]

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The desk's own model, trained from what is in the tree."""
    archive = tmp_path_factory.mktemp("nlu") / "desk.tar.gz"
    done = subprocess.run(
        [str(PYTHON), "-m", "bot.engine", "train", "--domain", "bot/domain.yml", "--data", "bot/data"]
        + ["--config", "config.yml", "--out", str(archive)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return archive


@pytest.fixture(scope="module")
def understood(model: Path) -> dict[str, dict]:
    """What the model makes of every text of this module, by text."""
    texts = [*(text for texts in HELD_OUT.values() for text in texts), *CONFUSABLE, *ENGLISH, *FORMS]
    done = subprocess.run(
        [str(PYTHON), "-m", "bot.engine", "parse", "--model", str(model)],
        input="\n".join(texts),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    parsed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {each["text"]: each for each in parsed}


FORMS = {
    "工单 FW20261121-0001 到哪了": [["ticket_number", "FW20261121-0001"]],
    "fw20261121-0001": [["ticket_number", "fw20261121-0001"]],
    "看下FW202611210001": [["ticket_number", "FW202611210001"]],
    "BX2026112100001什么时候付": [["document_no", "BX2026112100001"]],
    "单号jk2026110300012退回": [["document_no", "jk2026110300012"]],
    "住宿标准是多少": [],
}


def misses(intent: str, understood: dict[str, dict]) -> list[str]:
    return [
        f"{text} → {understood[text]['intent']}" for text in HELD_OUT[intent] if understood[text]["intent"] != intent
    ]


def test_held_out_is_held_out() -> None:
    trained = set()
    for path in (ROOT / "bot" / "data" / "nlu").glob("*.yml"):
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("      - "):
                trained.add(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line[8:].strip().strip('"')))
    texts = [text for texts in HELD_OUT.values() for text in texts]
    assert not set(texts) & trained
    assert [text for text, times in Counter(texts).items() if times > 1] == []
    assert len(texts) >= 250


def test_intents_are_recognised(understood: dict[str, dict]) -> None:
    wrong = [miss for intent in HELD_OUT for miss in misses(intent, understood)]
    total = sum(len(texts) for texts in HELD_OUT.values())
    assert 1 - len(wrong) / total >= 0.93, "\n".join(wrong)


def test_every_intent_is_recognised(understood: dict[str, dict]) -> None:
    for intent, texts in HELD_OUT.items():
        assert 1 - len(misses(intent, understood)) / len(texts) >= 0.8, misses(intent, understood)


def test_who_asks_for_a_person_is_heard(understood: dict[str, dict]) -> None:
    assert 1 - len(misses("handoff", understood)) / len(HELD_OUT["handoff"]) >= 0.98, misses("handoff", understood)


def test_a_question_is_not_taken_for_a_command(understood: dict[str, dict]) -> None:
    assert [f"{t} → {understood[t]['intent']}" for t in CONFUSABLE if understood[t]["intent"] != "ask"] == []
    lost = [text for text in HELD_OUT["ask"] if understood[text]["intent"] in ("cancel", "handoff", "goodbye")]
    assert lost == []
    assert len([text for text in HELD_OUT["ask"] if understood[text]["intent"] in SMALL]) / len(HELD_OUT["ask"]) <= 0.02


def test_questions_in_english_reach_search(understood: dict[str, dict]) -> None:
    searched = ("ask", "out_of_scope")
    lost = [f"{text} → {understood[text]['intent']}" for text in ENGLISH if understood[text]["intent"] not in searched]
    assert len(lost) / len(ENGLISH) <= 0.01, lost


@pytest.mark.parametrize("text", FORMS)
def test_numbers_are_found(text: str, understood: dict[str, dict]) -> None:
    assert understood[text]["entities"] == FORMS[text]


def test_what_nobody_trained_is_a_question(model: Path) -> None:
    strange = [
        "asdfghjkl",
        "？？？",
        "😀😀",
        "Lorem ipsum dolor sit amet",
        "한국어 질문",
        "区块链智能合约上链存证费归属口径",
    ]
    done = subprocess.run(
        [str(PYTHON), "-m", "bot.engine", "parse", "--model", str(model)],
        input="\n".join(strange),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    intents = {e["text"]: e["intent"] for e in map(json.loads, filter(None, done.stdout.splitlines()))}
    assert set(intents.values()) <= {"ask", "out_of_scope"}, intents
