"""Settings: what production refuses, and what development makes up."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import SettingsError
from core.settings import Settings

SAFE = {
    "env": "production",
    "secret_key": "s" * 40,
    "widget_secret": "w" * 40,
    "widget_origins": "https://fssc.example.com",
    "widget_issuer": "expense",
}


def test_development_makes_its_secrets_once_and_keeps_them_to_its_owner(tmp_path: Path) -> None:
    one, two = Settings(home=tmp_path), Settings(home=tmp_path)
    assert one.signing_key == two.signing_key != one.widget_key
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    one.check()


def test_production_takes_what_is_safe() -> None:
    Settings(**SAFE).check()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"secret_key": ""}, "FSSC_SECRET_KEY"),
        ({"secret_key": "short"}, "FSSC_SECRET_KEY"),
        ({"widget_secret": "changethis" * 4}, "FSSC_WIDGET_SECRET"),
        ({"widget_secret": SAFE["secret_key"]}, "must differ"),
        ({"widget_origins": "*"}, "FSSC_WIDGET_ORIGINS"),
        ({"widget_issuer": "fssc-demo"}, "FSSC_WIDGET_ISSUER"),
        ({"demo": True}, "FSSC_DEMO"),
    ],
)
def test_production_refuses_defaults_by_name(change: dict, named: str) -> None:
    with pytest.raises(SettingsError, match=named.replace("*", r"\*")):
        Settings(**{**SAFE, **change}).check()


def test_a_plain_postgresql_url_gets_the_driver() -> None:
    assert Settings(DATABASE_URL="postgresql://u@h/d").database == "postgresql+psycopg://u@h/d"
    assert Settings(DATABASE_URL="postgres://u@h/d").database == "postgresql+psycopg://u@h/d"


def test_an_impossible_port_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings(port=0)
