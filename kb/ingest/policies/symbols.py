"""Characters of symbol fonts (Wingdings and its kin), which have places of their own instead of Unicode's, as plain characters."""

from __future__ import annotations

UNKNOWN = "〓"
"""Stands where a symbol could not be told, as printers put it where a type is missing."""

_WINGDINGS = {
    0x6C: "●", 0x6D: "○", 0x6E: "■", 0x6F: "□", 0x70: "□", 0x71: "□", 0x72: "□", 0x74: "◆", 0x75: "◆", 0x76: "❖",
    0x77: "◆", 0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "☐", 0xAB: "★", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑",
    0xE2: "↓", 0xE8: "→", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
} | {0x81 + k: c for k, c in enumerate("①②③④⑤⑥⑦⑧⑨⑩")} | {0x8C + k: c for k, c in enumerate("❶❷❸❹❺❻❼❽❾❿")}  # fmt: skip
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x97: "●", 0x98: "●", 0x99: "○", 0xA2: "■",
    0xA3: "☐", 0xA4: "☐", 0xA5: "☐",
} | {0x6A + k: c for k, c in enumerate("①②③④⑤⑥⑦⑧⑨⑩")} | {0x75 + k: c for k, c in enumerate("❶❷❸❹❺❻❼❽❾❿")}  # fmt: skip
_WEBDINGS = {0x61: "✓", 0x63: "☐", 0x67: "■", 0x6E: "●", 0x72: "✗"}
_SYMBOL = {
    0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "∗", 0x2D: "−", 0x40: "≅", 0x61: "α", 0x62: "β", 0x64: "δ", 0x67: "γ",
    0x6C: "λ", 0x6D: "μ", 0x70: "π", 0x72: "ρ", 0x73: "σ", 0x71: "θ", 0x44: "Δ", 0x53: "Σ", 0x57: "Ω", 0x7E: "∼",
    0xA3: "≤", 0xA4: "/", 0xA5: "∞", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±", 0xB3: "≥",
    0xB4: "×", 0xB5: "∝", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈", 0xBC: "…", 0xD7: "·", 0xE5: "∑",
}  # fmt: skip
_FONTS = {
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "wingdings 3": {},
    "webdings": _WEBDINGS,
    "symbol": {code: chr(code) for code in range(0x20, 0x40)} | {0x5B: "[", 0x5D: "]", 0x7B: "{", 0x7D: "}"} | _SYMBOL,
}


def is_symbol_font(font: str) -> bool:
    return font.strip().lower() in _FONTS


def symbol(font: str, code: int) -> str:
    """The plain character for place `code` of `font`, `UNKNOWN` where it has none that we know."""
    private = 0xF000 <= code <= 0xF0FF
    place = code - 0xF000 if private else code
    if place == 0x20 or place > 0xFF or not (private or is_symbol_font(font)):
        return chr(place) if 0x20 <= place < 0xD800 or 0xF900 <= place < 0x110000 else UNKNOWN
    return _FONTS.get(font.strip().lower(), {}).get(place, UNKNOWN)
