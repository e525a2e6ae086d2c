"""The product as a user starts it: `fssc run` in a process of its own, on its own port and its own home."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import text, update

import service.tables  # noqa: F401  every table, so that all are emptied
from connectors.widget import sign_token
from core.database import Base, Database
from core.identity import Identity
from core.settings import Settings
from core.transcript import Conversation
from service.supervisor import free_port

ROOT = Path(__file__).resolve().parent.parent
FSSC = str(Path(sys.executable).parent / "fssc")
LI = Identity("E1001", "李晓雯", "华晟销售公司", "销售一部")
WANG = Identity("E1002", "王建国", "华晟制造公司", "采购部")
CHEN = Identity("E2001", "陈思远", "华晟集团总部", "集团财务部", ("finance",))
ADMIN_PASSWORD = "for-the-tests-only"


@dataclass
class Stack:
    """`start()` returns when the product says that it is ready. Encoder and dialogue model are kept over runs.
    `python -m tests.stack HOME` makes them."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        return Settings(
            home=self.home, **{k: v for k, v in {"DATABASE_URL": self.environment.get("DATABASE_URL")}.items() if v}
        )

    @property
    def _variables(self) -> dict[str, str]:
        return {
            **os.environ,
            "FSSC_HOME": str(self.home),
            "FSSC_PORT": str(self.port or 8000),
            "FSSC_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "FSSC_MESSAGES_PER_MINUTE": "100000",
            "FSSC_ENGINE_TIMEOUT": "20",  # A machine that is busy with other tests is not an engine that is down.
            **self.environment,
        }

    def forget(self) -> None:
        """Drop conversations and tickets of an earlier run, and its release unless it would come out the same."""
        shutil.rmtree(self.home / "redis", ignore_errors=True)
        mark, made = self.home / "knowledge.digest", _digest_of_knowledge()
        if mark.exists() and mark.read_text() == made and (self.home / "db.sqlite3").exists():
            database = Database(self.settings.database)
            with database.write() as session:
                # Triggers keep the audit log from being emptied.
                guards = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
                for guard in guards:
                    session.execute(text(f"DROP TRIGGER {guard.name}"))
                for table in reversed(Base.metadata.sorted_tables):
                    if not table.name.startswith("kb_") or table.name in ("kb_hit", "kb_unresolved", "kb_feedback"):
                        session.execute(table.delete())
                for guard in guards:
                    session.execute(text(guard.sql))
            database.close()
            return
        self.home.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.home / "releases", ignore_errors=True)
        for path in self.home.glob("db.sqlite3*"):
            path.unlink()
        mark.write_text(made)

    def set_up(self) -> None:
        """Everything that has to be made once, as `fssc setup` does; what it says goes to the caller's output."""
        self.forget()
        subprocess.run([FSSC, "setup"], cwd=ROOT, env=self._variables, check=True)

    def start(self, patience: float = 900) -> float:
        """Start, wait, and return how many seconds it took."""
        started = time.monotonic()
        self.port = self.port or free_port()
        output = self.home / "logs" / "run.log"
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("wb") as log:
            self.process = subprocess.Popen(
                [FSSC, "run"],
                cwd=ROOT,
                env=self._variables,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while time.monotonic() - started < patience:
            said = output.read_text(errors="replace")
            if f"FSSC Desk is ready: {self.url}" in said:
                return time.monotonic() - started
            if self.process.poll() is not None:
                raise AssertionError(f"the product did not start:\n{said[-3000:]}")
            time.sleep(0.2)
        raise AssertionError(
            f"the product was not ready in {patience} s:\n{output.read_text(errors='replace')[-3000:]}"
        )

    def stop(self) -> int:
        """Ctrl-C, as a user would; the exit code. Nothing that was started may be left running."""
        assert self.process is not None
        if self.process.poll() is not None:
            return self.process.returncode
        started = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(180)
        _, left = psutil.wait_procs(started, timeout=5)
        assert left == [], f"still running after Ctrl-C: {left}"
        return code

    def nobody_chatted(self) -> None:
        """Earlier conversations stay, but are nobody's any more."""
        database = Database(self.settings.database)
        with database.write() as session:
            known = Conversation.employee_no.is_not(None)
            session.execute(update(Conversation).where(known).values(employee_no="somebody"))
        database.close()

    def child(self, words: str) -> psutil.Process:
        """The supervised process whose command line holds `words`."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # It was killed, and is not buried yet.
                if words in " ".join(process.cmdline()):
                    return process
        raise AssertionError(f"no process with {words!r} in its command line")

    def green(self, seconds: float = 300) -> None:
        """Wait until everything is up, also what the test before this one killed. On a busy machine that takes minutes."""
        end, health = time.monotonic() + seconds, {}
        while time.monotonic() < end:
            try:
                health = httpx.get(f"{self.url}/healthz", trust_env=False, timeout=5).json()
                if health["status"] == "ok":
                    return
            except (httpx.HTTPError, ValueError):
                pass
            time.sleep(0.2)
        raise AssertionError(f"not green again within {seconds:.0f} s: {health}\n{self.trouble()}")

    def trouble(self, lines: int = 12, width: int = 200) -> str:
        """What the supervisor and its programs said last, for whoever has to find out why tests failed."""
        said = []
        for log in sorted((self.home / "logs").glob("*.log"), key=lambda path: path.name == "run.log"):
            found = log.read_text(errors="replace").splitlines()
            if log.name != "run.log":
                found = [line for line in found if "rror" in line or '"warning"' in line][-3:]
            said += [f"{log.name}: {line[:width]}" for line in found[-lines:]]
        return "\n".join(said)


def _digest_of_knowledge() -> str:
    """Over everything that a release of the starter knowledge is made from."""
    made = hashlib.sha256()
    for path in sorted([*(ROOT / "kb").rglob("*.*"), *(ROOT / "service" / "migrations").rglob("*.py")]):
        if path.is_file() and "__pycache__" not in path.parts:
            made.update(path.read_bytes())
    return made.hexdigest()


@dataclass
class Employee:
    """Somebody who chats, over the very API that the widget uses."""

    url: str
    identity: Identity | None
    key: str
    page: str = ""
    node: str = ""
    document_no: str = ""
    conversation_id: str | None = None
    said: list[dict[str, Any]] = field(default_factory=list)

    @property
    def headers(self) -> dict[str, str]:
        if self.identity is None:
            return {}
        return {"Authorization": f"Bearer {sign_token(self.identity, self.key, 'fssc-demo')}"}

    def post(self, timeout: float = 120, **body: Any) -> httpx.Response:
        body.setdefault("client_message_id", uuid.uuid4().hex)
        body.setdefault("context", {"page": self.page, "node": self.node, "document_no": self.document_no})
        if self.conversation_id:
            body.setdefault("conversation_id", self.conversation_id)
        return httpx.post(
            f"{self.url}/api/v1/chat/messages", json=body, headers=self.headers, timeout=timeout, trust_env=False
        )

    def _turn(self, **body: Any) -> Turn:
        response = self.post(**body)
        assert response.status_code == 200, response.text
        answer = response.json()
        self.conversation_id = answer["conversation_id"]
        self.said.append(answer)
        return Turn(answer)

    def ask(self, text: str) -> Turn:
        return self._turn(text=text)

    def press(self, choice: str) -> Turn:
        return self._turn(choice=choice)

    def history(self, after: int = 0) -> list[dict[str, Any]]:
        response = httpx.get(
            f"{self.url}/api/v1/chat/conversations/{self.conversation_id}/messages",
            params={"after": after},
            headers=self.headers,
            timeout=60,
            trust_env=False,
        )
        assert response.status_code == 200, response.text
        return response.json()["messages"]


class Turn:
    """What came back to one message."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.messages = answer["messages"]
        self.outcome = answer["outcome"]

    @property
    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]

    @property
    def text(self) -> str:
        return "\n".join(message["text"] for message in self.messages)

    def message(self, kind: str) -> dict[str, Any]:
        """The only message of this type."""
        found = [message for message in self.messages if message["type"] == kind]
        assert len(found) == 1, f"{len(found)} messages of type {kind} in {self.types}: {self.text}"
        return found[0]

    @property
    def choices(self) -> list[str]:
        return [option["choice"] for message in self.messages for option in message["options"]]

    @property
    def labels(self) -> list[str]:
        return [option["label"] for message in self.messages for option in message["options"]]


if __name__ == "__main__":
    Stack(Path(sys.argv[1])).set_up()
