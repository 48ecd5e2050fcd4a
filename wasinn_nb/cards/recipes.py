"""The recipe of a model's image: what is stated of it, and what is assumed where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any, Final, TypeAlias

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.assumptions import assumed_recipe, assumed_size
from wasinn_nb.cards.inputs import ImageInput, image_input, one_input
from wasinn_nb.cards.ports import Port, Signature
from wasinn_nb.errors import InvalidArgumentError, RecipeError, Remedy
from wasinn_nb.imaging import INTEGER_LIMITS, Color, PreprocessRecipe
from wasinn_nb.literals import literal

__all__ = [
    "DEFAULT_SIDE",
    "PartialRecipe",
    "assumed_fields",
    "check_fit",
    "completed_recipe",
    "fits",
    "input_fields",
    "partial_fields",
    "recipe_for",
    "unknown_levels",
]

PartialRecipe: TypeAlias = PreprocessRecipe | Mapping[str, Any]
"""A recipe, or a mapping of those of its fields that are known."""

DEFAULT_SIDE: Final = 512
"""Height and width of the image where the model leaves its size open and nothing states it."""

_ASSUMED_COLORS: Final[dict[int, Color]] = {1: "GRAY", 3: "BGR", 4: "BGRA"}
_LEVELS: Final = frozenset({"range", "mean", "scale"})
_OF_THE_INPUT: Final = frozenset({"height", "width", "layout", "type"})
# What u8 and i8 hold without rounding.
_PLAIN_RANGES: Final = frozenset({(0.0, 255.0), (-128.0, 127.0)})
_INTEGERS: Final = frozenset({TensorType.U8, TensorType.I8})


def recipe_for(
    signature: Signature, stated: PartialRecipe | None = None
) -> tuple[PreprocessRecipe, tuple[str, ...]]:
    """Return the recipe of a model's one image, and what of it is assumed.

    Parameters
    ----------
    signature : Signature
    stated : PreprocessRecipe or mapping, optional
        What a card, a file or a person states.  A whole recipe is checked, and nothing is assumed.
        Of a mapping, size, layout and type that it leaves out are the model's.  Colors that
        nothing states are BGR, values 0 to 255 (of i8 -128 to 127), the convention of the Open
        Model Zoo, and the filter is Pillow's then.

    Returns
    -------
    PreprocessRecipe, tuple of str

    Raises
    ------
    InvalidArgumentError
        If the model does not take one image, or one of another shape or type.
    RecipeError
        If *stated* has a field that a recipe does not have, or one that cannot hold its value.

    Examples
    --------
    >>> port = Port("data", (1, 3, 512, 896), TensorType.F32, "f32")
    >>> recipe_for(Signature((port,), ()))
    (PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, bilinear),
     ('BGR, values 0 to 255, bilinear',))
    >>> recipe_for(Signature((port,), ()), {"color": "RGB", "range": (0, 1)})
    (PreprocessRecipe(1x3x512x896xf32 NCHW RGB, range 0 to 1, bilinear), ())
    """
    port = one_input(signature)
    if isinstance(stated, PreprocessRecipe):
        check_fit(port, stated)
        return stated, ()
    known = partial_fields(stated)
    if known.keys() >= _OF_THE_INPUT and not unknown_levels(known):
        recipe = completed_recipe(known, port)
        check_fit(port, recipe)
        return recipe, ()
    found = image_input(signature, known.get("layout"))
    values = input_fields(found) | known
    missing = unknown_levels(values) if known else ["color", "range"]
    values = assumed_fields(found) | values
    if missing:
        missing += [] if "resize" in known else ["resize"]
    recipe = completed_recipe(values, port)
    check_fit(port, recipe)
    assumed = [assumed_recipe(recipe, missing)] if missing else []
    sides = {"height": found.height, "width": found.width}
    if any(side is None and name not in known for name, side in sides.items()):
        assumed.append(assumed_size(recipe.height, recipe.width))
    return recipe, tuple(assumed)


def partial_fields(values: Any) -> dict[str, Any]:
    """Return the fields of a recipe that a mapping holds, or none for None.

    Raises
    ------
    RecipeError
        If it is not a mapping, or a recipe has no such field.

    Examples
    --------
    >>> partial_fields({"colors": "RGB"})
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.RecipeError: a recipe has no colors; it has height, width, layout, ...
    """
    if not isinstance(values, Mapping | None):
        raise RecipeError(
            f"expected recipe as a PreprocessRecipe or a mapping of its fields, such as "
            f"dict(color='RGB', range=(0, 1)), got {values!r:.80}"
        )
    names = [field.name for field in fields(PreprocessRecipe)]
    if unknown := sorted(set(map(str, values or ())) - set(names)):
        raise RecipeError(f"a recipe has no {', '.join(unknown)}; it has {', '.join(names)}")
    return dict(values or {})


def input_fields(image: ImageInput) -> dict[str, Any]:
    """Return the fields of a recipe that an input determines."""
    sizes = {"height": image.height, "width": image.width}
    values: dict[str, Any] = {name: size for name, size in sizes.items() if size is not None}
    if image.channels == 1:
        values["color"] = "GRAY"
    return values | {"layout": image.layout, "type": image.type}


def assumed_fields(image: ImageInput | None) -> dict[str, Any]:
    """Return what is assumed of a recipe where nothing states it; the range is the type's own.

    Parameters
    ----------
    image : ImageInput or None
        The input; None where it is not known.
    """
    color = _ASSUMED_COLORS[3 if image is None else image.channels]
    return {"height": DEFAULT_SIDE, "width": DEFAULT_SIDE, "color": color}


def unknown_levels(values: Mapping[str, Any]) -> list[str]:
    """Return what is not known of the channels and of their values: ``color``, ``range``."""
    known = {
        "color": "color" in values,
        # A u8 tensor holds 0 to 255 unchanged.
        "range": not _LEVELS.isdisjoint(values) or _type(values) is TensorType.U8,
    }
    return [name for name, is_known in known.items() if not is_known]


def _type(values: Mapping[str, Any]) -> TensorType | None:
    with suppress(ValueError):  # the recipe reports it
        return TensorType.parse(values.get("type", ""))
    return None


def completed_recipe(values: Mapping[str, Any], port: Port | None) -> PreprocessRecipe:
    """Return the recipe, with the input's quantization where its values are to be rounded.

    The filter is Pillow's where *values* do not state it, as where a whole recipe is assumed.

    Raises
    ------
    RecipeError
        If a field is missing or cannot hold its value.
    """
    values = {"resize": "bilinear", **values}
    real = PreprocessRecipe.from_dict({**values, "type": "f32", "quantization": None})
    plain = real.range in _PLAIN_RANGES and not any(real.mean) and set(real.scale) == {1.0}
    if port is not None and port.type in _INTEGERS and not plain:
        values = {"quantization": port.quantization, **values}
    return PreprocessRecipe.from_dict(values)


def fits(recipe: PreprocessRecipe, port: Port) -> bool:
    """Return whether a recipe makes what an input takes, whatever the type."""
    sizes = port.dimensions
    return len(sizes) == len(recipe.dimensions) and all(
        size in {None, made} for size, made in zip(sizes, recipe.dimensions, strict=True)
    )


def check_fit(port: Port, recipe: PreprocessRecipe) -> None:
    """Refuse a recipe that makes what an input does not take, be it of another type.

    Raises
    ------
    InvalidArgumentError
        With the type of the input as its remedy, where that is all.
    """
    made = f"{'x'.join(map(str, recipe.dimensions))}x{recipe.type.suffix}"
    if not fits(recipe, port):
        raise InvalidArgumentError(
            f"the recipe makes {made}, the model takes {port.signature}: "
            f"check height, width, layout and color"
        )
    if recipe.type is not port.type:
        change: dict[str, Any] = {"type": port.type_name}
        if port.type in _INTEGERS and not recipe.is_identity:
            change |= {"range": INTEGER_LIMITS[port.type], "mean": 0, "scale": 1}
        words = ", ".join(f"{name}={literal(value)}" for name, value in change.items())
        raise InvalidArgumentError(
            f"the recipe makes {made}, the model takes {port.signature}",
            remedy=Remedy(
                f"set the recipe's type with recipe.replace({words})", [{"recipe": change}]
            ),
        )
