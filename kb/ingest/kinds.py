"""The kinds of import."""

from __future__ import annotations

from kb.ingest.faq import FaqIngester
from kb.ingest.jobs import Ingester
from kb.ingest.policies.ingester import PolicyIngester

KINDS: dict[str, Ingester] = {one.kind: one for one in (FaqIngester(), PolicyIngester())}
"""By the name that an import carries."""
