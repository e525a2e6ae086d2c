"""Text to vectors, with whichever sentence-transformers model is configured."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Protocol

import numpy as np

from kb.encoder.errors import LoadError
from kb.encoder.facing import BUILT, digest, facing
from kb.encoder.layout import MODULE, MODULES_FILE, read_stamp
from kb.encoder.threads import configured_threads

_QUERY_PROMPTS = ("query",)
_PASSAGE_PROMPTS = ("document", "passage", "corpus")


class Model(Protocol):
    """What `Encoder` needs of a model. `prompts` maps sentence-transformers' names to what goes before a text."""

    prompts: dict[str, str]
    dim: int

    @property
    def plain(self) -> Model:
        """The model as its makers use it: what ours is measured against."""
        ...

    def encode(self, texts: list[str], prompt: str) -> np.ndarray:
        """(len(texts), dim) float32 of unit length, in the order of `texts`; safe to call from many threads."""
        ...


class Encoder:
    """Safe to use from many threads.

    `name` is for people. `fingerprint` changes whenever vectors of the same text may change: keep vectors under it.
    """

    def __init__(self, model: Model, name: str, fingerprint: str) -> None:
        self._model = model
        self.name = name
        self.fingerprint = fingerprint
        self.dim = model.dim
        self._query_prompt = _first_prompt(model.prompts, _QUERY_PROMPTS)
        self._passage_prompt = _first_prompt(model.prompts, _PASSAGE_PROMPTS)
        self._facing = facing(fingerprint)

    @property
    def plain(self) -> Encoder:
        """The encoder as its makers use it: what ours is measured against."""
        return Encoder(self._model.plain, self.name, f"plain-{self.fingerprint}")

    def encode_queries(self, texts: list[str]) -> np.ndarray:
        """What people ask: (len(texts), dim) float32 of unit length. Any text will do, the empty one too."""
        return self._encode(texts, self._query_prompt)

    def encode_passages(self, texts: list[str]) -> np.ndarray:
        """What they should find: (len(texts), dim) float32 of unit length. Any text will do, the empty one too.

        To be compared with each other, and with questions as `kb.encoder.facing` shows them.
        """
        vectors = self._encode(texts, self._passage_prompt)
        return self._facing.passages(vectors) if self._facing else vectors

    def _encode(self, texts: list[str], prompt: str) -> np.ndarray:
        if not texts:
            return np.empty((0, self.dim), np.float32)
        return self._model.encode([_without_surrogates(text) for text in texts], prompt)


class SentenceTransformerModel:
    """Any model that `SentenceTransformer` loads, by name or path. Raises LoadError."""

    def __init__(self, name_or_path: str, threads: int | None = None) -> None:
        # Importing it takes seconds and 400 MB; the default encoder does without.
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(threads or configured_threads())
        trusted = _names_only_our_module(name_or_path)
        try:
            try:
                # What was downloaded before needs no network, and stays the same model from start to start.
                self._model = SentenceTransformer(name_or_path, trust_remote_code=trusted, local_files_only=True)
            except OSError:
                self._model = SentenceTransformer(name_or_path, trust_remote_code=trusted)
        except Exception as error:
            raise LoadError(f"FSSC_ENCODER={name_or_path} cannot be loaded: {error}") from error
        self.prompts: dict[str, str] = self._model.prompts
        self.dim: int = self._model.get_embedding_dimension()
        self._lock = threading.Lock()

    @property
    def revision(self) -> str:
        """The commit of a model that came from a hub, or nothing."""
        config = getattr(self._model.transformers_model, "config", None)
        return getattr(config, "_commit_hash", None) or ""

    @property
    def plain(self) -> SentenceTransformerModel:
        return self

    def encode(self, texts: list[str], prompt: str) -> np.ndarray:
        # Tokenizers of transformers keep the settings of the call that runs in themselves.
        with self._lock:
            vectors = self._model.encode(texts, prompt=prompt, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, np.float32)


def load_encoder(name_or_path: str | None, home: Path, threads: int | None = None) -> Encoder:
    """The configured sentence-transformers model, or without one the default in `home / "encoder"`.

    `threads` work on one call; without a number, as `FSSC_ENCODER_THREADS` says, at most two.
    Raises LoadError when there is nothing to load, or what is there is no encoder.
    """
    path = Path(name_or_path) if name_or_path else home / "encoder"
    stamp = read_stamp(path)
    if stamp is not None:
        from kb.encoder.onnx_model import OnnxModel

        return Encoder(
            OnnxModel(path, threads), "multilingual-e5-small (int8)", f"{BUILT}{stamp.content[:16]}-{digest()}"
        )
    if not name_or_path:
        raise LoadError(f"there is no encoder in {path}; build it with: python -m kb.encoder.build --target {path}")
    model = SentenceTransformerModel(name_or_path, threads)
    if path.is_dir():
        return Encoder(model, path.name, f"path-{_content(path)}")
    return Encoder(model, name_or_path, f"{name_or_path}@{model.revision}")


def _first_prompt(prompts: dict[str, str], names: tuple[str, ...]) -> str:
    """sentence-transformers adds an empty `document` to models that only declare `passage`: empty ones do not count."""
    return next((prompt for name in names if (prompt := prompts.get(name))), "")


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _names_only_our_module(name_or_path: str) -> bool:
    try:
        modules = json.loads((Path(name_or_path) / MODULES_FILE).read_text("utf-8"))
        foreign = {module["type"] for module in modules if not module["type"].startswith("sentence_transformers.")}
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return foreign == {MODULE}


def _content(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(directory)).encode())
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
