"""Tables in policies: what is a dimension, what a value, in which unit; and the table that is made of it."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from kb.ingest.policies.blocks import Block, table
from kb.ingest.policies.continued import with_whole_tables
from kb.ingest.policies.layout import without_grids
from kb.ingest.policies.renewal import renewals, renewed
from kb.ingest.policies.splitter import split
from kb.ingest.policies.standards import Found, find_standards, problem_of, setting_of, standard_of


def found(*rows: tuple[str, ...], above: str = "", article: str = "") -> Found:
    block = table([list(row) for row in rows])
    assert block
    blocks = [Block("paragraph", above), block] if above else [block]
    articles = [{"number": 7, "label": "第七条", "title": article, "text": block.printed}]
    [one] = find_standards(blocks, articles, "差旅费管理办法")
    return one


def made(one: Found, **changes: object) -> dict:
    return standard_of({**one.proposal.as_dict(), "id": "t", **changes}, one.header, one.rows)


def test_a_grid_of_city_by_level():
    one = found(
        ("城市", "集团领导", "部门负责人", "其他人员"), ("北京", "1,100", "650", "500"), ("上海", "1100元", "600", "—"),
        above="表1 住宿费限额标准表（单位：元/人·天）", article="住宿费",
    )  # fmt: skip
    assert one.proposal.use and one.article == 7
    assert (one.proposal.title, one.proposal.unit, one.proposal.value_dimension) == (
        "住宿费限额标准表",
        "元/人·天",
        "人员级别",
    )
    body = made(one)
    assert body["dimensions"] == [
        {"name": "城市", "values": ["北京", "上海"]}, {"name": "人员级别", "values": ["集团领导", "部门负责人", "其他人员"]},
    ]  # fmt: skip
    assert [row["value"] for row in body["rows"]] == [1100, 650, 500, 1100, 600]


def test_a_list_with_the_amount_in_one_column():
    one = found(
        ("序号", "费用项目", "人员级别", "标准（元/人·天）", "备注"), ("1", "伙食补助费", "全体", "100", "包干"),
        ("2", "市内交通费", "全体", "80", ""), article="补助标准",
    )  # fmt: skip
    assert [d.name for d in one.proposal.dimensions] == ["费用项目", "人员级别"]
    assert [(v.name, v.column) for v in one.proposal.value_columns] == [("标准", 3)]
    assert (one.proposal.unit, one.proposal.value_dimension, one.proposal.title) == ("元/人·天", "", "补助标准")
    assert made(one)["rows"][0] == {"费用项目": "伙食补助费", "人员级别": "全体", "value": 100}


def test_a_head_of_two_lines_is_two_dimensions():
    one = found(
        ("地区", "住宿费标准", "住宿费标准", "住宿费标准", "住宿费标准"), ("地区", "旺季", "旺季", "平季", "平季"),
        ("地区", "集团领导", "其他人员", "集团领导", "其他人员"), ("海口", "1040", "450", "800", "350"), ("三亚", "1200", "560", "1000", "400"),
    )  # fmt: skip
    assert one.header[1] == "住宿费标准 旺季 集团领导"
    assert one.proposal.value_dimension == "季节×人员级别"
    assert [v.name for v in one.proposal.value_columns] == [
        "旺季×集团领导",
        "旺季×其他人员",
        "平季×集团领导",
        "平季×其他人员",
    ]
    body = made(one)
    assert [d["name"] for d in body["dimensions"]] == ["地区", "季节", "人员级别"]
    assert {"地区": "三亚", "季节": "平季", "人员级别": "其他人员", "value": 400} in body["rows"]


def test_merged_cells_repeat_their_city():
    one = found(
        ("城市", "季节", "金额"), ("北京", "旺季", "800元"), ("北京", "平季", "500元"), ("上海", "全年", "600元")
    )
    assert [d.name for d in one.proposal.dimensions] == ["城市", "季节"] and one.proposal.unit == "元"
    assert made(one)["rows"][1] == {"城市": "北京", "季节": "平季", "value": 500}


def test_a_table_of_words_is_proposed_but_not_taken_by_itself():
    one = found(
        ("级别", "火车", "轮船", "飞机"),
        ("集团领导", "商务座", "一等舱", "头等舱"),
        ("其他人员", "二等座", "三等舱", "经济舱"),
    )
    assert not one.proposal.use and one.proposal.value_dimension == "交通工具"
    assert made(one)["rows"][0] == {"级别": "集团领导", "交通工具": "火车", "value": "商务座"}


def test_amounts_in_ten_thousands_and_shares():
    one = found(("审批人", "限额"), ("部门负责人", "2万元"), ("总经理", "1.5万元"))
    assert [row["value"] for row in made(one)["rows"]] == [20000, 15000] and one.proposal.unit == "元"
    shares = found(("情形", "比例"), ("事前审批", "100%"), ("事后补批", "87.5%"))
    assert [row["value"] for row in made(shares)["rows"]] == [100, 87.5] and shares.proposal.unit == "%"


def test_a_banner_across_the_table_names_it():
    one = found(
        ("附表 业务招待费标准", "附表 业务招待费标准"), ("类别", "标准（元/人）"), ("商务宴请", "300"), ("工作餐", "80")
    )
    assert one.proposal.title == "业务招待费标准" and one.header == ("类别", "标准（元/人）")
    assert one.proposal.unit == "元/人" and len(one.rows) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimensions": []}, "维度"),
        ({"value_columns": []}, "数值列"),
        ({"dimensions": [{"name": "value", "column": 0}]}, "不能叫"),
        ({"dimensions": [{"name": "", "column": 0}]}, "名称"),
        ({"dimensions": [{"name": "城市", "column": 9}]}, "必须是表里的列"),
        ({"dimensions": [{"name": "城市", "column": 1}]}, "只能用一次"),
        ({"value_dimension": ""}, "多个数值列"),
        ({"value_dimension": "城市"}, "名称相同"),
        ({"value_dimension": "季节×级别"}, "一一对应"),
    ],
)
def test_settings_that_cannot_work_are_refused(change: dict, message: str):
    one = found(("城市", "集团领导", "其他人员"), ("北京", "1100", "500"))
    setting = setting_of({**one.proposal.as_dict(), **change})
    told = problem_of(setting, one.header, one.rows)
    if change.get("dimensions") == []:
        assert told is None, "the columns alone can be the one dimension"
        setting = setting_of(
            {**one.proposal.as_dict(), **change, "value_dimension": "", "value_columns": [{"name": "x", "column": 1}]}
        )
        told = problem_of(setting, one.header, one.rows)
    assert told and message in told


def test_two_values_at_one_place_are_refused_with_the_place():
    one = found(("城市", "季节", "金额"), ("北京", "旺季", "800"), ("北京", "平季", "500"))
    with pytest.raises(InvalidInput, match="北京 有两个不同的值（800 和 500）"):
        made(one, dimensions=[{"name": "城市", "column": 0}])
    blank = found(("城市", "金额"), ("北京", "500"), ("", "300"))
    with pytest.raises(InvalidInput, match="城市”这一列有空白"):
        made(blank)


def test_each_table_stands_in_its_own_article():
    rows = (("城市", "金额"), ("北京", "500"))
    blocks = [Block("table", rows=rows), Block("table", rows=rows)]
    text = blocks[0].printed
    articles = [{"number": n, "label": f"第{n}条", "title": "", "text": text} for n in (1, 2)]
    assert [(one.article, one.proposal.title) for one in find_standards(blocks, articles, "办法")] == [
        (1, "办法附表1"),
        (2, "办法附表2"),
    ]


ROWS = (("地区", "初级", "中级"), ("西藏", "150", "180"), ("新疆", "120", "150"))


@pytest.mark.parametrize(
    ("above", "title"),
    [
        (("第二章 费用标准", "第三条 飞手驻外补贴按下表执行，超出部分不予报销。"), "飞手驻外补贴标准"),
        (("第二章 费用标准",), "差旅费管理办法附表1"),
        (("第四条 租车标准应当按照下列表格执行", "第五条 租车限额详见下表。"), "租车限额"),
        (("第三条 限额见下表。",), "差旅费管理办法附表1"),
        (("二、住宿费标准",), "住宿费标准"),
        (("附件2 住宿费标准",), "住宿费标准"),
    ],
)
def test_a_title_has_no_number_that_the_next_version_changes(above: tuple[str, ...], title: str):
    block = table([list(row) for row in ROWS])
    assert block
    articles = [{"number": 3, "label": "第三条", "title": "", "text": block.printed}]
    [one] = find_standards([*(Block("paragraph", text) for text in above), block], articles, "差旅费管理办法")
    assert one.proposal.title == title


def stored(identity: str, title: str, *rows: tuple[str, ...], **changes: object) -> dict:
    return made(found(*rows, above="单位：元/天"), **{"id": identity, "title": title, **changes})


def renewing(before: list[dict], *new: Found) -> list[str | None]:
    return [one["id"] if one else None for one in renewals(new, before)]


def test_a_table_is_known_by_its_rows_and_columns_whatever_its_title_is():
    before = stored("old", "第二章 费用标准", *ROWS, value_dimension="飞手级别")
    new = found(
        ROWS[0],
        ("西藏", "150", "230"),
        ("新疆", "120", "150"),
        ("青海", "90", "95"),
        above="飞手驻外补贴标准（单位：元/天）",
    )
    assert renewing([before], new) == ["old"]
    proposal = renewed(new, before)
    assert (proposal.id, proposal.title, proposal.unit, proposal.value_dimension) == (
        "old", "第二章 费用标准", "元/天", "飞手级别",
    )  # fmt: skip
    turned = found(("级别", "西藏", "新疆"), ("初级", "150", "120"), ("中级", "180", "150"), above="单位：元/天")
    assert renewing([before], turned) == ["old"]
    assert [one.name for one in renewed(turned, before).dimensions] == ["飞手级别"]
    assert renewed(turned, before).value_dimension == "地区"


def test_another_table_of_the_same_shape_is_a_new_one():
    before = stored("lodging", "住宿费限额表", *ROWS)
    meals = found(ROWS[0], ("西藏", "50", "60"), ("新疆", "40", "45"), above="伙食费限额表（单位：元/天）")
    other = found(("车型", "初级", "中级"), ("轿车", "150", "180"), ("大巴", "120", "150"), above="单位：元/天")
    shares = found(*ROWS, above="单位：%")
    assert renewing([before], meals, other, shares) == [None, None, None]


def test_each_table_goes_on_with_its_own_and_twins_are_left_to_a_person():
    other = (ROWS[0], ("西藏", "50", "60"), ("新疆", "40", "45"))
    before = [stored("a", "办法附表1", *ROWS), stored("b", "办法附表2", *other)]
    new = [found(*other, above="单位：元/天"), found(*ROWS, above="单位：元/天")]
    assert renewing(before, *new) == ["b", "a"]
    assert renewing(before[1:], *new) == ["b", None]
    unlike = found(ROWS[0], ("西藏", "1", "2"), ("新疆", "3", "4"), above="单位：元/天")
    assert renewing(before, unlike) == [None]


def test_values_are_told_in_the_unit_of_their_table():
    one = found(
        ("部门", "业务招待费", "会议费"), ("销售部", "1.5万元", "8000元"), ("财务部", "2", "2次"), ("研发部", "1-2", "0.8"),
        above="部门费用限额表（单位：万元）",
    )  # fmt: skip
    body = made(one)
    assert body["unit"] == "万元"
    assert [row["value"] for row in body["rows"]] == [1.5, 0.8, 2, "2次", "1-2万元", 0.8]


def test_columns_of_several_units_tell_each_value_with_its_own():
    rows = (
        ("级别", "住宿费（元/天）", "培训费（万元）", "探亲次数"),
        ("经理", "500", "1.5", "2"),
        ("员工", "300元", "0.5", "1次"),
    )
    body = made(found(*rows, above="单位：元"))
    assert body["unit"] == ""
    assert [row["value"] for row in body["rows"]] == ["500元/天", "1.5万元", 2, "300元/天", "0.5万元", "1次"]


def test_a_unit_that_cannot_be_told_is_asked_for():
    one = found(("地区", "里程补贴"), ("华东", "1.5元/公里"), ("华北", "2"), ("西藏", "不超过900"))
    problem = problem_of(one.proposal, one.header, one.rows)
    assert one.proposal.use and one.proposal.unit == "" and problem and "请填写“单位”" in problem
    told = made(one, unit="元/公里")
    assert [row["value"] for row in told["rows"]] == [1.5, 2, "不超过900元/公里"]
    bare = found(("级别", "住宿费（元/天）", "培训费"), ("经理", "500", "1.5"))
    assert "“培训费”这一列的值没有写单位" in (problem_of(bare.proposal, bare.header, bare.rows) or "")
    once = found(("地区", "初级", "中级（元/天）"), ("西藏", "150", "180"))
    assert made(once)["unit"] == "元/天" and [row["value"] for row in made(once)["rows"]] == [150, 180]
    headed = found(("部门", "限额（万元）"), ("销售部", "2"), ("财务部", "3"))
    with pytest.raises(InvalidInput, match="表头写的单位是“万元”，这里填的是“元”"):
        made(headed, unit="元")


def test_a_table_does_not_take_the_unit_and_name_of_the_one_before():
    first = table([["部门", "限额"], ["销售部", "2"], ["财务部", "3"]])
    second = table([["逾期天数", "扣款"], ["30天内", "5"], ["60天内", "10"]])
    assert first and second
    blocks = [
        Block("paragraph", "借款限额表"),
        Block("paragraph", "单位：万元"),
        first,
        Block("paragraph", "第五条 扣款"),
        second,
    ]
    one, two = (one.proposal for one in find_standards(blocks, [], "备用金管理办法"))
    assert (one.title, one.unit) == ("借款限额表", "万元")
    assert (two.title, two.unit) == ("备用金管理办法附表2", "")
    [said] = find_standards([Block("paragraph", "各单位人均限额如下"), first], [], "办法")
    assert said.proposal.unit == ""


def test_the_months_of_a_season_come_with_its_values():
    one = found(
        ("地区", "住宿费标准", "住宿费标准", "旺季期间", "旺季期间"), ("地区", "部级", "其他人员", "月份", "部级"),
        ("北京", "1100", "500", "", ""), ("三亚", "800", "350", "10-4月", "1040"), ("拉萨", "900", "350", "7、8月、11月", "1200"),
        above="住宿费标准表（单位：元/天）",
    )  # fmt: skip
    season = {row["地区"]: row for row in made(one)["rows"] if "months" in row}
    assert season["三亚"]["value"] == 1040 and season["三亚"]["months"] == [10, 11, 12, 1, 2, 3, 4]
    assert season["拉萨"]["months"] == [7, 8, 11] and set(season) == {"三亚", "拉萨"}
    rows = [tuple("7月1日起" if "月" in cell else cell for cell in row) for row in one.rows]
    assert "认不出是哪几个月" in (problem_of(one.proposal, one.header, rows) or "")


def test_a_condition_behind_the_values_is_not_dropped():
    one = found(("项目", "标准（元）", "适用情形"), ("加班餐", "50", "晚八点后"), ("工作餐", "30", "全天"))
    assert "“适用情形”这一列没有用到" in (problem_of(one.proposal, one.header, one.rows) or "")
    picked = [{"name": "项目", "column": 0}, {"name": "适用情形", "column": 2}]
    assert made(one, dimensions=picked)["rows"][0]["适用情形"] == "晚八点后"


@pytest.mark.parametrize("mark", ["续表", "（续表）", "续上表：", "表2（续）", "折旧年限表（续）"])
def test_a_table_that_goes_on_below_a_mark_is_one(mark: str):
    head = ("类别", "年限（年）")
    first, more = (head, ("房屋", "20")), (head, ("电子设备", "3"))
    blocks = [Block("table", rows=first), Block("paragraph", mark), Block("paragraph", "单位：年")]
    assert with_whole_tables([*blocks, Block("table", rows=more)]) == [Block("table", rows=(*first, more[1]))]
    assert len(with_whole_tables([*blocks, Block("table", rows=(("甲", "乙", "丙"), ("1", "2", "3")))])) == 4
    assert len(with_whole_tables([blocks[0], Block("paragraph", "续签合同的："), Block("table", rows=more)])) == 3


@pytest.mark.parametrize("corner", ["", "单位"])
def test_a_row_of_units_belongs_to_the_head(corner: str):
    one = found(("城市", "总监", "员工"), (corner, "元/天", "元/天"), ("北京", "800", "500"))
    assert (one.header, one.proposal.unit) == (("城市", "总监 （元/天）", "员工 （元/天）"), "元/天")
    table = made(one)
    assert table["rows"][1] == {"城市": "北京", "人员级别": "员工", "value": 500}


def test_a_dimension_is_called_otherwise_than_what_tells_the_columns_apart():
    one = found(("项目", "比例（%）", "上限（万元）"), ("招待费", "0.5", "20"))
    assert one.proposal.use and problem_of(one.proposal, one.header, one.rows) is None


CHAPTERS = (
    ("第一章", "总则", ""),
    ("第一条", "目的", "为规范报销，制定本办法。"),
    ("第二条", "范围", "适用于\n全体员工。"),
    ("第三条", "施行", "自印发之日起施行。"),
)


def test_a_policy_that_is_written_as_a_table_is_read_row_by_row():
    articles = split(without_grids([Block("paragraph", "报销办法"), Block("table", rows=CHAPTERS)])).articles
    assert [(one.label, one.title, one.text, one.heading_path) for one in articles] == [
        ("第一条", "目的", "为规范报销，制定本办法。", ("第一章 总则",)),
        ("第二条", "范围", "适用于\n全体员工。", ("第一章 总则",)),
        ("第三条", "施行", "自印发之日起施行。", ("第一章 总则",)),
    ]
    both = tuple((f"第{n}条 甲{n}。", f"Article {k}") for k, n in enumerate("一二三", 1))
    texts = [block.text for block in without_grids([Block("table", rows=both)])]
    assert texts == ["第一条 甲一。", "Article 1", "第二条 甲二。", "Article 2", "第三条 甲三。", "Article 3"]
    pairs = (("条款", "内容"), ("第一条", "甲。"), ("第二条", "乙。"), ("第三条", "丙。"))
    assert [block.text for block in without_grids([Block("table", rows=pairs)])] == [
        "第一条 甲。",
        "第二条 乙。",
        "第三条 丙。",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        (("条款", "修订前", "修订后"), ("第一条", "甲", "乙"), ("第二条", "甲", "乙"), ("第三条", "甲", "乙")),
        (("原文", "现文"), ("第一条 甲", "第一条 乙"), ("第二条 甲", "第二条 乙"), ("第三条 甲", "第三条 乙")),
        (("违反条款", "罚款（元）"), ("第一条", "100"), ("第二条", "200"), ("第三条", "300")),
        (("岗位", "依据"), ("会计", "第一条"), ("出纳", "第二条"), ("第三条", "第四条")),
    ],
)
def test_a_table_about_articles_stays_a_table(rows: tuple[tuple[str, ...], ...]):
    assert without_grids([Block("table", rows=rows)]) == [Block("table", rows=rows)]
    own = [Block("paragraph", "第二条 按实报销。"), Block("table", rows=CHAPTERS)]
    assert without_grids(own) == own
