"""Knowledge that has nothing to say, and a desk without tickets."""

from __future__ import annotations

from bot.answering import Answering
from bot.filing import Filing
from bot.turns import TurnContext
from kb.search import Band, SearchResult
from kb.thresholds import Thresholds


class Nothing(Answering):
    """Finds nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self.asked: list[str] = []

    def search(self, text: str, context: TurnContext) -> SearchResult:
        self.asked.append(text)
        return SearchResult(Band.NONE, [], 0.0, Thresholds(0.9, 0.3), 1)


class Desk(Filing):
    """Calls `risk_words` an emergency."""

    def __init__(self, *risk_words: str) -> None:
        super().__init__(None)  # type: ignore[arg-type]
        self._risk_words = risk_words

    def alarms(self, text: str) -> list[str]:
        return [word for word in self._risk_words if word in text]
