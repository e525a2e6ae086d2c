"""The chat widget: the host system vouches for the visitor with a short-lived JWT; without one they are anonymous. What is
said to them lies in the transcript, which the widget reads."""

from __future__ import annotations

from datetime import timedelta

import jwt

from connectors.delivery import Delivery, Receipt
from core.clock import now
from core.errors import TokenExpired, TokenInvalid
from core.identity import ANONYMOUS, Identity

AUDIENCE = "fssc-desk"
_LONGEST_LIFE = timedelta(hours=24)
_LONGEST_NUMBER = 64


class WidgetChannel:
    """A message in the transcript has arrived: the widget fetches it, now or when the employee comes back."""

    repeats = timedelta.max

    def send(self, delivery: Delivery) -> Receipt:
        return Receipt(delivery.message["id"])


def identity_of(token: str | None, key: str, issuer: str) -> Identity:
    """Who the token names. None is an anonymous visitor; a bad token raises, it never becomes anonymous.

    Raises TokenExpired, or TokenInvalid for a wrong signature, issuer, audience, algorithm or shape.
    """
    if token is None:
        return ANONYMOUS
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=["HS256"],
            audience=AUDIENCE,
            issuer=issuer,
            leeway=30,
            options={"require": ["exp", "iat", "sub", "iss", "aud"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise TokenExpired from error
    except jwt.PyJWTError as error:
        raise TokenInvalid from error
    groups = claims.get("groups") or []
    texts = [claims["sub"], *(claims.get(name) or "" for name in ("name", "company", "department"))]
    if (
        claims["exp"] - claims["iat"] > _LONGEST_LIFE.total_seconds()
        or not isinstance(groups, list)
        or not all(isinstance(text, str) and len(text) <= 100 for text in [*texts, *groups])
        or not 0 < len(claims["sub"]) <= _LONGEST_NUMBER
        or any("\0" in text for text in [*texts, *groups])
    ):
        raise TokenInvalid
    return Identity(
        employee_no=claims["sub"],
        name=claims.get("name"),
        company=claims.get("company"),
        department=claims.get("department"),
        groups=tuple(groups),
    )


def sign_token(identity: Identity, key: str, issuer: str, life: timedelta = timedelta(hours=1)) -> str:
    """What a host system does: a token for one employee. The demo and the tests are such hosts."""
    issued = now()
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": identity.employee_no,
        "name": identity.name,
        "company": identity.company,
        "department": identity.department,
        "groups": list(identity.groups),
        "iat": issued,
        "exp": issued + life,
    }
    return jwt.encode(claims, key, algorithm="HS256")
