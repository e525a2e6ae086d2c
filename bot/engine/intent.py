"""The intent of a message: logistic regression over its characters and words, fast enough to be free.

Rasa's LogisticRegressionClassifier needs featurizers before it that build sparse matrices for every token (2–3 ms a message)
and scikit-learn and skops to be loaded (6 s of the start). Here a message is a set of row numbers in one table.

Configuration:

  default_intent  the intent of everything that is not surely something else (`ask`: it goes to the knowledge base)
  threshold       how probable another intent must be, 0–1
  ratio           and how many times as probable as the default one
  ranking_length  how many intents a message's ranking holds
  C               inverse strength of the regularization
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.constants import TOKENS_NAMES
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

MODEL_FILE = "intent.npz"
NGRAMS = (1, 2, 3, 4)
START, END, TICKET, DOCUMENT, NUMBER = "\x02", "\x03", "\x04", "\x05", "\x06"

_TICKET = re.compile(r"FW\d{8}-?\d{4}", re.IGNORECASE)
_DOCUMENT = re.compile(r"(?:BX|JK|FK|CX|DF)\d{6,16}", re.IGNORECASE)
_NUMBER = re.compile(r"\d{3,}")
_NOISE = re.compile(r"[\s!-/:-@\[-`{-~，。！、；：“”‘’（）《》【】…—·～~]+")
_QUESTION = re.compile(r"[?？]+")
_UNIT = re.compile(r"[^\W\d_一-鿿]+|.")


def features(text: str, words: list[str]) -> set[str]:
    """The features of a message: n-grams of its characters with its two ends, words and pairs of words, and its length.

    A word in letters counts as one character, as what `hotel` shares with `hello` says nothing, unless it is all there is: `zhuanrengong`.
    """
    folded = text.casefold()
    folded = _NUMBER.sub(NUMBER, _DOCUMENT.sub(DOCUMENT, _TICKET.sub(TICKET, folded)))
    asks = _QUESTION.search(folded) is not None
    units = [unit for unit in _UNIT.findall(_NOISE.sub(" ", _QUESTION.sub(" ", folded))) if unit != " "]
    if len(units) == 1:
        units = list(units[0])
    framed = [START, *units, END]
    found = {"".join(framed[i : i + n]) for n in NGRAMS for i in range(len(framed) - n + 1)}
    kept = [w for w in (_NOISE.sub("", w.casefold()) for w in words) if w and not w.isdigit()]
    found.update(f"w {w}" for w in kept)
    found.update(f"p {a} {b}" for a, b in zip(kept, kept[1:], strict=False))
    found.add(f"n {min(len(units), 3) if len(units) < 4 else 4 + min((len(units) - 4) // 3, 5)}")
    if asks:
        found.add("?")
    return found


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(IntentClassifier, GraphComponent):
    """Sets `intent` and `intent_ranking`; needs a tokenizer before it."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"default_intent": None, "threshold": 0.2, "ratio": 2.0, "ranking_length": 3, "C": 20.0}

    @staticmethod
    def required_packages() -> list[str]:
        return []

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self._config = {**self.get_default_config(), **config}
        self._storage = storage
        self._resource = resource
        self._rows: dict[str, int] = {}
        self._idf = np.zeros(0, np.float32)
        self._weights = np.zeros((0, 0), np.float32)
        self._bias = np.zeros(0, np.float32)
        self._classes: list[str] = []

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LinearIntentClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Fit and write the model; the examples with an intent and a text count."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        examples = [e for e in training_data.intent_examples if e.get(INTENT) and e.get(TEXT)]
        if len({e.get(INTENT) for e in examples}) < 2:
            return self._resource
        bags = [features(e.get(TEXT), _words(e)) for e in examples]
        seen: dict[str, int] = {}
        for bag in bags:
            for feature in bag:
                seen[feature] = seen.get(feature, 0) + 1
        self._rows = {feature: row for row, feature in enumerate(sorted(seen))}
        counts = np.array([seen[feature] for feature in self._rows], np.float32)
        self._idf = (np.log((1 + len(bags)) / (1 + counts)) + 1).astype(np.float32)

        columns = [sorted(self._rows[feature] for feature in bag) for bag in bags]
        values = [self._values(np.array(row)) for row in columns]
        starts = np.cumsum([0] + [len(row) for row in columns])
        x = csr_matrix((np.concatenate(values), np.concatenate(columns), starts), shape=(len(bags), len(self._rows)))
        intents = [e.get(INTENT) for e in examples]
        fitted = LogisticRegression(
            C=self._config["C"], max_iter=2000, class_weight=_damped_balance(intents), random_state=42
        )
        fitted.fit(x, intents)
        weights, bias = fitted.coef_, fitted.intercept_
        if len(fitted.classes_) == 2:  # scikit-learn keeps one row for two classes
            weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        self._weights = np.ascontiguousarray(weights.T, np.float32)
        self._bias = bias.astype(np.float32)
        self._classes = [str(c) for c in fitted.classes_]
        self._persist()
        return self._resource

    def _values(self, rows: np.ndarray) -> np.ndarray:
        values = self._idf[rows]
        return values / max(float(np.sqrt(values @ values)), 1e-6)

    def probabilities(self, text: str, words: list[str]) -> np.ndarray:
        """The probability of each of the classes, in their order; uniform where nothing of the text is known.

        A length and two ends say nothing about a text that has no known character.
        """
        known = [f for f in features(text, words) if f in self._rows]
        if all(f in (START, END, "?") or f.startswith("n ") for f in known):
            return np.full(len(self._classes), 1 / max(1, len(self._classes)))
        rows = np.array([self._rows[f] for f in known])
        scores = self._bias + self._values(rows) @ self._weights[rows]
        scores = np.exp(scores - scores.max())
        return scores / scores.sum()

    def process(self, messages: list[Message]) -> list[Message]:
        default = self._config["default_intent"]
        for message in messages:
            if not self._classes:
                message.set(INTENT, {"name": default, "confidence": 0.0}, add_to_output=True)
                continue
            probable = self.probabilities(message.get(TEXT) or "", _words(message))
            order = np.argsort(-probable)
            ranking = [{"name": self._classes[i], "confidence": float(probable[i])} for i in order]
            first = ranking[0]
            fallback = next((r for r in ranking if r["name"] == default), first)
            sure = max(self._config["threshold"], self._config["ratio"] * fallback["confidence"])
            if first is not fallback and first["confidence"] < sure:
                first = fallback
            message.set(INTENT, dict(first), add_to_output=True)
            message.set("intent_ranking", ranking[: self._config["ranking_length"]], add_to_output=True)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def _persist(self) -> None:
        with self._storage.write_to(self._resource) as directory:
            np.savez_compressed(
                directory / MODEL_FILE,
                idf=self._idf,
                weights=self._weights,
                bias=self._bias,
                names=np.frombuffer(json.dumps([list(self._rows), self._classes]).encode(), np.uint8),
            )

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LinearIntentClassifier:
        """The trained classifier; an untrained one where nothing was stored (too few intents)."""
        classifier = cls(config, model_storage, resource)
        try:
            with model_storage.read_from(resource) as directory, np.load(directory / MODEL_FILE) as stored:
                rows, classifier._classes = json.loads(stored["names"].tobytes())
                classifier._rows = {feature: row for row, feature in enumerate(rows)}
                classifier._idf, classifier._bias = stored["idf"], stored["bias"]
                classifier._weights = stored["weights"]
        except ValueError:
            pass
        return classifier


def _words(message: Message) -> list[str]:
    return [token.text for token in message.get(TOKENS_NAMES[TEXT]) or []]


def _damped_balance(intents: list[str]) -> dict[str, float]:
    """Weights between none and balanced: free questions are the most, and losing one to a command costs most."""
    counts = Counter(intents)
    return {intent: math.sqrt(len(intents) / (len(counts) * count)) for intent, count in counts.items()}
