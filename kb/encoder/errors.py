"""What can go wrong with an encoder.

EncoderError                the encoder cannot be had (for operators, in English)
├── ModelFileError          the installed weights are missing, damaged or of an unknown layout
├── BuildError              the default encoder could not be built
└── LoadError               the configured encoder could not be loaded
"""

from __future__ import annotations

from core.errors import SettingsError


class EncoderError(SettingsError):
    code = "encoder"


class ModelFileError(EncoderError):
    pass


class BuildError(EncoderError):
    pass


class LoadError(EncoderError):
    pass
