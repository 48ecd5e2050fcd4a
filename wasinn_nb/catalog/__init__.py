"""Models and images by name: what is shipped, what is here, what can be fetched."""

from wasinn_nb.catalog.cardfiles import useless_cards
from wasinn_nb.catalog.entries import Model, ModelEntry, ModelTable
from wasinn_nb.catalog.finding import fetch, model, models
from wasinn_nb.catalog.lookup import known_card
from wasinn_nb.catalog.shipped import (
    PathLike,
    data_dir,
    guest,
    guest_sources,
    guests,
    image,
    images,
    mask,
)

__all__ = [
    "Model",
    "ModelEntry",
    "ModelTable",
    "PathLike",
    "data_dir",
    "fetch",
    "guest",
    "guest_sources",
    "guests",
    "image",
    "images",
    "known_card",
    "mask",
    "model",
    "models",
    "useless_cards",
]
