"""RulePolicy looks for rules about the literal text of a message only when there are such rules.

It featurizes the conversation twice for each message, once by text and once by intent; without end-to-end rules the first
pass cannot match anything.
"""

from __future__ import annotations

import functools
import json

from bot.engine.expectation import Expectation

EXPECTS = (
    Expectation("rasa.core.policies.rule_policy:RulePolicy._find_action_from_rules", "a77245b5aae28ec3"),
    Expectation("rasa.core.policies.rule_policy:RulePolicy._predict", "9f2b9ebc57eb46ea"),
    Expectation("rasa.core.policies.rule_policy:RulePolicy._is_rule_applicable", "bcfd1178fabc6875"),
    Expectation("rasa.core.policies.rule_policy:RulePolicy._does_rule_match_state", "8bfe3abe04f783df"),
)


def bind() -> None:
    """Answer the text pass at once where no learned rule names a text."""
    from rasa.core.policies.rule_policy import RULES, RulePolicy

    stock = RulePolicy._find_action_from_rules

    @functools.wraps(stock)
    def find(self, tracker, domain, use_text_for_last_user_input):
        if use_text_for_last_user_input:
            rules = self.lookup[RULES]
            known = self.__dict__.get("_fssc_text_rules")
            if known is None or known[0] is not rules:
                known = (rules, any(names_text(key) for key in rules))
                self.__dict__["_fssc_text_rules"] = known
            if not known[1]:
                return None, None, False
        return stock(self, tracker, domain, use_text_for_last_user_input)

    RulePolicy._find_action_from_rules = find


def names_text(rule_key: str) -> bool:
    """Whether a learned rule (JSON, a list of states) has a state with a user's text."""
    return any("text" in state.get("user", {}) for state in json.loads(rule_key))
