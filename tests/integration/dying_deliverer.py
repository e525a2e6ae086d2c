"""A process that delivers to a push API of a file, and dies with SIGKILL where it is told to: before or after it has sent."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from connectors.delivery import Deliverer, Delivery, Receipt
from core.database import Database


class FileChannel:
    """What the platform was given, a line each; with `repeats` it takes a key once."""

    def __init__(self, platform: Path, dies: str, repeats: bool) -> None:
        self._platform, self._dies = platform, dies
        self.repeats = timedelta(hours=1) if repeats else None

    def send(self, delivery: Delivery) -> Receipt:
        if self._dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        line = f"{delivery.key} {delivery.message['text']}\n"
        known = self._platform.read_text() if self._platform.exists() else ""
        if self.repeats is None or line not in known:
            with self._platform.open("a") as platform:
                platform.write(line)
        if self._dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return Receipt(delivery.key)


class JoiningFileChannel(FileChannel):
    """One line for whatever waits together."""

    def together(self, deliveries: Sequence[Delivery]) -> int:
        return len(deliveries)

    def send(self, delivery: Delivery) -> Receipt:
        text = "|".join(str(one["text"]) for one in delivery.messages)
        return super().send(replace(delivery, message={"text": text}))


if __name__ == "__main__":
    url, path, dies, repeats = sys.argv[1:]
    kind = JoiningFileChannel if repeats == "together" else FileChannel
    Deliverer(Database(url), {"phone": kind(Path(path), dies, repeats != "never")}).run()
