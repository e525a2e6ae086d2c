"""The encoder: questions and passages to vectors of unit length."""

from kb.encoder.encoder import Encoder, load_encoder
from kb.encoder.errors import EncoderError
from kb.encoder.facing import Facing, facing

__all__ = ["Encoder", "EncoderError", "Facing", "facing", "load_encoder"]
