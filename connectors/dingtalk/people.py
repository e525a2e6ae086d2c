"""Which employee a userid is, where a company's userids are not its employee numbers. Kept for good: an agent's reply has to
find the person long after they wrote."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.database import Base, Database, Moment

_UNKNOWN = "dingtalk:"
"""Before the userid of somebody whose number is not known: no employee number looks like this, so nobody is taken for another."""


class ChannelPersonRow(Base):
    """Who an employee is within a channel, where it has names of its own for them."""

    __tablename__ = "channel_person"

    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    user: Mapped[str] = mapped_column(String(128), primary_key=True)
    employee_no: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Moment)

    __table_args__ = (Index("ix_channel_person_employee", "channel", "employee_no"),)


class People:
    """Userids are employee numbers unless `by_job_number`."""

    def __init__(self, database: Database, *, by_job_number: bool) -> None:
        self._database, self._by_job_number = database, by_job_number

    def learned(self, user: str, job_number: str) -> str:
        """The employee number of a userid, as the directory has just told it; kept."""
        if not self._by_job_number:
            return user
        if not job_number or job_number.startswith(_UNKNOWN) or len(job_number) > 64:
            return _UNKNOWN + user
        with self._database.write() as session:
            row = session.get(ChannelPersonRow, ("dingtalk", user))
            if row is None:
                session.add(ChannelPersonRow(channel="dingtalk", user=user, employee_no=job_number, at=now()))
            elif row.employee_no != job_number:
                row.employee_no, row.at = job_number, now()
        return job_number

    def known(self, user: str) -> str:
        """The same while the directory cannot be asked."""
        if not self._by_job_number:
            return user
        with self._database.read() as session:
            row = session.get(ChannelPersonRow, ("dingtalk", user))
            return row.employee_no if row else _UNKNOWN + user

    def user_of(self, employee_no: str) -> str:
        """Whom to send to; empty where an employee was never heard of here."""
        if not self._by_job_number:
            return employee_no
        if employee_no.startswith(_UNKNOWN):
            return employee_no.removeprefix(_UNKNOWN)
        query = (
            select(ChannelPersonRow.user)
            .where(ChannelPersonRow.channel == "dingtalk", ChannelPersonRow.employee_no == employee_no)
            .order_by(ChannelPersonRow.at.desc())
            .limit(1)
        )
        with self._database.read() as session:
            return session.scalar(query) or ""
