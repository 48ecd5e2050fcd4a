"""The steps of a pipeline, for those who run several images at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging import ImageSource, OpenedImage
from wasinn_nb.runtimes import Graph, Head
from wasinn_nb.tensor import Tensor

__all__ = ["Prepared", "Request"]


class Prepared(NamedTuple):
    """An image that is ready for a model.

    Attributes
    ----------
    tensor : Tensor
        What the graph takes.
    pixels : (height, width, channels) uint8 array
        The image at the model's size, as of `wasinn_nb.imaging.resized_pixels`.
    opened : OpenedImage
        The image itself.
    source : bytes, PIL.Image or array
        What results keep.
    seconds : mapping
        Those of ``read`` and ``preprocess``.
    assumed : tuple of str
        What nothing states about the image, and was assumed.
    """

    tensor: Tensor
    pixels: NDArray[np.uint8]
    opened: OpenedImage
    source: ImageSource
    seconds: Mapping[str, float]
    assumed: tuple[str, ...] = ()


class Request:
    """Runs a pipeline's graph, one image at a time; several of one pipeline run side by side.

    Parameters
    ----------
    graph : Graph
    head : Head
        What NumPy computes where the graph does not.
    """

    def __init__(self, graph: Graph, head: Head) -> None:
        self._graph, self._head = graph, head
        self._context = graph.execution_context()

    def run(self, tensor: Tensor) -> tuple[Tensor, ...]:
        """Return what the head gives for a tensor, from the graph or in NumPy."""
        self._context.set_input(0, tensor)
        self._context.compute()
        if self._graph.fuses_head:
            return tuple(map(self._context.output, range(len(self._graph.outputs))))
        return self._head.apply(self._context.output(self._head.output))

    def cancel(self) -> None:
        """Make a run that another thread waits for fail soon."""
        self._context.cancel()
