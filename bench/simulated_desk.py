"""A desk of a simulated year: real store, search, transcript, tickets, signals and releases, driven visit by visit.

Only the dialogue engine is left out: every question goes to `bot.answering`, as the engine's action hands it on, and every
turn is accepted and completed by the modules that do so in service.
"""

from __future__ import annotations

import itertools
from collections import Counter, deque
from datetime import datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.employees import GAP, NOT_OURS, Population, Visit
from bench.simulated_time import CLOCK
from bot.answering import Answering
from bot.completion import Completion, Thought
from bot.filing import Filing, filed
from bot.inbox import Inbound, Inbox
from bot.orders import Orders
from bot.ticket_form import guess_business_type
from bot.turns import Outcome, Reply
from core.clock import SHANGHAI
from core.database import Database
from core.text import normalize
from handoff import lifecycle
from handoff.actors import Actor
from handoff.staff import StaffRow
from handoff.tickets import OTHER, Reason, TicketRow
from kb.encoder import Encoder
from kb.files import read_knowledge
from kb.release.live import LiveKnowledge
from kb.release.publish import Publisher
from kb.search import Band
from kb.store import save_document, save_entries
from service.api.chat import FeedbackIn, post_feedback
from service.bootstrap import STARTER, event_relay
from service.curating import Curating
from service.migrate import migrate
from service.setup import prepare_desk

WRONG_RATE = 0.03
_BATCH = 10_000


