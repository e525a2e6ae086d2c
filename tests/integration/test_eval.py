"""`fssc kb eval` on small files, with the real encoder and the code that publishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app

KEYS = {
    *("entries", "queries", "top1", "top5", "mrr10", "coverage", "wrong_rate", "out_of_scope_refused", "ece"),
    *("build_s", "search_ms_p50", "search_ms_p95"),
}
ENTRIES = """id\tquestion\tsimilar\tanswer
lodging\t出差住宿费能报多少\t酒店一晚上限多少|住宿标准是多少\t按职级和城市分级。
lost\t发票丢了怎么办\t发票遗失如何处理\t
loan\t怎么申请员工借款\t预支差旅费怎么办\t
rail\t高铁能坐一等座吗\t\t
"""
QUERIES = (
    "query\tid\n酒店一晚上限多少\tlodging\n发票丢了怎么办？\tlost\n预支差旅费怎么办\tloan\n高铁能坐一等座吗\tlost\n"
)


@pytest.fixture
def ask(tmp_path: Path, encoder_dir: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs the command on these files, in a home of its own."""
    monkeypatch.setenv("FSSC_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FSSC_ENCODER", str(encoder_dir))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def ask(*options: str, entries: str | bytes = ENTRIES, queries: str = QUERIES, out_of_scope: str = "") -> Result:
        for name, content in (("e.tsv", entries), ("q.tsv", queries), ("o.txt", out_of_scope)):
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        command = ["kb", "eval", "--entries", str(tmp_path / "e.tsv"), "--queries", str(tmp_path / "q.tsv")]
        if out_of_scope:
            command += ["--out-of-scope", str(tmp_path / "o.txt")]
        return CliRunner().invoke(app, [*command, *options])

    return ask


@pytest.mark.slow
def test_the_figures_are_those_that_one_counts_by_hand(ask, tmp_path: Path) -> None:
    """Every query is a curated question word for word, so it is answered outright; the last one by the wrong entry, as its
    id says. Of what is out of scope, one is curated after all and is answered, one is nonsense."""
    done = ask("--json", str(tmp_path / "out.json"), "--baselines", out_of_scope="发票遗失如何处理\nxyzzy plugh\n")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "out.json").read_text())
    assert set(found) >= KEYS
    assert (found["entries"], found["queries"], found["out_of_scope"]) == (4, 4, 2)
    assert found["top1"] == found["coverage"] == 0.75
    assert 0.75 <= found["top5"] <= 1 and 0.75 <= found["mrr10"] <= 0.75 + 0.25 / 2
    assert 0 <= found["coverage_hindsight"] <= found["coverage"]
    assert found["wrong_rate"] == 0.4  # 2 of 5 answered outright
    assert found["wrong_rate_half"] == 0.5  # (1 + 2) of (4 + 2): each out of scope counts twice
    assert found["out_of_scope_refused"] == 0.5
    assert 0 < found["ece"] < 1 and found["build_s"] > 0
    assert 0 < found["search_ms_p50"] <= found["search_ms_p95"]
    assert set(found["baselines"]) == {"encoder", "bm25", "rrf"}
    for baseline in found["baselines"].values():
        assert set(baseline) >= KEYS and baseline["top1"] == 0.75 and baseline["ece"] is None
    assert "0.750" in done.stdout and "encoder" in done.stdout


@pytest.mark.slow
def test_standard_output_is_json_alone_and_progress_is_told_beside_it(ask, tmp_path: Path) -> None:
    done = ask("--json", "-", "--limit", "2")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["queries"] == 2 and found["entries"] == 4 and found["out_of_scope"] == 0
    assert found["out_of_scope_refused"] is None and "baselines" not in found
    assert "storing 4 entries" in done.stderr and "asking 50%" in done.stderr
    assert not list((tmp_path / "home").glob("*")), "nothing of the product's own is touched"


@pytest.mark.slow
def test_passages_are_found_by_their_text(ask) -> None:
    passages = (
        "id\tquestion\tanswer\n"
        "a1\t\t出差人员乘坐高铁，一般职员限二等座，部门负责人以上可乘一等座。\n"
        "a2\t\t员工借款应当在业务结束后十个工作日内报销冲抵，逾期从工资中扣还。\n"
        "a3\t\t增值税专用发票遗失的，凭记账联复印件和销售方的证明单入账。\n"
    )
    asked = "query\tid\n坐火车能买一等座吗\ta1\n借的钱多久之内要还\ta2\n专票弄丢了怎么入账\ta3\n"
    done = ask("--json", "-", "--baselines", entries=passages, queries=asked, out_of_scope="今天天气怎么样\n")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["entries"] == 3 and found["top1"] == 1.0 and found["out_of_scope_refused"] == 1.0
    assert found["baselines"]["encoder"]["top1"] == 1.0


@pytest.mark.parametrize(
    ("options", "files", "told"),
    [
        ((), {"entries": "id\tquestion\n1\t发票\n1\t报销\n"}, "✗ e.tsv line 3: the id “1” stands above already"),
        ((), {"entries": "id\tquestion\n1\t发票\n".encode("gb18030")}, "✗ e.tsv line 2: not UTF-8"),
        ((), {"queries": "query\tid\n发票\t9\n"}, "✗ q.tsv line 2: no entry of e.tsv has the id “9”"),
        (("--wrong-rate", "3"), {}, "✗ --wrong-rate is a share between 0 and 1"),
        (("--json", "/nowhere/out.json"), {}, "✗ --json: there is no directory /nowhere"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(ask, options: tuple[str, ...], files: dict, told: str) -> None:
    done = ask(*options, **files)
    assert done.exit_code == 1 and done.stdout == ""
    assert done.stderr.startswith(told) and len(done.stderr.splitlines()) == 1
