"""Answers that stand for one that nobody has written: 同上, 待定, 见附件."""

from __future__ import annotations

import re

from kb.words import bare

_PLACEHOLDER = re.compile(
    r"(?:同(?:上|前|左|下)(?:一?[题条行问个]|述|例|所述|面)?|参?见上(?:一?[题条行问]|述|文|面)?|"
    r"(?:内容|答案)?(?:待|未)(?:定|补|补充|补全|完善|确认|确定|更新|回复|填|填写|录入|核实|添加|整理|提供|续)|"
    r"暂(?:无|缺|未(?:确定|定|明确|提供)|不(?:明确|确定))(?:答案|回复|内容)?|无(?:答案|内容)?|略|空|缺|未知|不详|不知道?|"
    r"(?:请|详|请?参|详情)?(?:见|看|参考|参照|查看|参阅)(?:以?下|以?上|本)?(?:面|方|述)?(?:附件|附表|附图|附录|图片?|截图|图示|表格?|备注|链接|文档)"
    r"[\d一二三四五]{0,2}(?:所示)?|如(?:上|下)?(?:图|表|附件)[\d一二三四五]{0,2}(?:所示)?|"
    r"todo|tbd|tba|na|none|null|nil|占位)"
)
_PICTURE = re.compile(r"'?=?\s*(?:_xlfn\.)?DISPIMG\s*\(", re.I)


def placeholder_in(answer: str) -> str:
    """The words of an answer that says nothing itself; "" for any other, and for an empty one."""
    text = answer.strip()
    if not text:
        return ""
    plain = bare(text)
    return text[:30] if not plain or _PLACEHOLDER.fullmatch(plain) else ""


def is_picture(text: str) -> bool:
    """Whether a text is what WPS writes for a picture that lies in a cell: `=DISPIMG("ID_0A",1)`."""
    return _PICTURE.match(text.strip()) is not None
