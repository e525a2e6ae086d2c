"""What the model makes of a text: for the language tests, the benchmark, and whoever wonders at an answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from bot.engine import light, patches


def parse(model: str, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """For each text its `intent`, `confidence` (0–1), `entities` (name, value) and `ranking` (intent, confidence)."""
    light.bind(model)
    patches.bind()
    from rasa.core.channels.channel import UserMessage
    from rasa.core.processor import MessageProcessor
    from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
    from rasa.shared.core.trackers import DialogueStateTracker

    _, metadata, runner = MessageProcessor._load_model(model)
    tracker = DialogueStateTracker.from_events("parse", [])
    for text in texts:
        inputs = {PLACEHOLDER_MESSAGE: [UserMessage(text)], PLACEHOLDER_TRACKER: tracker}
        message = runner.run(inputs=inputs, targets=[metadata.nlu_target])[metadata.nlu_target][0]
        intent = message.get("intent") or {}
        yield {
            "text": text,
            "intent": intent.get("name"),
            "confidence": intent.get("confidence"),
            "entities": [[entity["entity"], entity["value"]] for entity in message.get("entities") or []],
            "ranking": [[each["name"], each["confidence"]] for each in message.get("intent_ranking") or []],
        }


def main(model: str) -> int:
    """A text a line on stdin, a JSON object a line on stdout."""
    for parsed in parse(model, (line.rstrip("\n") for line in sys.stdin)):
        print(json.dumps(parsed, ensure_ascii=False), flush=True)
    return 0
