"""Clusters that may be one: those whose questions mean nearly the same as a cluster's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import select

from core.database import Database
from kb.curation.grouping import Space
from kb.curation.nights import LIVING
from kb.curation.store import ClusterRow
from kb.curation.view import row_of
from kb.curation.wording import plain
from kb.encoder import Encoder
from kb.release.vectors import texts_to_vectors

LEAST = 0.15
"""Below this cosine of their names in the `Space` two clusters are nothing to offer; the night puts together from 0.3 on."""

_MOST = 2_000
_REMEMBERED = timedelta(days=180)


def alike(
    database: Database, encoder: Encoder, space: Space, cluster: int, moment: datetime, most: int = 8
) -> list[dict[str, Any]]:
    """The clusters into which `cluster` may be merged, as in a list with `likeness`, the likeliest first: of the newest 2,000
    that were asked in half a year, by their names."""
    with database.read() as session:
        query = select(ClusterRow).where(
            ClusterRow.state.in_(LIVING),
            ClusterRow.questions > 0,
            ClusterRow.last_at > moment - _REMEMBERED,
            ClusterRow.id != cluster,
        )
        rows = list(session.scalars(query.order_by(ClusterRow.last_at.desc(), ClusterRow.id).limit(_MOST)))
        own = session.get(ClusterRow, cluster)
    if own is None or not rows:
        return []
    texts = [(plain(row.name), False) for row in (own, *rows)]
    placed = space.place(texts_to_vectors(database, encoder, texts, lambda _: None)[0])
    cosines = placed[1:] @ placed[0]
    best = [int(n) for n in np.argsort(-cosines, kind="stable")[:most] if cosines[n] >= LEAST]
    return [{**row_of(rows[n]), "likeness": round(float(cosines[n]), 4)} for n in best]
