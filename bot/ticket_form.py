"""The ticket form: what it asks, how it hears an answer, and how it is corrected. Pure: no engine, no database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.refusal import bare
from bot.turns import Option, Reply
from handoff.tickets import BUSINESS_TYPES, OTHER, TICKET_NO, Urgency

FIELDS = ("business_type", "description", "urgency", "document_no", "contact")
OPTIONAL = ("urgency", "document_no", "contact")
LABELS = {
    "business_type": "业务类型",
    "description": "问题描述",
    "urgency": "紧急程度",
    "document_no": "单据编号",
    "contact": "联系方式",
}
MAX_DESCRIPTION = 1000
CANCEL = Option("取消", "say:取消")
SKIP = Option("跳过", "say:跳过")

_SPOKEN_FIELDS = {
    "business_type": r"业务类型|类型|业务",
    "description": r"问题描述|描述|问题|内容",
    "urgency": r"紧急程度|紧急度|优先级",
    "document_no": r"单据编号|单据号|单号|编号|单据",
    "contact": r"联系方式|联系电话|电话|手机号?|邮箱",
}
_BUSINESS_WORDS = {
    "差旅报销": r"差旅|出差|住宿|机票|火车",
    "日常报销": r"日常|办公费|招待|福利|通讯费",
    "借款与冲销": r"借款|备用金|冲销|还款",
    "影像与单据退回": r"影像|扫描|退回|退单|驳回",
    "应付与付款": r"应付|付款|供应商|对公|合同款",
    "发票": r"发票|专票|普票|开票|验真",
    "税务": r"税务|税|抵扣|扣除",
    "资金与账户": r"资金|账户|银行|到账|收款",
    "系统操作": r"系统|登录|操作|权限|页面|报错",
}
_ABOUT = r"(?:是|属于|应该|我|关于|这|有关|和|相关|方面|类|的|问题|有|业务|单据?|费用?|报销|事情?|吧|啊|了|呀|哈|选|那|个|不了|不上|打不开|失败|[\s,。!])*"
DOCUMENT_NO = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{1,4}-?\d{6,14}(?:-\d{1,6})?)(?![A-Za-z0-9])")
_NUMBER = r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0(?:10|2\d|[3-9]\d{2})[- ]?\d{7,8}(?:-\d{1,5})?"
_PHONE = re.compile(rf"(?<![0-9A-Za-z-])(?:{_NUMBER})(?![0-9A-Za-z])")
_CALL_ME = re.compile(
    rf"(?:我的?|请|就|可以|直接|麻烦|你们?|打|拨|记一?下|留|加|联系)*(?:联系)?(?:方式|电话|手机号?码?|座机|号码)?(?:是|为|改成|改为|[\s:,])*"
    rf"(?P<number>{_NUMBER})(?:[\s,。!]|(?:可以|请|快|给)?(?:打给我|打我|找我|联系我|回电|回我|联系|打这个|谢谢|吧|哈|啊))*"
)
_SOMEBODY_ELSES = re.compile(
    r"(?:供应商|客户|对方|商户|酒店|银行|网点|税局|税务局|快递|经办人|收款人|他|她|他们)的?(?:联系)?(?:电话|手机号?码?|座机|号码)?[是为:\s]*$"
)
_SKIP = re.compile(
    r"^(?:跳过|略过|没有|没|无|不用|不用了|不填|不需要|暂无|不知道|不清楚|没有单号|没单号|下一步|pass|skip)[。!!~,]*$",
    re.I,
)
_CANCEL = re.compile(
    r"^(?:(?:取消|算了|不提了|不用了|不要了|不弄了|退出|不提工单了|取消工单|取消提交|先不提了?|不填了"
    r"|当我没说|没事|以后再说|下次再说|不麻烦你?们?|我?(?:还是)?我?自己(?:再|去|来)*(?:看看?|想想?|查查?|找|弄|处理|解决|研究)(?:办法|一下)?"
    r")[吧了啦。!,~ ]*)+$"
)
_CONFIRM = re.compile(
    r"^(?:提交|确认|确认提交|确定|是|是的|对|对的|好|好的|可以|没问题|没错|行|嗯+|ok|okay|yes|y)[吧的了呀啊。!~,]*$",
    re.I,
)
_RESUME = re.compile(r"^(?:继续|接着)(?:填写?|提交|提)?(?:工单)?[吧了。!~ ]*$")
_HANDOFF = re.compile(
    r"转人工|人工客服|人工服务|找人工|要人工|真人|找客服|转客服|联系客服|叫客服|人工坐席|^人工[!。~]*$|^客服[!。~]*$"
    r"|(?:找|叫|让|换)(?:个|一个)?(?:真?人|活人|同事|专员)(?:来|跟|和|处理|接|帮|服务|聊|说|$)"
    r"|^(?:我们?)?(?:就|一定|真)?(?:是)?(?:要|想|得|去)*投诉(?:你们?)?[吧了啊。!~ ]*$"
    r"|^(?:请问|喂|你好|[, ])*(?:还?有没有|还?有)真?人(?:在|管|处理|理我?)*(?:吗|么|没有?|啊|呀)*[。!?~ ]*$"
)
_ORDER = re.compile(
    r"(?:我|请|帮我|给我|麻烦|再|还|另外|快|赶紧|马上|立刻|直接|想|要|需要|能不能|可以)*"
    r"(?:转人工(?:客服|服务)?|(?:找|转|联系)?人工(?:客服|服务)?|(?:找|转|联系|叫)客服|提(?:交|个|一个)?工单|投诉|真人)[吗吧啊呀,。!?~ ]*"
)
_GRUMBLE = re.compile(
    r"(?=.*(?:破|垃圾|烂|什么玩意|什么东西|什么鬼|气死|无语|烦死|有病|差劲|搞什么))"
    r"(?:你们|这|那|个|的|系统|平台|流程|服务|客服|态度|公司|财务|共享|中心|什么|破|垃圾|烂|玩意儿?|东西|鬼|真|太|都|就|是|了|啊|呀|吧|吗"
    r"|我|被|气死|无语|烦死|有病|差劲?|搞|[\s,。!~?])+"
)
_QUESTION = re.compile(
    r"[??]\s*$|吗[。!]*$|呢[。!]*$|怎么|怎样|如何|多少|什么|哪个|哪里|哪些|能不能|可不可以|是否|多久|几天|为啥|为什么|咋"
)
_CORRECT = re.compile(r"修改|更正|改成|改为|改一下|改下|写错|填错|错了|不对|换成|重新填|重填|应该是|^改")
_FORCED = "描述:"


class Command(StrEnum):
    CANCEL = "cancel"
    HANDOFF = "handoff"
    CONFIRM = "confirm"
    RESUME = "resume"


@dataclass(frozen=True)
class Correction:
    """An employee wants `field` changed; `value` is set when they said to what."""

    field: str
    value: str | None


class Unheard(Exception):
    """The text is no value for the field that was asked; the message says what is expected."""

    def __init__(self, hint: str) -> None:
        super().__init__(hint)
        self.hint = hint


def wants_person(text: str) -> bool:
    return bool(_HANDOFF.search(text))


def beside_order(text: str) -> str:
    """What is said besides that a person or a ticket is wanted; `text` itself where that is not said."""
    rest = _ORDER.sub("", text)
    return text if rest == text else rest.strip(" ,。!?")


def asks_for_tickets(text: str) -> bool:
    """`我的工单`, or a ticket's number with few words around it."""
    return len(text) <= 24 and ("我的工单" in text or TICKET_NO.search(text) is not None)


