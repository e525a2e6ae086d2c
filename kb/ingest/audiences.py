"""Who may see an entry, as people write it in a sheet. What is not understood is refused, never taken for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.errors import InvalidInput
from core.text import normalize
from kb.ingest.secrecy import restricts
from kb.ingest.values import NAMES, distinct, line_of, names_of
from kb.words import bare

Audience = tuple[list[str], list[str]]

_PARTS = re.compile(r"[;；\n]+")
_KEY = re.compile(
    r"\s*(公司|适用公司|单位|company|companies|用户组|适用用户组|人员组|员工组|组|group|groups)\s*[:：=]\s*(.*)",
    re.I | re.S,
)
_COMPANIES = {"公司", "适用公司", "单位", "company", "companies"}
_EVERYBODY = {
    *(
        all_ + who
        for all_ in ("全部", "全体", "所有", "各", "不限")
        for who in ("公司", "单位", "部门", "人员", "员工", "用户", "人员组", "用户组")
    ),
    *(
        "公开",
        "全部",
        "全体",
        "全员",
        "所有",
        "所有人",
        "不限",
        "不限制",
        "无限制",
        "无",
        "对外公开",
        "全员可见",
        "所有人可见",
    ),
    *("全公司", "全集团", "集团全体", "集团所有公司", "集团各公司", "非密", "非涉密", "不涉密", "不保密"),
    *("all", "everyone", "everybody", "public"),
}
_CODES = re.compile(r"[\s/,，、|;；]+")
_CODE = re.compile(r"[A-Za-z]{0,6}\d{2,}[A-Za-z]{0,2}")
_CODE_AND_WORD = re.compile(r"(\d{2,})\s*公司")
_SENTENCE = re.compile(r"(?:仅|只|除|不含|不包括).+|.+(?:可见|除外|以外|之外)")
_GUARDED = re.compile(
    r"^(?:人群|人员|对象|权限|范围|岗位|角色|职级|(?:员工|人员|用户)(?:类型|类别|范围|身份|级别))$|"
    r"密级|保密|机密|涉密|敏感(?:级|度|等级|性)|可见|受众|受限|仅限|知悉|对谁|给谁看|谁.{0,3}看|适用范围|对.{0,6}开放|"
    r"^公开$|公开否|是否.{0,2}(?:公开|开放)|(?:使用|查阅|阅览|传阅|调阅|阅读|知情)(?:人|者)|"
    r"(?:发布|阅读|传播|使用|浏览|面向|共享|分享|提供|分发|下发|推送|发放|服务|告知|知会|传达|查阅|阅览|传阅|调阅|知情|授权)"
    r"(?:范围|对象|人群|级别|权限)|"
    r"^(?:是否|可否|能否|可以?|能)?对(?:内|外|客|客户|员工|全员|公众|供应商)(?:$|否|吗|口径|可用|可说|答复|发布|提供|使用|标识|展示)|"
    r"^(?:是否)?(?:仅|仅限)?内部(?:使用|可用)?(?:否|标识|知识)?$|^(?:内外部?|内部外部|外部内部|对内对外)(?:$|标识|区分|属性|口径)|"
    r"^(?:所属|使用)?(?:公司|单位|法人|集团|子公司|分公司|分子公司)(?:名称|全称|简称|主体)$|^(?:所属|使用)(?:公司|单位|法人|集团)$|"
    r"(?:开放|公开|限制|查看|可看)(?:范围|对象|人群|人员|部门|公司|单位|级别|程度|权限|给)|"
    r"适用(?:主体|对象|公司|单位|机构|组织|部门|人员|员工|用户|角色|岗位|职级|职务|级别|层级|群体|人群|身份|业务单元|单元|板块|"
    r"事业部|条线|业务线|区域|地区|地域|片区|大区|国家|法人|集团|子公司|分公司|项目|门店|工厂|基地)|"
    r"confidential|classified|restrict|visible|visibility|audience|sensitivity|securitylevel|accesslevel"
)
_ASKED = re.compile("是否|可否|能否|^可?以?对|公开否|内部(?:使用)?(?:否|标识)?$")
_OPENS = re.compile("公开|开放|对(?:外|客|员工|全员|公众|供应商)")
_CLOSES = re.compile("密|内部")
_YES = {"是", "y", "yes", "true", "1", "可", "可以"}
_NO = {"否", "n", "no", "false", "0", "不", "非"}
_OUTSIDE = {"外部", "对外", "外"}


def audience_of(text: str) -> Audience:
    """Companies and groups of `公司:1000、2000；用户组:财务部`; none at all for an empty cell and for 全体员工."""
    companies: list[str] = []
    groups: list[str] = []
    everybody = False
    for part in _PARTS.split(text):
        if not part.strip():
            continue
        if _everybody(part):
            everybody = True
            continue
        found = _KEY.fullmatch(part)
        if not found or not (names := distinct(line_of(name) for name in NAMES.split(found[2]))):
            raise InvalidInput(f"适用范围“{part.strip()[:30]}”看不懂，请写成“公司:编码”或“人员组:名称”，公开的留空")
        if found[1].lower() in _COMPANIES:
            companies += _restricted(_codes(names), "公司")
        else:
            groups += _restricted(names, "人员组")
    if (companies or groups) and everybody:
        raise InvalidInput("适用范围既写了全体又写了公司或人员组，请只保留一种")
    return sorted(set(companies)), sorted(set(groups))


def companies_of(text: str) -> Audience:
    """The codes in a cell of companies, as `audience_of` tells them: `1000/2000`, `１０００ 2000`; none for 全部."""
    return _named(text, "公司")


def groups_of(text: str) -> Audience:
    """The names in a cell of groups, as `audience_of` tells them. Blanks and slashes belong to a name."""
    return _named(text, "人员组")


def _named(text: str, what: str) -> Audience:
    if _everybody(text):
        return [], []
    if _KEY.match(text):
        return audience_of(text)
    names = names_of(text)
    found = sorted(set(_restricted(_codes(names) if what == "公司" else names, what)))
    return (found, []) if what == "公司" else ([], found)


def _codes(names: Iterable[str]) -> list[str]:
    """Names of companies; several codes in one are taken apart, and full-width ones are what they look like."""
    found: list[str] = []
    for name in names:
        codes = [_code(piece) for piece in _CODES.split(name) if piece]
        found += codes if codes and all(codes) else [_code(name) or name]
    return distinct(found)


def _code(name: str) -> str:
    plain = normalize(name)
    if found := _CODE_AND_WORD.fullmatch(plain):
        return found[1]
    return plain if _CODE.fullmatch(plain) else ""


def _restricted(names: list[str], what: str) -> list[str]:
    """`names`, or none where they say everybody. Raises InvalidInput for both at once, and for what is a sentence."""
    if names and all(map(_everybody, names)):
        return []
    if any(map(_everybody, names)):
        raise InvalidInput(f"可见{what}既写了全部又写了“{_specific(names)}”，请只保留一种")
    if sentence := next((name for name in names if _SENTENCE.fullmatch(name)), None):
        raise InvalidInput(
            f"可见{what}“{sentence[:30]}”看不懂，请只写{'编码' if what == '公司' else '名称'}，公开的留空"
        )
    return names


def _specific(names: list[str]) -> str:
    return next(name for name in names if not _everybody(name))[:30]


def _everybody(text: str) -> bool:
    return bare(text) in _EVERYBODY


def guards(header: str) -> bool:
    """Whether a header that we do not know speaks of who may see an entry: 密级, 开放范围."""
    return _GUARDED.search(bare(header)) is not None


def must_be_public(header: str, text: str) -> None:
    """Raises InvalidInput when a cell below a header that `guards` does not plainly say that everybody may see it."""
    said, asked = bare(text), bare(header)
    if not text or said in _EVERYBODY:
        return
    if _ASKED.search(asked) and (said in _YES and _OPENS.search(asked) or said in _NO and _CLOSES.search(asked)):
        return
    if said in _OUTSIDE and "内" in asked and "外" in asked:
        return
    raise InvalidInput(
        f"“{header}”列写着“{text[:30]}”，像是限制谁能看，但看不懂；请改用“可见公司”或“可见人员组”列写明，公开的留空或写“公开”"
    )


def must_not_restrict(header: str, text: str) -> None:
    """Raises InvalidInput when a cell below any other header keeps its row from some: 仅财务部, 机密, a tick below 华东公司."""
    if restricts(header, text):
        raise InvalidInput(
            f"“{header}”列写着“{text[:30]}”，像是限制谁能看；请在“可见公司”或“可见人员组”列写明谁能看，全员可见的写“全部”"
        )
