"""What is guessed of a policy: as a colleague would fill the form in from its first and last page."""

from __future__ import annotations

import pytest

from kb.ingest.policies.about import about_of, namesake, next_version, policy_id, same_policy
from kb.ingest.policies.blocks import Block, Document
from kb.ingest.policies.remarks import several
from kb.ingest.policies.splitter import split


def told(text: str, name: str = "文件.docx", **about: str) -> dict:
    blocks = [Block("paragraph", line.strip()) for line in text.splitlines() if line.strip()]
    document = Document(blocks, about=about)
    return about_of(document, split(blocks), name)


ARTICLES = "第一条 为规范管理，制定本办法。\n第二条 按标准执行。\n"


@pytest.mark.parametrize(
    ("front", "title", "number"),
    [
        ("差旅费管理办法\n华晟财〔2026〕3号", "差旅费管理办法", "华晟财〔2026〕3号"),
        ("华晟集团有限公司文件\n华晟财[2026]12号\n关于印发《备用金与借款管理办法（试行）》的通知\n各单位：", "备用金与借款管理办法（试行）", "华晟财[2026]12号"),
        ("华晟集团\n业务招待费管理\n办法", "业务招待费管理办法", ""),
        ("费用报销制度（2026年修订）\n文件编号：CW-BX-003\n版本：V2.1", "费用报销制度（2026年修订）", "CW-BX-003"),
        ("国家税务总局关于发票的公告\n国家税务总局公告2024年第11号", "国家税务总局关于发票的公告", "国家税务总局公告2024年第11号"),
        ("差旅费补充通知\n各公司：\n根据《差旅费管理办法》（华晟财〔2026〕3号），补充如下：", "差旅费补充通知", ""),
        ("《发票管理规定》\n财行（2016）71 号", "发票管理规定", "财行（2016）71号"),
    ],
)  # fmt: skip
def test_title_and_number(front: str, title: str, number: str):
    found = told(f"{front}\n{ARTICLES}")
    assert (found["title"], found["number"]) == (title, number)


@pytest.mark.parametrize(
    ("clause", "day"),
    [
        ("第三条 本办法自2026年1月1日起施行。", "2026-01-01"),
        ("第三条 本办法自2026年3月15日起施行，原办法（自2019年5月1日起施行）同时废止。", "2026-03-15"),
        ("第三条 本办法自2026年9月1日起施行。原《差旅费管理办法》（2023年5月1日起施行）同时废止。", "2026-09-01"),
        (
            "第三条 本办法自2026年9月1日起施行。2023年5月1日起施行的《差旅费管理办法》（华晟财〔2023〕7号）同时废止。",
            "2026-09-01",
        ),
        (
            "第三条 本办法由财务部解释，自2026年1月1日起施行。原2021年3月1日起施行的《差旅费管理办法》同时废止。",
            "2026-01-01",
        ),
        (
            "第三条 原《差旅费规定》（华晟财〔2023〕3号，2023年5月1日起执行）同时废止，自2026年4月1日起执行。",
            "2026-04-01",
        ),
        ("第三条 自2026年4月1日起，本办法正式施行，《差旅费规定》自2026年6月1日起停止执行。", "2026-04-01"),
        ("第三条 自2026年4月1日起施行本办法，旧办法自2023年5月1日起施行，现予废止。", "2026-04-01"),
        ("第三条 本办法自2026年4月1日起施行，其中第五条自2026年7月1日起施行。", "2026-04-01"),
        ("第三条 本办法自印发之日起施行。2023年5月1日起施行的《差旅费规定》同时废止。\n2026年2月28日", "2026-02-28"),
        ("附件：细则\n第一条 本细则自2026年8月1日起施行。\n第二条 本办法自2026年7月1日起施行。", "2026-07-01"),
        ("第三条 本制度从 2026 年 7 月 1 日起执行。", "2026-07-01"),
        ("第三条 本办法自二〇二六年十月一日起实施。", "2026-10-01"),
        ("第三条 本办法自印发之日起施行。\n华晟集团财务部\n2026年2月28日", "2026-02-28"),
        ("生效日期：2026-04-01", "2026-04-01"),
        ("第三条 本办法由财务部负责解释。", None),
        ("第三条 自2026年13月40日起施行。", None),
    ],
)
def test_the_day_from_which_it_applies(clause: str, day: str | None):
    assert told(f"差旅费管理办法\n{ARTICLES}{clause}")["effective_from"] == day


@pytest.mark.parametrize(
    ("clause", "told_so"),
    [
        ("第三条 原《差旅费规定》自2023年5月1日起施行，现予废止。", "像是别的文件"),
        ("第三条 甲公司自2026年3月1日起执行。\n第四条 乙公司自2026年4月1日起执行。", "（2026-03-01、2026-04-01）"),
        ("第三条 本办法自印发之日起施行。", "没有找到印发日期"),
    ],
)
def test_a_day_that_is_not_certain_is_left_to_a_person(clause: str, told_so: str):
    found = told(f"差旅费管理办法\n华晟财〔2025〕3号\n{ARTICLES}{clause}")
    assert (found["effective_from"], found["version"]) == (None, "2025.1")
    assert told_so in found["note"] and "请填写" in found["note"]


