"""The built web parts: the widget's script, the demo and the console."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.bootstrap import ROOT

DIST = ROOT / "web" / "dist"


class SinglePage(StaticFiles):
    """A page whose routes live in the browser: an unknown path without a suffix gets the page itself."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
            # The build puts a hash into the names of assets, and into no other name.
            kept = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            response.headers["Cache-Control"] = kept
            return response
        except HTTPException as error:
            if error.status_code != 404 or Path(path).suffix:
                raise
            return await super().get_response("index.html", scope)


def mount(app: FastAPI, *, demo: bool) -> None:
    """Serve what is built; `check_dir=False`, since the API works without its pages."""

    @app.get("/widget.js", include_in_schema=False)
    def widget() -> FileResponse:
        return FileResponse(
            DIST / "widget" / "widget.js",
            media_type="text/javascript",
            headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"},
        )

    @app.get("/", include_in_schema=False)
    def front() -> RedirectResponse:
        return RedirectResponse("/demo/" if demo else "/console/")

    app.mount("/console", SinglePage(directory=DIST / "console", html=True, check_dir=False))
    if demo:
        app.mount("/demo", SinglePage(directory=DIST / "demo", html=True, check_dir=False))
