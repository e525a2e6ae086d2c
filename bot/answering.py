"""Tier 1's answers: one search, three bands, and the words around them. Actions and the degraded path share it."""

from __future__ import annotations

import os
from dataclasses import replace

from anyio import CapacityLimiter, to_thread

from bot.follow_up import Previous, goes_on, names_only_a_case, together
from bot.turns import Option, Outcome, Reply, TurnContext
from core.clock import today
from core.metrics import step
from kb.entries import Entry
from kb.release.live import LiveKnowledge
from kb.search import Band, Candidate, Query, SearchResult
from kb.tables import case_of, told

NONE_OF_THESE = Option("都不是", "none")
HANDOFF = Option("转人工", "handoff")
FILE_TICKET = Option("提交工单", "file")
_BEFORE = 200
_LIKELY = 0.02
_MUCH_THE_SAME = 0.55
PASSAGE_LEAD = "没有现成的问答，下面是与您的问题最相关的制度原文："


class Answering:
    def __init__(self, knowledge: LiveKnowledge) -> None:
        self._knowledge = knowledge
        self._searching = CapacityLimiter(max(1, (os.cpu_count() or 1) // 2))

    def search(self, text: str, context: TurnContext) -> SearchResult:
        with step("search"):
            return self._knowledge.searcher.search(
                Query(
                    text,
                    today(),
                    page=context.place.page or None,
                    node=context.place.node or None,
                    viewer=context.viewer,
                )
            )

    async def found(self, text: str, context: TurnContext) -> SearchResult:
        """`search` in a thread. One for two processors at a time: more would only keep each other, and who takes requests, waiting."""
        return await to_thread.run_sync(self.search, text, context, limiter=self._searching)

    async def continues(self, text: str, context: TurnContext, previous: Previous | None) -> bool:
        """Whether `text` names another case of the question before it."""
        return previous is not None and bool(await to_thread.run_sync(self.another_case, text, previous, context))

    async def is_question(self, text: str, context: TurnContext, previous: Previous | None) -> bool:
        """Whether what was taken for an order is a question: the knowledge base answers it outright and has asked much the same,
        or it names another case of the question before it."""
        if await self.continues(text, context, previous):
            return True
        result = await self.found(text, context)
        return result.band is Band.ANSWER and result.candidates[0].features.get("similarity", 0.0) >= _MUCH_THE_SAME

    def respond(self, text: str, context: TurnContext, misses: int = 0) -> tuple[Reply, Outcome]:
        """Answer, ask back or say plainly that there is no answer. `misses` counts the misses just before."""
        result = self.search(text, context)
        return self.reply_to(text, result, context, misses)

    def reply_to(self, text: str, result: SearchResult, context: TurnContext, misses: int = 0) -> tuple[Reply, Outcome]:
        outcome = outcome_of(text, result)
        if result.band is Band.ANSWER:
            return self.answer(result.candidates[0].entry, context, text), outcome
        if result.band is Band.CLARIFY:
            return _clarify(result.candidates), outcome
        return _no_answer(misses + 1), outcome

    def open(self, entry_id: str, context: TurnContext, asked: str = "") -> tuple[Reply, Outcome]:
        """Exactly the entry that a button named, if this employee may see it today. `asked` is the question that offered it."""
        searcher = self._knowledge.searcher
        entry = searcher.get(entry_id, context.viewer, today())
        if entry is None:
            return Reply(
                "这条内容已经下线或调整了，请直接输入您的问题，我重新为您查找。", options=(HANDOFF,)
            ), Outcome()
        case, _ = case_of(self._knowledge.tables(entry, context.viewer), asked)
        question = " ".join((entry.heading, *case))
        outcome = Outcome(
            band=Band.ANSWER, entry_id=entry.id, probability=1.0, release=searcher.release, question=question
        )
        return self.answer(entry, context, asked), outcome

    def answer(self, entry: Entry, context: TurnContext, asked: str = "") -> Reply:
        """The answer with where it comes from and since when, and what people ask next; and what the tables that it cites say of
        the cases that were asked about."""
        follow_ups = tuple(
            Option(related.heading, f"entry:{related.id}")
            for related_id in entry.related[:3]
            if (related := self._knowledge.searcher.get(related_id, context.viewer, today()))
        )
        text = f"{PASSAGE_LEAD}\n\n{entry.answer}" if entry.is_passage else entry.answer
        cases = told(self._knowledge.tables(entry, context.viewer), asked, today())
        return Reply(
            f"{text.rstrip()}\n\n{cases}" if cases else text,
            "answer",
            follow_ups,
            {
                "entry_id": entry.id,
                "title": entry.heading,
                "sources": [{"label": source.label} for source in entry.sources],
                "effective_from": entry.effective_from.isoformat() if entry.effective_from else None,
                "feedback": None,
            },
        )

    def another_case(self, text: str, previous: Previous, context: TurnContext) -> tuple[Reply, Outcome] | None:
        """What the tables of the entry that answered the question before say of the case that `text` names; None where it asks for
        anything else, or they say nothing of it."""
        searcher = self._knowledge.searcher
        entry = searcher.get(previous.entry_id, context.viewer, today()) if previous.entry_id else None
        tables = self._knowledge.tables(entry, context.viewer) if entry else []
        case, rest = case_of(tables, text, previous.question)
        if entry is None or not case or not names_only_a_case(rest):
            return None
        named = " ".join(case)
        cases = told(tables, named, today())
        if not cases:
            return None
        question = f"{entry.heading} {named}"
        outcome = Outcome(Band.ANSWER, entry.id, 1.0, searcher.release, question)
        return replace(self.answer(entry, context), text=f"接着“{entry.heading}”：\n\n{cases}"), outcome

    async def in_context(
        self, text: str, result: SearchResult, previous: Previous, context: TurnContext
    ) -> SearchResult:
        """What was found; where the question before may say what `text` means, choices by both together."""
        if not goes_on(text, result):
            return result
        joint = f"{previous.question[-_BEFORE:]}，{text}"
        return together(result, await self.found(joint, context), previous.entry_id)

    def title(self, entry_id: str, context: TurnContext) -> str | None:
        """The standard question of an entry, for a button that was pressed after its message had gone."""
        entry = self._knowledge.searcher.get(entry_id, context.viewer, today())
        return entry.heading if entry else None

    def greet(self, context: TurnContext) -> Reply:
        greeting, entries = self._knowledge.suggestions(context.place.page, context.place.node, context.viewer)
        return Reply(greeting, options=tuple(Option(entry.heading, f"entry:{entry.id}") for entry in entries))


def outcome_of(text: str, result: SearchResult) -> Outcome:
    best = result.candidates[0] if result.candidates else None
    return Outcome(
        band=result.band,
        entry_id=best.entry.id if best and result.band is Band.ANSWER else None,
        probability=best.probability if best else None,
        release=result.release,
        question=text,
        shown=tuple(
            {
                "entry_id": candidate.entry.id,
                "question": candidate.entry.heading,
                "probability": round(candidate.probability, 4),
                "business_type": candidate.entry.business_type,
            }
            for candidate in result.candidates
        ),
        unresolved="no_answer" if result.band is Band.NONE else None,
    )


def doubted(result: SearchResult) -> SearchResult:
    """An answer that is only offered, with what else is likely at all."""
    likely = [one for one in result.candidates[1:] if one.probability >= _LIKELY]
    return replace(result, band=Band.CLARIFY, candidates=[result.candidates[0], *likely])


def _clarify(candidates: list[Candidate]) -> Reply:
    return Reply(
        "您想问的是下面哪一个？",
        "choices",
        (*(Option(one.entry.heading, f"entry:{one.entry.id}") for one in candidates[:5]), NONE_OF_THESE),
    )


def _no_answer(misses: int) -> Reply:
    if misses >= 2:
        return Reply(
            "抱歉，连续两次没能答上来。要不要转人工，请财务共享中心的同事来处理？刚才的对话会一起带过去，您不用重复说明。",
            options=(HANDOFF, Option("我的工单", "my_tickets")),
            extras={"offer": "handoff"},
        )
    return Reply(
        "抱歉，知识库里没有找到这个问题的可靠答案，为免误导您，我不猜。您可以换个说法再问，也可以提交工单，由共享中心的同事回复您。",
        options=(FILE_TICKET,),
        extras={"offer": "ticket"},
    )
