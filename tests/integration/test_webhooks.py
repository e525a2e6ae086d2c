"""Webhooks against a real receiver that fails, is slow, goes away: nothing is lost, doubles carry the same id."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select

from connectors import webhook_sender
from connectors.webhook_sender import PAUSES, send_due, waiting
from connectors.webhooks import (
    WebhookDeliveryRow,
    WebhookRow,
    add_webhook,
    again,
    change_webhook,
    ping,
    queue,
    secret_of,
)
from core.clock import now
from core.database import Database
from core.errors import InvalidInput


@dataclass
class Receiver:
    """Answers with `statuses`, one after another, then 200; checks every signature."""

    url: str = ""
    secret: str = ""
    statuses: list[int] = field(default_factory=list)
    heard: list[dict] = field(default_factory=list)
    forged: int = 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
            key = base64.b64decode(found.secret.removeprefix("whsec_"))
            right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            found.forged += not hmac.compare_digest(right, self.headers["webhook-signature"])
            status = found.statuses.pop(0) if found.statuses else 200
            found.heard.append({"id": self.headers["webhook-id"], "status": status, **json.loads(body)})
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield found
    server.shutdown()
    server.server_close()


def derive(purpose: str) -> str:
    return hashlib.sha256(b"a test's key" + purpose.encode()).hexdigest()


def hook(database: Database, receiver: Receiver, kinds: list[str] | None = None) -> str:
    with database.write() as session:
        row = add_webhook(session, receiver.url, kinds or [], "admin", production=False)
        receiver.secret = secret_of(row, derive)
        return row.id


def tell(database: Database, event: str, kind: str = "resolved") -> None:
    with database.write() as session:
        queue(session, event, kind, {"number": "FW20261122-0001", "status": kind})


def hurry(database: Database) -> None:
    """What waits for its next try is due."""
    with database.write() as session:
        for row in session.scalars(select(WebhookDeliveryRow)):
            row.next_at = now() - timedelta(seconds=1)


def state(database: Database) -> list[tuple[str, int, str]]:
    with database.read() as session:
        rows = session.scalars(select(WebhookDeliveryRow).order_by(WebhookDeliveryRow.at))
        return [(row.state, row.attempts, row.answer) for row in rows]


def test_a_delivery_is_signed_told_once_and_says_what_happened(database: Database, receiver: Receiver) -> None:
    hook(database, receiver)
    for _ in range(3):
        tell(database, "ticket:1")
    assert waiting(database)
    assert send_due(database, derive) == 1
    assert not waiting(database)
    assert send_due(database, derive) == 0
    assert [(one["type"], one["data"]["number"]) for one in receiver.heard] == [("ticket.resolved", "FW20261122-0001")]
    assert receiver.forged == 0


def test_a_failing_receiver_is_tried_again_under_the_same_id_and_in_vain_only_so_often(
    database: Database, receiver: Receiver
) -> None:
    hook(database, receiver)
    receiver.statuses = [500, 302, 429]
    tell(database, "ticket:1")
    for expected in (0, 0, 0, 1):
        assert send_due(database, derive) == expected
        assert send_due(database, derive) == 0, "it waits before the next try"
        hurry(database)
    assert [one["status"] for one in receiver.heard] == [500, 302, 429, 200]
    assert len({one["id"] for one in receiver.heard}) == 1
    assert state(database) == [("sent", 4, "HTTP 200")]

    receiver.statuses = [503] * (len(PAUSES) + 5)
    tell(database, "ticket:2")
    for _ in range(len(PAUSES) + 3):
        send_due(database, derive)
        hurry(database)
    assert state(database)[1] == ("failed", len(PAUSES) + 1, "HTTP 503")


def test_a_dead_address_is_no_loss(database: Database, receiver: Receiver) -> None:
    webhook = hook(database, receiver)
    with database.write() as session:
        session.get_one(WebhookRow, webhook).url = "http://127.0.0.1:9/nobody"
    tell(database, "ticket:1")
    assert send_due(database, derive) == 0
    ((kept, attempts, answer),) = state(database)
    assert (kept, attempts) == ("waiting", 1) and "ConnectError" in answer
    with database.write() as session:
        change_webhook(session, webhook, production=False, url=receiver.url)
        delivery = session.scalars(select(WebhookDeliveryRow)).one()
        again(session, delivery.id)
    assert send_due(database, derive) == 1


def test_410_switches_the_webhook_off_and_says_why(database: Database, receiver: Receiver) -> None:
    webhook = hook(database, receiver)
    receiver.statuses = [410]
    tell(database, "ticket:1")
    tell(database, "ticket:2")
    send_due(database, derive)
    with database.read() as session:
        row = session.get_one(WebhookRow, webhook)
        assert not row.active and "410" in row.problem
    assert len(receiver.heard) == 1, "what came after it waits until somebody switches it on"


def test_two_senders_at_once_bring_each_delivery_once(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(database, receiver)
    for n in range(20):
        tell(database, f"ticket:{n}")
    with ThreadPoolExecutor(3) as pool:
        arrived = sum(pool.map(lambda _: send_due(database, derive), range(3)))
    assert arrived == 20
    assert len(receiver.heard) == len({one["id"] for one in receiver.heard}) == 20


def test_a_sender_that_dies_with_a_delivery_in_hand_leaves_it_to_the_next(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook(database, receiver)
    tell(database, "ticket:1")

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(webhook_sender, "signature", die)
        with pytest.raises(Killed):
            send_due(database, derive)
    assert send_due(database, derive) == 0, "the dead one's claim still runs"
    with database.write() as session:
        session.scalars(select(WebhookDeliveryRow)).one().claimed_until = now() - timedelta(seconds=1)
    assert send_due(database, derive) == 1


def test_only_what_was_asked_for_is_told(database: Database, receiver: Receiver) -> None:
    webhook = hook(database, receiver, ["closed"])
    tell(database, "ticket:1", "resolved")
    tell(database, "ticket:2", "noted")
    tell(database, "ticket:3", "closed")
    with database.write() as session:
        ping(session, webhook)
    send_due(database, derive)
    assert sorted(one["type"] for one in receiver.heard) == ["ping", "ticket.closed"]


@pytest.mark.parametrize(
    "url", ["", "ftp://a/b", "http://", "//a", "javascript:alert(1)", "http://u:p@a/", "http://a:port/", "x" * 501]
)
def test_an_address_that_cannot_be_used_is_refused(database: Database, url: str) -> None:
    with database.write() as session, pytest.raises(InvalidInput, match="请填写完整的地址"):
        add_webhook(session, url, [], "admin", production=False)


def test_production_refuses_plain_http_and_unknown_events(database: Database) -> None:
    with database.write() as session:
        with pytest.raises(InvalidInput, match="https"):
            add_webhook(session, "http://example.com/hook", [], "admin", production=True)
        with pytest.raises(InvalidInput, match="noted"):
            add_webhook(session, "https://example.com/hook", ["noted"], "admin", production=True)
