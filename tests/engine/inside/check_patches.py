"""Rasa's code is what the patches expect, a patch does what it replaces does, and a surprise leaves Rasa as it is."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import unittest
from unittest import mock

from bot.engine import light, patches
from bot.engine.expectation import Expectation
from tests.engine.inside.model import ROOT, Actions, engine, say, small_model


class Expectations(unittest.TestCase):
    """These fail when Rasa is not the Rasa that the patches were written for: read its new code before touching a hash."""

    def test_rasa_is_what_every_patch_expects(self) -> None:
        for patch in (*patches.ALL, light):
            for expectation in (*patch.EXPECTS, *getattr(patch, "HEAVY_SOURCES", ())):
                with self.subTest(patches.name(patch), target=expectation.target):
                    self.assertEqual(expectation.found(), expectation.sha256)

    def test_code_that_is_missing_or_changed_is_noticed(self) -> None:
        target = "rasa.core.actions.action:RemoteAction"
        self.assertFalse(Expectation(f"{target}._validate_action_result", "0" * 16).holds())
        self.assertEqual(Expectation(f"{target}.no_such_method", "").found(), "missing")
        self.assertEqual(Expectation("rasa.no_such_module", "").found(), "missing")

    def test_a_bound_patch_still_shows_what_it_replaced(self) -> None:
        patches.bind()
        for patch in patches.ALL:
            self.assertTrue(all(e.holds() for e in patch.EXPECTS), patches.name(patch))

    def test_a_surprise_refuses_the_patch_says_so_and_starts_anyway(self) -> None:
        script = (
            "from bot.engine.quiet import silence; silence()\n"
            "from bot.engine import patches\n"
            "from bot.engine.expectation import Expectation\n"
            "target = 'rasa.core.actions.action:RemoteAction._validate_action_result'\n"
            "patches.action_result.EXPECTS = (Expectation(target, '0' * 16),)\n"
            "bound = patches.bind()\n"
            "from rasa.core.actions.action import RemoteAction\n"
            "stock = not hasattr(RemoteAction._validate_action_result, '__wrapped__')\n"
            "print('action_result' in bound, len(bound), stock)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), ["False", str(len(patches.ALL) - 1), "True"])
        self.assertIn("patch action_result refused", done.stderr)
        self.assertIn("_validate_action_result", done.stderr)


class Behaviour(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        patches.bind()

    def test_an_actions_result_is_judged_as_before(self) -> None:
        from jsonschema import ValidationError
        from rasa.core.actions.action import RemoteAction

        action = RemoteAction("a", None)
        stock = RemoteAction._validate_action_result.__wrapped__
        slot = {"event": "slot", "name": "a", "value": 1, "timestamp": None}
        for result in (
            {"events": [slot], "responses": [{"text": "x"}]},
            {},
            {"events": []},
            {"events": [{"name": "no event"}], "responses": []},
            {"events": "no list"},
            {"responses": ["no object"]},
            ["no object"],
        ):
            with self.subTest(result=result):
                judgements = []
                for judge in (stock, RemoteAction._validate_action_result):
                    try:
                        judgements.append(judge(action, result))
                    except ValidationError as error:
                        judgements.append(error.message)
                self.assertEqual(judgements[0], judgements[1])

    def test_every_event_type_is_found(self) -> None:
        from rasa.shared.core.events import Event
        from rasa.shared.utils.common import all_subclasses

        for kind in all_subclasses(Event):
            with self.subTest(kind.type_name):
                self.assertIs(Event.resolve_by_type(kind.type_name), Event.resolve_by_type.__wrapped__(kind.type_name))
        with self.assertRaises(ValueError):
            Event.resolve_by_type("no such event")
        self.assertIsNone(Event.resolve_by_type("topic"))
        self.assertIs(Event.resolve_by_type("no such event", Event), Event)

    def test_a_copy_is_equal_and_apart(self) -> None:
        from rasa.shared.core.events import SlotSet
        from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

        from bot.engine.trackers import MemoryTrackers

        async def a_form_in_progress():
            agent = await engine(MemoryTrackers())
            for text in ("住宿标准是多少", "我要提工单", "打印机坏了", "转人工"):
                await say(agent, "copy", text)
            return await agent.processor.get_tracker("copy")

        tracker = asyncio.run(a_form_in_progress())
        twin, stock = tracker.copy(), DialogueStateTracker.copy.__wrapped__(tracker)
        self.assertEqual(twin.current_state(EventVerbosity.ALL), stock.current_state(EventVerbosity.ALL))
        before = tracker.current_state(EventVerbosity.ALL)
        twin.update(SlotSet("urgency", "紧急"))
        twin.reject_action("ticket_form")
        self.assertEqual(tracker.current_state(EventVerbosity.ALL), before)

    def test_a_graph_runs_each_node_after_its_needs(self) -> None:
        order = importlib.import_module("bot.engine.patches.graph_run").order
        nodes = [name for name, _ in order({"c": ["b", "a"], "a": ["input"], "b": ["a"]})]
        self.assertEqual(nodes, ["a", "b", "c"])
        with self.assertRaises(ValueError):
            order({"a": ["b"], "b": ["a"]})

    def test_rules_about_a_text_are_seen(self) -> None:
        names_text = importlib.import_module("bot.engine.patches.rule_text").names_text
        self.assertTrue(names_text('[{"prev_action": {"action_name": "action_listen"}, "user": {"text": "hello"}}]'))
        self.assertFalse(names_text('[{"prev_action": {"action_name": "action_listen"}, "user": {"intent": "greet"}}]'))

    def test_a_turn_that_finds_no_rule_answers_once(self) -> None:
        from bot.engine.trackers import MemoryTrackers

        async def turn() -> list:
            return await say(await engine(MemoryTrackers()), "once", "打印机坏了")

        self.assertEqual(len(asyncio.run(turn())), 1)

    def test_an_action_is_sent_the_metadata_and_its_token(self) -> None:
        from bot.engine.trackers import MemoryTrackers

        actions = Actions()

        async def turn() -> None:
            await say(await engine(MemoryTrackers(), actions), "meta", "住宿标准是多少", {"page": "expense.list"})

        asyncio.run(turn())
        call = actions.calls[0]
        self.assertEqual(call["tracker"]["latest_message"]["metadata"], {"page": "expense.list"})
        self.assertEqual(set(call["domain"]), {"slots", "forms"})


class Lightness(unittest.TestCase):
    def test_a_light_model_is_served_without_tensorflow(self) -> None:
        script = (
            "import sys\nfrom bot.engine.quiet import silence; silence()\n"
            f"from bot.engine import light, patches\nprint(light.bind({small_model()!r})); patches.bind()\n"
            "from rasa.core.processor import MessageProcessor\n"
            f"MessageProcessor._load_model({small_model()!r})\nimport rasa.core.run\n"
            "print('tensorflow' in sys.modules)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), ["True", "False"])

    def test_a_model_with_another_part_is_not_light(self) -> None:
        with mock.patch.object(light, "parts", return_value={"rasa.nlu.classifiers.diet_classifier.DIETClassifier"}):
            self.assertFalse(light.bind("any"))
        self.assertEqual(light.parts("/no/such/model"), set())
        self.assertFalse(light.bind("/no/such/model"))


if __name__ == "__main__":
    unittest.main()
