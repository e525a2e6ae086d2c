"""What DingTalk calls back with, against its documentation's samples (origins stand beside each), and all that can be wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.dingtalk.envelope import BadCallback, signature, verify
from connectors.dingtalk.incoming import Incoming, loaded, meaning, parse, unpublished

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "dingtalk" / "vectors.json").read_text(encoding="utf-8"))
SAMPLES = {one["id"]: one["body"] for one in VECTORS["messages"]}
SIGN = VECTORS["sign"]["vectors"][0]
SIGNED_AT = datetime.fromtimestamp(int(SIGN["timestamp"]) / 1000, UTC)


def read(body: dict[str, Any], **changes: Any) -> Incoming:
    body = {**body, **changes}
    return parse(body, body.get("chatbotCorpId", ""), body.get("robotCode", "") or "dingrobot", signed=False)[0]


def test_the_signature_of_the_documentation() -> None:
    assert signature(SIGN["timestamp"], SIGN["app_secret"]) == SIGN["expect"]
    verify(SIGN["timestamp"], SIGN["expect"], SIGN["app_secret"], SIGNED_AT + timedelta(minutes=59))
    verify(SIGN["timestamp"], SIGN["expect"], SIGN["app_secret"], SIGNED_AT - timedelta(minutes=59))


@pytest.mark.parametrize(
    ("timestamp", "sign", "later"),
    [
        (SIGN["timestamp"], SIGN["expect"], timedelta(minutes=61)),
        (SIGN["timestamp"], SIGN["expect"], timedelta(minutes=-61)),
        (SIGN["timestamp"], SIGN["expect"].replace("=", "%3D"), timedelta()),
        (SIGN["timestamp"], "A" + SIGN["expect"][1:], timedelta()),
        (str(int(SIGN["timestamp"]) + 1), SIGN["expect"], timedelta()),
        ("", "", timedelta()),
        ("٣", SIGN["expect"], timedelta()),
        ("-5", SIGN["expect"], timedelta()),
        ("9" * 400, SIGN["expect"], timedelta()),
        (SIGN["timestamp"], "签名", timedelta()),
    ],
)
def test_a_forgery_is_refused(timestamp: str, sign: str, later: timedelta) -> None:
    with pytest.raises(BadCallback):
        verify(timestamp, sign, SIGN["app_secret"], SIGNED_AT + later)


@pytest.mark.parametrize(
    ("sample", "kind", "text"),
    [
        ("doc-0718-group-text", "text", "你好"),
        ("doc-0718-text", "text", "你好"),
        ("doc-0699-group-text", "text", "text"),
        ("doc-0078-stream-group-text", "text", "你好"),
        ("doc-0078-http-toplevel-content", "text", "你好"),
        ("doc-0718-audio", "text", "钉钉，让进步发生"),
        ("doc-0718-richText", "text", "你好"),
        ("doc-0718-picture", "unreadable", "图片"),
        ("doc-0718-video", "unreadable", "视频"),
        ("doc-0718-file", "unreadable", "文件"),
        ("quota-exceeded-20001", "quota", ""),
        ("external-sender-no-staffid", "nothing", ""),
        ("go-sdk-model-test", "nothing", ""),
    ],
)
def test_every_sample_is_understood(sample: str, kind: str, text: str) -> None:
    found = read(SAMPLES[sample])
    assert (found.kind, found.text) == (kind, text)
    assert bool(found.group) == (SAMPLES[sample].get("conversationType") == "2")
    assert Incoming(**found.stored()) == found


def test_only_the_robots_name_asks_what_it_can_do() -> None:
    found = meaning(read(SAMPLES["doc-0718-group-text"], text={"content": "  "}).stored())
    assert (found.kind, found.choice, found.sender, found.group) == ("choice", "greet", "user123", "xxx")


def test_a_voice_that_nobody_wrote_down_and_a_kind_that_nobody_knows() -> None:
    mute = read(SAMPLES["doc-0718-audio"], content={"duration": 1, "downloadCode": "x"})
    assert (mute.kind, mute.text) == ("unreadable", "语音")
    assert meaning(read(SAMPLES["doc-0718-text"], msgtype="hologram").stored()).kind == "unreadable"


def test_in_a_group_only_when_mentioned() -> None:
    for said in (False, None, "true", 1):
        assert read(SAMPLES["doc-0718-group-text"], isInAtList=said).kind == "nothing"


def test_somebody_of_another_enterprise_is_nobody() -> None:
    assert read(SAMPLES["doc-0718-text"], senderCorpId="dingother").user == ""
    assert unpublished({"conversationType": "1"}) and not unpublished(SAMPLES["doc-0718-text"])


def test_what_is_for_another_robot_or_enterprise_is_refused() -> None:
    body = SAMPLES["doc-0699-group-text"]
    ours = body["chatbotCorpId"], body["robotCode"]
    assert parse(body, *ours)[0].kind == "text"
    without = {key: value for key, value in body.items() if key != "chatbotCorpId"}
    for wrong, corp, robot in ((body, "dingother", ours[1]), (body, ours[0], "dingother"), (without, *ours)):
        with pytest.raises(BadCallback):
            parse(wrong, corp, robot)


def test_the_key_is_the_messages_id_and_different_without_one() -> None:
    assert read(SAMPLES["doc-0718-text"]).key == read(SAMPLES["doc-0718-text"], text={"content": "x"}).key
    no_id = {key: value for key, value in SAMPLES["doc-0718-text"].items() if key != "msgId"}
    assert read(no_id).key == read(no_id).key != read(no_id, createAt=1).key
    assert read(no_id).key != read(no_id, text={"content": "别的"}).key


def test_the_session_is_apart_from_what_is_stored() -> None:
    body = SAMPLES["doc-0718-text"]
    incoming, session = parse(body, body["chatbotCorpId"], "r")
    assert session and session.address == body["sessionWebhook"] and session.until == body["sessionWebhookExpiredTime"]
    assert "session=" not in json.dumps(incoming.stored())
    for until in (None, "1613635652738", True, -1, 10**20):
        assert parse({**body, "sessionWebhookExpiredTime": until}, body["chatbotCorpId"], "r")[1] is None


def test_words_that_no_database_takes_are_mended() -> None:
    assert read(SAMPLES["doc-0718-text"], text={"content": "报\x00销\ud800？"}).text == "报销？"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted({*SAMPLES["doc-0718-group-text"], "content", "richText", "errorCode"})), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(SAMPLES["doc-0718-group-text"])), _JSON, max_size=8),
    st.sampled_from(sorted(SAMPLES)),
)
def test_any_body_is_understood_or_refused(changes: dict[str, Any], sample: str) -> None:
    with suppress(BadCallback):
        found = read(SAMPLES[sample], **changes)
        json.dumps(found.stored()).encode()
        assert len(found.key) <= 300 and len(found.sender) <= 160 and len(found.group) <= 100
        assert meaning(found.stored()).kind in ("text", "choice", "unreadable", "nothing")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    with suppress(BadCallback):
        assert isinstance(loaded(body), dict)


def test_what_is_nested_without_end_is_refused() -> None:
    with pytest.raises(BadCallback):
        loaded(b'{"a":' * 50_000 + b"1" + b"}" * 50_000)
    with pytest.raises(BadCallback):
        loaded(b"[1]")
