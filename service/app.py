"""The front door: one FastAPI application for chat, console, the engine's actions and the pages."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import FrameType

import structlog
from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from prometheus_fastapi_instrumentator import Instrumentator

from core.logs import configure_logs
from core.settings import Settings
from service.api import (
    audit,
    channels,
    chat,
    chat_surveys,
    chat_tickets,
    clocks,
    console,
    curation,
    curation_results,
    deliveries,
    demo,
    dingtalk,
    documents,
    drafts,
    emergency,
    engine,
    entries,
    health,
    imports,
    insight,
    inspections,
    integration,
    knowledge,
    links,
    notices,
    open,
    pages,
    policy_imports,
    quality,
    queue,
    ratings,
    releases,
    reports,
    routing,
    samples,
    scoreboard,
    staff,
    stream,
    supervision,
    survey_links,
    surveys,
    ticket_export,
    tickets,
    users,
    wecom,
)
from service.api.problems import BodyLimit, install_problem_handlers
from service.bootstrap import Desk, build_desk
from service.repeating import every
from service.stream import Hub

log = structlog.get_logger()

_SWITCH_S = 0.001
"""How long a thread that searches may keep the interpreter from the one that takes requests."""


def create_app(settings: Settings | None = None, desk: Desk | None = None) -> FastAPI:
    """The application; `desk` is built at start-up unless given."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.desk = desk or await to_thread.run_sync(build_desk, settings)
        app.state.hub = Hub(app.state.desk.database)
        tasks = [
            asyncio.create_task(every(seconds, job))
            for seconds, job in (
                (1.0, app.state.desk.knowledge.refresh_async),
                (10.0, app.state.desk.dialogue.resume),
                (3.0, partial(to_thread.run_sync, _wake, app.state.desk)),
                (15.0, partial(to_thread.run_sync, _sweep)),
            )
        ]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await app.state.desk.close()

    app = FastAPI(
        title="FSSC Desk",
        version="0.1.0",
        lifespan=lifespan,
        docs_url="/api/docs",
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    install_problem_handlers(app)
    app.add_middleware(
        BodyLimit,
        limit=64 * 1024,
        larger={
            "/api/v1/console/kb/imports": imports.MOST_BYTES + 64 * 1024,
            "/api/v1/console/kb/drafts/": drafts.MOST_BYTES,
            "/api/v1/chat/tickets/": chat_tickets.MOST_UPLOAD,
            "/api/v1/console/tickets/": tickets.MOST_UPLOAD,
            "/api/v1/console/kb/check": drafts.MOST_BYTES,
        },
    )
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type"],
        expose_headers=["Retry-After"],
        max_age=600,
    )
    # A request looks through them in order: what comes most often stands first.
    rooms = (
        engine,
        wecom,
        dingtalk,
        chat,
        health,
        chat_tickets,
        knowledge,
        console,
        drafts,
        entries,
        documents,
        imports,
        policy_imports,
        releases,
        curation,
        curation_results,
        users,
        staff,
        routing,
        emergency,
        supervision,
        clocks,
        queue,
        notices,
        links,
        survey_links,
        stream,
        tickets,
        quality,
        inspections,
        surveys,
        chat_surveys,
        scoreboard,
        insight,
        samples,
        reports,
        audit,
        integration,
        open,
        ticket_export,
        deliveries,
        channels,
        ratings,
    )
    for room in rooms:
        app.include_router(room.router)
    if settings.demo_enabled:
        app.include_router(demo.router)
    Instrumentator(excluded_handlers=["/metrics", "/healthz"]).instrument(app).expose(app, include_in_schema=True)
    pages.mount(app, demo=settings.demo_enabled)
    return app


def _wake(desk: Desk) -> None:
    # Knowing the worker's jobs needs the settings of the environment, which a test of routes may not have, and takes seconds
    # to read: in a thread, since nobody may wait for it.
    from service.waking import wake

    wake(desk.database, desk.settings)


def _sweep() -> None:
    from service.waking import sweep

    sweep()


def main() -> None:
    """Serve until told to stop; started by the supervisor."""
    import uvicorn

    settings = Settings()
    configure_logs(settings.log_level)
    sys.setswitchinterval(_SWITCH_S)
    app = create_app(settings)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Let open consoles go: a server waits for its answers to end, and theirs never would."""
            if hub := getattr(app.state, "hub", None):
                hub.close()
            super().handle_exit(sig, frame)

    Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            loop="uvloop",
            timeout_graceful_shutdown=10,
        )
    ).run()


if __name__ == "__main__":
    main()
