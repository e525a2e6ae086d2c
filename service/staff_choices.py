"""What a member of the desk presses on a notice in their channel, where who they are is the channel's word."""

from __future__ import annotations

import re

from core.database import Database
from core.errors import FSSCError
from handoff.routing import emergency
from handoff.routing.emergency import ACKNOWLEDGED, EmergencyCallRow
from handoff.staff import staff_actor, staff_by_number
from handoff.tickets import TICKET_NO

PREFIX = "staff:"
_ACKNOWLEDGE = re.compile(rf"staff:ack:(?P<number>{TICKET_NO.pattern})")


def act(database: Database, employee_no: str, choice: str) -> str:
    """Do what was pressed; what they are told. The same choice again says the same and does nothing."""
    found = _ACKNOWLEDGE.fullmatch(choice)
    if found is None:
        return "这个按钮已经不能用了，请登录管理台处理。"
    number = found["number"]
    done = f"已确认：工单 {number} 的应急呼叫由您处理，请尽快打开工单。"
    try:
        with database.write() as session:
            person = staff_by_number(session, employee_no)
            if person is None:
                return "您的工号没有对应的服务台人员，请让主管在“人员与班组”里填写您的工号。"
            call = session.get(EmergencyCallRow, number)
            if call and call.state == ACKNOWLEDGED and call.acknowledged_by == person.username:
                return done
            actor = staff_actor(session, person.username, person.name, person.roles)
            emergency.acknowledge(session, number, actor, words="在消息卡片上确认")
            return done
    except FSSCError as error:
        return error.message
