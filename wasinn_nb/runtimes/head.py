"""The head behind a model: from one of its outputs to labels, as a value and in NumPy.

A runtime that knows a head fuses it into its graph; `Head.apply` gives the same bits, but for
confidences of logits: those may differ by one step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import TensorError
from wasinn_nb.runtimes.confidence import ConfidenceKind, confidence_maps
from wasinn_nb.runtimes.labels import argmax_labels, refuse_nan
from wasinn_nb.tensor import Tensor

__all__ = ["NOT_A_NUMBER", "Head", "Reduction"]

Reduction = Literal["argmax", "threshold", "labels", "none"]

NOT_A_NUMBER: Final = 255
"""The label by which a fused head marks pixels with a NaN among their scores."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is computed behind one output of a model.

    Parameters
    ----------
    output : int
        The index of the output.
    planes : (int, int, int)
        Channels, height and width of what it holds.
    channels_last : bool
        Whether the channels are its last axis.
    reduce : {"argmax", "threshold", "labels", "none"}
        ``argmax``: the channel with the highest value, of equals the lower.  ``threshold``: 1
        where the one channel is above `threshold`, else 0.  ``labels``: the values are labels
        already.  ``none``: nothing.
    threshold : float
        In the units of the output.
    keep : bool
        Whether the values are returned, too.
    quantization : (float, int), optional
        Scale and zero point of the output's integers: kept values are ``scale * (q - zero_point)``.
    confidence : {"none", "probabilities", "logits"}
        Whether the confidence of each pixel is returned, and what it is taken from.

    Examples
    --------
    >>> head = Head(0, (2, 1, 3), channels_last=True, keep=True)
    >>> scores = np.array([[[[1, 2], [4, 3], [5, 5]]]], np.float32)
    >>> labels, kept = head.apply(Tensor.from_array(scores))
    >>> labels.to_array().tolist(), kept.dimensions
    ([[[1, 0, 0]]], (1, 2, 1, 3))
    """

    output: int
    planes: tuple[int, int, int]
    channels_last: bool = False
    reduce: Reduction = "argmax"
    threshold: float = 0.5
    keep: bool = False
    quantization: tuple[float, int] | None = None
    confidence: ConfidenceKind = "none"

    def apply(self, output: Tensor) -> tuple[Tensor, ...]:
        """Compute the head of the model's output.

        Parameters
        ----------
        output : Tensor
            Of as many values as `planes` has.

        Returns
        -------
        tuple of Tensor
            (1, height, width) u8 labels, unless nothing is reduced; then, if they are kept,
            (1, channels, height, width) f32 values; then, if there are confidences,
            (1, 2, height, width) u8 maps as of :func:`confidence_maps`.

        Raises
        ------
        TensorError
            If a value is NaN where it decides a label, or a label is not within 0 to 255.
        """
        channels, height, width = self.planes
        values = output.to_array()
        if self.channels_last:
            planes = np.moveaxis(values.reshape(height, width, channels), 2, 0)
        else:
            planes = values.reshape(channels, height, width)
        results = []
        if self.reduce != "none":
            labels = np.ascontiguousarray(self._labels(planes))
            results.append(Tensor.adopt((1, height, width), "u8", labels))
        if self.keep:
            kept = np.ascontiguousarray(self._real(planes))
            results.append(Tensor.adopt((1, *self.planes), "f32", kept))
        if self.confidence != "none":
            maps = confidence_maps(self._real(planes), self.confidence)
            results.append(Tensor.adopt((1, *maps.shape), "u8", maps))
        return tuple(results)

    def _labels(self, planes: NDArray[Any]) -> NDArray[np.uint8]:
        if self.reduce == "argmax":
            return argmax_labels(planes)
        plane = planes[0]
        if self.reduce == "threshold":
            values = self._real(plane)
            refuse_nan(values)
            above: NDArray[np.uint8] = (values > np.float32(self.threshold)).view(np.uint8)
            return above
        low, high = plane.min(), plane.max()
        if low < 0 or high > 255 or (plane.dtype.kind == "f" and (plane != np.rint(plane)).any()):
            raise TensorError(
                f"expected labels as whole numbers from 0 to 255, got values from {low:g} to "
                f"{high:g}; the output does not hold classes"
            )
        labels: NDArray[np.uint8] = plane.astype(np.uint8)
        return labels

    def _real(self, values: NDArray[Any]) -> NDArray[np.float32]:
        if self.quantization is None:
            return values.astype(np.float32, copy=False)
        scale, zero_point = self.quantization
        return (values.astype(np.float32) - np.float32(zero_point)) * np.float32(scale)
