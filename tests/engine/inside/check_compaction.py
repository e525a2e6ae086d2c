"""A conversation on the patched engine, kept short, goes exactly as on stock Rasa, kept whole."""

from __future__ import annotations

import asyncio
import random
import unittest
from typing import Any

from bot.engine import compaction, patches
from tests.engine.inside.model import Actions, engine, say

LONG = 2 * compaction.MAX_TURNS
ASK, ASK_2, HELLO, PERSON, TICKET, CANCEL = "住宿标准是多少", "发票怎么上传", "你好", "转人工", "我要提工单", "取消"
WHAT, HOW_URGENT, CONTACT = "打印机坏了", "很急", "手机 13800000000"
ENTRY = '/open_entry{"entry_id":"travel-001"}'

SCRIPTS: dict[str, list[str]] = {
    "a form over several compactions, questions in its middle": [
        *[ASK] * LONG, TICKET, *[ASK_2] * LONG, WHAT, *[ASK] * LONG, HOW_URGENT, *[ASK_2] * LONG, CONTACT, ASK, ENTRY,
    ],
    "a form that was rejected and then left": [TICKET, *[PERSON] * LONG, CANCEL, *[ASK] * LONG, TICKET, WHAT],
    "a slot that steers the dialogue": ["vip " + ASK, *[ASK] * LONG, HELLO],
    "a restart in the middle": [TICKET, WHAT, *[ASK] * LONG, "/restart", HELLO, TICKET, *[ASK] * LONG, WHAT],
    "turns taken back": [ENTRY, "vip " + ASK, *[ASK] * LONG, TICKET, WHAT, "/back", ASK, ASK, "/back", "/back", *[ASK_2] * LONG, WHAT],
}  # fmt: skip
for _seed in range(4):
    _choose = random.Random(_seed)
    _sayings = [ASK, ASK_2, HELLO, PERSON, TICKET, CANCEL, WHAT, HOW_URGENT, CONTACT, ENTRY, "vip " + ASK, "/restart"]
    SCRIPTS[f"any conversation, {_seed}"] = [_choose.choice(_sayings) for _ in range(35)]


def state(tracker: Any) -> dict[str, Any]:
    """What the next turn depends on; not the last message, which the next one replaces."""
    loop = tracker.active_loop
    return {
        "slots": tracker.current_slot_values(),
        "loop": loop and (loop.name, loop.rejected, loop.is_interrupted, (loop.trigger_message or {}).get("text")),
        "latest_action": tracker.latest_action_name,
        "paused": tracker.is_paused(),
        "followup": tracker.followup_action,
    }


async def play(agent: Any, script: list[str], sender: str) -> list[tuple]:
    """For each message: the message, what was said, the state after it, and how many messages are held."""
    played = []
    for text in script:
        said = await say(agent, sender, text)
        tracker = await agent.processor.get_tracker(sender)
        held = sum(event.type_name == "user" for event in tracker.events)
        played.append((text, said, state(tracker), held))
    return played


class Compaction(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        from rasa.core.tracker_store import InMemoryTrackerStore

        from bot.engine.trackers import MemoryTrackers

        async def all_scripts(agent: Any) -> dict[str, list[tuple]]:
            return {name: await play(agent, script, name) for name, script in SCRIPTS.items()}

        cls.whole = asyncio.run(cls.agent(InMemoryTrackerStore(None), all_scripts))
        assert len(patches.bind()) == len(patches.ALL)
        cls.actions = Actions()
        cls.short = asyncio.run(cls.agent(MemoryTrackers(), all_scripts, cls.actions))

    @staticmethod
    async def agent(store: Any, use: Any, actions: Actions | None = None) -> Any:
        return await use(await engine(store, actions))

    def test_the_same_is_said_and_the_same_state_reached(self) -> None:
        for name in SCRIPTS:
            for turn, (whole, short) in enumerate(zip(self.whole[name], self.short[name], strict=True)):
                with self.subTest(name, turn=turn, text=whole[0]):
                    self.assertEqual(short[1], whole[1])
                    self.assertEqual(short[2], whole[2])

    def test_the_form_was_filled_across_compactions(self) -> None:
        said = [
            m.get("text")
            for turn in self.short["a form over several compactions, questions in its middle"]
            for m in turn[1]
        ]
        self.assertIn(f"已提交：{WHAT} / {HOW_URGENT} / {CONTACT}", said)
        self.assertGreaterEqual(said.count("什么问题？"), LONG)

    def test_the_conversation_is_kept_short(self) -> None:
        held = [turn[3] for name, played in self.short.items() if "/back" not in SCRIPTS[name] for turn in played]
        # One more than MAX_TURNS: the message that opened a form in progress is kept beside the last turns.
        self.assertLessEqual(max(held), compaction.MAX_TURNS + 1)
        self.assertGreater(max(turn[3] for played in self.whole.values() for turn in played), LONG)
        self.assertLessEqual(max(len(call["tracker"]["events"]) for call in self.actions.calls), 40)


if __name__ == "__main__":
    unittest.main()
