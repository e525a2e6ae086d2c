"""The language model, against a server that replays recorded answers and refuses what was not recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import Unavailable
from kb.curation.writer import Writer

RECORDED = {
    "起草一条知识的答案": "可以报销。请附书面说明，由张伟签字，电话13812345678。",
    "用一句不超过": "“没有行程单的网约车费能报销吗？”\n（共 4 种问法）",
    "把下面这张工单": "员工问网约车报销，坐席请其补说明，已解决。",
}


class Recorded(BaseHTTPRequestHandler):
    heard: list[dict]
    breaks: str

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append({"path": self.path, "key": self.headers.get("Authorization"), **body})
        task = body["messages"][0]["content"]
        said = next((answer for words, answer in RECORDED.items() if words in task), None)
        if said is None or self.breaks == "status":
            self.send_response(500)
            self.end_headers()
            return
        answer = {"choices": []} if self.breaks == "shape" else {"choices": [{"message": {"content": said}}]}
        told = b"<html>" if self.breaks == "html" else json.dumps(answer).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[type[Recorded]]:
    handler = type("Handler", (Recorded,), {"heard": [], "breaks": ""})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield handler
    server.shutdown()
    server.server_close()


def test_it_drafts_names_and_sums_up_from_masked_text(server: type[Recorded]) -> None:
    writer = Writer(server.url, "secret", "a-model", timeout=5)
    draft = writer.draft("网约车没有行程单能报吗", ["同事张伟说可以，电话13900001111"], ["第九条 凭行程单报销"])
    assert draft == "可以报销。请附书面说明，由某某签字，电话138****5678。"
    assert writer.name(["打车没行程单怎么报销", "没有行程单的网约车费可以报吗"]) == "没有行程单的网约车费能报销吗？"
    assert writer.summary(["员工：打车没行程单怎么报销", "坐席：请补说明"]).startswith("员工问网约车报销")
    assert {one["path"] for one in server.heard} == {"/v1/chat/completions"}
    assert {(one["key"], one["model"]) for one in server.heard} == {("Bearer secret", "a-model")}
    sent = json.dumps(server.heard, ensure_ascii=False)
    assert "张伟" not in sent and "13900001111" not in sent and "第九条" in sent


@pytest.mark.parametrize("breaks", ["status", "shape", "html"])
def test_what_it_does_not_answer_is_unavailable(server: type[Recorded], breaks: str) -> None:
    server.breaks = breaks
    with pytest.raises(Unavailable, match="直接编辑草稿"):
        Writer(server.url, "", "a-model", timeout=5).name(["问题"])
    assert server.heard[0]["key"] is None


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        Writer("http://127.0.0.1:9/v1", "", "a-model", timeout=1).name(["问题"])
