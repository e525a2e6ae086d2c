"""The encoder: questions and passages to vectors of unit length."""

from kb.encoder.encoder import Encoder, load_encoder
from kb.encoder.errors import EncoderError

__all__ = ["Encoder", "EncoderError", "load_encoder"]
