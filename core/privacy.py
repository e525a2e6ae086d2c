"""Personal data is masked wherever text is kept or logged: ID card, bank card, phone, email.

Names of people stay in a conversation, where colleagues need them; `mask_people` takes them out of what curators read and
an index holds.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from functools import cache

# 18-digit ID: region (6), birth date (8), sequence (3), check character. GB 11643-1999.
_ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])([1-9]\d{5})((?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(\d{3}[\dXx])(?![0-9A-Za-z])"
)
# Mainland mobile numbers, written together or in groups, with or without +86.
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_CARD = re.compile(r"(?<![0-9A-Za-z])\d(?:[ -]?\d){15,18}(?![0-9A-Za-z])")
_EMAIL = re.compile(r"([A-Za-z0-9_.+-])[A-Za-z0-9_.+-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    # A 20-digit e-invoice number is longer; a 16 to 19 digit number is a card if it starts like one or checks out.
    if digits[0] in "3456" and (digits[0] == "6" or _luhn(digits)):
        return f"{digits[:4]}****{digits[-4:]}"
    return match.group()


def mask(text: str) -> str:
    """`text` with the middle of every ID, card and phone number, and the name in every email, starred out."""
    if not any(character.isdigit() or character == "@" for character in text):
        return text
    text = _ID_CARD.sub(r"\1********\3", text)
    text = _CARD.sub(_mask_card, text)
    text = _PHONE.sub(lambda m: f"{m[1]}****{m[3]}", text)
    return _EMAIL.sub(r"\1***@\2", text)


_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金"
    "石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁"
    "岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾"
    "尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛"
    "仲虞敖巩明佘池查麻苑迟邝"
)
"""The commonest family names, in the order of the Ministry of Public Security's yearly reports."""
_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|夏侯|端木|南宫"
_SURNAME = rf"(?:{_COMPOUND}|[{_SURNAMES}])"
_GIVEN = "[^\\W\\d_A-Za-z的了在是和与把被给说要没不能报提申审批出已还也都就才又再去来到从向对跟将吗呢吧啊呀么什怎哪谁这那你我他她它们请问有无人员账户号单据]"
_TITLE = "董事长|总经理|副总|总监|经理|主任|部长|处长|科长|组长|院长|所长|局长|书记|老师|会计|出纳|先生|女士|小姐|师傅|总(?![共额数部账体计结量价])|工(?![程单作资具地厂会时])|姐|哥"
_TITLED = re.compile(rf"({_SURNAME}{_GIVEN}{{0,2}}?)(?:{_TITLE})")
_CUED = re.compile(
    rf"(?:我叫|名叫|姓名|联系人|经办人|报销人|申请人|收款人|户名|审批人|复核人|负责人|开户人|持卡人|出差人|借款人|代办人|领款人|交接人|同事|领导|员工)"
    rf"(?:[:：是为叫]|\s)*({_SURNAME}{_GIVEN}{{1,2}})"
)
_COMPOUNDED = re.compile(rf"(?:{_COMPOUND}){_GIVEN}{{1,2}}")
_NAME = re.compile(rf"{_SURNAME}{_GIVEN}{{1,2}}")
_ALSO_WORDS = "成关全项单任时安和应车费金万明师于文古连商季边华路常向包解管易"
"""Family names that begin more ordinary words than names."""
_RATHER_WORDS = "付钱白单万明程施齐盛高司农简项费管计时饶尚傅毕苗车应"
"""Family names that jieba's guesses make persons of: only whom its dictionary knows, or a word before them gives away, is one."""
_NO_NAMES = {
    "黄金",
    "周五",
    "何时",
    "钱包",
    "周转",
    "付现",
    "高尔",
    "谢谢",
    "迟延",
    "齐全",
    "荣耀",
    "章盖",
    "池传",
    "成都",
}
_PLACES = set(
    [
        "石家庄",
        "张家口",
        "张家港",
        "张家界",
        "王府井",
        "马鞍山",
        "连云港",
        "陆家嘴",
        "葛洲坝",
        "谢家集",
        "万家丽",
        "张江",
        "高德",
        "金山",
        "华山",
        "江阴",
        "江门",
        "温州",
        "常州",
        "汤山",
    ]
)
"""What jieba takes for somebody, and is a place or a firm."""
_CALLED = re.compile(
    rf"(?<![\u4e00-\u9fff])[小老阿](?:[{_SURNAMES}])(?=说|讲|让我|叫我|告诉|帮我|提的|提交|的单|的报销|那边|已经|请假|休假|出差)"
)
_PINYIN = (
    "Wang|Li|Zhang|Liu|Chen|Yang|Zhao|Huang|Zhou|Wu|Xu|Sun|Hu|Zhu|Gao|Lin|Guo|Ma|Luo|Liang|Song|Zheng|Xie|Han|Tang|Feng|Deng|Cao|"
    "Peng|Zeng|Xiao|Tian|Dong|Pan|Yuan|Cai|Jiang|Yu|Du|Ye|Cheng|Su|Wei|Lu|Ding|Shen|Ren|Yao|Fu|Zhong|Cui|Tan|Liao|Fan|Shi|Jin|Qian"
)
_LATIN = re.compile(rf"(?<![A-Za-z])(?:[A-Z][a-z]+ (?:{_PINYIN})|(?:{_PINYIN}) [A-Z][a-z]+)(?![A-Za-z])")
# A landline with its area code, as it is written: 0755-86217733.
_LANDLINE = re.compile(r"(?<![0-9A-Za-z-])(0(?:10|2\d|[3-9]\d{2}))[- ](\d{3,4})[- ]?(\d{4})(?![0-9A-Za-z-])")
_SOMEBODY = "某某"


