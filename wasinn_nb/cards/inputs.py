"""The input of a model that takes an image: which one it is, its axes, and the recipe for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, get_args

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.ports import Port, Signature
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.recipe import CHANNELS, Color, Layout, PreprocessRecipe

__all__ = ["DEFAULT_SIDE", "ImageInput", "image_inputs", "quantized_recipe", "recipe_for"]

DEFAULT_SIDE: Final = 512
"""Height and width of the image where the model leaves its size open and nothing states it."""

_ASSUMED_COLORS: Final[dict[int | None, Color]] = {1: "GRAY", 3: "BGR", 4: "BGRA"}

_TYPES: Final = {TensorType.U8, TensorType.I8, TensorType.F16, TensorType.F32}
# What u8 and i8 hold without rounding.
_PLAIN_RANGES: Final = {(0.0, 255.0), (-128.0, 127.0)}
_INTEGERS: Final = {TensorType.U8, TensorType.I8}
_CHANNELS: Final = set(CHANNELS.values())


class ImageInput(NamedTuple):
    """An input that takes an image, with the order of its axes."""

    port: Port
    layout: Layout

    def size(self, axis: str) -> int | None:
        """Return the size of an axis; None where it is open, or where there is no such axis.

        Examples
        --------
        >>> port = Port("data", (1, 3, None, 640), TensorType.F32, "f32")
        >>> [ImageInput(port, "NCHW").size(axis) for axis in "CHW"]
        [3, None, 640]
        """
        return self.port.dimensions[self.layout.index(axis)] if axis in self.layout else None


def image_inputs(ports: Iterable[Port], layout: str = "") -> tuple[ImageInput, ...]:
    """Return the inputs that can take one image.

    They have the type u8, i8, f16 or f32, three axes, or four with a batch of 1 or an open one, and
    1, 3 or 4 channels.  Where neither *layout* nor the port says the order of the axes, the sizes
    must leave only one.

    Parameters
    ----------
    ports : iterable of Port
    layout : str, optional
        The order of the axes, where it is known: ``"NCHW"``, ``"NHWC"``, ``"CHW"`` or ``"HWC"``.

    Examples
    --------
    >>> sizes = [(1, 3, 512, 896), (1, None, None, 3), (1, 3, 320, 3), (1, 1000)]
    >>> ports = [Port("data", size, TensorType.F32, "f32") for size in sizes]
    >>> [found.layout for found in image_inputs(ports)]
    ['NCHW', 'NHWC']
    >>> [found.layout for found in image_inputs(ports[2:], "NHWC")]
    ['NHWC']
    """
    found = ((port, _layouts(port, layout or port.layout)) for port in ports if port.type in _TYPES)
    return tuple(ImageInput(port, layouts[0]) for port, layouts in found if len(layouts) == 1)


def _layouts(port: Port, stated: str) -> list[Layout]:
    """Return the orders of axes that fit the sizes of a port."""
    layouts: tuple[Layout, ...] = get_args(Layout)
    return [
        layout
        for layout in layouts
        if len(layout) == len(port.dimensions) and stated in ("", layout) and _fits(port, layout)
    ]


def _fits(port: Port, layout: Layout) -> bool:
    known = ImageInput(port, layout)
    return known.size("N") in {None, 1} and known.size("C") in _CHANNELS


def recipe_for(
    signature: Signature,
    recipe: PreprocessRecipe | None = None,
    stated: Mapping[str, Any] | None = None,
) -> tuple[PreprocessRecipe, tuple[str, ...]]:
    """Return the recipe of a model's one image, and what of it is assumed.

    Parameters
    ----------
    signature : Signature
    recipe : PreprocessRecipe, optional
        What a card or a person says: it is checked, and nothing is assumed.
    stated : mapping, optional
        Without *recipe*: those of its fields that the model's file states.  Size, layout and type
        are the model's.  What is left is assumed: BGR and values 0 to 255, the convention of the
        Open Model Zoo, and Pillow's filter.

    Returns
    -------
    PreprocessRecipe, tuple of str

    Raises
    ------
    InvalidArgumentError
        If the model does not take one image, or one of another shape or type.
    RecipeError
        If what the file states is not a recipe.

    Examples
    --------
    >>> port = Port("data", (1, 3, 512, 896), TensorType.F32, "f32")
    >>> recipe_for(Signature((port,), ()))
    (PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, bilinear),
     ('BGR, values 0 to 255',))
    >>> recipe_for(Signature((port,), ()), stated={"color": "RGB", "range": (0, 1)})[1]
    ()
    """
    port = _one_input(signature)
    if recipe is not None:
        _check_fit(port, recipe)
        return recipe, ()
    known = dict(stated or {})
    found = _image_input(port, known.get("layout", ""))
    assumed: list[str] = []
    values: dict[str, Any] = {"layout": found.layout, "type": port.type, "resize": "bilinear"}
    for name, axis in (("height", "H"), ("width", "W")):
        values[name] = found.size(axis) or DEFAULT_SIDE
    values["color"] = _ASSUMED_COLORS[found.size("C")]
    values |= known
    made = quantized_recipe(values, port)
    if "color" not in known and found.size("C") != 1:
        assumed.append(made.color)
    if not {"range", "mean", "scale"} & set(known) and port.type is not TensorType.U8:
        assumed.append(f"values {made.range[0]:g} to {made.range[1]:g}")
    notes = [", ".join(assumed)] if assumed else []
    if None in {found.size("H"), found.size("W")} and not {"height", "width"} <= set(known):
        notes.append(f"size {made.height}x{made.width}, which the model leaves open")
    _check_fit(port, made)
    return made, tuple(notes)


def quantized_recipe(values: Mapping[str, Any], port: Port | None) -> PreprocessRecipe:
    """Return the recipe of *values*, with the input's quantization where they are to be rounded.

    Parameters
    ----------
    values : mapping
        The fields of a recipe.
    port : Port or None
        The input that takes the image.

    Raises
    ------
    RecipeError
        If the values are not a recipe.
    """
    real = PreprocessRecipe.from_dict({**values, "type": "f32", "quantization": None})
    plain = real.range in _PLAIN_RANGES and not any(real.mean) and set(real.scale) == {1.0}
    if port is not None and port.type in _INTEGERS and not plain:
        values = {"quantization": port.quantization, **values}
    return PreprocessRecipe.from_dict(values)


def _one_input(signature: Signature) -> Port:
    if len(signature.inputs) != 1:
        raise InvalidArgumentError(
            f"expected a model of one image, this one has {len(signature.inputs)} inputs"
            f"{_listed(signature.inputs)}; call it with wasinn_nb.WasiNnCtx, input by input"
        )
    return signature.inputs[0]


def _image_input(port: Port, layout: str) -> ImageInput:
    """Return how an input takes its image, or raise InvalidArgumentError."""
    if port.type not in _TYPES:
        raise InvalidArgumentError(
            f"the model takes {port.signature}; expected an image of u8, i8, f16 or f32 values"
        )
    stated = layout or port.layout
    fitting = _layouts(port, stated)
    if len(fitting) == 1:
        return ImageInput(port, fitting[0])
    if fitting:
        raise InvalidArgumentError(
            f"the model takes {port.signature}, which can be read as {' and as '.join(fitting)}; "
            f"say which in the recipe: "
            f'recipe=wasinn_nb.PreprocessRecipe(height, width, "{fitting[0]}")'
        )
    batch = port.dimensions[0] if len(port.dimensions) == 4 else None
    if batch is not None and batch > 1:
        raise InvalidArgumentError(
            f"the model takes {port.signature}: a fixed batch of {batch} images; convert it again "
            f"with a batch of 1, or call it with wasinn_nb.WasiNnCtx"
        )
    asked = f" in layout {stated}" if stated else ""
    raise InvalidArgumentError(
        f"the model takes {port.signature}, which is not one image of 1, 3 or 4 channels{asked}; "
        f"call it with wasinn_nb.WasiNnCtx"
    )


def _check_fit(port: Port, recipe: PreprocessRecipe) -> None:
    fits = len(port.dimensions) == len(recipe.dimensions) and all(
        size in {None, wanted}
        for size, wanted in zip(port.dimensions, recipe.dimensions, strict=True)
    )
    made = f"{'x'.join(map(str, recipe.dimensions))}x{recipe.type.suffix}"
    if not fits:
        raise InvalidArgumentError(
            f"the recipe makes {made}, the model takes {port.signature}: "
            f"check height, width, layout and color"
        )
    if recipe.type is not port.type:
        raise InvalidArgumentError(
            f"the recipe makes {made}, the model takes {port.signature}: set the recipe's type "
            f'with recipe.replace(type="{port.type_name}")'
        )


def _listed(ports: tuple[Port, ...]) -> str:
    names = ", ".join(f"{port.name or index} {port.signature}" for index, port in enumerate(ports))
    return f" ({names:.300})" if names else ""
