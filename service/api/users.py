"""The console's users and their roles."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/v1/console", tags=["users"])
