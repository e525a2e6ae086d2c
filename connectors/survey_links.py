"""Questionnaires over a link, for channels where none can be filled in: a page that is signed for one employee's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connectors.delivery import Delivery
from core.links import signed

PURPOSE = "survey"


class SurveyLinks:
    """`base` is the address under which people reach this service, empty where there is none."""

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base, key

    def address(self, delivery: Delivery) -> str:
        """Where the employee answers the questionnaire of `delivery`; empty for any other message."""
        message, employee_no = delivery.message, delivery.employee.employee_no
        survey, until = str(message.get("survey") or ""), str(message.get("expires_at") or "")
        if message.get("type") != "survey" or not (self._base and self._key and employee_no and survey and until):
            return ""
        value = {"s": survey, "e": employee_no}
        return f"{self._base}/survey/{signed(self._key, PURPOSE, value, datetime.fromisoformat(until))}"

    def opened_by(self, delivery: Delivery) -> Delivery:
        """`delivery` with the link in its words and without the button, which only the widget can answer; any other as it is."""
        if delivery.message.get("type") != "survey":
            return delivery
        address = self.address(delivery)
        how = f"[填写问卷]({address})" if address else "请打开费用系统里的智能客服填写。"
        message = {**delivery.message, "text": f"{delivery.message['text']}\n\n{how}", "options": []}
        return replace(delivery, message=message)
