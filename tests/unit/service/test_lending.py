"""One encoder for several processes: over HTTP on the loopback, as the processes do, with a model that is quick to load."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import numpy as np
import uvicorn
from starlette.applications import Starlette

from kb.encoder import Encoder
from service.action_process import Acting, routes
from service.lending import Borrowed
from service.supervisor import free_port


class _Lengths:
    """A text's vector is its length with its prompt's, twice."""

    prompts = {"query": "q: ", "document": "passage: "}
    dim = 2

    def encode(self, texts: list[str], prompt: str) -> np.ndarray:
        return np.array([[len(prompt + text)] * 2 for text in texts], np.float32)


@contextmanager
def _lender(port: int, fingerprint: str) -> Iterator[None]:
    app = Starlette(routes=routes())
    encoder = Encoder(_Lengths(), "lengths", fingerprint)
    app.state.acting = Acting("t", encoder, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]  # lending needs neither
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join()


def test_vectors_are_borrowed_while_somebody_lends_and_made_here_while_nobody_does() -> None:
    port, loaded = free_port(), []
    texts = [f"{'问' * (n % 7)}\ud800" for n in range(150)]

    def own() -> Encoder:
        loaded.append(Encoder(_Lengths(), "lengths", "one"))
        return loaded[-1]

    with _lender(port, "one"):
        borrowed = Borrowed(f"http://127.0.0.1:{port}", "t", own)
        assert (borrowed.name, borrowed.fingerprint, borrowed.dim) == ("lengths", "one", 2)
        expected = Encoder(_Lengths(), "", "").encode_queries(texts)
        assert np.array_equal(borrowed.encode_queries(texts), expected)
        assert borrowed.encode_passages(["问"])[0, 0] == len("passage: 问")
        assert borrowed.encode_queries([]).shape == (0, 2)
        assert borrowed.there() and not loaded
        assert httpx.post(f"http://127.0.0.1:{port}/encode", json={}, trust_env=False).status_code == 401
    for _ in range(2):
        assert np.array_equal(borrowed.encode_queries(texts), expected)
    assert len(loaded) == 1 and not borrowed.there()
    with _lender(port, "another"):
        assert np.array_equal(borrowed.encode_queries(texts), expected), "vectors of another model cannot be compared"
        assert len(loaded) == 1


def test_who_finds_no_lender_at_the_start_has_an_encoder_all_the_same() -> None:
    borrowed = Borrowed(
        f"http://127.0.0.1:{free_port()}", "t", lambda: Encoder(_Lengths(), "lengths", "own"), patience=0.0
    )
    assert borrowed.fingerprint == "own" and borrowed.encode_queries(["问"])[0, 0] == len("q: 问")