def mask_people(text: str, known: Iterable[str] = ()) -> str:
    """`text` masked as by `mask`, with landlines, and with the names of people as 某某: `known` ones, those that read like one
    (by jieba's tags and a family name), and those with a title (王总) or behind a word such as 同事."""
    text = _LANDLINE.sub(lambda m: f"{m[1]}-****{m[3]}", mask(text))
    spans = [match.span() for name in known if len(name) > 1 for match in re.finditer(re.escape(name), text)]
    spans += [match.span() for match in _LATIN.finditer(text)]
    if re.search(_SURNAME, text):
        spans += _names(text) + [match.span() for match in _CALLED.finditer(text)]
    told, end = [], 0
    for start, stop in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= end:
            told += [text[end:start], _SOMEBODY]
        end = max(end, stop)
    return "".join([*told, text[end:]])


def _names(text: str) -> list[tuple[int, int]]:
    spans, ends, start, family = [], set(), 0, False
    for word, tag in _tagger().cut(text):
        stop = start + len(word)
        ends.add(stop)
        if tag in ("nr", "nrfg") and _NAME.fullmatch(word) and not _doubtful(word, text[:start][-1:]):
            spans.append((start, stop))
        elif family and len(word) == 2 and tag in ("a", "d", "nz") and re.fullmatch(f"{_GIVEN}{{2}}", word):
            spans.append((start - 1, stop))  # 王浩然: a given name that is a word too.
        family = tag == "nr" and len(word) == 1 and word in _SURNAMES and word not in _ALSO_WORDS
        start = stop
    starts = {span[0] for span in spans}
    for pattern, group in ((_COMPOUNDED, 0), (_CUED, 1), (_TITLED, 1)):
        for match in pattern.finditer(text):
            begin, stop = match.span(group)
            if begin in starts:
                continue
            name = match[group]
            # A name ends where a word does: of 韩雪改签 only 韩雪 is one.
            stop = next((end for end in range(stop, begin + 1, -1) if end in ends), stop) if pattern is _CUED else stop
            if pattern is _COMPOUNDED or _a_name(text[begin:stop], match[0][len(name) :] if pattern is _TITLED else ""):
                spans.append((begin, stop))
    return spans


def _doubtful(word: str, before: str) -> bool:
    """Whether a word that jieba takes for somebody is more likely none: 付现金, 白屏, 两张卡."""
    if word[0] in _RATHER_WORDS and word not in _tagger().word_tag_tab:
        return True
    if len(word) == 3 and _tagger().word_tag_tab.get(word[:2], "nr") not in ("nr", "nrfg", "nrt"):
        return True  # 安家费, 马上转: the language's own word comes first.
    if word[0] in "张单万" and before and before in "一二两三四五六七八九十百千几哪每这那多分":
        return True
    return word in _PLACES or word[:2] in _NO_NAMES or (len(word) == 2 and word[0] in _ALSO_WORDS)


def _a_name(word: str, title: str) -> bool:
    """No word of the language: 高铁, 应付, 费用 begin with a family name too. `title` is what follows, if anything does."""
    if (word + title)[-2:] in _ENDINGS or word[-2:] in _ENDINGS:
        return False
    if (
        word[0] in _ALSO_WORDS
        and title
        or _PLACES & {word, word[:2]}
        or word[:2] in _NO_NAMES
        or word + title in _NOBODY
    ):
        return False
    tags = _tagger().word_tag_tab
    return not any(
        (tag := tags.get(piece)) and tag not in ("nr", "nrfg", "nrt") for piece in {word, word[:2]} if piece[1:]
    )


_NOBODY = {"高工", "高总", "老总", "施工"}
_ENDINGS = {"汇总", "多少", "现金"}


@cache
def _tagger():
    """jieba's own tagger takes a second to load, so only who masks names waits for it."""
    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.WARNING)
    tagger = jieba.posseg.POSTokenizer(jieba.Tokenizer())
    tagger.initialize()
    return tagger
