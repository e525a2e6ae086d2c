"""The small model of the checks, trained once a run, and an engine on it whose actions answer in the process."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from bot.engine.quiet import silence

silence()

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "tests" / "engine"


@functools.lru_cache(maxsize=1)
def small_model() -> str:
    """The archive of the small desk."""
    from bot.engine.train import train

    archive = Path(tempfile.mkdtemp(prefix="fssc-engine-")) / "small.tar.gz"
    data = [str(FILES / "nlu.yml"), str(FILES / "rules.yml")]
    assert train(domain=str(FILES / "domain.yml"), config=str(ROOT / "config.yml"), data=data, out=str(archive)) == 0
    return str(archive)


class Actions:
    """Stands where the action endpoint stands; answers by the action's name and keeps what it was sent."""

    url = "in-process"
    kwargs: dict[str, Any] = {}

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    async def request(self, json: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.calls.append(json)
        slots = json["tracker"]["slots"]
        said = json["tracker"]["latest_message"]["text"]
        if json["next_action"] == "action_answer":
            events = [{"event": "slot", "name": "misses", "value": slots["misses"] + 1}]
            if "vip" in said:
                events.append({"event": "slot", "name": "vip", "value": True})
            return {"events": events, "responses": [{"custom": {"answer": said, "misses": slots["misses"]}}]}
        if json["next_action"] == "action_handoff":
            return {"events": [], "responses": [{"text": f"转人工 {slots.get('requested_slot')}"}]}
        names = ("description", "urgency", "contact")
        return {"events": [{"event": "slot", "name": name, "value": None} for name in names], "responses": []}


async def engine(tracker_store: Any, actions: Actions | None = None):
    """An agent on the small model over `tracker_store`; raises when it is not ready."""
    from rasa.core.agent import load_agent
    from rasa.core.utils import AvailableEndpoints

    from bot.engine.locks import lock_store

    endpoints = AvailableEndpoints(
        action=actions or Actions(), tracker_store=tracker_store, lock_store=lock_store(None)
    )
    agent = await load_agent(small_model(), endpoints=endpoints)
    assert agent.is_ready()
    return agent


async def say(agent: Any, sender: str, text: str, metadata: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """One message; what the bot said."""
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    channel = CollectingOutputChannel()
    await agent.handle_message(UserMessage(text, channel, sender, input_channel="rest", metadata=metadata or {}))
    return channel.messages
