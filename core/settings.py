"""Settings: one table, read from the environment; production refuses what only a demo may use."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import SettingsError


class Settings(BaseSettings):
    """Every field is an environment variable: its alias where it has one, else `FSSC_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="FSSC_", env_file=None, extra="ignore", populate_by_name=True)

    env: Literal["development", "production"] = Field(
        "development", description="`production` refuses generated secrets and the demo."
    )
    home: Path = Field(Path("var"), description="All state: database, encoder, releases, models, logs.")
    host: str = Field("127.0.0.1", description="Address the front door listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the front door.")
    database_url: str = Field(
        "", alias="DATABASE_URL", description="PostgreSQL or SQLite URL. Empty: SQLite in `FSSC_HOME`."
    )
    public_url: str = Field(
        "", description="Address under which people reach this service, for links in messages. Empty: development only."
    )
    redis_url: str = Field("", alias="REDIS_URL", description="Redis URL. Empty: `make run` starts one of its own.")
    secret_key: str = Field("", description="Signs internal calls. Empty in development: made once in `FSSC_HOME`.")
    widget_secret: str = Field(
        "", description="HS256 key shared with the host system that signs visitors' tokens. Empty as `FSSC_SECRET_KEY`."
    )
    widget_issuer: str = Field("fssc-demo", description="The `iss` that a visitor's token must carry.")
    widget_origins: str = Field(
        "*", description="Origins that may embed the widget, separated by commas; production refuses `*`."
    )
    demo: bool | None = Field(None, description="Serve `/demo` and its tokens. Default: on, off in production.")
    encoder: str = Field("", description="A sentence-transformers name or path. Empty: the default encoder.")
    encoder_threads: int = Field(2, ge=1, le=64, description="Threads of one encoding call.")
    wrong_rate: float = Field(0.03, gt=0, lt=1, description="Accepted share of wrong ones among outright answers.")
    import_days: int = Field(90, ge=1, description="Days that the rows and the report of an import are kept.")
    engine_url: str = Field("", description="The dialogue engine's address. Empty: `make run` starts one of its own.")
    actions_url: str = Field("", description="The action process's address. Empty: a process encodes by itself.")
    engine_timeout: float = Field(8.0, gt=0, description="Seconds a turn may take before it is answered without it.")
    messages_per_minute: int = Field(40, ge=1, description="Messages a minute that one visitor may send.")
    agent_silence: int = Field(
        30, ge=1, description="Minutes without a word after which the bot talks again although a person holds the talk."
    )
    waiting_silence: int = Field(4320, ge=1, description="The same where the employee was asked for something.")
    admin_password: str = Field("", description="Password of the first administrator. Empty: made and printed once.")
    console_hours: int = Field(10, ge=1, description="Hours that a sign-in to the console lasts.")
    close_after_days: int = Field(5, ge=1, le=90, description="Days after which a resolved ticket closes by itself.")
    wecom_corp_id: str = Field("", description="WeChat Work: the enterprise's id (企业 ID). Empty: the channel is off.")
    wecom_agent_id: str = Field("", description="WeChat Work: the app's AgentId.")
    wecom_secret: str = Field("", description="WeChat Work: the app's Secret.")
    wecom_token: str = Field("", description="WeChat Work: the Token of 接收消息.")
    wecom_aes_key: str = Field("", description="WeChat Work: the EncodingAESKey of 接收消息, 43 characters.")
    wecom_cards: str = Field(
        "on", description="WeChat Work: `off` where members cannot see cards; choices come by number."
    )
    wecom_url: str = Field(
        "https://qyapi.weixin.qq.com", description="WeChat Work's API; another one only for a trial."
    )
    dingtalk_client_id: str = Field("", description="DingTalk: the app's Client ID. Empty: the channel is off.")
    dingtalk_client_secret: str = Field("", description="DingTalk: the app's Client Secret.")
    dingtalk_corp_id: str = Field("", description="DingTalk: the enterprise's CorpId.")
    dingtalk_robot_code: str = Field("", description="DingTalk: the robot's code. Empty: as the Client ID.")
    dingtalk_mode: str = Field("", description="DingTalk: how messages come, `stream` (default) or `http`.")
    dingtalk_employee_no: str = Field("", description="DingTalk: what an employee number is, `userid` or `job_number`.")
    dingtalk_url: str = Field("https://api.dingtalk.com", description="DingTalk's API; another one only for a trial.")
    greeting_hours: int = Field(
        12, ge=1, description="Hours before somebody who opens the app of a channel is greeted again."
    )
    llm_url: str = Field(
        "",
        description="Base URL of an OpenAI-compatible API, such as `http://llm.local/v1`: it drafts for curators. Empty: off.",
    )
    llm_key: str = Field("", description="Key of that API. Empty: none is sent.")
    llm_model: str = Field("", description="Model that is asked there.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="What is logged.")

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def demo_enabled(self) -> bool:
        return (not self.production) if self.demo is None else self.demo

    @property
    def links_base(self) -> str:
        """What links in messages begin with, without a slash at the end; empty where messages have none."""
        local = "" if self.production else f"http://{self.host}:{self.port}"
        return self.public_url.rstrip("/") or local

    @property
    def database(self) -> str:
        """SQLAlchemy URL; a plain `postgresql://` gets the driver that is installed."""
        url = self.database_url or f"sqlite:///{self.home / 'db.sqlite3'}"
        for prefix in ("postgres://", "postgresql://"):
            if url.startswith(prefix):
                return "postgresql+psycopg://" + url.removeprefix(prefix)
        return url

    @property
    def origins(self) -> list[str]:
        return [origin.strip() for origin in self.widget_origins.split(",") if origin.strip()]

    @cached_property
    def _generated(self) -> dict[str, str]:
        """Development secrets, made once a home and readable by its owner only."""
        path = self.home / "secrets.json"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            made = {"secret_key": secrets.token_urlsafe(32), "widget_secret": secrets.token_urlsafe(32)}
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(json.dumps(made))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return json.loads(path.read_text())

    @property
    def signing_key(self) -> str:
        return self.secret_key or self._generated["secret_key"]

    @property
    def widget_key(self) -> str:
        return self.widget_secret or self._generated["widget_secret"]

    def internal_token(self, purpose: str) -> str:
        """A token for calls between our own processes, derived from the signing key."""
        return hmac.new(self.signing_key.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def check(self) -> None:
        """Raise SettingsError, naming every setting that production may not leave as it is."""
        if not self.production:
            return
        problems = [
            f"{name} must be set to a secret of at least 32 characters"
            for name, value in (("FSSC_SECRET_KEY", self.secret_key), ("FSSC_WIDGET_SECRET", self.widget_secret))
            if len(value) < 32 or value.lower().startswith("change")
        ]
        if self.secret_key and self.secret_key == self.widget_secret:
            problems.append("FSSC_SECRET_KEY and FSSC_WIDGET_SECRET must differ")
        if "*" in self.origins:
            problems.append("FSSC_WIDGET_ORIGINS must list the origins that embed the widget")
        if self.widget_issuer == "fssc-demo":
            problems.append("FSSC_WIDGET_ISSUER must name the host system that signs tokens")
        if self.demo_enabled:
            problems.append("FSSC_DEMO must be off: the demo hands tokens to anybody")
        if problems:
            raise SettingsError("production refuses these settings: " + "; ".join(problems))


def environment_name(field: str) -> str:
    """The environment variable of a setting."""
    return Settings.model_fields[field].alias or f"FSSC_{field.upper()}"
