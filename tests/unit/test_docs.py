"""What is not documented does not exist: settings, commands, routes, events and the words of the README."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

import service.tables  # noqa: F401  events are declared beside the tables
from core.events import event_kinds
from core.settings import Settings, environment_name
from service.app import create_app
from service.cli import app as cli

DOCS = Path(__file__).resolve().parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_documented(field: str) -> None:
    assert f"| `{environment_name(field)}` |" in page("settings.md")


def test_no_setting_is_documented_that_is_none() -> None:
    known = {environment_name(field) for field in Settings.model_fields}
    rows = [line.split("`")[1] for line in page("settings.md").splitlines() if line.startswith("| `")]
    assert set(rows) <= known


def _commands(group: typer.main.click.Group, before: str) -> list[str]:
    found = []
    for name, command in group.commands.items():
        full = f"{before} {name}"
        found += _commands(command, full) if hasattr(command, "commands") else [full]
    return found


def test_every_command_is_documented() -> None:
    text = page("cli.md")
    missing = [name for name in _commands(typer.main.get_command(cli), "fssc") if f"`{name}" not in text]
    assert missing == []


def test_every_route_is_documented() -> None:
    text = "".join(page(name) for name in ("chat.md", "console.md", "open-api.md", "channels.md"))
    paths = create_app(Settings()).openapi()["paths"]
    assert len(paths) > 15
    assert [path for path in paths if f"{path}`" not in text] == []


def test_every_event_is_documented() -> None:
    rows = page("events.md")
    known = [name for name, kind in event_kinds().items() if not kind.__module__.startswith("tests")]
    assert known and [name for name in known if f"| `{name}` |" not in rows] == []


def test_links_between_pages_lead_somewhere() -> None:
    import re

    root = DOCS.parent
    for source in [*root.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", source.read_text(encoding="utf-8")):
            assert (source.parent / target).exists(), f"{source.name} → {target}"