@pytest.mark.parametrize(
    ("front", "clause", "version"),
    [
        ("费用报销制度\n版本：V2.1", "", "2.1"),
        ("费用报销操作手册 V2.3", "", "2.3"),
        ("差旅费管理办法（2026年修订）", "", "2026.1"),
        ("差旅费管理办法", "第三条 本办法自2027年1月1日起施行。", "2027.1"),
        ("差旅费管理办法", "第三条 本办法自2027年3月1日起施行。原办法（2026年9月1日起施行）同时废止。", "2027.1"),
        ("差旅费管理办法\n华晟财〔2025〕3号", "", "2025.1"),
        ("差旅费管理办法", "", "1"),
    ],
)
def test_the_version(front: str, clause: str, version: str):
    assert told(f"{front}\n{ARTICLES}{clause}")["version"] == version


def test_a_file_that_tells_nothing_is_called_by_its_name():
    assert told("甲乙丙丁，没有标题的一段话。", "差旅费说明.pdf")["title"] == "差旅费说明"
    assert told("甲乙丙丁，没有标题的一段话。", "1.docx", title="差旅费说明")["title"] == "差旅费说明"


def test_ids_are_short_letters_and_never_taken():
    assert policy_id("华晟集团差旅费管理办法（2026年版）", []) == "chailvfei"
    assert policy_id("差旅费管理办法", ["chailvfei", "chailvfei-2"]) == "chailvfei-3"
    assert policy_id("办法", []) == "banfa" and policy_id("！？", []) == "policy"
    assert len(policy_id("关于进一步规范境外分支机构资金集中管理工作的若干规定", [])) <= 40


@pytest.mark.parametrize(
    "title",
    [
        "差旅费管理办法",
        "华晟集团有限公司差旅费管理办法（2027年修订）",
        "《差旅费管理办法》",
        "2027版差旅费管理办法（试行）",
    ],
)
def test_a_new_version_is_known_by_its_title(title: str):
    known = [{"id": "expense", "title": "费用报销管理办法"}, {"id": "travel", "title": "差旅费管理办法"}]
    assert same_policy(title, known) == "travel"
    assert same_policy("境外差旅费管理办法", known) is None
    assert same_policy("分公司管理办法", [{"id": "child", "title": "子公司管理办法"}]) is None


@pytest.mark.parametrize(
    ("title", "stored", "same", "told_apart"),
    [
        ("云帆科技海南有限公司福利慰问管理办法", "云帆科技集团福利慰问管理办法", False, True),
        (
            "云帆科技（海南）有限公司福利慰问管理办法",
            "云帆科技海南股份有限公司福利慰问管理办法（2024年修订）",
            True,
            False,
        ),
        ("云帆科技集团有限公司福利慰问管理办法", "云帆科技集团福利慰问管理办法", True, False),
        ("福利慰问管理办法", "云帆科技集团福利慰问管理办法", True, True),
        ("云帆科技集团福利慰问管理办法", "福利慰问管理办法", True, True),
        ("集团公司福利慰问管理办法", "福利慰问管理办法", True, False),
        ("子公司管理办法", "分公司管理办法", False, False),
    ],
)
def test_two_companies_have_a_policy_each(title: str, stored: str, same: bool, told_apart: bool):
    known = [{"id": "other", "title": "费用报销管理办法"}, {"id": "x", "title": stored}]
    assert same_policy(title, known) == ("x" if same else None)
    assert namesake(title, known) == (known[1] if told_apart else None)


def test_the_policy_of_the_same_company_comes_first():
    known = [
        {"id": "group", "title": "云帆科技集团慰问办法"},
        {"id": "all", "title": "慰问办法"},
        {"id": "hainan", "title": "云帆科技海南公司慰问办法"},
    ]
    titles = ("云帆科技海南有限公司慰问办法", "慰问办法", "云帆科技集团慰问办法")
    assert [(same_policy(title, known), namesake(title, known)) for title in titles] == [
        ("hainan", None), ("all", None), ("group", None),
    ]  # fmt: skip
    assert namesake("甲公司慰问办法", known) == known[1]


def test_versions_of_a_year_count_on():
    assert next_version(2026, ["2026.1", "2026.2", "2025.1"]) == "2026.3" and next_version(2027, []) == "2027.1"


@pytest.mark.parametrize(
    ("clause", "day"),
    [
        ("本办法自2026年1月1日起施行，有效期至2026年6月30日。", "2026-06-30"),
        ("本办法试行一年，自2025年1月1日起施行。", "2025-12-31"),
        ("本办法自2026年1月1日起施行，有效期3年。", "2028-12-31"),
        ("本办法自2026年3月1日起试行，试行期6个月。本办法自2026年3月1日起施行。", "2026-08-31"),
        ("有效期：2026年1月1日至2026年12月31日。", "2026-12-31"),
        ("本办法自2026年1月1日起施行，原《差旅费规定》（有效期至2025年12月31日）同时废止。", None),
        ("发票自开具之日起有效期一年。本办法自2026年1月1日起施行。", None),
        ("本办法所称授权书有效期两年。本办法自2026年1月1日起施行。", None),
    ],
)
def test_the_day_until_which_it_applies(clause: str, day: str | None):
    found = told(f"差旅费管理办法\n{ARTICLES}第三条 {clause}")
    assert found["effective_to"] == day
    assert bool(found["notes"]) == bool(day) and all("请核对" in note for note in found["notes"])


