"""Files of questions with known answers: what may stand in them, and what is said about those that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from kb.evaluation.questions import read_entries, read_questions

ENTRIES = (
    "id\tquestion\tsimilar\tanswer\n1\t发票丢了怎么办\t发票遗失|发票不见了||发票遗失\t登报声明\n2\t能坐一等座吗\t\t\n"
)
QUERIES = "query\tid\n发票掉了\t1\n高铁一等座可以吗\t2\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_entries_queries_and_what_is_out_of_scope(write) -> None:
    read = read_questions(write("e.tsv", ENTRIES), write("q.tsv", QUERIES), write("o.txt", "天气怎么样\n\n打开微信\n"))
    first, second = read.entries
    assert first.questions == ("发票丢了怎么办", "发票遗失", "发票不见了") and first.answer == "登报声明"
    assert second.questions == ("能坐一等座吗",)
    assert read.queries == [("发票掉了", "1"), ("高铁一等座可以吗", "2")]
    assert read.out_of_scope == ["天气怎么样", "打开微信"]


def test_an_answer_without_a_question_is_a_passage(write) -> None:
    (entry,) = read_entries(write("e.tsv", "id\tanswer\np\t住宿费按城市分级。\n"))
    assert entry.is_passage and entry.answer == "住宿费按城市分级。"


def test_columns_in_any_order_with_a_mark_carriage_returns_quotes_and_short_lines(write) -> None:
    content = (
        b"\xef\xbb\xbf" + '备注\tQuestion\tid\tsimilar\r\n\t"引号"里的"问题\t7\r\n\t有相似\t8\t一|二\r\n\r\n'.encode()
    )
    first, second = read_entries(write("e.tsv", content))
    assert (first.id, first.question, first.similar) == ("7", '"引号"里的"问题', ())
    assert second.similar == ("一", "二")


def test_a_line_separator_inside_a_text_ends_no_line(write) -> None:
    (entry,) = read_entries(write("e.tsv", "id\tquestion\n1\t一\u2028二\x85三\n"))
    assert entry.question == "一\u2028二\x85三"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no column id, question or answer"),
        ("\n\n", "no column id"),
        ("id;question\n1;发票\n", "columns are separated by tabs, these are there: “id;question”"),
        ("question\n发票\n", "e.tsv line 1: no column id"),
        ("id\tsimilar\n1\t发票\n", "no column question or answer"),
        ("id\tquestion\tid\n1\t发票\t2\n", "the column id stands there twice"),
        ("id\tquestion\n\n", "e.tsv: nothing below the names of the columns"),
        ("id\tquestion\n1\t发票\n\n1\t报销\n", "e.tsv line 4: the id “1” stands above already"),
        ("id\tquestion\n\t发票\n", "e.tsv line 2: no id"),
        ("id\tquestion\n1\t\n", "e.tsv line 2: neither a question nor an answer"),
        ("id\tsimilar\tanswer\n1\t发票\t登报\n", "e.tsv line 2: similar questions, but no question"),
        ("id\tquestion\n1\t发票\t多了\n", "e.tsv line 2: 3 values for 2 columns"),
        ("id\tquestion\n1\t发票\n".encode("gb18030"), "e.tsv line 2: not UTF-8; it looks like GB18030"),
        ("id\tquestion\n1\t发票\n".encode("utf-16"), "e.tsv line 1: not UTF-8; it looks like UTF-16"),
        (b"id\tquestion\n1\tok\n2\t\xff\xff\xff\n", "e.tsv line 3: not UTF-8"),
        (b"id\tquestion\n1\tok\x00\n", "e.tsv line 2: no text file"),
    ],
)
def test_entries_that_cannot_be_used_are_told_by_file_and_line(write, content: str | bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=r"e\.tsv") as error:
        read_entries(write("e.tsv", content))
    assert told in error.value.message and "\n" not in error.value.message


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("query\n发票\n", "q.tsv line 1: no column id"),
        ("query\tid\n\t1\n", "q.tsv line 2: no query"),
        ("query\tid\n发票\t\n", "q.tsv line 2: no id"),
        ("query\tid\n发票\t1\n发票\t9\n", "q.tsv line 3: no entry of e.tsv has the id “9”"),
        ("query\tid\n发票\t8\n发票\t9\n税\t7\n", "has the id “8”, and 2 more like it"),
        ("query\tid\n", "q.tsv: nothing below"),
    ],
)
def test_queries_that_cannot_be_used(write, content: str, told: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read_questions(write("e.tsv", ENTRIES), write("q.tsv", content))
    assert told in error.value.message


def test_a_file_that_is_not_there_and_one_that_is_empty(write, tmp_path: Path) -> None:
    entries, queries = write("e.tsv", ENTRIES), write("q.tsv", QUERIES)
    with pytest.raises(InvalidInput, match="there is no such file"):
        read_questions(entries, tmp_path / "none.tsv")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_questions(entries, tmp_path)
    with pytest.raises(InvalidInput, match="o.txt: empty"):
        read_questions(entries, queries, write("o.txt", "\n \n"))


def test_a_limit_takes_evenly_spaced_questions_and_every_entry(write) -> None:
    queries = "query\tid\n" + "".join(f"问{i}\t{1 + i % 2}\n" for i in range(100))
    read = read_questions(write("e.tsv", ENTRIES), write("q.tsv", queries), write("o.txt", "一\n二\n三\n"))
    few = read.limited(4)
    assert [text for text, _ in few.queries] == ["问0", "问25", "问50", "问75"]
    assert few.out_of_scope == ["一", "二", "三"] and len(few.entries) == 2
    assert read.limited(1000) == read
