"""The card of a model from what its file states, completed by what the user knows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from wasinn_nb import registry
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.checks import MOST_MASK_CLASSES
from wasinn_nb.cards.inputs import image_inputs
from wasinn_nb.cards.integrity import checked_encoding
from wasinn_nb.cards.metadata import Stated, stated
from wasinn_nb.cards.modelpath import (
    as_name,
    check_whole,
    encoding_by_suffix,
    existing_model,
    model_files,
    model_stem,
)
from wasinn_nb.cards.ports import Signature
from wasinn_nb.cards.recipes import (
    assumed_fields,
    check_fit,
    completed_recipe,
    fits,
    input_fields,
    partial_fields,
    unknown_levels,
)
from wasinn_nb.errors import InvalidArgumentError, RecipeError, Remedy
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.literals import literal

if TYPE_CHECKING:
    from wasinn_nb.cards.card import ModelCard

    CardT = TypeVar("CardT", bound=ModelCard)

__all__ = ["card_from_file"]


_TASKS: Final = "wasinn_nb.tasks"
_OF_OUTPUTS: Final = ("classes", "output", "channels_last")
_ANY_SIZE: Final = 512
"""Height and width of the image where the model leaves them open."""


def card_from_file(
    kind: type[CardT], path: str | os.PathLike[str], known: Mapping[str, Any]
) -> CardT:
    """Make the card of the model at *path*, for `ModelCard.from_model`.

    Raises
    ------
    MissingFileError, InvalidArgumentError, RuntimeFailure
        If there is no model, or one that cannot be read; or its outputs contradict what is known.
    RecipeError
        If what is known contradicts the file, or a recipe lacks something.
    """
    main = existing_model(path)
    files = model_files(main)
    by_suffix = encoding_by_suffix(main)
    encoding = GraphEncoding.AUTODETECT if by_suffix is None else by_suffix
    checked_encoding(files, encoding)
    found = stated([main])  # where no runtime reads the format, other files do not help
    check_whole(files)
    if known.get("encoding", encoding) is not encoding:
        raise RecipeError(
            f"{main.name}: the encoding follows from the file's suffix, got "
            f"{known['encoding']!r:.80}; leave it out"
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
        values["task"] = "classification" if many else "unknown"
    card = kind(**values)
    if found.signature is not None and any(name in known for name in _OF_OUTPUTS):
        _check_outputs(card, found.signature)
    return card


def _check_outputs(card: ModelCard, signature: Signature) -> None:
    """Refuse a card that alone keeps every task from reading the outputs."""
    recipe = card.recipe
    if recipe is None:
        images = image_inputs(signature.inputs)
        if len(images) != 1:
            return
        sides = images[0].height or _ANY_SIZE, images[0].width or _ANY_SIZE
        try:
            recipe = PreprocessRecipe(*sides)
        except RecipeError:
            return  # no image is so large
    plain = card.replace(classes=(), palette=(), background=None, output=None, channels_last=None)
    refused = None
    for name in registry.names(_TASKS):
        if card.task not in {name, "unknown"}:
            continue
        task = registry.registered(_TASKS, name)
        try:
            task.read(signature, plain, recipe, scores=False)
        except InvalidArgumentError:
            continue  # not for what the card says
        try:
            task.read(signature, card, recipe, scores=False)
        except InvalidArgumentError as error:
            refused = refused or error
        else:
            return
    if refused is not None:
        raise refused


def _recipe(main: Path, found: Stated, known: Any) -> PreprocessRecipe | None:
    """Return what is stated of the recipe with what is known laid over it, if that is enough."""
    if isinstance(known, PreprocessRecipe):
        return known
    values = dict(found.recipe) | _partial(main, known)
    ports = found.signature.inputs if found.signature else ()
    images = image_inputs(ports, values.get("layout") or "")
    if not images and values.get("layout") and (others := image_inputs(ports)):
        raise RecipeError(
            f"{main.name}: layout {values['layout']} does not fit the input "
            f"{others[0].port.signature}, which is {others[0].layout}; leave layout out"
        )
    image = images[0] if len(images) == 1 else None
    if image is not None:
        values = input_fields(image) | values
    if not known and (image is None or unknown_levels(values)):
        return None
    required = ["height", "width"] if image else ["height", "width", "layout", "type"]
    missing = [*unknown_levels(values), *(name for name in required if name not in values)]
    # What is wrong is said before what is missing.
    port = None if image is None else image.port
    try:
        recipe = completed_recipe(assumed_fields(image) | values, port)
    except RecipeError as error:
        raise RecipeError(f"{main.name}: {error.problem}", remedy=error.remedy) from error
    if image is not None and not fits(recipe, image.port):
        raise RecipeError(
            f"{main.name}: the recipe makes {'x'.join(map(str, recipe.dimensions))}, the model "
            f"takes {image.port.signature}: check height, width, layout and color"
        )
    if missing:
        if port is not None:
            check_fit(port, recipe)
        inputs = " and ".join(f"{port.name} {port.signature}" for port in ports) or "input"
        completed = recipe.to_dict() | {"range": recipe.range}
        assumed = {name: completed[name] for name in missing}
        words = ", ".join(f"{name}={literal(value)}" for name, value in assumed.items())
        raise RecipeError(
            f"{main.name}: the recipe lacks {', '.join(missing)}, which the file and its {inputs} "
            f"leave open",
            remedy=Remedy(
                f"add what is missing, as in recipe=dict({words})", [{"recipe": assumed}]
            ),
        )
    return recipe


def _partial(main: Path, known: Any) -> dict[str, Any]:
    try:
        return partial_fields(known)
    except RecipeError as error:
        raise RecipeError(f"{main.name}: {error.problem}", remedy=error.remedy) from error
