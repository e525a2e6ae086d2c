"""What curators read and an index holds names nobody: measured on sentences in which the personal data is marked."""

from __future__ import annotations

import re
from pathlib import Path

from core.privacy import mask_people

CORPUS = Path(__file__).resolve().parents[2] / "data" / "privacy.tsv"
LEAST = 0.9


def test_recall_and_precision_on_marked_sentences(capsys) -> None:
    lines = [line for line in CORPUS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found = marked = clean = touched = 0
    missed, wrong = [], []
    for line in lines:
        parts = re.split("【(.*?)】", line)
        told = mask_people("".join(parts))
        secrets = parts[1::2]
        gone = [one for one in secrets if one not in told]
        missed += [one for one in secrets if one in told]
        marked += len(secrets)
        found += len(gone)
        # What is not marked has to stand there still, in its order.
        kept = re.fullmatch(".*?".join(re.escape(one) for one in parts[::2]), told, re.S)
        touched += told != "".join(parts)
        clean += told != "".join(parts) and bool(secrets) and kept is not None
        if told != "".join(parts) and not (secrets and kept):
            wrong.append(f"{''.join(parts)} → {told}")
    recall, precision = found / marked, clean / touched
    with capsys.disabled():
        print(f"\nmasking: recall {recall:.3f} of {marked}, precision {precision:.3f} of {touched}; {missed} {wrong}")
    assert recall >= LEAST and precision >= LEAST


def test_known_names_go_whatever_they_look_like() -> None:
    assert mask_people("帮木易的单子看看，木易休假了", ["木易"]) == "帮某某的单子看看，某某休假了"
    assert mask_people("没有人名的一句话", ["", "王"]) == "没有人名的一句话"
