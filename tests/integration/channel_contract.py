"""What every channel keeps, whatever it is: a class of tests that each of them passes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors.delivery import Busy, Delivery, Joining, NotSent, Unsure
from connectors.port import Connector, Notice, Received
from core.identity import Identity

LI, WANG, STRANGER = "E1001", "E1002", "E9999"
GARBAGE: list[dict[str, Any]] = [
    {}, {"x": 1}, {"kind": None}, {"kind": 5, "user": LI, "key": "k"}, {"kind": "text"}, {"kind": "text", "user": None, "key": ""},
    {"kind": "event:", "user": LI, "key": "k"}, {"kind": "hologram", "user": LI, "key": "k"}, {"kind": [], "key": {}},
]  # fmt: skip


@dataclass
class Subject:
    """A channel with its simulated platform. `bodies` are callbacks as they are stored, by what they should be read as; `seen`
    is what somebody reads, message by message; `breaks(fault)` lets the next call fail: down, busy, refused or unclear."""

    connector: Connector
    bodies: dict[str, dict[str, Any]]
    seen: Callable[[str], list[str]]
    buttons: Callable[[str], list[list[str]]]
    breaks: Callable[[str], None]
    violations: list[str]
    group: str = ""
    alerts: list[str] = field(default_factory=list)


MESSAGES: dict[str, dict[str, Any]] = {
    "text": {"text": "您好，我是财务共享智能客服。😀"},
    "markdown": {"text": "**可以**报销：\n\n- 车票\n- 住宿\n\n| 城市 | 限额 |\n| --- | --- |\n| 北京 | 500 |\n\n见[制度](https://e.example.com/p)。"},
    "answer": {
        "type": "answer", "text": "住宿费按间夜计算。", "entry_id": "e1", "title": "住宿费标准", "effective_from": "2026-01-01",
        "sources": [{"label": "《差旅费管理办法》第十六条"}], "options": [{"label": "旺季怎么算？", "choice": "entry:e2"}],
    },
    "choices": {"text": "您想问哪一个？", "options": [{"label": f"第{n}种情况", "choice": f"entry:e{n}"} for n in range(5)]},
    "many": {"text": "请问是哪类业务？", "options": [{"label": f"业务{n}", "choice": f"say:业务{n}"} for n in range(11)]},
    "question": {"type": "question", "text": "请填写单据号", "field": "document_no", "options": [{"label": "取消", "choice": "say:取消"}]},
    "ticket": {
        "type": "ticket", "text": "已提交工单 **FW20261122-0001**", "number": "FW20261122-0001",
        "options": [{"label": "查看进度", "choice": "ticket:FW20261122-0001"}],
    },
    "agent": {"from": "agent", "agent_name": "赵敏", "text": "请补交行程单。", "number": "FW20261122-0001"},
    "rating": {
        "type": "rating", "text": "请您打分", "number": "FW20261122-0001",
        "options": [{"label": f"{n} 分 · 评语", "choice": f"rate:FW20261122-0001:{n}"} for n in (5, 4, 3, 2, 1)],
    },
    "nothing": {"text": ""},
    "unknown": {"type": "hologram", "text": "将来的消息类型", "options": []},
    "long": {"text": "\n\n".join(f"第{n}段：" + "差旅费按标准报销。😀" * 60 for n in range(12))},
    "hostile": {"text": "<xml>&amp;\"'</xml> \\u0000 </script> {{x}} %s", "options": [{"label": "<b>一</b>", "choice": "entry:x"}]},
}  # fmt: skip


class ChannelContract:
    """Subclasses give a fixture `subject`."""

    def deliver(self, subject: Subject, name: str, employee: str | None = LI, key: str = "", thread: str = "") -> None:
        message = {"id": "m1", "seq": 1, "from": "bot", "type": "text", "options": [], **MESSAGES[name]}
        who = Identity(employee, "李晓雯") if employee else Identity()
        subject.connector.send(Delivery(key or f"k:{name}", subject.connector.name, "c1", who, message, 1, thread))

    @pytest.mark.parametrize("kind", ["text", "choice", "opened", "unreadable", "nothing"])
    def test_what_a_callback_means(self, subject: Subject, kind: str) -> None:
        if kind not in subject.bodies:
            pytest.skip("this channel has none")
        received = subject.connector.read(subject.bodies[kind])
        assert received.kind == kind
        if kind != "nothing":
            assert received.sender == LI
        assert bool(received.text) == (kind in ("text", "unreadable")) and bool(received.choice) == (kind == "choice")

    def test_reading_never_raises(self, subject: Subject) -> None:
        for body in GARBAGE:
            assert isinstance(subject.connector.read(body), Received), body

    @pytest.mark.parametrize("name", MESSAGES)
    def test_every_message_is_shown_within_the_limits(self, subject: Subject, name: str) -> None:
        message = MESSAGES[name]
        self.deliver(subject, name)
        parts = subject.seen(LI)
        assert subject.violations == []
        shown = _bare("".join(parts))
        for words in re.findall(r"[一-鿿]{2,}", re.sub(r"\[[^]]*\]\([^)]*\)", "", message["text"])):
            assert words in shown, f"{words} is missing in {parts}"
        for source in message.get("sources", []):
            assert _bare(source["label"]) in shown and message["effective_from"] in "".join(parts)
        if message.get("agent_name"):
            assert message["agent_name"] in shown
        assert all(len(part.encode()) <= subject.connector.capabilities.most_bytes for part in parts)

    @pytest.mark.parametrize("name", ["choices", "many", "answer"])
    def test_choices_are_buttons_or_a_numbered_list(self, subject: Subject, name: str) -> None:
        labels = [option["label"] for option in MESSAGES[name]["options"]]
        self.deliver(subject, name)
        pressed = [label for card in subject.buttons(LI) for label in card]
        shown = "".join(subject.seen(LI))
        if pressed:
            assert subject.connector.capabilities.buttons > 0 and len(pressed) == len(labels)
        else:
            for n, label in enumerate(labels, 1):
                assert re.search(rf"{n}\\?[.、] ?{re.escape(label)}", shown), shown

    def test_what_waits_together_is_said_in_one_message(self, subject: Subject) -> None:
        names = ("answer", "markdown", "agent", "agent", "text")
        said = [
            {"id": f"m{n}", "from": "bot", "type": "text", **MESSAGES[one], "options": []}
            for n, one in enumerate(names)
        ]
        waiting = [Delivery(f"k{n}", subject.connector.name, "c1", Identity(LI), one, 1) for n, one in enumerate(said)]
        assert isinstance(subject.connector, Joining)
        assert subject.connector.together(waiting[2:]) == 2, "nobody else's words below an agent's name"
        assert subject.connector.together([waiting[0], replace(waiting[1], message=MESSAGES["choices"])]) == 1
        assert subject.connector.together([waiting[0], *[replace(waiting[1], message=MESSAGES["long"])] * 2]) == 1
        some = waiting[: subject.connector.together(waiting)]
        subject.connector.send(replace(some[0], along=tuple(one.message for one in some[1:])))
        (shown,) = subject.seen(LI)
        assert len(some) >= 2 and subject.violations == []
        places = [shown.index(words) for words in ("住宿费按间夜计算", "《差旅费管理办法》第十六条", "报销：")]
        assert places == sorted(places) and len(shown.encode()) <= subject.connector.capabilities.most_bytes

    def test_what_the_platform_says_has_the_right_consequence(self, subject: Subject) -> None:
        for fault, expected in (("down", NotSent), ("busy", Busy), ("unclear", Unsure)):
            subject.breaks(fault)
            with pytest.raises(expected):
                self.deliver(subject, "text", key=fault)
        self.deliver(subject, "text", key="after")
        assert len(subject.seen(LI)) >= 1

    @pytest.mark.parametrize("employee", [STRANGER, None])
    def test_who_is_not_there_is_given_up(self, subject: Subject, employee: str | None) -> None:
        with pytest.raises(NotSent) as caught:
            self.deliver(subject, "text", employee)
        assert caught.value.for_good

    def test_what_only_an_operator_can_mend_is_told_and_tried_again(self, subject: Subject) -> None:
        subject.breaks("refused")
        with pytest.raises(NotSent) as caught:
            self.deliver(subject, "text")
        assert not caught.value.for_good and subject.alerts and re.search(r"[一-鿿]", subject.alerts[0])

    def test_a_click_never_raises(self, subject: Subject) -> None:
        for card in ({}, {"response_code": "none"}, {"x": None}):
            subject.connector.clicked(Received("choice", LI, choice="entry:e1", card=card), "一" * 300)

    def test_without_a_directory_somebody_sees_what_everybody_sees(self, subject: Subject) -> None:
        subject.breaks("directory")
        who = subject.connector.identity(Received("text", WANG))
        assert who.employee_no == WANG and not who.company and not who.groups and not who.department

    def test_in_a_group_nothing_but_number_and_name(self, subject: Subject) -> None:
        if not subject.group:
            pytest.skip("this channel has no groups")
        assert subject.connector.identity(Received("text", LI)).company
        who = subject.connector.identity(Received("text", LI, group=subject.group))
        assert who.employee_no == LI and not who.company and not who.groups

    def test_an_agent_is_told(self, subject: Subject) -> None:
        notice = Notice("工单即将超时", "FW20261122-0001 还有 10 分钟", "https://desk.example.com/t/abc", True, "n1")
        subject.connector.tell(LI, notice)
        assert "即将超时" in "".join(subject.seen(LI)) and subject.violations == []

    def test_the_test_button_is_content_or_says_why(self, subject: Subject) -> None:
        assert subject.connector.check() == []
        subject.breaks("check")
        (said, *_) = subject.connector.check()
        assert re.search(r"[一-鿿].*。", said), said


def _bare(text: str) -> str:
    return re.sub(r"[\s*#>\-·]+", "", text)
