"""The engine as a process: who may talk to it, what reaches the actions, how it refuses to start."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from service.supervisor import free_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
FILES = ROOT / "tests" / "engine"

pytestmark = pytest.mark.engine


def engine(*arguments: str, **more) -> subprocess.CompletedProcess:
    """One run of the launcher."""
    return subprocess.run(
        [str(PYTHON), "-m", "bot.engine", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, **more
    )


class Actions(ThreadingHTTPServer):
    """An action endpoint that keeps what it is sent; it fails where a message says so."""

    calls: list[tuple[dict, dict]]
    at_once = most_at_once = 0
    counting = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.calls.append((dict(self.headers), body))
            said = body["tracker"]["latest_message"]["text"]
            if "慢" in said:
                with self.server.counting:
                    self.server.at_once += 1
                    self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
                time.sleep(0.3)
                with self.server.counting:
                    self.server.at_once -= 1
            answer = json.dumps({"events": [], "responses": [{"custom": {"answer": said}}]}).encode()
            self.send_response(500 if "坏" in said else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass


@pytest.fixture(scope="module")
def actions() -> Iterator[Actions]:
    server = Actions(("127.0.0.1", 0), Actions.Handler)
    server.calls = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def url(actions: Actions, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running engine on the small model."""
    home = tmp_path_factory.mktemp("engine")
    archive = home / "models" / "small.tar.gz"
    trained = engine(
        *("train", "--domain", str(FILES / "domain.yml"), "--config", "config.yml", "--out", str(archive)),
        *("--data", str(FILES / "nlu.yml"), str(FILES / "rules.yml")),
    )
    assert trained.returncode == 0, trained.stderr
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
    port = free_port()
    command = [str(PYTHON), "-m", "bot.engine", "serve", "--model", str(archive.parent), "--port", str(port)]
    command += ["--actions-url", f"http://127.0.0.1:{actions.server_port}/actions", "--redis-url", redis_url]
    environment = {**os.environ, "FSSC_ENGINE_TOKEN": "sesame", "FSSC_ACTIONS_TOKEN": "open"}
    with (home / "engine.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    for _ in range(600):
        assert process.poll() is None, (home / "engine.log").read_text()
        try:
            if httpx.get(f"{base}/status", params={"token": "sesame"}).status_code == 200:
                break
        except httpx.TransportError:
            time.sleep(0.1)
    yield base
    # The map of the process says what it loaded.
    assert "libtensorflow" not in Path(f"/proc/{process.pid}/maps").read_text()
    process.terminate()
    assert process.wait(15) == 0


def say(url: str, sender: str, message: str, **metadata: str) -> list[dict]:
    response = httpx.post(
        f"{url}/webhooks/rest/webhook",
        params={"token": "sesame"},
        json={"sender": sender, "message": message, "metadata": metadata},
        timeout=20,
    )
    assert response.status_code == 200
    return response.json()


@pytest.mark.parametrize("path", ["/", "/version", "/status", "/domain", "/webhooks/rest/", "/no/such/page"])
@pytest.mark.parametrize("token", [None, "", "wrong", "sesame "])
def test_nothing_is_answered_without_the_token(url: str, path: str, token: str | None) -> None:
    assert httpx.get(url + path, params={"token": token} if token is not None else {}).status_code == 401


def test_no_message_is_taken_without_the_token(url: str) -> None:
    body = {"sender": "nobody", "message": "你好"}
    assert httpx.post(f"{url}/webhooks/rest/webhook", json=body).status_code == 401
    bearer = {"Authorization": "Bearer sesame"}
    assert httpx.post(f"{url}/webhooks/rest/webhook", json=body, headers=bearer).json()[0]["text"] == "您好"


def test_the_action_is_sent_the_context_the_state_and_its_token(url: str, actions: Actions) -> None:
    assert say(url, "context", "住宿标准是多少", page="expense.list")[0]["custom"] == {"answer": "住宿标准是多少"}
    headers, call = actions.calls[-1]
    assert headers["Authorization"] == "Bearer open"
    assert call["next_action"] == "action_answer"
    assert call["sender_id"] == "context"
    assert call["tracker"]["latest_message"]["metadata"] == {"page": "expense.list"}
    assert call["tracker"]["latest_message"]["intent"]["name"] == "ask"


def test_a_payload_opens_an_entry(url: str, actions: Actions) -> None:
    say(url, "payload", '/open_entry{"entry_id": "travel-001"}')
    assert actions.calls[-1][1]["tracker"]["slots"]["entry_id"] == "travel-001"


def test_messages_of_one_person_are_answered_one_after_the_other(url: str, actions: Actions) -> None:
    sent = {f"慢 发票怎么上传 {number}" for number in range(4)}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: (text, say(url, "hasty", text)), sent))
    assert all(said[0]["custom"]["answer"] == text for text, said in answers)
    seen = [
        [e["text"] for e in call["tracker"]["events"] if e["event"] == "user"]
        for _, call in actions.calls
        if call["sender_id"] == "hasty"
    ]
    assert [len(texts) for texts in seen] == [1, 2, 3, 4]
    assert set(seen[-1]) == sent
    assert all(later[: len(earlier)] == earlier for earlier, later in zip(seen, seen[1:], strict=False))


def test_people_do_not_wait_for_each_other(url: str, actions: Actions) -> None:
    actions.most_at_once = 0
    with ThreadPoolExecutor(8) as people:
        answers = list(people.map(lambda n: say(url, f"person-{n}", "慢 发票怎么上传"), range(8)))
    assert all(answers)
    assert actions.most_at_once >= 3


def test_an_action_that_fails_ends_the_turn_with_nothing_and_the_next_is_answered(url: str) -> None:
    assert say(url, "unlucky", "坏 发票怎么上传") == []
    assert say(url, "unlucky", "住宿标准是多少")


def test_it_refuses_to_start_with_one_clear_line() -> None:
    need = ["--port", "1", "--actions-url", "http://127.0.0.1:1/"]
    missing = engine("serve", "--model", "/no/model", *need, "--token", "a", "--actions-token", "b")
    assert (missing.returncode, missing.stderr) == (2, "bot.engine: there is no model at /no/model\n")
    tokenless = engine("serve", "--model", "/no/model", *need, env={"PATH": os.environ["PATH"]})
    assert (tokenless.returncode, tokenless.stderr) == (2, "bot.engine: --token is missing\n")
    nothing = engine(
        "train", "--domain", "/no/domain", "--data", "bot/data", "--config", "config.yml", "--out", "/tmp/x"
    )
    assert (nothing.returncode, nothing.stderr) == (1, "bot.engine: /no/domain does not exist\n")


def test_a_port_in_use_is_told_before_anything_is_loaded(tmp_path: Path, actions: Actions) -> None:
    (tmp_path / "any.tar.gz").write_text("")
    done = engine(
        *(
            "serve",
            "--model",
            str(tmp_path),
            "--port",
            str(actions.server_port),
            "--actions-url",
            "http://127.0.0.1:1/",
        ),
        *("--token", "a", "--actions-token", "b"),
    )
    assert (done.returncode, done.stderr) == (1, f"bot.engine: port {actions.server_port} is in use\n")


def test_an_archive_that_is_none_ends_the_process(tmp_path: Path) -> None:
    broken = tmp_path / "broken.tar.gz"
    broken.write_text("no archive")
    done = engine(
        *("serve", "--model", str(broken), "--port", str(free_port()), "--actions-url", "http://127.0.0.1:1/"),
        *("--token", "a", "--actions-token", "b"),
    )
    assert done.returncode == 1
    assert "could not be loaded" in done.stderr
