"""Training: domain, data and configuration in, one model archive out."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path


def train(*, domain: str, config: str, data: Sequence[str], out: str) -> int:
    """Train and write the archive `out` (…​.tar.gz) atomically; 0, or 1 with the reason on stderr.

    Rasa keeps a training cache in the working directory and names archives itself: both happen in a directory of their own
    beside `out`, and the archive is moved into place when it is complete, so that a reader never sees half a model.
    """
    target = Path(out).absolute()
    for path in (domain, config, *data):
        if not Path(path).exists():
            print(f"bot.engine: {path} does not exist", file=sys.stderr)
            return 1
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".training-") as work:
        os.environ["RASA_CACHE_DIRECTORY"] = os.path.join(work, "cache")
        from rasa.model_training import train as rasa_train

        said = io.StringIO()
        with contextlib.redirect_stdout(said):  # Rasa prints; among it the name of an archive that is about to move
            result = rasa_train(
                domain=domain,
                config=config,
                training_files=list(data),
                output=work,
                fixed_model_name="model",
                force_training=True,
            )
        archive = Path(work, "model.tar.gz")
        if result.code != 0 or not archive.exists():
            print(f"{said.getvalue().strip()}\nbot.engine: training failed", file=sys.stderr)
            return result.code or 1
        os.replace(archive, target)
    return 0
