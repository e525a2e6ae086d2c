"""The front door: one FastAPI application for chat, console, the engine's actions and the pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from prometheus_fastapi_instrumentator import Instrumentator

from core.clock import now
from core.logs import configure_logs
from core.settings import Settings
from service.api import (
    audit,
    chat,
    chat_tickets,
    console,
    demo,
    documents,
    drafts,
    engine,
    entries,
    health,
    imports,
    integration,
    knowledge,
    open,
    pages,
    policy_imports,
    releases,
    tickets,
    users,
)
from service.api.problems import BodyLimit, install_problem_handlers
from service.bootstrap import Desk, build_desk

log = structlog.get_logger()


def create_app(settings: Settings | None = None, desk: Desk | None = None) -> FastAPI:
    """The application; `desk` is built at start-up unless given."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.desk = desk or await to_thread.run_sync(build_desk, settings)
        tasks = [
            asyncio.create_task(_every(seconds, job))
            for seconds, job in (
                (1.0, app.state.desk.knowledge.refresh_async),
                (10.0, app.state.desk.dialogue.resume),
                (3.0, _wake_worker(app.state.desk)),
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
    rooms = (
        health,
        chat,
        chat_tickets,
        knowledge,
        console,
        drafts,
        entries,
        documents,
        imports,
        policy_imports,
        releases,
        users,
        tickets,
        audit,
        integration,
        open,
        engine,
    )
    for room in rooms:
        app.include_router(room.router)
    if settings.demo_enabled:
        app.include_router(demo.router)
    Instrumentator(excluded_handlers=["/metrics", "/healthz"]).instrument(app).expose(app, include_in_schema=True)
    pages.mount(app, demo=settings.demo_enabled)
    return app


async def _every(seconds: float, job) -> None:
    while True:
        try:
            await job()
        except Exception as error:
            log.error("background_job_failed", job=getattr(job, "__qualname__", repr(job)), error=repr(error))
        await asyncio.sleep(seconds)


def _wake_worker(desk: Desk):
    """Ask the worker to do what waits in the database: deliver events, prepare a release, work on imports."""

    async def wake() -> None:
        from connectors.webhook_sender import waiting as webhooks_wait
        from core.events import undelivered
        from core.outbox import anything_due
        from handoff.talk import silent
        from kb.ingest.jobs import waiting as imports_wait
        from kb.preview import waiting
        from service.bootstrap import silence_of
        from service.worker import bring_messages, end_silences, prepare_release, relay_events, run_imports, send_webhooks

        if await to_thread.run_sync(undelivered, desk.database):
            await to_thread.run_sync(relay_events.send)
        if await to_thread.run_sync(waiting, desk.database):
            await to_thread.run_sync(prepare_release.send)
        if await to_thread.run_sync(imports_wait, desk.database):
            await to_thread.run_sync(run_imports.send)
        if await to_thread.run_sync(anything_due, desk.database):
            await to_thread.run_sync(bring_messages.send)
        if await to_thread.run_sync(silent, desk.database, silence_of(desk.settings), now(), 1):
            await to_thread.run_sync(end_silences.send)
        if await to_thread.run_sync(webhooks_wait, desk.database):
            await to_thread.run_sync(send_webhooks.send)

    return wake


def main() -> None:
    """Serve until told to stop; started by the supervisor."""
    import uvicorn

    settings = Settings()
    configure_logs(settings.log_level)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        loop="uvloop",
        timeout_graceful_shutdown=10,
    )


if __name__ == "__main__":
    main()
