"""Serving: Rasa's HTTP server with its rest channel, on the loopback, behind a token, with our patches bound."""

from __future__ import annotations

import hmac
import logging
import socket
import sys
from functools import partial
from pathlib import Path

from bot.engine import light, patches

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"


def serve(*, model: str, port: int, token: str, actions_url: str, actions_token: str, redis_url: str | None) -> int:
    """Load `model` and answer on 127.0.0.1:`port` until told to stop; 0, or 1 when the model could not be loaded."""
    if not port_is_free(port):
        print(f"bot.engine: port {port} is in use", file=sys.stderr)
        return 1
    app = build_app(
        model=newest(model), token=token, actions_url=actions_url, actions_token=actions_token, redis_url=redis_url
    )
    app.run(host=HOST, port=port, workers=1, access_log=False, motd=False)
    return 0 if app.ctx.agent is not None and app.ctx.agent.is_ready() else 1


def port_is_free(port: int) -> bool:
    """Whether nobody listens on the loopback's `port`; asked before the seconds that loading takes."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def newest(model: str) -> str:
    """The archive itself, or the newest archive in a directory; FileNotFoundError when there is none."""
    path = Path(model)
    if path.is_file():
        return str(path)
    archives = sorted(path.glob("*.tar.gz"), key=lambda archive: archive.stat().st_mtime)
    if not archives:
        raise FileNotFoundError(f"there is no model in {model}")
    return str(archives[-1])


def build_app(*, model: str, token: str, actions_url: str, actions_token: str, redis_url: str | None):
    """The Sanic application: Rasa's own routes and the rest channel, all of them asking for `token`."""
    light.bind(model)
    patches.bind()

    from rasa.core.channels.rest import RestInput
    from rasa.core.run import configure_app, load_agent_on_start
    from rasa.core.utils import AvailableEndpoints
    from rasa.utils.endpoints import EndpointConfig

    from bot.engine.locks import lock_store
    from bot.engine.trackers import tracker_store

    endpoints = AvailableEndpoints(
        action=EndpointConfig(url=actions_url, headers={"Authorization": f"Bearer {actions_token}"}),
        tracker_store=tracker_store(redis_url),
        lock_store=lock_store(redis_url),
    )
    app = configure_app([RestInput()], cors=None, auth_token=token, enable_api=True, endpoints=endpoints)
    _require_token(app, token)

    async def load(app, loop) -> None:
        await load_agent_on_start(model, endpoints, None, app, loop)
        if not app.ctx.agent.is_ready():
            logger.error("the model %s could not be loaded", model)
            app.stop()
            return
        app.ctx.agent.processor.on_circuit_break = listen_again

    app.register_listener(load, "before_server_start")
    app.register_listener(partial(_close, endpoints), "after_server_stop")
    return app


def listen_again(tracker, channel, nlg) -> None:
    """After a turn that took too many actions the conversation listens; Rasa leaves it stuck in that turn for good."""
    from rasa.shared.core.constants import ACTION_LISTEN_NAME
    from rasa.shared.core.events import ActionExecuted

    tracker.update(ActionExecuted(ACTION_LISTEN_NAME))


def _require_token(app, token: str) -> None:
    """Rasa asks for its token on the API's routes but not on the channel's; here every request shows it."""
    from sanic.response import json

    expected = token.encode()

    @app.on_request
    async def check(request):
        given = request.args.get("token") or (request.token or "")
        if not hmac.compare_digest(given.encode(), expected):
            return json({"status": "failure", "message": "the engine's token is missing or wrong"}, status=401)
        return None


async def _close(endpoints, app, loop) -> None:
    await patches.close()
