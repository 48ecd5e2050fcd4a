"""The input of a model that takes an image: which one it is, and the order of its axes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, get_args

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.ports import Port
from wasinn_nb.recipe import CHANNELS, Layout

__all__ = ["ImageInput", "image_inputs"]

_TYPES: Final = {TensorType.U8, TensorType.I8, TensorType.F16, TensorType.F32}
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
