"""What says in a sheet that knowledge is out of use, or not in use yet: 状态 停用, 是否有效 否, a sheet named 已废止."""

from __future__ import annotations

import re

from core.text import normalize
from kb.words import bare

_ENDED = "停用|停止使用|停止执行|禁用|作废|废止|失效|过期|下线|下架|废弃|弃用|无效"
_NOT_YET = (
    "(?:未|待|尚未|暂未|暂不|暂缓|不)(?:启用|发布|生效|上线|审核|审批|审核通过|通过)|"
    "(?:审核|审批|复核)(?:中|未通过|不通过|驳回|拒绝)|草稿|驳回"
)
_OUT_OF_USE = re.compile(rf"(?<![未不非无没])(?:{_ENDED})|(?<![无非])(?:{_NOT_YET})")
_STATES = re.compile(
    r"已?(?:删除|撤销|撤回|注销|关闭|归档|终止|停止|暂停|冻结|淘汰|取消|拒绝)|不可用|不使用|不再使用|"
    r"(?:待|未)(?:确认|复核|完善|修订|更新|核实)|拟稿|起草中|编辑中|旧版|历史(?:版本)?|"
    r"disabled|inactive|invalid|void|expired|draft|pending|rejected|obsolete|deprecated|deleted|archived|unpublished|offline"
)
_STATE = re.compile(
    r"^(?:当前|目前|知识|条目|问答|问题|faq|发布|启用|使用|审核|审批|复核|生效|有效|上线|上下线|上架|数据|记录)?"
    r"(?:状态|审核结果|审核情况|审核意见)$|^(?:审核|审批|复核)结果$|^(?:status|state)$"
)
_IN_USE = re.compile(
    r"^(?:是否)?(?:已)?(?:启用|有效|上线|发布|生效|在用|上架|可用|现行|现行有效|审核|审批|审核通过|通过审核|采用)(?:否|与否|标识|标志|性)?$|"
    r"^是否(?:已)?(?:使用|导入|入库)$|^(?:is)?(?:enabled?|active|valid|published)$"
)
_NO_LONGER = re.compile(
    r"^(?:是否)?(?:已)?(?:停用|作废|废止|失效|过期|下线|下架|禁用|删除|废弃|弃用|淘汰|归档)(?:否|与否|标识|标志)?$|"
    r"^(?:is)?(?:disabled|deleted|expired|obsolete|deprecated|archived|void)$"
)
_REMARK = re.compile(
    r"(?:备注|说明|标签|标记|意见|批注|备忘|附注|版本|remarks?|notes?|comments?|tags?)$|^[a-z]{1,2}列$"
)
_SAYS_ENDED = re.compile(
    rf"(?:^|[,。;(\s])(?:本|此|该)?(?:条|条目|问题|知识|问答|faq)?(?:现|均)?(?:已|已经)?(?:{_ENDED})(?=$|[\W\d])|"
    r"(?:勿|不要|暂不|先不|禁止|不再)(?:再)?(?:发布|导入|上线|启用|使用|入库|引用)(?=$|\W)",
    re.I,
)
_SHEET = re.compile(
    rf"^已?(?:{_ENDED})的?(?:知识|问答|条目|问题|faq|版|版本|内容|清单|列表|库)?[\W\d]*$|"
    rf"(?:[\W_]已?|已)(?:{_ENDED})(?:版本?|知识|问答|条目)?[\W\d]*$|^(?:旧版|旧|历史|历史版本|草稿|回收站)[\W\d]*$",
    re.I,
)
_MARKED = re.compile(rf"^[【\[(]已?(?:{_ENDED})[】\])]|[【\[(]已(?:{_ENDED})[】\])]$")
_YES = {"是", "y", "yes", "true", "t", "1", "√", "✓", "✔", "☑", "已"}
_NO = {"否", "n", "no", "false", "f", "0", "×", "✗", "✘", "✕", "x", "未", "不", "无", "非"}


def out_of_use(header: str, text: str) -> bool:
    """Whether a cell below a header that we do not know says that its row is not in use: 停用, or 否 below 是否有效."""
    said, asked = normalize(text).lower().strip(), bare(header)
    if not said:
        return False
    if _NO_LONGER.search(asked):
        return said in _YES or bool(_ended(said))
    if _IN_USE.search(asked):
        return said in _NO or bool(_ended(said))
    if _STATE.search(asked):
        return bool(_ended(said))
    return bool(_REMARK.search(asked)) and (
        _SAYS_ENDED.search(said) is not None or re.fullmatch(_NOT_YET, bare(said)) is not None
    )


def _ended(said: str) -> bool:
    return bool(_OUT_OF_USE.search(said) or _STATES.fullmatch(bare(said)))


def marked_out_of_use(question: str) -> bool:
    """Whether a question is marked so itself: 【作废】住宿标准是多少."""
    return _MARKED.search(normalize(question)) is not None


def sheet_out_of_use(name: str) -> bool:
    """Whether a sheet is named so: 已废止, 2024版（已作废）; 发票作废问答 is not."""
    return _SHEET.search(normalize(name).strip()) is not None
