"""Which input of a model takes an image, and how: layout, channels, size and type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.ports import Port, Signature
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.recipe import Color, Layout, PreprocessRecipe

__all__ = ["DEFAULT_SIDE", "ImageInput", "image_input", "recipe_for"]

_ASSUMED_COLORS: Final[dict[int, Color]] = {1: "GRAY", 3: "BGR", 4: "BGRA"}
_CHANNELS: Final = tuple(_ASSUMED_COLORS)
_LAYOUTS: Final[dict[int, tuple[Layout, ...]]] = {4: ("NCHW", "NHWC"), 3: ("CHW", "HWC")}


@dataclass(frozen=True, slots=True)
class ImageInput:
    """How a model takes its image.

    Parameters
    ----------
    port : Port
    layout : {"NCHW", "NHWC", "CHW", "HWC"}
    channels : int
        1, 3 or 4.
    height, width : int or None
        ``None`` where the model leaves it open.
    """

    port: Port
    layout: Layout
    channels: int
    height: int | None
    width: int | None

    @property
    def type(self) -> TensorType:
        """The element type."""
        assert self.port.type is not None  # noqa: S101 - `image_input` has seen to it
        return self.port.type


def image_input(signature: Signature, layout: Layout | None = None) -> ImageInput:
    """Return how a model takes its one image.

    Parameters
    ----------
    signature : Signature
    layout : {"NCHW", "NHWC", "CHW", "HWC"}, optional
        What a card or recipe states; it decides where the sizes allow two.

    Raises
    ------
    InvalidArgumentError
        If the model does not take one image, or two layouts fit equally.

    Examples
    --------
    >>> port = Port("data", (1, 3, 512, 896), TensorType.F32, "f32")
    >>> found = image_input(Signature((port,), ()))
    >>> found.layout, found.channels, found.height, found.width
    ('NCHW', 3, 512, 896)
    """
    port = _one_input(signature)
    if port.type not in {TensorType.U8, TensorType.I8, TensorType.F16, TensorType.F32}:
        raise InvalidArgumentError(
            f"the model takes {port.signature}; expected an image of u8, i8, f16 or f32 values"
        )
    sizes = port.dimensions
    stated = layout or port.layout
    fitting = [
        found
        for known in _LAYOUTS.get(len(sizes), ())
        if stated in {None, "", known} and (found := _as_image(port, known)) is not None
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " and as ".join(found.layout for found in fitting)
        raise InvalidArgumentError(
            f"the model takes {port.signature}, which can be read as {names}; say which in the "
            f'recipe: recipe=wasinn_nb.PreprocessRecipe(height, width, "{fitting[0].layout}")'
        )
    if len(sizes) == 4 and (sizes[0] or 1) > 1:
        raise InvalidArgumentError(
            f"the model takes {port.signature}: a fixed batch of {sizes[0]} images; convert it "
            f"again with a batch of 1, or call it with wasinn_nb.WasiNnCtx"
        )
    asked = f" in layout {stated}" if stated else ""
    raise InvalidArgumentError(
        f"the model takes {port.signature}, which is not one image of 1, 3 or 4 channels{asked}; "
        f"call it with wasinn_nb.WasiNnCtx"
    )


def _as_image(port: Port, layout: Layout) -> ImageInput | None:
    sizes = dict(zip(layout, port.dimensions, strict=True))
    if sizes.get("N", 1) not in {1, None} or sizes["C"] not in _CHANNELS:
        return None
    height, width = sizes["H"], sizes["W"]
    return ImageInput(port, layout, sizes["C"] or 0, height, width)


def _listed(ports: tuple[Port, ...]) -> str:
    names = ", ".join(f"{port.name or index} {port.signature}" for index, port in enumerate(ports))
    return f" ({names:.300})" if names else ""


DEFAULT_SIDE: Final = 512
"""Height and width of the image where the model leaves its size open and nothing states it."""


def recipe_for(
    signature: Signature, stated: PreprocessRecipe | None = None
) -> tuple[PreprocessRecipe, tuple[str, ...]]:
    """Return the recipe of a model's one image, and what of it is assumed.

    Parameters
    ----------
    signature : Signature
    stated : PreprocessRecipe, optional
        What a card or a person states: it is checked, and nothing is assumed.  Without it size,
        layout and type are the model's; colors are BGR and values 0 to 255, the convention of the
        Open Model Zoo, and the filter is Pillow's.

    Returns
    -------
    PreprocessRecipe, tuple of str

    Raises
    ------
    InvalidArgumentError
        If the model does not take one image, or one of another shape or type.

    Examples
    --------
    >>> port = Port("data", (1, 3, 512, 896), TensorType.F32, "f32")
    >>> recipe_for(Signature((port,), ()))
    (PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, bilinear),
     ('BGR, values 0 to 255, bilinear',))
    """
    if stated is not None:
        _check_fit(_one_input(signature), stated)
        return stated, ()
    found = image_input(signature)
    height, width = found.height or DEFAULT_SIDE, found.width or DEFAULT_SIDE
    color: Color = _ASSUMED_COLORS[found.channels]
    recipe = PreprocessRecipe(height, width, found.layout, color, found.type, resize="bilinear")
    low, high = recipe.range
    assumed = [f"{color}, values {low:g} to {high:g}, bilinear"]
    if found.height is None or found.width is None:
        assumed.append(f"size {height}x{width}, which the model leaves open")
    return recipe, tuple(assumed)


def _one_input(signature: Signature) -> Port:
    if len(signature.inputs) != 1:
        raise InvalidArgumentError(
            f"expected a model of one image, this one has {len(signature.inputs)} inputs"
            f"{_listed(signature.inputs)}; call it with wasinn_nb.WasiNnCtx, input by input"
        )
    return signature.inputs[0]


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
