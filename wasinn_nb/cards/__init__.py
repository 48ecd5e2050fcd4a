"""Model cards: what is known of a model, and what its file says of itself, without a runtime."""

from wasinn_nb.cards.card import RGB, ModelCard, ModelFile, checked_palette, distinct_palette
from wasinn_nb.cards.formats import content_of, encoding_of
from wasinn_nb.cards.integrity import checked_encoding, checked_files
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.cards.stated import Stated, stated, weights_beside
from wasinn_nb.cards.tflite import custom_operations

__all__ = [
    "RGB",
    "ModelCard",
    "ModelFile",
    "Port",
    "Signature",
    "Stated",
    "checked_encoding",
    "checked_files",
    "checked_palette",
    "content_of",
    "custom_operations",
    "distinct_palette",
    "encoding_of",
    "port_of",
    "stated",
    "weights_beside",
]
