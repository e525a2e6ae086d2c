"""Personal data is masked wherever text is kept or logged: ID card, bank card, phone, email."""

from __future__ import annotations

import re

# 18-digit ID: region (6), birth date (8), sequence (3), check character. GB 11643-1999.
_ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])([1-9]\d{5})((?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(\d{3}[\dXx])(?![0-9A-Za-z])"
)
# Mainland mobile numbers, written together or in groups, with or without +86.
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_CARD = re.compile(r"(?<![0-9A-Za-z])\d(?:[ -]?\d){15,18}(?![0-9A-Za-z])")
_EMAIL = re.compile(r"([A-Za-z0-9_.+-])[A-Za-z0-9_.+-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mask_card(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    # A 20-digit e-invoice number is longer; a 16 to 19 digit number is a card if it starts like one or checks out.
    if digits[0] in "3456" and (digits[0] == "6" or _luhn(digits)):
        return f"{digits[:4]}****{digits[-4:]}"
    return match.group()


def mask(text: str) -> str:
    """`text` with the middle of every ID, card and phone number, and the name in every email, starred out."""
    if not any(character.isdigit() or character == "@" for character in text):
        return text
    text = _ID_CARD.sub(r"\1********\3", text)
    text = _CARD.sub(_mask_card, text)
    text = _PHONE.sub(lambda m: f"{m[1]}****{m[3]}", text)
    return _EMAIL.sub(r"\1***@\2", text)
