"""The kinds of import."""

from __future__ import annotations

from kb.ingest.faq import FaqIngester
from kb.ingest.jobs import Ingester

KINDS: dict[str, Ingester] = {one.kind: one for one in (FaqIngester(),)}
"""By the name that an import carries."""