class SimulatedDesk:
    """`api` is what the console's routes are called with. `asked` and `answered`, `wrong` count typed questions since they were
    cleared: how many, how many answered outright, and how many of these with something else than was meant."""

    def __init__(self, home: Path, url: str, encoder: Encoder, population: Population, start: datetime) -> None:
        CLOCK.moment = start
        migrate(url)
        self.database = Database(url)
        self.encoder = encoder
        self.population = population
        self.knowledge = LiveKnowledge(self.database, home, encoder)
        self.curating = Curating(self.database, encoder, self.knowledge)
        self.api: Any = SimpleNamespace(database=self.database, knowledge=self.knowledge, curating=self.curating)
        self.meant: dict[str, str] = {}
        """The intent of each conversation."""
        self.written: dict[str, str] = {}
        """The intent of each entry that a curator wrote."""
        self.counted: Counter[str] = Counter()
        self._publisher = Publisher(self.database, home, encoder)
        self._answering, self._filing = Answering(self.knowledge), Filing(self.database)
        self._inbox = Inbox(self.database)
        self._completion = Completion(self.database, self._answering, Orders(self._filing))
        self._relay = event_relay(self.database)
        self._ids = itertools.count()
        self._tickets: deque[tuple[str, str]] = deque()
        starter = read_knowledge(STARTER)
        with self.database.write() as session:
            session.add(StaffRow(username="agent", name="坐席", groups=[], leads=[]))
            prepare_desk(session)
            save_entries(session, population.first, "starter")
            for kind, bodies in (
                ("policy", starter.policies),
                ("table", starter.tables),
                ("scenes", [starter.scenes]),
            ):
                for body in bodies:
                    save_document(session, kind, body)
        self.publish()

    def close(self) -> None:
        self.database.close()

    def publish(self) -> tuple[bool, list[str]]:
        """A new release, if there is anything new; whether it is live, and why the gate would not have it. What is refused is
        not published."""
        candidate = self._publisher.prepare(WRONG_RATE, lambda _: None)
        if candidate is None:
            return False, []
        gate = candidate.gate
        if gate.passed:
            self._publisher.publish(candidate, "publisher")
            self.knowledge.refresh()
        return gate.passed, [] if gate.passed else list(gate.reasons)

    def right(self, entry_id: str, intent: str) -> bool:
        """Whether an entry, or a passage that the intent's entry cites, answers it."""
        if self.written.get(entry_id, entry_id) == intent:
            return True
        entry = self.population.by_id[intent].entry
        policy, sign, article = entry_id.partition("#")
        return bool(sign and entry) and any(
            one.policy == policy and str(one.article) == article.split("#")[0] for one in entry.sources
        )

    def visit(self, visit: Visit) -> None:
        """Somebody asks, perhaps again, and gets what they want, a ticket, or nothing."""
        CLOCK.moment = visit.at
        mood, talk, shown = visit.mood, "", Outcome()
        for text in visit.texts:
            talk, shown, messages = self._asks(visit, talk, text)
            self.meant[talk] = visit.intent.id
            answered = shown.band == Band.ANSWER
            good = answered and self.right(shown.entry_id or "", visit.intent.id)
            self._count(visit, answered, good)
            if good:
                if mood.random() < 0.04:
                    self._rates(visit, talk, messages, True)
                break
            if answered and mood.random() < 0.3:
                self._rates(visit, talk, messages, False)
            if shown.band == Band.CLARIFY and self._chooses(visit, talk, shown):
                break
            does = mood.choices(("again", "files", "leaves"), (0.4, 0.35, 0.25))[0]
            if does == "leaves":
                break
            CLOCK.moment += timedelta(seconds=mood.randrange(20, 120))
            if does == "files" or text == visit.texts[-1]:
                self._files(visit, talk, shown)
                break
        self.hear()

    def hear(self) -> None:
        while self._relay.deliver():
            pass

    def answer_tickets(self, day: datetime) -> int:
        """The agents answer what lies there, one after another from nine in the morning on; how many."""
        done = 0
        CLOCK.moment = datetime.combine(day.astimezone(SHANGHAI).date(), time(9), SHANGHAI)
        while self._tickets:
            number, intent = self._tickets.popleft()
            with self.database.write() as session:
                group = session.query(TicketRow).filter_by(number=number).one().group_id
                agent = Actor("staff", "agent", "坐席", frozenset({"agent"}), frozenset(filter(None, [group])))
                lifecycle.claim(session, number, agent)
            CLOCK.moment += timedelta(minutes=4)
            with self.database.write() as session:
                lifecycle.reply(
                    session, number, agent, f"您好，{self._told(intent)} 如有问题请再联系我们。", then="resolved"
                )
            done += 1
        self.hear()
        return done

    def _told(self, intent: str) -> str:
        meant = self.population.by_id[intent]
        if meant.kind == NOT_OURS:
            return "这件事不归财务共享中心管，请联系本公司的人力资源部或行政部。"
        if meant.kind == GAP:
            return "目前制度没有规定，我们先按个案请示处理。"
        assert meant.entry is not None
        return meant.entry.answer

    def _count(self, visit: Visit, answered: bool, good: bool) -> None:
        kind = visit.intent.kind
        self.counted.update(("asked", f"asked {kind}"))
        if answered:
            self.counted.update(("answered", f"answered {kind}"))
        if answered and not good:
            self.counted.update(("wrong", f"wrong {kind}"))

    def _asks(self, visit: Visit, talk: str, text: str) -> tuple[str, Outcome, list[dict[str, Any]]]:
        typed = normalize(text)
        talk, said, messages = self._turn(visit, talk, lambda context: self._answering.respond(typed, context), typed)
        CLOCK.moment += timedelta(seconds=visit.mood.randrange(20, 90))
        return talk, said or Outcome(), messages

    def _chooses(self, visit: Visit, talk: str, shown: Outcome) -> bool:
        """Presses what was meant if it is among the choices; else 都不是, perhaps. Whether that is the end of it."""
        meant = [one["entry_id"] for one in shown.shown[:5] if self.right(one["entry_id"], visit.intent.id)]
        if meant and visit.mood.random() < 0.9:
            choice = f"entry:{meant[0]}"
            self._turn(visit, talk, lambda context: self._answering.open(meant[0], context), choice=choice)
            self.counted["chosen"] += 1
            return True
        if visit.mood.random() < 0.6:
            none = Outcome(band=Band.NONE, question=shown.question, shown=shown.shown[:5], unresolved="none_of_these")
            self._turn(visit, talk, lambda context: (Reply("抱歉，没有找到您要的内容。"), none), choice="none")
        return False

    def _files(self, visit: Visit, talk: str, shown: Outcome) -> None:
        business = guess_business_type(shown.question) or (shown.shown[0]["business_type"] if shown.shown else OTHER)
        values = {"business_type": business, "description": shown.question or visit.texts[0]}
        found: list[TicketRow] = []

        def file(context: Any) -> tuple[Reply, Outcome | None]:
            found.append(self._filing.file(context, values, Reason.CUSTOMER_REQUEST))
            return filed(found[0], context), None

        self._turn(visit, talk, file, choice="file")
        self.counted["tickets"] += 1
        if all(number != found[0].number for number, _ in self._tickets):
            self._tickets.append((found[0].number, visit.intent.id))

    def _turn(
        self, visit: Visit, talk: str, think: Any, text: str = "", choice: str = ""
    ) -> tuple[str, Outcome | None, list[dict[str, Any]]]:
        number = f"m-{next(self._ids)}"
        inbound = Inbound(visit.channel, visit.identity, number, visit.place, talk or None, text, choice, text)
        turn, talk = self._inbox.accept(inbound)
        self._inbox.claim(turn)
        inbound, context = self._inbox.load(turn)
        reply, outcome = think(context)
        done = self._completion.complete(turn, inbound, context, Thought([(reply, outcome)], False, 20.0))
        return talk, outcome, done.messages

    def _rates(self, visit: Visit, talk: str, messages: list[dict[str, Any]], helpful: bool) -> None:
        answers = [one["id"] for one in messages if one["type"] == "answer"]
        if answers:
            reason = None if helpful else "incorrect"
            body = FeedbackIn(conversation_id=talk, message_id=answers[-1], helpful=helpful, reason=reason)
            post_feedback(self.api, visit.identity, body)
