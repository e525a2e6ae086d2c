"""What can go wrong, as one tree; every leaf says in Chinese what the person should do.

FSSCError                   anything of ours
├── SettingsError           the product is configured wrongly (for operators, in English)
├── InvalidInput            what was sent cannot be used                      400
├── NotSignedIn             no valid proof of who is calling                  401
│   ├── TokenExpired        the proof is too old
│   └── TokenInvalid        the proof is forged, damaged or for somebody else
├── Forbidden               known, but not allowed                            403
├── NotFound                nothing there, or nothing that the caller may see  404
├── Conflict                clashes with what is already there                409
├── TooMany                 too often in too short a time                     429
└── Unavailable             a part that is needed is down                     503
"""

from __future__ import annotations


class FSSCError(Exception):
    """`code` is for machines, the message for people, `status` for HTTP."""

    code = "error"
    status = 500

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code


class SettingsError(FSSCError):
    code = "settings"


class InvalidInput(FSSCError):
    code = "invalid_input"
    status = 400


class NotSignedIn(FSSCError):
    code = "not_signed_in"
    status = 401


class TokenExpired(NotSignedIn):
    code = "token_expired"

    def __init__(self) -> None:
        super().__init__("登录凭证已过期，请刷新页面后重试。")


class TokenInvalid(NotSignedIn):
    code = "token_invalid"

    def __init__(self) -> None:
        super().__init__("登录凭证无效，请从费用系统重新打开页面。")


class Forbidden(FSSCError):
    code = "forbidden"
    status = 403


class NotFound(FSSCError):
    code = "not_found"
    status = 404


class Conflict(FSSCError):
    code = "conflict"
    status = 409


class TooMany(FSSCError):
    code = "too_many"
    status = 429


class Unavailable(FSSCError):
    code = "unavailable"
    status = 503
