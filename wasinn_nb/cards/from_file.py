"""The card of a model from what its file states, completed by what the user knows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards.checks import MOST_MASK_CLASSES
from wasinn_nb.cards.inputs import ImageInput, image_inputs, quantized_recipe
from wasinn_nb.cards.integrity import checked_encoding
from wasinn_nb.cards.modelpath import (
    as_name,
    check_whole,
    encoding_by_suffix,
    existing_model,
    model_files,
    model_stem,
)
from wasinn_nb.cards.stated import Stated, stated
from wasinn_nb.errors import RecipeError, RuntimeFailure
from wasinn_nb.recipe import PreprocessRecipe

if TYPE_CHECKING:
    from wasinn_nb.cards.card import ModelCard

__all__ = ["stated_fields", "with_stated_by_file"]

UNKNOWN_TASK: Final = "unknown"
_LEVELS: Final = {"range", "mean", "scale"}


def stated_fields(path: str | os.PathLike[str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the card of the model at *path*, for `ModelCard.from_model`.

    Raises
    ------
    MissingFileError, InvalidArgumentError, RuntimeFailure
        If there is no model, or one that cannot be read.
    RecipeError
        If what is known contradicts the file, or a recipe lacks something.
    """
    main = existing_model(path)
    files = model_files(main)
    by_suffix = encoding_by_suffix(main)
    encoding = GraphEncoding.AUTODETECT if by_suffix is None else by_suffix
    checked_encoding(files, encoding)
    found = stated([main])  # of a format that no runtime reads, other files are no help
    check_whole(files)
    if known.get("encoding", encoding) is not encoding:
        raise RecipeError(
            f"{main.name}: the encoding is told by the file's suffix, got {known['encoding']!r:.80}"
            f"; leave it out"
        )
    values: dict[str, Any] = {
        "name": as_name(model_stem(main)),
        "task": found.task,
        "classes": found.classes,
        **known,
        "encoding": encoding,
        "recipe": _recipe(main, found, known.get("recipe")),
    }
    if values["task"] is None:
        # No mask has so many: its labels have 8 bits.
        classes = values["classes"]
        many = isinstance(classes, Sized) and len(classes) > MOST_MASK_CLASSES
        values["task"] = "classification" if many else UNKNOWN_TASK
    return values


def with_stated_by_file(
    card: ModelCard, files: Sequence[Path]
) -> tuple[ModelCard, Mapping[str, Any]]:
    """Return a card with what the model's files state besides, and the recipe's fields they state.

    What the card says itself stays; files are read only where it leaves something open.

    Parameters
    ----------
    card : ModelCard
    files : sequence of Path
        The model's.  Of a file that is damaged, or of a format that only its runtime knows, nothing
        is stated: the runtime reads it, or says what is wrong.
    """
    if card.recipe is not None and card.classes and card.task != UNKNOWN_TASK:
        return card, {}
    try:
        found = stated(files)
    except RuntimeFailure:
        return card, {}
    changes: dict[str, Any] = {}
    if card.task == UNKNOWN_TASK and found.task is not None:
        changes["task"] = found.task
    if not card.classes and found.classes:
        changes["classes"] = found.classes
    return card.replace(**changes) if changes else card, found.recipe


def _recipe(main: Path, found: Stated, known: Any) -> PreprocessRecipe | None:
    """Return what is stated of the recipe with what is known laid over it, if that is enough."""
    if isinstance(known, PreprocessRecipe):
        return known
    if not isinstance(known, Mapping | None):
        raise RecipeError(
            f"{main.name}: expected recipe as a PreprocessRecipe or a mapping of its fields, such "
            f"as dict(color='RGB', range=(0, 1)), got {known!r:.80}"
        )
    names = [field.name for field in fields(PreprocessRecipe)]
    if unknown := sorted(set(map(str, known or ())) - set(names)):
        raise RecipeError(
            f"{main.name}: a recipe has no {', '.join(unknown)}; it has {', '.join(names)}"
        )
    values = dict(found.recipe) | dict(known or {})
    ports = found.signature.inputs if found.signature else ()
    images = image_inputs(ports, values.get("layout") or "")
    image = images[0] if len(images) == 1 else None
    if image is not None:
        values = _of_input(image) | values
    if not known and (image is None or _unknown_levels(values)):
        return None
    required = ["height", "width"] if image else ["height", "width", "layout", "type"]
    missing = [*_unknown_levels(values), *(name for name in required if name not in values)]
    if missing:
        inputs = " and ".join(f"{port.name} {port.signature}" for port in ports) or "input"
        raise RecipeError(
            f"{main.name}: the recipe lacks {', '.join(missing)}, which the file and its {inputs} "
            f"leave open; add what is missing, as in "
            f"recipe=dict(color='RGB', range=(0, 1), height=512, width=512)"
        )
    try:
        recipe = quantized_recipe(values, None if image is None else image.port)
    except RecipeError as error:
        raise RecipeError(f"{main.name}: {error}") from error
    if image is not None and not _fits(recipe, image):
        raise RecipeError(
            f"{main.name}: the recipe makes {'x'.join(map(str, recipe.dimensions))}, the model "
            f"takes {image.port.signature}: check height, width, layout and color"
        )
    return recipe


def _of_input(image: ImageInput) -> dict[str, Any]:
    """Return the fields of a recipe that an input determines."""
    sizes = {"height": image.size("H"), "width": image.size("W")}
    values: dict[str, Any] = {name: size for name, size in sizes.items() if size is not None}
    if image.size("C") == 1:
        values["color"] = "GRAY"
    return values | {"layout": image.layout, "type": image.port.type}


def _unknown_levels(values: Mapping[str, Any]) -> list[str]:
    """Return what is not known of the channels and of their values."""
    known = {
        "color": "color" in values,
        # A u8 tensor holds 0 to 255 as they are.
        "range": not _LEVELS.isdisjoint(values) or _type(values) is TensorType.U8,
    }
    return [name for name, is_known in known.items() if not is_known]


def _type(values: Mapping[str, Any]) -> TensorType | None:
    with suppress(ValueError):  # the recipe says what is wrong with it
        return TensorType.parse(values.get("type", ""))
    return None


def _fits(recipe: PreprocessRecipe, image: ImageInput) -> bool:
    sizes = image.port.dimensions
    return len(sizes) == len(recipe.dimensions) and all(
        open_or_size in {None, size}
        for open_or_size, size in zip(sizes, recipe.dimensions, strict=True)
    )
