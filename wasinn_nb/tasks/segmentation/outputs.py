"""Which output of a model holds a mask, and how: axes, classes, scores or labels.

A mask's height and width are the input's, a whole fraction of both (1/2, 1/4, 1/8), or those of a
stride: ``(side - 1) / s + 1``, such as 33 of 257.  Nothing else is ever read as a mask, and no
output of one pixel but of an image of one pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import BOUNDED, UNBOUNDED, ModelCard, Port, Signature
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.tasks.outputs import UnreadableError, chosen_outputs, listed, output_remedy
from wasinn_nb.wording import counted

__all__ = ["MaskOutput", "Scale", "mask_output"]

Scale = Literal["scores", "labels", "one class"]

_FLOATS: Final = frozenset({TensorType.F16, TensorType.F32, TensorType.F64})
_HIGHEST: Final = frozenset({"ArgMax", "TopK"})
# By how much a mask may be smaller than the image: networks shrink by 32 at most.
_SMALLEST: Final = 32
_LEAST_CLASSES: Final = 2
_MOST_CLASSES: Final = 256


@dataclass(frozen=True, slots=True)
class MaskOutput:
    """How one output of a model is read.

    Parameters
    ----------
    index : int
        Of the output.
    port : Port
    scale : {"scores", "labels", "one class"}
        A plane of scores for each class, labels, or one plane for one class.
    planes : (int, int, int)
        Channels, height and width; one channel but for scores.
    channels_last : bool
    axis : int or None
        The axis of the classes; None where there is none.
    """

    index: int
    port: Port
    scale: Scale
    planes: tuple[int, int, int]
    channels_last: bool
    axis: int | None

    @property
    def name(self) -> str:
        """Its name, or its index where it has none, with dimensions and type."""
        return f"{self.port.name or self.index} {self.port.signature}"


def mask_output(signature: Signature, card: ModelCard, size: tuple[int, int]) -> MaskOutput:
    """Return the output that holds the mask, and how it is read.

    Parameters
    ----------
    signature : Signature
        At the size of the image.
    card : ModelCard
        Its ``output``, ``channels_last`` and ``classes`` decide where several readings fit.
    size : (int, int)
        Height and width of the model's image.

    Raises
    ------
    InvalidArgumentError
        If no output can be a mask, or several readings fit equally.

    Examples
    --------
    >>> port = Port("scores", (1, 48, 64, 4), TensorType.F32, "f32")
    >>> found = mask_output(Signature((), (port,)), ModelCard("toy"), (48, 64))
    >>> found.planes, found.channels_last
    ((4, 48, 64), True)
    """
    chosen = chosen_outputs(signature, card)
    readings = [
        reading
        for index in chosen
        for reading in _readings(index, signature.outputs[index], size)
        if card.channels_last is None
        or reading.axis is None
        or reading.channels_last == card.channels_last
    ]
    if len(readings) > 1 and card.classes:  # a card that counts the classes decides
        fitting = [r for r in readings if r.scale != "scores" or r.planes[0] == len(card.classes)]
        readings = fitting or readings
    if len(readings) == 1:
        return readings[0]
    if not readings:
        raise _no_mask(signature, card, size)
    outputs = {reading.index for reading in readings}
    if len(outputs) == 1:
        axes = " or ".join(
            f"axis {reading.axis} ({counted(reading.planes[0], 'class')})" for reading in readings
        )
        raise InvalidArgumentError(
            f"output {readings[0].name} holds its classes in {axes}, and nothing states which",
            remedy=Remedy(
                "pass a card with channels_last=True or channels_last=False",
                [{"channels_last": True}, {"channels_last": False}],
            ),
        )
    names = ", ".join(dict.fromkeys(reading.name for reading in readings))
    raise InvalidArgumentError(
        f"several outputs can be the mask: {names}",
        remedy=output_remedy([reading.port.name or reading.index for reading in readings]),
    )


def _readings(index: int, port: Port, size: tuple[int, int]) -> Iterator[MaskOutput]:
    """Yield every way to read an output as a mask."""
    if port.type is None or any(side is None for side in port.dimensions[1:]):
        return
    sides = tuple(side or 1 for side in port.dimensions)  # an open batch is one image
    batch = len(sides) == 4 or (len(sides) in {2, 3} and sides[0] == 1)
    if batch and sides[0] != 1:
        return
    first = 1 if batch else 0
    whole = sides[first:]
    plane = _plane(port)
    if plane is None:
        return
    if len(whole) == 1 and batch and whole[0] == size[0] * size[1] and plane == "one class":
        yield MaskOutput(index, port, plane, (1, *size), channels_last=False, axis=None)
    if len(whole) == 2 and _fits(whole, size):
        yield MaskOutput(index, port, plane, (1, *whole), channels_last=False, axis=None)
    if len(whole) != 3:
        return
    for last in (False, True):
        channels = whole[-1] if last else whole[0]
        mask = whole[:-1] if last else whole[1:]
        if not _fits(mask, size):
            continue
        if channels == 1:
            yield MaskOutput(index, port, plane, (1, *mask), last, axis=None)
        elif _LEAST_CLASSES <= channels <= _MOST_CLASSES:
            axis = len(sides) - 1 if last else first
            yield MaskOutput(index, port, "scores", (channels, *mask), last, axis)


def _plane(port: Port) -> Scale | None:
    """Return what one plane of an output means; None where its integers cannot be understood."""
    if port.operation in _HIGHEST:
        return "labels"
    if port.type in _FLOATS or port.quantization is not None:
        return "one class"
    # Integers of a sigmoid or a convolution are quantized scores, and nothing says their scale.
    return None if port.operation in BOUNDED | UNBOUNDED else "labels"


def _fits(mask: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Return whether a mask of these sides can belong to an image of *size*."""
    (height, width), (rows, columns) = size, mask
    if 1 in {rows, columns}:  # a row of scores for the whole image, unless the image is one
        return mask == size
    if height % rows == 0 and width % columns == 0:
        return height // rows == width // columns <= _SMALLEST
    down, across = divmod(height - 1, rows - 1), divmod(width - 1, columns - 1)
    return down[1] == across[1] == 0 and 1 < down[0] == across[0] <= _SMALLEST


def _no_mask(signature: Signature, card: ModelCard, size: tuple[int, int]) -> UnreadableError:
    asked = "" if card.output is None else f" (output {card.output!r:.80} was asked for)"
    start = f"{card.name} is not a segmentation model of {size[0]}x{size[1]} images{asked}"
    if planes := max(map(partial(_planes, size=size), signature.outputs), default=0):
        return UnreadableError(
            f"{start} that can be read here: it gives {planes} classes, and a mask holds at most "
            f"{_MOST_CLASSES}"
        )
    return UnreadableError(
        f"{start}: it gives {listed(signature)}, and none of them is a mask of the image's size or "
        f"of a whole fraction of it"
    )


def _planes(port: Port, size: tuple[int, int]) -> int:
    """Return how many classes an output has that would be a mask but for their number; else 0."""
    sides = tuple(side or 1 for side in port.dimensions)[-3:]
    if len(sides) < 3:
        return 0
    fitting = [(sides[0], sides[1:]), (sides[2], sides[:2])]
    found = [planes for planes, mask in fitting if _fits(mask, size) and planes > _MOST_CLASSES]
    return max(found, default=0)