def grumbles(text: str) -> bool:
    """Whether `text` is anger and nothing else: no value, and no description either."""
    return _GRUMBLE.fullmatch(text) is not None


def looks_like_question(text: str) -> bool:
    return bool(_QUESTION.search(text))


def command(text: str, asked: str) -> Command | None:
    """An order rather than a value. `不用了` to an optional field skips that field, it does not cancel the form."""
    if len(text) <= 30 and wants_person(text):
        return Command.HANDOFF
    if _CANCEL.match(text) and not (asked in OPTIONAL and _SKIP.match(text)):
        return Command.CANCEL
    if asked == "confirmed" and _CONFIRM.match(text):
        return Command.CONFIRM
    return Command.RESUME if _RESUME.match(text) else None


def resumes(text: str) -> Command | None:
    """What is said to `resume`: yes, no, or something that the form hears as ever."""
    if _CONFIRM.match(text):
        return Command.RESUME
    return Command.CANCEL if bare(text) else None


def correction(text: str) -> Correction | None:
    """`修改描述`, `单号写错了，应该是BX20261103-0042`, `紧急程度改成特急`; None if nothing is to be corrected."""
    if len(text) > 120 or not _CORRECT.search(text):
        return None
    for field, words in _SPOKEN_FIELDS.items():
        spoken = re.search(rf"^(?:请|我要|我想|帮我|把|将|修改|更正|改一下|改下|改|重新填|重填)*(?:{words})", text)
        if not spoken:
            continue
        rest = re.search(r"(?:改成|改为|换成|应该是|应为|是)[::\s]*(.+)$", text[spoken.end() :])
        return Correction(field, rest[1].strip("。!. ") if rest else None)
    return None


