"""Model cards: what is known of a model, and what its file says of itself, without a runtime."""

from wasinn_nb.cards.card import RGB, ModelCard, ModelFile, checked_palette, distinct_palette
from wasinn_nb.cards.ports import Port, Signature

__all__ = [
    "RGB",
    "ModelCard",
    "ModelFile",
    "Port",
    "Signature",
    "checked_palette",
    "distinct_palette",
]
