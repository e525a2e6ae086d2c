"""The envelope of callbacks: signature, AES, whom it is meant for. Source: the documentation's pages 90238 and 91144."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.errors import InvalidInput, SettingsError

_BLOCK = 32
_RANDOM, _LENGTH = 16, 4
_MOST = 1024 * 1024
_TOKEN = re.compile(r"[A-Za-z0-9]{1,32}")
_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")


class BadCallback(InvalidInput):
    """Not from WeChat Work, or not for us. It says nothing of why: whoever sends forgeries learns nothing."""

    code = "bad_callback"

    def __init__(self) -> None:
        super().__init__("无法识别的回调。")


class Envelope:
    """Opens and seals what goes between WeChat Work and one app. `receive_id` is the corp's id.

    Raises SettingsError for a token or key that none can be.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise SettingsError("接收消息的 Token 应当是 1 到 32 位字母或数字，请从企业微信管理后台重新复制。")
        if not _AES_KEY.fullmatch(aes_key):
            raise SettingsError("EncodingAESKey 应当正好是 43 位字母或数字，请从企业微信管理后台重新复制。")
        self._token = token
        self._key = base64.b64decode(aes_key + "=")
        self._receive_id = receive_id.encode()

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        return hashlib.sha1("".join(sorted((self._token, timestamp, nonce, sealed))).encode()).hexdigest()

    def open(self, signature: str, timestamp: str, nonce: str, sealed: str) -> bytes:
        """The message in `sealed`. Raises BadCallback for whatever is wrong with it."""
        if len(sealed) > _MOST or not all(part.isascii() for part in (signature, timestamp, nonce, sealed)):
            raise BadCallback
        if not hmac.compare_digest(self.signature(timestamp, nonce, sealed), signature.lower()):
            raise BadCallback
        try:
            return self._decrypted(base64.b64decode(sealed, validate=True))
        except (binascii.Error, ValueError, struct.error) as error:
            raise BadCallback from error

    def seal(self, message: bytes, timestamp: str, nonce: str) -> tuple[str, str]:
        """`message` encrypted, and its signature."""
        plain = secrets.token_bytes(_RANDOM) + struct.pack(">I", len(message)) + message + self._receive_id
        pad = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        sealed = base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
        return sealed, self.signature(timestamp, nonce, sealed)

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))

    def _decrypted(self, cipher_text: bytes) -> bytes:
        if not cipher_text or len(cipher_text) % 16:
            raise BadCallback
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(cipher_text) + decryptor.finalize()
        pad = padded[-1]
        if not 1 <= pad <= _BLOCK or pad > len(padded) or padded[-pad:] != bytes([pad]) * pad:
            raise BadCallback
        plain = padded[_RANDOM:-pad]
        (length,) = struct.unpack(">I", plain[:_LENGTH])
        message, receive_id = plain[_LENGTH : _LENGTH + length], plain[_LENGTH + length :]
        if len(message) != length or not hmac.compare_digest(receive_id, self._receive_id):
            raise BadCallback
        return message
