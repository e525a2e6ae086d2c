"""An action server that does nothing, fast: `python -m bench.stock.actions PORT` under the engine's interpreter."""

from __future__ import annotations

import json
import sys

from aiohttp import web

ANSWER = json.dumps({"events": [], "responses": [{"custom": {"type": "text", "text": "好的"}}]}).encode()


async def act(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=ANSWER, content_type="application/json")


def main() -> None:
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/actions", act)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()
