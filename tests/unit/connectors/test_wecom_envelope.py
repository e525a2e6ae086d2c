"""The envelope against other people's vectors (origins stand beside each), and everything that can be wrong with one."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.wecom.envelope import BadCallback, Envelope
from connectors.wecom.incoming import Incoming, parse, sealed_in
from core.errors import SettingsError

VECTORS = json.loads((Path(__file__).parents[2] / "data" / "wecom" / "vectors.json").read_text(encoding="utf-8"))
EDGE = VECTORS["edge"]
TOKEN = "QDG6eK"


def ours() -> Envelope:
    return Envelope(TOKEN, EDGE["encoding_aes_key"], EDGE["receive_id"])


def named(vectors: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(one, id=str(one.get("id") or one.get("msg_len"))) for one in vectors]


@pytest.mark.parametrize("vector", named(VECTORS["decrypt"]))
def test_what_others_sealed_is_opened(vector: dict[str, Any]) -> None:
    envelope = Envelope(vector["token"], vector["encoding_aes_key"], vector["receive_id"])
    sent = (vector["msg_signature"], vector["timestamp"], vector["nonce"], vector["encrypt"])
    assert envelope.open(*sent).decode() == vector["expect"]["plaintext"]
    if str(vector.get("envelope", "")).startswith("<xml"):
        assert sealed_in(vector["envelope"].encode()) == vector["encrypt"]
    for at in range(4):
        wrong = [*sent]
        wrong[at] += "1"
        with pytest.raises(BadCallback):
            envelope.open(*wrong)
    with pytest.raises(BadCallback):
        Envelope(vector["token"], vector["encoding_aes_key"], vector["receive_id"] + "x").open(*sent)


@pytest.mark.parametrize("vector", named(VECTORS["encrypt"]))
def test_what_we_seal_is_what_others_seal(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.wecom.envelope.secrets.token_bytes", lambda _: vector["random"].encode())
    envelope = Envelope(vector.get("token") or TOKEN, vector["encoding_aes_key"], vector["receive_id"])
    assert envelope.seal(vector["plaintext"].encode(), "1", "2")[0] == vector["expect_encrypt"]


@pytest.mark.parametrize("vector", named(EDGE["good"]))
def test_every_length_of_padding(vector: dict[str, Any]) -> None:
    signature = ours().signature("1", "2", vector["encrypt"])
    assert len(ours().open(signature, "1", "2", vector["encrypt"])) == vector["msg_len"]


@pytest.mark.parametrize("vector", named(EDGE["bad"]))
def test_a_damaged_one_with_a_right_signature_is_refused(vector: dict[str, Any]) -> None:
    signature = ours().signature("1", "2", vector["encrypt"])
    with pytest.raises(BadCallback):
        ours().open(signature, "1", "2", vector["encrypt"])


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_plain_text_in_it_opens_or_is_refused(plain: bytes) -> None:
    """Whoever has the key still cannot make us fall."""
    key = base64.b64decode(EDGE["encoding_aes_key"] + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    sealed = base64.b64encode(encryptor.update(plain + bytes(-len(plain) % 16)) + encryptor.finalize()).decode()
    try:
        ours().open(ours().signature("1", "2", sealed), "1", "2", sealed)
    except BadCallback as error:
        assert error.message == "无法识别的回调。"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.text(max_size=40), st.text(max_size=20))
def test_what_we_sealed_opens_again(message: bytes, timestamp: str, nonce: str) -> None:
    sealed, signature = ours().seal(message, "1", "2")
    assert ours().open(signature, "1", "2", sealed) == message
    with pytest.raises(BadCallback):
        ours().open(signature, "1" + timestamp, "2" + nonce + "x", sealed)


@pytest.mark.parametrize("key", [one["key"] for one in VECTORS["bad_keys"]["keys"]])
def test_a_key_that_is_none_is_refused_at_the_start(key: str) -> None:
    with pytest.raises(SettingsError, match="43"):
        Envelope(TOKEN, key, "ww1")


@pytest.mark.parametrize("sample", named(VECTORS["messages"]))
def test_every_documented_message_and_event_is_understood(sample: dict[str, Any]) -> None:
    found, expected = parse(sample["xml"].encode()), sample.get("expect", {})
    if "Event" in expected:
        assert found.event == expected["Event"].lower()
    elif "MsgType" in expected:
        assert found.kind == expected["MsgType"]
    assert found.text == expected.get("Content", found.text)
    assert len(found.key) <= 400


def test_different_events_of_the_same_second_have_different_keys() -> None:
    def key(**fields: str) -> str:
        said = {"MsgType": "event", "Event": "click", "FromUserName": "a", "CreateTime": "1", "AgentID": "1", **fields}
        return parse(("<xml>" + "".join(f"<{k}>{v}</{k}>" for k, v in said.items()) + "</xml>").encode()).key

    changes = [
        {}, {"EventKey": "x"}, {"Event": "view"}, {"AgentID": "2"}, {"TaskId": "t"}, {"ResponseCode": "r"},
        {"ChangeType": "update_user"}, {"FromUserName": "b"}, {"CreateTime": "2"},
    ]  # fmt: skip
    assert len({key(**one) for one in changes}) == len(changes)
    assert key() == key()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"<xml>",
        b"{}",
        b"<xml><Encrypt></Encrypt></xml>",
        b"<xml><ToUserName>a</ToUserName></xml>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>',
        b"<xml>" + b"<a>" * 300 + b"</a>" * 300 + b"</xml>",
    ],
)
def test_no_xml_of_theirs_is_refused(body: bytes) -> None:
    with pytest.raises(BadCallback):
        sealed_in(body)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    for read in (sealed_in, parse):
        with suppress(BadCallback):
            assert isinstance(read(body), str | Incoming)
