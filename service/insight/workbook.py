"""Reports and statements as workbooks: numbers as numbers, so that they can be reckoned with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from kb.ingest.workbooks import guarded, new_sheet
from service.insight.figures import written

_FORMATS = {"share": "0.0%", "score": "0.00", "minutes": "0.0", "ms": "0", "yuan": "#,##0.00", "count": "#,##0"}
_PAGES = (("service", "服务"), ("desk", "服务台"), ("knowledge", "知识"), ("policy", "制度"))
_UNITS = {"minutes": "（分钟）", "ms": "（毫秒）"}


def _sheet(book: Workbook, title: str, columns: Sequence[tuple[str, str, int]], rows: Iterable[Sequence[Any]]) -> None:
    """One sheet; a column is its label, unit (text for words) and width."""
    labels = [label + _UNITS.get(unit, "") for label, unit, _ in columns]
    sheet = new_sheet(book, title, labels, dict(zip(labels, (width for *_, width in columns), strict=True)))
    for row in rows:
        cells = []
        for value, (_, unit, _) in zip(row, columns, strict=True):
            if value is None:
                cells.append(None)
            elif isinstance(value, str):
                cells.append(WriteOnlyCell(sheet, value=guarded(value)))
            else:
                cell = WriteOnlyCell(sheet, value=value)
                cell.number_format = _FORMATS.get(unit, "General")
                cells.append(cell)
        sheet.append(cells)


def write_report(body: dict[str, Any], path: Path) -> None:
    """Write a weekly or monthly report to `path`."""
    book = Workbook(write_only=True)
    figures = [(label, one) for page, label in _PAGES for one in body[page]["figures"]]
    _sheet(
        book,
        "概览",
        (("板块", "text", 10), ("指标", "text", 20), ("本期", "text", 14), ("上期", "text", 14), ("口径", "text", 90)),
        (
            (label, one["label"], written(one["value"], one["unit"]), written(one["before"], one["unit"]), one["means"])
            for label, one in figures
        ),
    )
    days = {one["day"]: one for one in body["desk"]["by_day"]}
    _sheet(
        book,
        "每日",
        (
            ("日期", "text", 12),
            ("会话", "count", 10),
            ("介入率", "share", 10),
            ("解决率", "share", 10),
            ("自助率", "share", 10),
            ("未答占比", "share", 10),
            ("新增工单", "count", 10),
            ("解决工单", "count", 10),
            ("积压", "count", 10),
        ),
        (
            (
                one["day"],
                one["visits"],
                *(one[name] for name in ("involvement", "resolution", "automation", "none_share")),
                *(days[one["day"]][name] for name in ("filed", "solved", "backlog")),
            )
            for one in body["service"]["by_day"]
        ),
    )
    _parts(book, body)
    _asked(book, "热门问题", body["service"]["top"])
    _asked(book, "增长问题", body["service"]["rising"])
    _sheet(
        book,
        "时效达成",
        (
            ("服务时效", "text", 24),
            ("新增工单", "count", 10),
            ("首次响应达成率", "share", 16),
            ("解决达成率", "share", 14),
        ),
        ((one["name"], one["filed"], one["first_kept"], one["resolve_kept"]) for one in body["desk"]["policies"]),
    )
    _sheet(
        book,
        "制度条款",
        (("条款", "text", 40), ("问到次数", "count", 12)),
        ((one["label"], one["asked"]) for one in body["policy"]["articles"]),
    )
    book.save(path)


def _parts(book: Workbook, body: dict[str, Any]) -> None:
    for name, label in (("company", "公司"), ("channel", "渠道"), ("business_type", "业务类型")):
        _sheet(
            book,
            f"按{label}",
            (
                (label, "text", 24),
                ("会话", "count", 10),
                ("介入率", "share", 10),
                ("解决率", "share", 10),
                ("自助率", "share", 10),
                ("未答占比", "share", 10),
            ),
            (
                (
                    one["value"] or "（不详）",
                    one["visits"],
                    *(one[rate] for rate in ("involvement", "resolution", "automation", "none_share")),
                )
                for one in body["service"]["by"][name]
            ),
        )


def _asked(book: Workbook, title: str, items: Sequence[dict[str, Any]]) -> None:
    _sheet(
        book,
        title,
        (("问题", "text", 50), ("编号", "text", 20), ("次数", "count", 10), ("上期", "count", 10)),
        ((one["question"], one["entry_id"], one["asked"], one.get("before")) for one in items),
    )


def write_statement(body: dict[str, Any], path: Path) -> None:
    """Write a statement to `path`: by company and item, the service levels, and the sum of each company."""
    book = Workbook(write_only=True)
    _sheet(
        book,
        "汇总",
        (("公司", "text", 28), ("金额（元）", "yuan", 16), ("未计价数量", "count", 12)),
        [
            *((one["company"], one["amount"] / 100, one["unpriced"] or None) for one in body["companies"]),
            ("合计", body["amount"] / 100, None),
        ],
    )
    _sheet(
        book,
        "明细",
        (
            ("公司", "text", 28),
            ("服务项目", "text", 24),
            ("单位", "text", 8),
            ("数量", "count", 12),
            ("单价（元）", "yuan", 12),
            ("金额（元）", "yuan", 16),
        ),
        (
            (one["company"], line["name"], line["unit"], line["volume"], line["price"] / 100, line["amount"] / 100)
            for one in body["companies"]
            for line in one["lines"]
        ),
    )
    _sheet(
        book,
        "服务水平",
        (
            ("公司", "text", 28),
            ("指标", "text", 20),
            ("承诺", "text", 12),
            ("实际", "text", 12),
            ("是否达成", "text", 12),
        ),
        (
            (
                company,
                level["label"],
                written(level["promised"], level["unit"]),
                written(level["reached"], level["unit"]),
                {True: "达成", False: "未达成", None: "—"}[level["kept"]],
            )
            for company, levels in (
                ("全部", body["levels"]),
                *((one["company"], one["levels"]) for one in body["companies"]),
            )
            for level in levels
        ),
    )
    sheet = book.create_sheet("说明")
    for text in (
        f"结算月份：{body['month']}（{body['since']} 至 {body['until']}）",
        f"价目版本：{body['version'] or '示例价目，尚未设置'}",
        "数量：机器人独立解决的会话和人工解决的工单，口径见数据看板。",
    ):
        cell = WriteOnlyCell(sheet, value=text)
        cell.font = Font(size=11)
        sheet.append([cell])
    book.save(path)