@pytest.mark.parametrize(
    "clause",
    ["本办法试行一年，自印发之日起施行。", "本办法有效期至2026年6月30日，试行期为一年。本办法自2026年1月1日起施行。"],
)
def test_an_end_that_is_not_certain_is_left_to_a_person(clause: str):
    found = told(f"差旅费管理办法\n{ARTICLES}第三条 {clause}")
    assert found["effective_to"] is None and "请填写失效日期" in found["notes"][0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("关于修订《差旅费管理办法》部分条款的通知\n华晟财〔2026〕12号\n各部门：\n一、将第二条修改为：“住宿费不超过600元。”\n二、删除第五条。", "改动"),
        ("关于修改《差旅费管理办法》的决定\n一、第二条修改为：“不超过600元。”\n二、第三条中的“100元”修改为“120元”。", "改动"),
        ("华晟集团关于调整《差旅费管理办法》\n有关条款的通知\n各部门：\n一、住宿费不超过600元。\n二、其余不变。", "改动"),
        ("关于废止《差旅费管理办法》等三项制度的通知\n各部门：\n一、自2026年6月1日起废止。\n二、请遵照执行。", "废止"),
    ],
)  # fmt: skip
def test_a_notice_that_amends_or_repeals_is_not_the_policy(text: str, said: str):
    found = told(text)
    assert said in found["notice"] and "《差旅费管理办法》" in found["notice"]
    assert (
        found["title"] != "差旅费管理办法"
        and same_policy(found["title"], [{"id": "x", "title": "差旅费管理办法"}]) is None
    )


def test_two_versions_side_by_side_are_not_the_policy():
    rows = (("条款", "修订前", "修订后"), ("第一条", "三十日内报销。", "六十日内报销。"), ("第三条", "300元", "400元"))
    blocks = [Block("paragraph", "差旅费管理办法修订对照表"), Block("table", rows=rows)]
    found = about_of(Document(blocks), split(blocks), "a.docx")
    assert "对照表" in found["notice"] and found["title"] == "差旅费管理办法修订对照表"
    assert told(f"差旅费管理办法\n{ARTICLES}第三条 略。\n附件：修订对照表")["notice"] == ""


@pytest.mark.parametrize(
    "front",
    [
        "关于印发《差旅费管理办法》的通知\n各单位：", "关于修订《差旅费管理办法》的通知\n各单位：", "关于废止《差旅费规定》并印发《差旅费管理办法》的通知\n各单位：",
        "差旅费管理办法（2026年修订）",
    ],
)  # fmt: skip
def test_a_notice_with_the_whole_text_is_the_policy(front: str):
    assert told(f"{front}\n{ARTICLES}第三条 本办法自2026年1月1日起施行。")["notice"] == ""


@pytest.mark.parametrize(
    ("front", "secret"),
    [
        ("机密★3年\n高管薪酬管理办法", True), ("仅限集团高管及财务部查阅，不得外传\n薪酬管理办法", True), ("薪酬管理办法\n（内部资料 注意保密）", True),
        ("密级：内部\n薪酬管理办法", True), ("密级：公开\n薪酬管理办法", False), ("保密管理办法", False), ("商业秘密保护管理办法", False),
    ],
)  # fmt: skip
def test_what_restricts_who_may_read_it(front: str, secret: bool):
    text = f"{front}\n第一条 员工不得对外提供担保。\n第二条 严禁对外公开投标底价。\n"
    assert bool(told(text)["secrecy"]) == secret
    assert told(f"薪酬管理办法\n{ARTICLES}", margin="绝密 内部资料")["secrecy"] == "绝密 内部资料"


@pytest.mark.parametrize(
    ("text", "told_so"),
    [
        ("差旅办法\n第一章 总则\n第一条 甲。\n第二条 乙。\n借款办法\n第一章 目的\n第一条 丙。\n第二条 丁。", True),
        ("差旅办法\n第一条 甲。\n第二条 乙。\n借款办法\n第一条 丙。\n第二条 丁。", True),
        ("差旅办法\n第一章 总则\n第一条 甲。\n第二条 乙。\n第二章 标准\n第一条 丙。\n第二条 丁。", False),
        ("差旅办法\n第一条 甲。\n第二条 乙。\n附件1 细则\n第一条 丙。\n第二条 丁。\n附件2 规则\n第一条 戊。", False),
        ("手册\n第一部分 差旅\n第一章 总则\n第一条 甲。\n第二部分 借款\n第一章 总则\n第一条 丙。\n第二条 乙。", False),
    ],
)
def test_several_policies_in_one_file_are_told(text: str, told_so: bool):
    blocks = [Block("paragraph", line) for line in text.splitlines()]
    assert bool(several(split(blocks))) == told_so
