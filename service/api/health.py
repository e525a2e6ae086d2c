"""Whether the parts are up."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Response
from redis.exceptions import RedisError
from sqlalchemy import text

from core.errors import Unavailable
from service.api.deps import DeskDep
from service.lending import Borrowed

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz(desk: DeskDep, response: Response) -> dict[str, object]:
    """`ok`; `degraded` when only the engine, its actions or Redis is missing, since answers still come; 503 `down` otherwise."""

    def database_up() -> bool:
        try:
            with desk.database.read() as session:
                session.execute(text("SELECT 1"))
            return True
        except Exception:
            return False

    try:
        redis_up = bool(await desk.redis.ping())
    except (RedisError, OSError):
        redis_up = False
    try:
        release = desk.knowledge.searcher.release
    except Unavailable:
        release = None
    parts = {
        "database": await to_thread.run_sync(database_up),
        "knowledge": release is not None,
        "redis": redis_up,
        "engine": await desk.engine.alive(),
    }
    if isinstance(lender := desk.curating.encoder, Borrowed):
        parts["actions"] = await to_thread.run_sync(lender.there)
    status = "ok" if all(parts.values()) else "degraded" if parts["database"] and parts["knowledge"] else "down"
    response.status_code = 503 if status == "down" else 200
    return {"status": status, "parts": parts, "release": release}
