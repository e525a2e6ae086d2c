"""Words that only refuse: no, skip, stop, that did not help. What says anything besides is about a matter."""

from __future__ import annotations

import re

_STOP = r"算了|(?:取消|放弃)提交|取消|撤销|放弃|退出|返回|结束|终止|中止|停止|停(?!用)|跳过|略过|跳|当我没说|没事|以后再说|暂无|往下|空着|留空"
_NOT_DONE = r"(?:不|别)(?:想|用|要|需要|再|继续)*(?:提交|填写|补充|继续|提供|提|填|弄|办|搞|写|留|报)(?=$|[了的吧啊呀这可,。!]|工单)"
_NO = r"没有|没|未|无|不是|不对|不行|不可以|不好意思|不同意|不确认|不正确|不准确|不|否|别|错误|有误|错"
_UNKNOWN = r"记不清|想不起来|说不上来|知道|清楚|记得|晓得|懂|明白"
_USELESS = r"解决|帮助|作用|用处|满意|答非所问|差评|差劲|废话|管用|好使|起作用"
_ENGLISH = r"\b(?:no+|nope|nah|n|stop|cancel|skip|next|pass|useless|it|this|please|never mind|forget)\b"
_REFUSAL = re.compile("|".join((_STOP, _NOT_DONE, _NO, _UNKNOWN, _USELESS, _ENGLISH)), re.I)
_FILLING = re.compile(
    r"回答|答案|内容|信息|结果|问题|工单|表单|填写|这个|那个|这些|一下|下一|什么|谢谢|麻烦|暂时|目前|可以|需要|同意|完全|根本"
    r"|一点|依然|仍然|还是|不[要用想]|[下项步题个我你您说看听请帮给是有用要想好对太先再还都就也才并啥处这那样吧啊呀哦呢嘛吗了的啦掉写]|[\W_]"
)


def bare(text: str) -> bool:
    """Whether `text` refuses and says nothing else: `算了` and `没有解决`, not `到账没有`."""
    return not _FILLING.sub("", _REFUSAL.sub(" ", text))
