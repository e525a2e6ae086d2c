"""What says in a sheet that it is not for everybody, elsewhere than in a column of the audience: 仅财务部可见, 内部资料, 勿外传."""

from __future__ import annotations

import re

from core.text import normalize
from kb.words import bare

_LONGEST_VALUE = 20
_PEOPLE = (
    r"(?:部|部门|中心|小组|组|科|处|室|岗|人员|员工|职员|总监|经理|主管|领导|高管|高层|管理层|管理者|管理人员|干部|专员|会计|出纳|"
    r"主任|负责人|董事|团队|内部|本部|总部|公司|集团|单位|事业部|财务|人事|人力|法务|审计|大区|片区|区域|华[东南北中西]区?|hr|[a-z]\d{1,2}级?)"
)
_ONLY = r"(?:仅|只|限)(?!(?:能|可|可以|需|要|须)?(?:在|通过|用|从))(?:限|供|对|向|给|面向|允许|能|可|有|于|由|开放给)*"
_TO_BE_SEEN_BY = re.compile(
    rf"{_ONLY}[^,。;\s]{{0,12}}{_PEOPLE}[^,。;\s]{{0,6}}?(?:可见|可看|可查|查看|查阅|阅览|阅读|知悉|知晓|传阅|参阅|调阅)",
    re.I,
)
_NOT_TO_BE_PASSED_ON = re.compile(
    r"(?:勿|不得|禁止|严禁|不可|不要|不准|不许|不能|不宜|不应|不)(?:随意|擅自|私自|向|予)?"
    r"(?:外传|外泄|外流|扩散|转发|对外(?:公开|公布|发布|透露|披露|泄露|传播|展示|答复|解释)|对外(?!\w))"
)
_FOR = re.compile(
    rf".{{0,15}}?{_ONLY}.{{0,12}}?{_PEOPLE}(?:以上|及以上|以内|等)?(?:使用|参考|掌握|专用|可用|适用|了解|用)?",
    re.I,
)
_KEPT_INSIDE = re.compile(
    r".{0,12}内部(?:件|版|使用|资料|文件|材料|口径|掌握|参考|传阅|专用|公开|知悉|可见)|"
    r"(?:公司|集团|部门|仅|仅限|限)?内部|对内|本部|不对外|非公开|不公开|(?:高度?)?敏感|受限|受控|"
    r"(?:最高|商业|普通|核心|工作|国家|公司)?(?:秘密|机密|绝密|商密|保密|涉密)(?:级|件|文件|资料)?|"
    r"internal(?:use)?(?:only)?|(?:strictly)?confidential|(?:top)?secret|restricted|sensitive|private",
    re.I,
)
_BREAKS = re.compile(r"[()\[\]{}<>《》〈〉「」『』【】“”\"',。;:!?|★☆*_~\s—–-]+")
_TICK = re.compile(r"[√✓✔☑✅×✗✘✕☒❌○●◎〇\s]+")
_ASKED = re.compile(r"^(?:是否|有无|能否|可否|需|须|必|附|已|有|含|支持|允许)|(?:与否|否|吗)$|附件|原件|必填|必备")
_ORGANISED = re.compile(
    r"(?:公司|总部|本部|集团|事业部|部门?|中心|大区|板块|员工|人员|经理|主管|总监|高管|领导|管理层)$"
)
_ANSWERED = {"是", "否", "y", "n", "yes", "no", "1", "0", "v", "x", "有", "无", "适用", "不适用", "可见", "不可见"}
_OF_WORK = re.compile("审批|批准|签批|签字|经办|办理|操作|责任|负责|维护|联系|归口|处理")


def mark_in(text: str) -> str:
    """The words of a title, a name or a remark that keep what follows from everybody; "" where there are none."""
    plain = normalize(text)
    if found := _TO_BE_SEEN_BY.search(plain) or _NOT_TO_BE_PASSED_ON.search(plain):
        return found[0]
    return next((one for one in _BREAKS.split(plain) if one and (_FOR.fullmatch(one) or keeps_inside(one))), "")


def restricts(header: str, text: str) -> bool:
    """Whether a cell below a header that we do not know says who may see its row: 仅财务部, 机密, a tick below 华东公司."""
    plain = normalize(text)
    if not plain:
        return False
    if _TICK.fullmatch(text):
        return not _ASKED.search(bare(header))
    if bare(plain) in _ANSWERED:
        return bool(_ORGANISED.search(bare(header)) and not _ASKED.search(bare(header)) and not _OF_WORK.search(header))
    if keeps_inside(plain) or _NOT_TO_BE_PASSED_ON.search(plain) or _TO_BE_SEEN_BY.search(plain):
        return True
    short = len(plain) <= _LONGEST_VALUE and not _OF_WORK.search(header)
    return short and any(_FOR.fullmatch(one) for one in _BREAKS.split(plain) if one)


def keeps_inside(text: str) -> bool:
    """Whether a whole text is a grade or a mark: 内部, 机密, 内部资料."""
    return _KEPT_INSIDE.fullmatch(bare(text)) is not None
