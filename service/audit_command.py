"""`fssc audit verify`."""

from __future__ import annotations

from rich.console import Console

from core.audit import AuditRow, head, verify
from core.database import Database
from core.errors import SettingsError
from handoff.timeline import altered


def verify_log(database: Database, expected: str, console: Console) -> bool:
    """Say whether the chain holds, and whether it still has the entry `expected`, `ID:HASH` as an earlier run gave it. Raises
    SettingsError where `expected` is not of that form."""
    number, _, digest = expected.partition(":")
    if expected and not (number.isdigit() and digest):
        raise SettingsError(f"{expected} is not ID:HASH as an earlier `fssc audit verify` printed it")
    with database.read() as session:
        broken = verify(session)
        if broken is not None:
            console.print(f"✗ entry {broken} was changed, or what stood before it is gone", markup=False)
            return False
        if expected:
            known = session.get(AuditRow, int(number))
            if known is None or known.hash != digest:
                console.print(f"✗ entry {number} is not the one that was noted: the end was cut off", markup=False)
                return False
        if (event := altered(session)) is not None:
            console.print(f"✗ event {event} of a ticket's timeline is not what was logged", markup=False)
            return False
        entries, newest = head(session)
    console.print(f"✓ {entries} entries hold")
    console.print(f"  note this elsewhere, and check it next time with --expect: {entries}:{newest}", markup=False)
    return True
