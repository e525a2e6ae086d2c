"""Runs the actions that the dialogue engine calls, and lends its encoder: `python -m service.action_process --port N`.

Apart from the front door, since a search holds the interpreter for as long as ten requests do. It listens on the loopback; who
calls shows the token of the actions. Nothing is kept here: one that dies is started again, and what its calls were for is
answered without the engine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
import uvicorn
from anyio import to_thread
from rasa_sdk.executor import ActionExecutor
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.actions.registry import action_executor
from bot.actions.serving import carried_out, shown
from bot.answering import Answering
from bot.filing import Filing
from core.database import Database
from core.errors import FSSCError
from core.logs import configure_logs
from core.settings import Settings
from kb.encoder import Encoder
from kb.release.live import LiveKnowledge
from service.bootstrap import ACTIONS_PURPOSE, encoder_of
from service.lending import FINGERPRINT, encoded, introduced
from service.repeating import every

log = structlog.get_logger()

_SWITCH_S = 0.001


@dataclass(frozen=True)
class Acting:
    """What actions need."""

    token: str
    encoder: Encoder
    knowledge: LiveKnowledge
    executor: ActionExecutor

    async def act(self, request: Request) -> Response:
        return JSONResponse(await carried_out(self.executor, await request.json()))

    async def introduce(self, request: Request) -> Response:
        return JSONResponse(introduced(self.encoder))

    async def encode(self, request: Request) -> Response:
        asked = await request.json()
        vectors = await to_thread.run_sync(encoded, self.encoder, asked["kind"], asked["texts"])
        return Response(vectors, headers={FINGERPRINT: self.encoder.fingerprint})


def acting(settings: Settings, database: Database) -> Acting:
    """Loads the encoder and the current release, so it takes seconds."""
    encoder = encoder_of(settings)
    knowledge = LiveKnowledge(database, settings.home, encoder)
    knowledge.refresh()
    executor = action_executor(Answering(knowledge), Filing(database))
    return Acting(settings.internal_token(ACTIONS_PURPOSE), encoder, knowledge, executor)


def routes() -> list[Route]:
    """What `app.state.acting` answers."""
    return [
        Route("/actions", _asked("act"), methods=["POST"]),
        Route("/encode", _asked("encode"), methods=["POST"]),
        Route("/encoder", _asked("introduce"), methods=["GET"]),
    ]


def create_app(settings: Settings) -> Starlette:
    """The actions and the encoder, loaded when it starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        database = Database(settings.database)
        app.state.acting = await to_thread.run_sync(acting, settings, database)
        refreshing = asyncio.create_task(every(1.0, app.state.acting.knowledge.refresh_async))
        yield
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
        database.close()

    return Starlette(routes=routes(), lifespan=lifespan)


def _asked(what: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        here: Acting = request.app.state.acting
        try:
            shown(request.headers.get("authorization", ""), here.token)
            return await getattr(here, what)(request)
        except FSSCError as error:
            return JSONResponse({"error": error.message, "code": error.code}, error.status)

    return answer


def main() -> None:
    """Serve until told to stop; started by the supervisor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    settings = Settings()
    configure_logs(settings.log_level)
    sys.setswitchinterval(_SWITCH_S)
    uvicorn.run(
        create_app(settings),
        host="127.0.0.1",
        port=port,
        log_config=None,
        access_log=False,
        loop="uvloop",
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
