"""Masking on sentences that it was not made with, and on questions of the field, in which nobody is named."""

from __future__ import annotations

import re
from pathlib import Path

from core.privacy import mask_people

ROOT = Path(__file__).resolve().parents[3]
HELD_OUT = ROOT / "tests" / "data" / "curation_privacy.tsv"


def test_sentences_that_were_written_before_the_masker_was_looked_at() -> None:
    marked = missed = touched = spoiled = 0
    for line in HELD_OUT.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        parts = re.split("【(.*?)】", line)
        told, secrets = mask_people("".join(parts)), parts[1::2]
        marked += len(secrets)
        missed += sum(secret in told for secret in secrets)
        if told != "".join(parts):
            touched += 1
            kept = re.fullmatch(".*?".join(re.escape(one) for one in parts[::2]), told, re.S)
            spoiled += not secrets or kept is None
    assert missed <= 0.04 * marked and spoiled <= 0.04 * touched, (missed, marked, spoiled, touched)


def test_questions_that_name_nobody_keep_their_words() -> None:
    lines = (ROOT / "tests" / "data" / "starter_queries.tsv").read_text(encoding="utf-8").splitlines()[1:]
    texts = [line.split("\t")[0] for line in lines][::2]
    texts += ["招待费能付现金吗", "从交单到拿钱总共要几天", "ETC发票能按行程汇总开吗", "调动安家费扣税", "发票章盖错了"]
    assert [text for text in texts if "某某" in mask_people(text)] == []
