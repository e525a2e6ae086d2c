"""The console's imports and exports."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/v1/console", tags=["imports"])

MOST_BYTES = 50 * 2**20
"""The largest file that may be imported."""
