"""Ratings over a link, for channels whose buttons cannot answer: a page that is signed for one question and used once."""

from __future__ import annotations

from datetime import datetime

from connectors.delivery import Delivery
from core.links import signed

PURPOSE = "rating"


class RatingLinks:
    """`base` is the address under which people reach this service, empty where there is none."""

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base, key

    def address(self, delivery: Delivery) -> str:
        """Where the requester rates what `delivery` asks about; empty for a message that is no such question."""
        message, employee_no = delivery.message, delivery.employee.employee_no
        if message.get("type") != "rating" or not (self._base and self._key and employee_no):
            return ""
        number, until = str(message.get("number") or ""), str(message.get("expires_at") or "")
        if not number or not until:
            return ""
        value = {"t": number, "e": employee_no, "u": until}
        return f"{self._base}/rate/{signed(self._key, PURPOSE, value, datetime.fromisoformat(until))}"
