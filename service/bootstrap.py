"""The composition root: the only place where the parts meet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from rasa_sdk.executor import ActionExecutor
from redis.asyncio import Redis
from sqlalchemy.orm import Session

from bot.actions.registry import action_executor
from bot.answering import Answering
from bot.dialogue import Dialogue
from bot.engine_client import EngineClient
from bot.filing import Filing
from connectors.connected import Connected
from connectors.delivery import Deliverer
from connectors.ticket_facts import tell_webhooks
from core.database import Database
from core.events import EventRelay
from core.settings import Settings
from handoff.talk import Silence
from handoff.tickets import TicketFiled
from handoff.timeline import TicketChanged, TicketReopened
from kb.curation.gaps import PolicyGapOpened
from kb.curation.signals import hear_rated, hear_unresolved
from kb.encoder import Encoder, load_encoder
from kb.release.live import LiveKnowledge
from kb.signals import AnswerRated, EntryAnswered, QuestionUnresolved, record_hit, record_unresolved
from service.connecting import connected_of
from service.curating import Curating, hear_filed, hear_gap, hear_reopened, writer_of
from service.intake import Intake
from service.lending import Borrowed
from service.listening import Bell

ENGINE_PURPOSE = "dialogue-engine"
ACTIONS_PURPOSE = "actions"


@dataclass(frozen=True)
class Desk:
    """Everything that the front door and the channels need, built once a process."""

    settings: Settings
    database: Database
    redis: Redis
    engine: EngineClient
    knowledge: LiveKnowledge
    answering: Answering
    dialogue: Dialogue
    executor: ActionExecutor
    connected: Connected
    deliverer: Deliverer
    bell: Bell
    intake: Intake
    curating: Curating

    async def close(self) -> None:
        await self.engine.close()
        await self.redis.aclose()
        self.database.close()


def encoder_of(settings: Settings) -> Encoder:
    return load_encoder(settings.encoder or None, settings.home)


def _shared_encoder(settings: Settings) -> Encoder:
    """The action process's, where there is one."""
    if not settings.actions_url:
        return encoder_of(settings)
    return Borrowed(settings.actions_url, settings.internal_token(ACTIONS_PURPOSE), partial(encoder_of, settings))


def build_desk(settings: Settings, encoder: Encoder | None = None) -> Desk:
    """Connect the parts. Borrows or loads the encoder, and loads the current release, so it takes seconds."""
    settings.check()
    database = Database(settings.database)
    redis = Redis.from_url(settings.redis_url, socket_timeout=5, socket_connect_timeout=2)
    engine = EngineClient(settings.engine_url, settings.internal_token(ENGINE_PURPOSE), settings.engine_timeout)
    encoder = encoder or _shared_encoder(settings)
    knowledge = LiveKnowledge(database, settings.home, encoder)
    knowledge.refresh()
    answering, filing = Answering(knowledge), Filing(database)
    dialogue = Dialogue(database, redis, engine, answering, filing)
    connected = connected_of(settings, database)
    return Desk(
        settings,
        database,
        redis,
        engine,
        knowledge,
        answering,
        dialogue,
        action_executor(answering, filing),
        connected,
        Deliverer(database, connected.channels),
        Bell(redis),
        Intake(database),
        Curating(database, encoder, knowledge, writer_of(settings)),
    )


def silence_of(settings: Settings) -> Silence:
    """After how long without a word the bot talks again."""
    return Silence(timedelta(minutes=settings.agent_silence), timedelta(minutes=settings.waiting_silence))


def event_relay(database: Database) -> EventRelay:
    """Who hears which event."""
    relay = EventRelay(database)
    relay.subscribe(EntryAnswered, record_hit)
    relay.subscribe(QuestionUnresolved, record_unresolved)
    relay.subscribe(TicketFiled, _keep_question)
    relay.subscribe(QuestionUnresolved, hear_unresolved)
    relay.subscribe(AnswerRated, hear_rated)
    relay.subscribe(TicketFiled, hear_filed)
    relay.subscribe(TicketReopened, hear_reopened)
    relay.subscribe(PolicyGapOpened, hear_gap)
    relay.subscribe(TicketChanged, tell_webhooks)
    return relay


def _keep_question(session: Session, event_id: int, event: TicketFiled) -> None:
    """A ticket is a question that the knowledge base did not settle: curation wants to see it too."""
    if event.question:
        record_unresolved(
            session,
            event_id,
            QuestionUnresolved(event.conversation_id, event.question, "handoff", event.page, event.node, [], None),
        )


ROOT = Path(__file__).resolve().parent.parent
STARTER = ROOT / "kb" / "starter"
