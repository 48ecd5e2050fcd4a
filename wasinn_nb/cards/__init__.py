"""Model cards: what is known of a model, and what its file says of itself, without a runtime."""

from wasinn_nb.cards.card import RGB, ModelCard, ModelFile, checked_palette, distinct_palette
from wasinn_nb.cards.image_input import ImageInput, image_input, recipe_for
from wasinn_nb.cards.ports import Port, Signature

__all__ = [
    "RGB",
    "ImageInput",
    "ModelCard",
    "ModelFile",
    "Port",
    "Signature",
    "checked_palette",
    "distinct_palette",
    "image_input",
    "recipe_for",
]
