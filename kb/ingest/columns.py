"""Which column is which: the headers that finance departments write, by the field they mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count

from kb.ingest.audiences import guards
from kb.ingest.rows import Cell, Row
from kb.ingest.secrecy import mark_in
from kb.ingest.workbooks import unguarded
from kb.words import bare

LABELS = {
    "id": "编号",
    "question": "标准问",
    "similar": "相似问",
    "answer": "答案",
    "business_type": "业务类型",
    "companies": "可见公司",
    "groups": "可见人员组",
    "audience": "可见范围",
    "scenes": "适用场景",
    "effective_from": "生效日期",
    "effective_to": "失效日期",
    "period": "有效期",
    "sources": "依据",
    "source_details": "依据明细",
    "related": "后续问题编号",
    "owner": "负责组",
    "title": "标题",
    "review_on": "复核日期",
    "extra": "其他信息",
    "version": "条目版本",
}
"""The header that exports and the template carry, by field."""

_SPELLINGS = {
    "id": "编号 ID 知识编号 知识ID 条目编号 FAQ编号 FAQID 唯一标识 EntryID",
    "question": "标准问 标准问题 标准问法 标准问句 标准提问 问题 主问题 主问 问 问句 提问 常见问题 典型问题 问题描述 问题标题 知识标题 "
    "咨询问题 咨询的问题 员工咨询问题 员工咨询的问题 员工问题 员工提问 用户问题 用户提问 FAQ Question "
    "Questions StandardQuestion Q",
    "similar": "相似问 相似问题 相似问法 相似问句 扩展问 扩展问题 扩展问法 同义问 同义问题 同义问法 其他问法 问法 类似问题 SimilarQuestion "
    "SimilarQuestions Similar Similars AlternateQuestion AlternateQuestions Variants Utterances",
    "answer": "答案 回答 标准答案 标准回答 标准答复 标准回复 答复 答 回复 解答 答案内容 回答内容 答复内容 回复内容 参考答案 参考答复 统一答复 "
    "解决方案 处理方式 Answer Answers Response Reply A",
    "answer_more": "答案续 答案接上列",
    "business_type": "业务类型 业务类别 业务分类 业务 分类 类别 类型 所属分类 问题分类 问题类型 知识分类 目录 Category BusinessType Type",
    "companies": "可见公司 适用公司 公司 公司编码 公司代码 适用单位 适用主体 Company Companies",
    "groups": "可见人员组 适用人员组 人员组 适用用户组 可见用户组 用户组 适用人群 适用群组 员工组 Group Groups UserGroup UserGroups",
    "audience": "适用范围 受众 可见范围 适用对象 对谁开放 开放范围 开放对象 Audience Scope Visibility",
    "scenes": "页面场景 场景 适用场景 页面 页面节点 Scene Scenes Page Pages",
    "effective_from": "生效日期 生效时间 生效日 有效期起 有效期开始 有效期起始 有效期开始日期 有效期开始时间 "
    "开始日期 启用日期 EffectiveFrom EffectiveDate ValidFrom StartDate",
    "effective_to": "失效日期 失效时间 失效日 有效期止 有效期至 有效期结束 有效期终止 有效期截止 有效期结束日期 有效期结束时间 截止日期 "
    "结束日期 到期日 到期日期 停用日期 EffectiveTo ExpiryDate ExpirationDate ValidTo ValidUntil EndDate",
    "period": "有效期 有效期限 有效期间 有效日期 有效起止日期 起止日期 起止时间 生效失效 生效失效日期 生效失效时间 生效期间 生效期 执行期间 "
    "执行期 执行期限 适用期间 适用期 适用期限 施行期间 ValidityPeriod EffectivePeriod Validity",
    "sources": "来源 出处 依据 制度依据 政策依据 参考依据 答案来源 制度来源 来源制度 Source Sources Reference References",
    "source_details": "依据明细 来源明细",
    "related": "后续问题编号 后续问题 关联编号 关联问题编号 相关编号 相关条目 关联条目 Related RelatedID RelatedIDs",
    "owner": "负责组 负责人 责任人 责任组 维护人 责任部门 负责部门 维护部门 归口部门 Owner Maintainer",
    "title": "标题 Title",
    "review_on": "复核日期 复审日期 复查日期 下次复核日期 复核时间 ReviewDate ReviewOn",
    "extra": "其他信息",
    "version": "条目版本 知识版本 EntryVersion",
}
_FIELDS = {bare(spelling): field for field, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_REMARK = re.compile(r"[(（\[【].*?[)）\]】]|[*＊:：]")
_NUMBERED = re.compile(r"\s*[-_#]?\s*[\d一二三四五六七八九十]+$")
_AUDIENCE = {"companies", "groups", "audience"}
_REPEATABLE = {"similar", "answer_more", "sources"} | _AUDIENCE
_SINGLE = {"answer", "effective_from", "effective_to", "period"}
_CONTENT = {"question", "similar", "answer", "answer_more"}
_LONGEST_LABEL = 20


def field_of(header: Cell) -> str | None:
    """The field that a header means: `相似问3`, `*答案（必填）` and `Standard Question` are known. None for others."""
    if not isinstance(header, str) or len(header) > 60:
        return None
    name = bare(_REMARK.sub("", header)) or bare(header)
    if name in _FIELDS:
        return _FIELDS[name]
    field = _FIELDS.get(bare(_NUMBERED.sub("", _REMARK.sub("", header).strip())))
    return field if field in _REPEATABLE else None


@dataclass(frozen=True)
class Header:
    """The header of a sheet: the column numbers of each field, the name of each column that is kept aside.

    `marks` are what remarks in the headers of questions and answers keep from everybody, by header: 答案（内部口径）.
    `rivals` are columns that could be the answer or a day as well as the one that was taken for it, which each is mapped to.
    `rows` are the two that it was made of, where there were two.
    """

    line: int
    fields: dict[str, list[int]]
    aside: dict[int, str]
    names: list[tuple[str, str | None]]
    marks: dict[str, str]
    rivals: dict[int, int]
    rows: tuple[list[Cell], ...] = ()

    def repeated_by(self, row: Row) -> bool:
        """Whether `row` says the same again, as page breaks make it."""
        if row.cells in self.rows:
            return True
        shown = [(column, field) for field, columns in self.fields.items() for column in columns]
        return sum(_at(row.cells, column) is not None for column, _ in shown) > 1 and all(
            field_of(_at(row.cells, column)) == field for column, field in shown
        )


def header_of(row: Row, above: Row | None = None) -> Header | None:
    """`row` as a header; None when it is none: without a question or an id, and one more field that we know.

    What the row `above` says over it counts: 有效期 over 开始 is 有效期开始.
    """
    cells = _spread(row)
    if above is not None and above.line + 1 == row.line:
        upper = _spread(above, whole=True)
        cells = [_under(_at(upper, column), cell) for column, cell in enumerate(cells)]
    return _named(row.line, cells, row.merged)


def refined(header: Row, below: Row) -> Header | None:
    """The header that two rows make together: 公司 and 人员组 below 适用范围. None when the second is a row of its own.

    It is a header too when every cell of it repeats the header, names a column, or stands below a merged one.
    """
    if below.line != header.line + 1:
        return None
    upper, joined, finer = _spread(header, whole=True), _spread(header), False
    joined += [None] * (len(below.cells) - len(joined))
    for column, cell in enumerate(below.cells):
        over = _at(upper, column)
        if cell is None or cell == over:
            continue
        if not isinstance(cell, str) or len(cell) > _LONGEST_LABEL:
            return None
        known = field_of(cell) or field_of(f"{over}{cell}")
        if not known and not any(first <= column <= last for first, last in header.merged):
            return None
        joined[column], finer = _under(over, cell), finer or known is not None
    found = _named(below.line, joined, header.merged) if finer else None
    return found and replace(found, rows=(header.cells, below.cells))


def _spread(row: Row, whole: bool = False) -> list[Cell]:
    """The cells of a header; what is merged across stands in each of its columns where a field can have several, and where
    it speaks of the audience; everything does for the `whole`."""
    cells = list(row.cells)
    for first, last in row.merged:
        cells += [None] * (last + 1 - len(cells))
        head = cells[first]
        if whole or field_of(head) in _REPEATABLE or isinstance(head, str) and guards(head):
            cells[first : last + 1] = [cell or head for cell in cells[first : last + 1]]
    return cells


def _under(over: Cell, cell: Cell) -> Cell:
    """What a column with two headers is called: the two together or the lower one, as it is known.

    What stands below a header of the audience and is not known speaks of the audience still.
    """
    if not isinstance(over, str) or not isinstance(cell, str):
        return cell
    both = f"{over.strip()}{cell.strip()}"
    if field_of(both):
        return both
    return over if field_of(over) in _AUDIENCE and not field_of(cell) else cell


def _named(line: int, cells: list[Cell], merged: tuple[tuple[int, int], ...]) -> Header | None:
    fields: dict[str, list[int]] = {}
    aside: dict[int, str] = {}
    rivals: dict[int, int] = {}
    names: list[tuple[str, str | None]] = []
    for column, cell in enumerate(cells):
        if cell is None:
            continue
        text = unguarded(" ".join(str(cell).split()))
        field = field_of(cell)
        if field and (field not in fields or field in _REPEATABLE):
            fields.setdefault(field, []).append(column)
        else:
            if field in _SINGLE:
                rivals[column] = fields[field][0]
            field = None
            text = _unique(text, aside.values())
            aside[column] = text
        names.append((text, field))
    if "question" not in fields and "title" in fields:
        fields["question"] = fields.pop("title")
        names = [(name, "question" if field == "title" else field) for name, field in names]
    known = set(fields)
    if not known & {"question", "id"} or not known & {"answer", "similar"} and len(known) < 2:
        return None
    marks = {name: mark for name, field in names if field in _CONTENT and (mark := _mark(name))}
    for answer in fields.get("answer", ()):
        below = {column for first, last in merged if first <= answer <= last for column in range(first, last + 1)}
        rivals |= {column: answer for column in below if column != answer and _at(cells, column) is None}
    return Header(line, fields, aside, names, marks, rivals)


def _mark(name: str) -> str:
    return next((mark for remark in _REMARK.findall(name) if (mark := mark_in(remark))), "")


def _unique(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    again = (f"{name} ({n})" for n in count(2))
    return name if name not in used else next(one for one in again if one not in used)


def _at(cells: list[Cell], column: int) -> Cell:
    return cells[column] if column < len(cells) else None