def hear(field: str, text: str) -> str:
    """The value of `field` in what the employee said; an empty string when they skip it. Raises Unheard."""
    if field in OPTIONAL and _SKIP.match(text):
        return ""
    return {
        "business_type": _business_type,
        "description": _description,
        "urgency": _urgency,
        "document_no": _document_no,
        "contact": _contact,
    }[field](text)


def _business_type(text: str) -> str:
    choices = (*BUSINESS_TYPES, OTHER)
    if text in choices:
        return text
    if text.isdigit() and 1 <= int(text) <= len(choices):
        return choices[int(text) - 1]
    if len(text) <= 12:
        for value, words in _BUSINESS_WORDS.items():
            if re.fullmatch(rf"{_ABOUT}(?:(?:{words}){_ABOUT})+", text):
                return value
    raise Unheard("请选择业务类型，我好转给对应的服务组。")


def value_of_another(text: str, asked: str) -> Correction | None:
    """A whole value of a field that was not asked for: `差旅报销`, `特急`, a document number or a telephone number."""
    if asked != "business_type" and text in (*BUSINESS_TYPES, OTHER):
        return Correction("business_type", text)
    if asked != "urgency" and text in list(Urgency):
        return Correction("urgency", text)
    if asked != "document_no" and DOCUMENT_NO.fullmatch(text):
        return Correction("document_no", text)
    if asked != "contact" and (told := _CALL_ME.fullmatch(text)):
        return Correction("contact", told["number"])
    return None


def calls_back(text: str) -> bool:
    """Whether `text` says under which number to call, and nothing else."""
    return _CALL_ME.fullmatch(text) is not None


def phone_in(text: str) -> str | None:
    """The number under which the employee wants to be called: the first that is not said to be somebody else's."""
    return next((one[0] for one in _PHONE.finditer(text) if not _SOMEBODY_ELSES.search(text[: one.start()])), None)


def guess_business_type(text: str) -> str | None:
    """The only business whose words stand in `text`, if there is just one."""
    found = [value for value, words in _BUSINESS_WORDS.items() if re.search(words, text)]
    return found[0] if len(found) == 1 else None


def describing(text: str) -> str:
    """`text` if it says enough to be a description, else nothing: `发票` alone tells an agent nothing."""
    try:
        return _description(text)
    except Unheard:
        return ""


def _description(text: str) -> str:
    text = text.removeprefix(_FORCED).strip()
    if len(re.findall(r"[\w]", text)) < 4:
        raise Unheard("请用一句话说明遇到了什么问题，比如“差旅单提交时提示发票重复”。")
    return text[:MAX_DESCRIPTION]


