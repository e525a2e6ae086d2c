"""The starter knowledge as employees ask it: answered where it is clear, asked back where not, refused where it is not ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from kb.encoder import Encoder, load_encoder
from kb.evaluate import cross_validated
from kb.files import read_knowledge
from kb.fitting import Fitted, fit
from kb.index import Index
from kb.search import Band, Query, Searcher, SearchResult
from kb.thresholds import choose
from kb.typical import FOREIGN, read_asked
from kb.words import bare
from tests.integration.conftest import strangers_from

pytestmark = pytest.mark.slow

TODAY = date(2026, 11, 21)
STARTER = Path(__file__).resolve().parents[2] / "kb" / "starter"


@pytest.fixture(scope="module")
def starter(encoder_dir: Path, all_strangers: Path) -> tuple[Searcher, Fitted]:
    """A release of the starter knowledge; the vectors are kept beside the encoder between runs."""
    encoder = load_encoder(str(encoder_dir), encoder_dir.parent)
    entries = read_knowledge(STARTER).entries
    index = Index.encoded(entries, _Kept(encoder, encoder_dir.parent / "starter-vectors.npz"))
    with strangers_from(all_strangers):
        fitted = fit(entries, index.vectors, encoder.encode_queries, index=index)
    return Searcher.of(index, fitted.matcher, choose(fitted.held_out), encoder.encode_queries, 1), fitted


class _Kept:
    """The encoder, with what it encoded kept in a file."""

    def __init__(self, encoder: Encoder, file: Path) -> None:
        self.name, self.fingerprint, self.dim = encoder.name, encoder.fingerprint, encoder.dim
        self._encoder, self._file = encoder, file

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        return self._of("", texts, self._encoder.encode_queries)

    def encode_passages(self, texts: list[str]) -> np.ndarray:
        return self._of("passage: ", texts, self._encoder.encode_passages)

    def _of(self, kind: str, texts: list[str], encode: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        known: dict[str, np.ndarray] = {}
        if self._file.exists():
            with np.load(self._file, allow_pickle=False) as stored:
                if str(stored["encoder"]) == self.fingerprint:
                    known = dict(zip(stored["texts"].tolist(), stored["vectors"], strict=True))
        new = [text for text in dict.fromkeys(texts) if kind + text not in known]
        if new:
            known.update(zip([kind + text for text in new], encode(new), strict=True))
            stacked = np.stack(list(known.values()))
            np.savez(self._file, encoder=self.fingerprint, texts=list(known), vectors=stacked)
        return np.stack([known[kind + text] for text in texts]) if texts else np.empty((0, self.dim), np.float32)


def ask(starter: tuple[Searcher, Fitted], text: str, place: str = "") -> SearchResult:
    page, _, node = place.partition("/")
    return starter[0].search(Query(text, TODAY, page=page or None, node=node or None))


@pytest.mark.parametrize("text", ["怎么申请员工借款", "怎麼申請員工借款？", "出差坐高铁能坐一等座吗"])
def test_a_clear_question_is_answered(text: str, starter) -> None:
    assert ask(starter, text).band is Band.ANSWER


@pytest.mark.parametrize("text", ["发票", "报销", "标准", "差旅", "借款", "审批", "附件", "要哪些附件"])
def test_a_single_word_is_asked_back(text: str, starter) -> None:
    result = ask(starter, text)
    assert result.band is Band.CLARIFY
    assert len({candidate.entry.id for candidate in result.candidates}) == 5


@pytest.mark.parametrize(
    ("text", "entry_id"),
    [
        ("What is the hotel limit when I travel?", "travel-001"),
        ("my password is locked", "system-001"),
        ("How do I change my bank account for reimbursement?", "system-009"),
        ("How can I check the payment status of a supplier invoice?", "payment-031"),
        ("Is taxi fare reimbursable?", "travel-024"),
    ],
)
def test_a_whole_question_in_english_finds_the_chinese_entry(text: str, entry_id: str, starter) -> None:
    assert not_learnt(text)
    result = ask(starter, text)
    assert entry_id in [candidate.entry.id for candidate in result.candidates[:3]]
    assert result.band is not Band.NONE


@pytest.mark.parametrize("text", ["how do i teach my dog to sit", "which planet is the largest", "poiu lkjh mnbv"])
def test_english_that_is_not_ours_is_refused(text: str, starter) -> None:
    assert not_learnt(text)
    assert ask(starter, text).band is Band.NONE


def not_learnt(text: str) -> bool:
    return bare(text) not in {bare(one) for one, _ in read_asked(FOREIGN)}


@pytest.mark.parametrize(
    "text",
    ["12345", "😀😀", "asdkjh", "？？", "啊啊啊", "今天天气怎么样", "给我讲个笑话", "电脑蓝屏了", "股票期权怎么行权"],
)
def test_what_is_not_ours_is_refused(text: str, starter) -> None:
    assert ask(starter, text).band is Band.NONE


@pytest.mark.parametrize(
    ("place", "question"),
    [
        ("expense.travel.fill/attach-invoice", "差旅"),
        ("payment.apply/attach-invoice", "付款"),
        ("advance.writeoff/detail", "冲销"),
    ],
)
def test_which_attachments_is_understood_by_the_page(place: str, question: str, starter) -> None:
    result = ask(starter, "要哪些附件", place)
    assert result.band is not Band.NONE
    assert question in result.candidates[0].entry.question


def test_the_release_keeps_its_promises(starter) -> None:
    searcher, fitted = starter
    evaluation = cross_validated(len(searcher.entries), fitted.held_out, searcher.thresholds)
    assert evaluation.wrong_rate <= 0.03
    assert evaluation.coverage >= 0.7
    assert evaluation.top1 >= 0.9
    assert evaluation.out_of_scope_refused >= 0.95
    assert evaluation.ece <= 0.05
