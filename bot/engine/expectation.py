"""What a patch expects of the code that it replaces.

A patch is right for the code that was read when it was written. Each names the functions it replaces or relies on, with
a fingerprint of their source; where Rasa's code is another, the patch is refused and Rasa runs as it is.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Expectation:
    """`target` is `package.module:Qualified.name`, or `package.module` for a whole file, which is then not imported.

    `sha256` is the first 16 hex digits of the hash of its dedented source.
    """

    target: str
    sha256: str

    def found(self) -> str:
        """The fingerprint of the code that is there; "missing" when there is none.

        Reads through a patch that is already bound: a replacement keeps what it replaced in `__wrapped__`.
        """
        module, _, name = self.target.partition(":")
        try:
            if not name:
                return _fingerprint(Path(importlib.util.find_spec(module).origin).read_text("utf-8"))
            found = importlib.import_module(module)
            for part in name.split("."):
                found = inspect.getattr_static(found, part)
            if isinstance(found, (staticmethod, classmethod)):
                found = found.__func__
            source = inspect.getsource(inspect.unwrap(found))
        except (ImportError, AttributeError, OSError, TypeError, ValueError):
            return "missing"
        return _fingerprint(textwrap.dedent(source))

    def holds(self) -> bool:
        """Whether the code there is the code that was read."""
        return self.found() == self.sha256


def _fingerprint(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:16]
