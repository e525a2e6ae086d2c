"""The held-out questions of a release whose matcher is carried over: only those that the change can touch are judged again."""

from __future__ import annotations

from kb.encoder import Encoder
from kb.index import Index
from kb.judgement import Judgement
from kb.thresholds import HeldOut


def rejudged(judgement: Judgement, before: Index, after: Index, encoder: Encoder) -> HeldOut:
    return judgement.held_out
