"""Callbacks that no platform ever sends: bytes, base64, padding, lengths, signatures, XML and JSON gone wrong; entity bombs."""

from __future__ import annotations

import base64
import json
import random
import secrets
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.simulators.dingtalk import DingtalkSimulator
from tests.simulators.wecom import WecomSimulator

WECOM, DINGTALK = "/api/v1/channels/wecom/callback", "/api/v1/channels/dingtalk/callback"
_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><xml><Encrypt>&j;</Encrypt><MsgType>&j;</MsgType></xml>"
)
_FILE = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Encrypt>&f;</Encrypt><MsgType>&f;</MsgType></xml>'


@dataclass(frozen=True)
class Forgery:
    """One request; `kind` says what is wrong with it."""

    kind: str
    path: str
    content: bytes
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


def forgeries(
    wecom: WecomSimulator, dingtalk: DingtalkSimulator | None, rng: random.Random, count: int
) -> Iterator[Forgery]:
    """`count` of them, each kind in turn, none of which may be taken in."""
    made = [_bytes, _signature, _base64, _cipher, _padding, _length, _receiver, _inner, _outer, _query]
    theirs = [_sign, _json] if dingtalk else []
    for n in range(count):
        if theirs and n % 4 == 3:
            yield theirs[n // 4 % len(theirs)](dingtalk, rng)
        else:
            yield made[n % len(made)](wecom, rng)


def _post(kind: str, wecom: WecomSimulator, sealed: str, signature: str | None = None, **query: str) -> Forgery:
    """`sealed` in an envelope, with its right signature unless another is given."""
    timestamp, nonce = str(int(time.time())), secrets.token_hex(5)
    signed = wecom.signature(timestamp, nonce, sealed) if signature is None else signature
    body = f"<xml><ToUserName>{wecom.corp_id}</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    asked = {"msg_signature": signed, "timestamp": timestamp, "nonce": nonce} | query
    return Forgery(kind, WECOM, body.encode(), asked)


def _message(wecom: WecomSimulator) -> bytes:
    content = f"<Content>怎么报销</Content><MsgId>{secrets.randbelow(2**60)}</MsgId>"
    return wecom.message("E1001", "text", content).encode()


def _mangled(data: bytes, rng: random.Random) -> bytes:
    body = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(body))
        what = rng.randrange(4)
        if what == 0:
            body[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            del body[at : at + rng.randint(1, 30)]
        elif what == 2:
            body[at:at] = rng.randbytes(rng.randint(1, 8))
        else:
            body[at:at] = body[: rng.randint(1, 50)]
        body = body or bytearray(b"x")
    return bytes(body)


def _bytes(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    """A signature of something else: whatever the bytes come to, it is not theirs."""
    good = _post("bytes", wecom, wecom.sealed(_message(wecom)))
    query = good.query | {"msg_signature": wecom.signature(good.query["timestamp"], good.query["nonce"], "else")}
    return Forgery("bytes", WECOM, _mangled(good.content, rng), query)


def _signature(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    sealed = wecom.sealed(_message(wecom))
    wrong = ["", "0" * 40, "f" * 39, "签名", "%00", "' OR 1=1", rng.randbytes(20).hex(), "a" * 199]
    return _post("signature", wecom, sealed, rng.choice(wrong))


def _base64(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    sealed = wecom.sealed(_message(wecom))
    at = rng.randrange(len(sealed))
    wrong = [
        sealed[:at] + rng.choice("!*-_{}~") + sealed[at + 1 :],
        sealed.rstrip("=")[:-1],
        "=" * 8,
        "A",
    ]
    return _post("base64", wecom, rng.choice(wrong))


def _cipher(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    """Rightly signed, and damaged before it was: the first block or the last, so that nothing whole comes of it."""
    raw = bytearray(base64.b64decode(wecom.sealed(_message(wecom))))
    what = rng.randrange(3)
    if what == 0:
        raw = raw[: len(raw) - rng.randint(1, 15)]
    elif what == 1:
        for at in range(len(raw) - 32, len(raw) - 16):
            raw[at] ^= rng.randint(1, 255)
    else:
        raw = bytearray(rng.randbytes(16 * rng.randint(1, 9)))
    return _post("cipher", wecom, base64.b64encode(raw).decode())


def _padding(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    plain = _plain(wecom, _message(wecom))
    pad = rng.choice([0, 33, 200, 255])
    return _post("padding", wecom, _encrypted(wecom, plain + bytes([pad]) * (32 - len(plain) % 32)))


def _length(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    message = _message(wecom)
    length = rng.choice([2**32 - 1, 2**31, len(message) + 99, 1, len(message) - 1])
    return _post("length", wecom, _padded(wecom, _plain(wecom, message, length)))


def _receiver(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    whom = rng.choice(["", "ww-somebody-else", wecom.corp_id + "x", "\0", wecom.corp_id[:-1]])
    return _post("receiver", wecom, wecom.sealed(_message(wecom), whom))


def _inner(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    """Rightly sealed, and no message."""
    wrong = [
        _BOMB.encode(), _FILE.encode(), b"", b"<xml>", b"\xff\xfe<xml/>", b"null", b"<xml></xml>", b"{}",
        b"<xml><MsgType>text</MsgType>\0</xml>", b"<xml>" + b"<a/>" * 5000 + b"<MsgType>text</MsgType></xml>",
        b"<a>" * 3000 + b"</a>" * 3000, b"<xml><MsgType></MsgType></xml>", rng.randbytes(200),
    ]  # fmt: skip
    return _post("inner", wecom, wecom.sealed(rng.choice(wrong)))


def _outer(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    wrong = [
        _BOMB.encode(), _FILE.encode(), b"", b"{", b"[]", b'{"encrypt": "x"}', b"<xml/>", b"\0" * 100,
        b"<xml><Encrypt>" + b"A" * 60_000 + b"</Encrypt></xml>", b"x" * 200_000, b"<" * 5000, rng.randbytes(300),
        b"<xml>" + b"<a>" * 9000,
    ]  # fmt: skip
    good = _post("outer", wecom, "x")
    return Forgery("outer", WECOM, rng.choice(wrong), good.query, {"Content-Type": rng.choice(["", "text/xml", "x/y"])})


def _query(wecom: WecomSimulator, rng: random.Random) -> Forgery:
    good = _post("query", wecom, wecom.sealed(_message(wecom)))
    name = rng.choice(["msg_signature", "timestamp", "nonce"])
    value = rng.choice([None, "x" * 5000, "\0", "时间", "1e999"])
    query = {key: one for key, one in good.query.items() if key != name} | ({name: value} if value is not None else {})
    return Forgery("query", WECOM, good.content, query)


def _sign(dingtalk: DingtalkSimulator, rng: random.Random) -> Forgery:
    now = int(time.time() * 1000)
    moment = rng.choice([str(now), str(now - 3_700_000), str(now + 3_700_000), "0", "-1", "9" * 40, "x", ""])
    sign = rng.choice([base64.b64encode(rng.randbytes(32)).decode(), "", "x" * 3000, dingtalk.signature(moment + "1")])
    body = json.dumps(dingtalk.message("E1001", "怎么报销")).encode()
    return Forgery("sign", DINGTALK, body, {}, {"timestamp": moment, "sign": sign})


def _json(dingtalk: DingtalkSimulator, rng: random.Random) -> Forgery:
    """Rightly signed, as the header can be replayed with another body for an hour."""
    moment = str(int(time.time() * 1000))
    good = dingtalk.message("E1001", "怎么报销")
    broken = [good | {name: value} for name, value in (("robotCode", "else"), ("chatbotCorpId", "ding-else"))]
    wrong = [
        b"", b"{", b"[]", b"null", b"[" * 30_000, b'{"a":' * 9000, b"\xff\xfe", b"1e999", b'"x"', b"NaN",
        _mangled(json.dumps(good | {"robotCode": "else", "chatbotCorpId": "else"}).encode(), rng),
        *(json.dumps(one).encode() for one in broken),
    ]  # fmt: skip
    return Forgery("json", DINGTALK, rng.choice(wrong), {}, {"timestamp": moment, "sign": dingtalk.signature(moment)})


def _plain(wecom: WecomSimulator, message: bytes, length: int | None = None) -> bytes:
    size = struct.pack("!I", len(message) if length is None else length)
    return secrets.token_bytes(16) + size + message + wecom.corp_id.encode()


def _padded(wecom: WecomSimulator, plain: bytes) -> str:
    pad = 32 - len(plain) % 32
    return _encrypted(wecom, plain + bytes([pad]) * pad)


def _encrypted(wecom: WecomSimulator, plain: bytes) -> str:
    key = base64.b64decode(wecom.aes_key + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()