def guess_urgency(text: str) -> Urgency | None:
    if re.search(r"特急|十万火急|非常急|很急|急急|马上要|重复付款|付错", text):
        return Urgency.EMERGENCY
    if re.search(r"不急|不着急|一般|普通|正常", text):
        return Urgency.NORMAL
    if re.search(r"紧急|加急|着急|比较急|急", text):
        return Urgency.URGENT
    return None


def _urgency(text: str) -> str:
    if text in ("1", "2", "3"):
        return list(Urgency)[int(text) - 1]
    urgency = guess_urgency(text) if len(text) <= 20 else None
    if urgency is None:
        raise Unheard("请选择紧急程度：一般、紧急或特急。")
    return urgency


def _document_no(text: str) -> str:
    found = DOCUMENT_NO.search(text)
    if not found:
        raise Unheard("没认出单据编号。编号形如 BX20261103-0042，可在单据右上角复制；没有请点“跳过”。")
    return found[1].upper()


def _contact(text: str) -> str:
    if len(text) > 60 or not re.search(r"\d{4,}|@", text):
        raise Unheard("请留一个电话或邮箱，方便同事联系您；不方便请点“跳过”。")
    return text


def ask(field: str, hint: str = "") -> Reply:
    """The question for one field; `hint` goes before it when the last answer could not be used."""
    text, options = {
        "business_type": (
            "请问是哪类业务？",
            tuple(Option(name, f"say:{name}") for name in (*BUSINESS_TYPES, OTHER)),
        ),
        "description": ("请用一句话描述您遇到的问题：", ()),
        "urgency": ("这件事有多急？", tuple(Option(level, f"say:{level}") for level in Urgency) + (SKIP,)),
        "document_no": ("涉及哪张单据？请输入单据编号，没有可以跳过。", (SKIP,)),
        "contact": ("怎么联系您？请留电话或邮箱，也可以跳过，处理结果会在这里回复您。", (SKIP,)),
    }[field]
    return Reply(hint or text, "question", (*options, CANCEL), {"field": field})


def summary(values: dict[str, str], hint: str = "") -> Reply:
    """Everything that will be filed, each field with its way to change it."""
    shown = [
        {"field": field, "label": LABELS[field], "value": values.get(field) or ("一般" if field == "urgency" else "无")}
        for field in FIELDS
    ]
    lines = "\n".join(f"- {item['label']}：{item['value']}" for item in shown)
    head = hint or "请确认工单内容，没问题就提交："
    return Reply(
        f"{head}\n\n{lines}",
        "summary",
        (
            Option("提交", "say:提交"),
            *(Option(f"修改{LABELS[field]}", f"say:修改{LABELS[field]}") for field in FIELDS),
            CANCEL,
        ),
        {"fields": shown, "heading": head},
    )


def soothe(field: str) -> Reply:
    """To somebody who is angry: no value is taken, a person is one tap away."""
    asked = (
        ask(field)
        if field in FIELDS
        else Reply("请点“提交”确认，或点“取消”。", "question", (CANCEL,), {"field": field})
    )
    return Reply(
        f"抱歉给您添麻烦了。想马上找人，点“转人工”；也可以继续：{asked.text}",
        "question",
        (*asked.options, Option("转人工", "handoff")),
        asked.extras,
    )


def resume(field: str) -> Reply:
    """Before anything that was said after something else came in between is put into the form."""
    return Reply(
        "您刚才有一张没提交的工单，要继续填写吗？",
        "question",
        (Option("继续填写", "say:继续填写"), Option("不填了", "say:不填了")),
        {"field": field, "resuming": True},
    )


def describe_again(text: str) -> Reply:
    """After a question in the middle was answered while the description was due."""
    return Reply(
        "如果这已经解决了您的问题，点“取消”即可；否则请继续描述问题：",
        "question",
        (Option("就用刚才这句话作为描述", f"say:{_FORCED}{text}"[:300]), CANCEL),
        {"field": "description"},
    )
