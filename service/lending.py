"""One encoder for several processes of a machine: the one that runs the actions has it in memory and lends it, the others borrow.

Who finds nobody to lend loads an encoder of their own, and lets go of it once there is a lender again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import structlog

from kb.encoder import Encoder

log = structlog.get_logger()

FINGERPRINT = "x-fingerprint"
_AT_ONCE = 64
_PATIENCE = httpx.Timeout(10, connect=1)
_STARTING_S, _AGAIN_S = 60.0, 0.1
"""How long, and how often, the lender is waited for: it starts when the borrower does, and loads for seconds."""


def introduced(encoder: Encoder) -> dict[str, Any]:
    """What a borrower has to know of an encoder."""
    return {"name": encoder.name, "fingerprint": encoder.fingerprint, "dim": encoder.dim}


def encoded(encoder: Encoder, kind: str, texts: list[str]) -> bytes:
    """Vectors of `texts` as float32, one after the other; `kind` is `queries` or `passages`."""
    made = encoder.encode_queries(texts) if kind == "queries" else encoder.encode_passages(texts)
    return np.ascontiguousarray(made, np.float32).tobytes()


class Borrowed(Encoder):
    """The encoder of the process at `url`; `own` loads one where there is none to borrow. Safe to use from many threads."""

    def __init__(self, url: str, token: str, own: Callable[[], Encoder], patience: float = _STARTING_S) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=_PATIENCE, trust_env=False)
        self._load, self._loading = own, threading.Lock()
        self._own: Encoder | None = None
        known = self._met(patience) or introduced(self._owned())
        self.name, self.fingerprint, self.dim = known["name"], known["fingerprint"], known["dim"]

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        return self._asked("queries", texts)

    def encode_passages(self, texts: list[str]) -> np.ndarray:
        return self._asked("passages", texts)

    def there(self) -> bool:
        """Whether the lender answers."""
        try:
            return self._http.get("/encoder", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def _met(self, patience: float) -> dict[str, Any] | None:
        end = time.monotonic() + patience
        while True:
            try:
                return self._http.get("/encoder").raise_for_status().json()
            except (httpx.HTTPError, ValueError):
                if time.monotonic() > end:
                    return None
                time.sleep(_AGAIN_S)

    def _asked(self, kind: str, texts: list[str]) -> np.ndarray:
        vectors = np.empty((len(texts), self.dim), np.float32)
        try:
            for start in range(0, len(texts), _AT_ONCE):
                some = texts[start : start + _AT_ONCE]
                asked = json.dumps({"kind": kind, "texts": some})  # Half of a surrogate pair has no UTF-8: escaped.
                answer = self._http.post("/encode", content=asked).raise_for_status()
                if answer.headers.get(FINGERPRINT) != self.fingerprint:
                    raise ValueError("the lender has another encoder now")
                vectors[start : start + len(some)] = np.frombuffer(answer.content, np.float32).reshape(-1, self.dim)
        except (httpx.HTTPError, ValueError) as error:
            log.warning("encoder_not_lent", error=repr(error)[:200])
            own = self._owned()
            return own.encode_queries(texts) if kind == "queries" else own.encode_passages(texts)
        self._own = None
        return vectors

    def _owned(self) -> Encoder:
        with self._loading:
            own = self._own = self._own or self._load()
            return own
