"""What a question is made of, for lexical search: words, characters, and the numbers it names."""

from __future__ import annotations

import logging
import re
import tempfile
import threading
import unicodedata
from functools import cache
from pathlib import Path

import jieba
from pypinyin.constants import PINYIN_DICT

from core.text import normalize
from kb.numerals import counting

DICTIONARY = Path(__file__).with_name("words.txt")

_READING = threading.Lock()
_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z]+|\d+(?:\.\d+)?")
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_NO_LETTER = re.compile(r"[\W_]+")
_MEANINGFUL = re.compile(r"[^\W_]")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(亿|万|千|百)?\s*(%|元|块|天|日|年|月|个月|小时|号|级|类|人|张|次|条)?")
_SCALE = {"百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}
_in_digits = counting("元|块|天|日|年|个月|月|小时|级|类|%")
_UNIT = {"块": "元", "日": "天", "号": "天", "月": "个月"}


def words(text: str) -> list[str]:
    """Lower-case words in order, long ones followed by the shorter words inside; no punctuation, no blanks."""
    return [w for w in _cutter().lcut_for_search(normalize(text).lower()) if _MEANINGFUL.search(w)]


def characters(text: str) -> list[str]:
    """Chinese characters and neighbouring pairs of them; Latin words and numbers whole. Knows no dictionary."""
    found: list[str] = []
    for run in _RUN.findall(normalize(text).lower()):
        if run[0] < "\u3400":
            found.append(run)
        else:
            found += run
            found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


def syllables(text: str) -> list[str]:
    """Neighbouring pairs of Mandarin syllables without tones, each character in its commonest reading: homophones, which
    are what an input method gets wrong, read the same."""
    found: list[str] = []
    for run in _RUN.findall(normalize(text)):
        read = [_syllable(c) for c in run] if run[0] >= "\u3400" else []
        found += [first + " " + second for first, second in zip(read, read[1:], strict=False)] or read
    return found


def straddles(text: str, start: int, end: int) -> bool:
    """Whether the characters from `start` to `end` of a text in lower case begin inside one word and end in a later one: 南宁
    in 湖南宁乡."""
    return any(begin < start < stop < end for _, begin, stop in _cutter().tokenize(text))


def is_chinese(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return _IDEOGRAPH.search(text) is not None


def bare(text: str) -> str:
    """The letters, digits and ideographs alone: what is left of a question when punctuation and case do not count."""
    return stripped(normalize(text))


def stripped(text: str) -> str:
    """`bare` of a text that is normalized already."""
    return _NO_LETTER.sub("", text.lower())


def numbers(text: str) -> frozenset[str]:
    """Quantities with their unit in one spelling: `两千块`, `2000元` and `2千元` are all `2000元`; `3` has no unit."""
    text = _in_digits(normalize(text))
    found = set()
    for digits, scale, unit in _NUMBER.findall(text):
        found.add(f"{float(digits) * _SCALE.get(scale, 1):.10g}{_UNIT.get(unit, unit)}")
    return frozenset(found)


@cache
def _syllable(character: str) -> str:
    reading = PINYIN_DICT.get(ord(character), character).partition(",")[0]
    return "".join(c for c in unicodedata.normalize("NFD", reading) if not unicodedata.combining(c))


def _cutter() -> jieba.Tokenizer:
    with _READING:
        return _read_cutter()


@cache
def _read_cutter() -> jieba.Tokenizer:
    """jieba with the finance dictionary, ready to cut.

    An instance of our own: another user's words in jieba's global tokenizer would change what an index means. Its dictionary
    takes a second and tens of megabytes; threads that come while it is read wait for it.
    """
    jieba.setLogLevel(logging.WARNING)
    cutter = jieba.Tokenizer()
    cutter.tmp_dir = tempfile.gettempdir()
    cutter.initialize()
    cutter.load_userdict(str(DICTIONARY))
    return cutter
