"""Which input of a model takes an image, and how: layout, channels, size and type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, get_args

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.ports import Port, Signature
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.imaging import CHANNELS, Layout
from wasinn_nb.wording import counted

__all__ = ["FIVE_CALLS", "ImageInput", "image_input", "image_inputs", "one_input"]

FIVE_CALLS: Final = Remedy(
    "call it with wasinn_nb.WasiNnCtx, which takes and gives every tensor as it is",
    command="wasinn-nb inspect {model} prints the Python that runs it tensor by tensor",
)
"""What to do with a model that no task reads."""

_TYPES: Final = frozenset({TensorType.U8, TensorType.I8, TensorType.F16, TensorType.F32})
_CHANNELS: Final = frozenset(CHANNELS.values())


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
        assert self.port.type is not None  # noqa: S101 - checked by `image_input`
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
    port = one_input(signature)
    if port.type not in _TYPES:
        raise InvalidArgumentError(
            f"the model takes {port.signature}; expected an image of u8, i8, f16 or f32 values"
        )
    sizes = port.dimensions
    stated = layout or port.layout
    fitting = _readings(port, stated)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = " and as ".join(found.layout for found in fitting)
        raise InvalidArgumentError(
            f"the model takes {port.signature}, which can be read as {names}",
            remedy=Remedy(
                f'say which in the recipe: recipe={{"layout": "{fitting[0].layout}"}}',
                [{"recipe": {"layout": found.layout}} for found in fitting],
            ),
        )
    if len(sizes) == 4 and (sizes[0] or 1) > 1:
        raise InvalidArgumentError(
            f"the model takes {port.signature}: a fixed batch of {sizes[0]} images",
            remedy=Remedy(
                f"convert it again with a batch of 1, or {FIVE_CALLS.python}",
                command=f"convert it again with a batch of 1, or: {FIVE_CALLS.command}",
            ),
        )
    in_layout = f" in layout {stated}" if stated else ""
    raise InvalidArgumentError(
        f"the model takes {port.signature}, which is not one image of 1, 3 or 4 channels"
        f"{in_layout}",
        remedy=FIVE_CALLS,
    )


def image_inputs(ports: Iterable[Port], layout: str = "") -> tuple[ImageInput, ...]:
    """Return the inputs among several that can take one image, and only in one layout.

    Parameters
    ----------
    ports : iterable of Port
    layout : str, optional
        What a card or recipe states.

    Examples
    --------
    >>> sizes = [(1, 3, 512, 896), (1, None, None, 3), (1, 3, 320, 3), (1, 1000)]
    >>> ports = [Port("data", size, TensorType.F32, "f32") for size in sizes]
    >>> [found.layout for found in image_inputs(ports)]
    ['NCHW', 'NHWC']
    >>> [found.layout for found in image_inputs(ports[2:], "NHWC")]
    ['NHWC']
    """
    found = (_readings(port, layout or port.layout) for port in ports if port.type in _TYPES)
    return tuple(readings[0] for readings in found if len(readings) == 1)


def _readings(port: Port, stated: str) -> list[ImageInput]:
    """Return every way to read an input as one image, in the layout that is stated."""
    readings = []
    known: tuple[Layout, ...] = get_args(Layout)
    for layout in known:
        if len(layout) != len(port.dimensions) or stated not in {"", layout}:
            continue
        sizes = dict(zip(layout, port.dimensions, strict=True))
        channels = sizes["C"]
        if sizes.get("N", 1) in {1, None} and channels in _CHANNELS:
            readings.append(ImageInput(port, layout, channels, sizes["H"], sizes["W"]))
    return readings


def _listed(ports: tuple[Port, ...]) -> str:
    names = ", ".join(f"{port.name or index} {port.signature}" for index, port in enumerate(ports))
    return f" ({names:.300})" if names else ""


def one_input(signature: Signature) -> Port:
    """Return the input of a model that has one.

    Raises
    ------
    InvalidArgumentError
        If it has none or several.
    """
    if len(signature.inputs) != 1:
        raise InvalidArgumentError(
            f"expected a model of one image, this one has {counted(len(signature.inputs), 'input')}"
            f"{_listed(signature.inputs)}",
            remedy=FIVE_CALLS,
        )
    return signature.inputs[0]
