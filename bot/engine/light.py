"""Serving without TensorFlow, when the model has no part that needs it: 5 s less to start and 250 MB less to hold.

Rasa imports TensorFlow for its training callbacks, its batch generators and its validator whatever the model is. Those
modules are named here; while a model of known light parts is served, empty ones stand in their place.
"""

from __future__ import annotations

import json
import logging
import sys
import tarfile
import types
from pathlib import Path

from bot.engine.expectation import Expectation

logger = logging.getLogger(__name__)

# Stood in for: the module, and the names that others import from it.
HEAVY = {
    "rasa.utils.tensorflow.callback": ("RasaTrainingLogger", "RasaModelCheckpoint"),
    "rasa.utils.tensorflow.data_generator": ("RasaBatchDataGenerator", "RasaDataGenerator"),
    "rasa.graph_components.validators.default_recipe_validator": ("DefaultV1RecipeValidator",),
}

HEAVY_SOURCES = (
    Expectation("rasa.utils.tensorflow.callback", "745cf6fe393d9fcb"),
    Expectation("rasa.utils.tensorflow.data_generator", "9d766a17c1ef507e"),
    Expectation("rasa.graph_components.validators.default_recipe_validator", "89f0cddf9c8a6f75"),
)

# The parts of a served model that are known to run without TensorFlow.
LIGHT = frozenset(
    {
        "bot.engine.intent.LinearIntentClassifier",
        "bot.engine.policy.DeskPolicy",
        "rasa.core.policies.ensemble.DefaultPolicyPredictionEnsemble",
        "rasa.core.policies.rule_policy.RulePolicy",
        "rasa.graph_components.converters.nlu_message_converter.NLUMessageConverter",
        "rasa.graph_components.providers.domain_provider.DomainProvider",
        "rasa.graph_components.providers.rule_only_provider.RuleOnlyDataProvider",
        "rasa.nlu.classifiers.fallback_classifier.FallbackClassifier",
        "rasa.nlu.classifiers.regex_message_handler.RegexMessageHandler",
        "rasa.nlu.extractors.entity_synonyms.EntitySynonymMapper",
        "rasa.nlu.extractors.regex_entity_extractor.RegexEntityExtractor",
        "rasa.nlu.tokenizers.jieba_tokenizer.JiebaTokenizer",
    }
)

EXPECTS = (
    Expectation("rasa.utils.train_utils", "7ae337d7a78d2c16"),
    Expectation("rasa.engine.storage.storage", "431d64a7c2f05fa3"),
    *HEAVY_SOURCES,
)


def parts(model: str | Path) -> set[str]:
    """The classes that a model archive runs when it is served; empty when it cannot be read."""
    try:
        with tarfile.open(model) as archive:
            metadata = json.load(archive.extractfile("metadata.json"))
        return {node["uses"] for node in metadata["predict_schema"]["nodes"].values()}
    except (OSError, KeyError, TypeError, ValueError, tarfile.TarError):
        return set()


def bind(model: str | Path) -> bool:
    """Stand in for the heavy modules if this model is light; whether it was done. Call before Rasa is imported."""
    needed = parts(model)
    if not needed or not needed <= LIGHT:
        logger.info("TensorFlow is loaded for %s", ", ".join(sorted(needed - LIGHT)) or "an unreadable model")
        return False
    if any(name in sys.modules for name in ("tensorflow", *HEAVY)):
        return False
    broken = [e.target for e in EXPECTS if not e.holds()]
    if broken:
        logger.error(
            "TensorFlow is loaded although the model does not need it: unexpected code in %s", ", ".join(broken)
        )
        return False
    for name, classes in HEAVY.items():
        module = types.ModuleType(name, "Stands in while a model without TensorFlow is served: see bot.engine.light.")
        for class_name in classes:
            setattr(module, class_name, type(class_name, (_Absent,), {"__module__": name}))
        sys.modules[name] = module
    return True


class _Absent:
    """A class of a heavy module: it may be named, and subclassed, but not used."""

    def __init__(self, *args, **kwargs) -> None:
        raise RuntimeError(f"{type(self).__name__} needs TensorFlow, which this process runs without")
