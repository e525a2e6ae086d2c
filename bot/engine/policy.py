"""Rules, and what happens where there is none: the fallback action once, then the form in progress or the user."""

from __future__ import annotations

from typing import Any

from rasa.core.policies.policy import PolicyPrediction
from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class DeskPolicy(RulePolicy):
    """RulePolicy that runs a custom fallback action once a message.

    With a custom `core_fallback_action_name`, Rasa's own predicts the fallback again after the fallback, as no rule applies
    then either: ten answers to one message, until the circuit breaker trips.
    """

    def train(self, training_trackers: list, domain: Domain, **kwargs: Any) -> Resource:
        self.raise_if_incompatible_with_domain(self.config, domain)  # Rasa asks it of its own class only
        return super().train(training_trackers, domain, **kwargs)

    def predict_action_probabilities(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        rule_only_data: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> PolicyPrediction:
        prediction = super().predict_action_probabilities(tracker, domain, rule_only_data, **kwargs)
        last = tracker.latest_action_name
        if last in (None, ACTION_LISTEN_NAME) or prediction.probabilities != self._default_predictions(domain):
            return prediction
        loop = tracker.active_loop_name
        prediction.probabilities = [0.0] * domain.num_actions
        following = loop if loop and loop != last else ACTION_LISTEN_NAME
        prediction.probabilities[domain.index_for_action(following)] = 1.0
        return prediction
