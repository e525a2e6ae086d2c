"""What the product comes with: how satisfaction is asked, a rubric, sampling rules, weights, questionnaires."""

from __future__ import annotations

from typing import Any

CLASSES = ("时效", "专业", "态度", "流程", "制度", "系统")
"""What a reason for a score is about."""

SATISFACTION: dict[str, Any] = {
    "remind_after_hours": 48,
    "expires_days": 7,
    "low_score": 2,
    "review_days": 3,
    "reasons": {
        "low": {
            "时效": ["回复太慢", "解决用时太长"],
            "专业": ["没有答对问题", "说法前后不一致"],
            "态度": ["态度生硬", "没有耐心听完"],
            "流程": ["反复让我补材料", "被转来转去"],
            "制度": ["制度不合理", "制度没讲清楚"],
            "系统": ["系统报错没解决", "系统操作太麻烦"],
        },
        "high": {
            "时效": ["回复很快", "问题解决得快"],
            "专业": ["解答专业准确", "一次就说清楚了"],
            "态度": ["耐心友好", "主动跟进"],
            "流程": ["手续简单", "材料一次说全"],
            "制度": ["制度依据讲得清楚", "例外情况处理得当"],
            "系统": ["系统问题解决了", "操作指引好用"],
        },
    },
}
"""Hours and days are of the calendar, except `review_days`, which are working days. A score up to `low_score` is low."""

RUBRIC: dict[str, Any] = {
    "pass": 80,
    "appeal_days": 5,
    "items": [
        {
            "id": "response",
            "name": "响应及时",
            "weight": 15,
            "guide": "首次响应和后续回复都在承诺时限内；不能及时答复的，先说明进展。",
        },
        {
            "id": "understanding",
            "name": "理解准确",
            "weight": 15,
            "guide": "看过对话和单据再回复，没有重复问员工已经说过的事。",
        },
        {
            "id": "answer",
            "name": "解答正确完整",
            "weight": 35,
            "guide": "结论符合现行制度和系统实际，说明了依据、要做的步骤和所需材料。",
        },
        {"id": "manner", "name": "服务用语", "weight": 15, "guide": "称呼得体，语气平和，说人话，不用内部简称。"},
        {
            "id": "process",
            "name": "流程规范",
            "weight": 20,
            "guide": "业务类型和紧急程度准确，转派升级有理由，内部备注和结论写清楚。",
        },
    ],
    "vetoes": [
        {"id": "wrong_payment", "name": "误导付款或报销", "guide": "答复会造成错误、重复付款或违规报销。"},
        {"id": "disclosure", "name": "泄露信息", "guide": "把他人单据、账号、证件等信息告诉了不该知道的人。"},
        {"id": "rudeness", "name": "辱骂或推诿", "guide": "辱骂、讽刺员工，或拒绝受理职责范围内的事。"},
    ],
}
"""An item is given 0 to 100 points and counts by its weight; weights sum to 100. A veto makes the whole 0."""

SAMPLING: dict[str, Any] = {
    "weekly": True,
    "per_agent": 2,
    "low_rating": True,
    "reopened": True,
    "breached": True,
    "random": 5,
    "most": 60,
}
"""A week's sample: so many of each agent, every ticket with a low rating, reopened or breached, so many at random of the
rest; at most `most` in all, the first rules first."""

SCOREBOARD: dict[str, Any] = {
    "weights": {"volume": 20, "timeliness": 25, "first_contact": 15, "satisfaction": 20, "quality": 20},
    "least_volume": 5,
    "reward": {"total": 90, "most": 3},
    "warning": {"total": 60, "timeliness": 80, "satisfaction": 60, "quality": 70},
}
"""Weights sum to 100. Nobody with fewer than `least_volume` solved tickets is on a list. Reward: at least this total and no
veto, the best `most`. Warning: any of these figures below its mark."""

QUESTIONNAIRE: dict[str, Any] = {
    "title": "财务共享服务回访",
    "intro": "感谢您使用财务共享服务，耽误您一分钟，说说用下来的感受。",
    "questions": [
        {
            "id": "overall",
            "kind": "score",
            "text": "总体来说，您对这次服务满意吗？",
            "options": [],
            "many": False,
            "required": True,
        },
        {
            "id": "solved",
            "kind": "choice",
            "text": "您的问题解决了吗？",
            "options": ["完全解决", "部分解决", "没有解决"],
            "many": False,
            "required": True,
        },
        {
            "id": "better",
            "kind": "choice",
            "text": "您最希望我们改进什么？（可多选）",
            "options": ["更快回复", "解答更准确", "少补材料", "制度讲清楚", "系统更好用"],
            "many": True,
            "required": False,
        },
        {
            "id": "words",
            "kind": "text",
            "text": "还有什么想告诉我们的？",
            "options": [],
            "many": False,
            "required": False,
        },
    ],
}

DEFAULTS: dict[str, dict[str, Any]] = {
    "satisfaction": SATISFACTION,
    "rubric": RUBRIC,
    "sampling": SAMPLING,
    "scoreboard": SCOREBOARD,
    "questionnaire": QUESTIONNAIRE,
}
