"""Outputs as the model's task reads them, in forms that can be compared."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.catalog import Model
from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.imaging import ImageSource, PreprocessRecipe, open_image
from wasinn_nb.origin import Origin
from wasinn_nb.pipeline import kept_pipeline
from wasinn_nb.runtimes import Precision, Runtime
from wasinn_nb.tasks import Result
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn import WasiNnCtx

__all__ = ["Given", "Reader"]


@dataclass(frozen=True, slots=True)
class Given:
    """An output that is to be explained.

    Parameters
    ----------
    values : array
        (H, W) labels; else (C, H, W) float32 scores, of a classifier (C, 1, 1).
    labels : bool
        Whether they are labels.
    result : Result or None
        What the task makes of them; None where it makes nothing, and for labels alone.
    saved : bool
        Whether they are a segmentation's own: of one class they are probabilities then, and the
        borders of a letterboxed image are cut off.
    size : (height, width)
        Of the image of such a result.
    """

    values: NDArray[Any]
    labels: bool
    result: Result | None = None
    saved: bool = False
    size: tuple[int, int] = (1, 1)


class Reader:
    """A model that runs, and whose outputs are read as its task reads them.

    Parameters
    ----------
    model : Model
    recipe : PreprocessRecipe
        Of the model's one image.
    task, runtime, target, precision
        As for `Pipeline`.
    """

    def __init__(
        self,
        model: Model,
        recipe: PreprocessRecipe,
        *,
        task: str | None = None,
        runtime: str | Runtime | None = None,
        target: str | int | None = None,
        precision: Precision | None = None,
    ) -> None:
        self._model, self._runtime = model, runtime
        self._target, self._precision = target, precision
        pipeline = kept_pipeline(
            model,
            target,
            precision=precision,
            recipe=recipe,
            scores=True,
            task=task,
            runtime=runtime,
        )
        self.reading = pipeline.reading

    @contextmanager
    def running(self) -> Iterator[_Run]:
        """Load the model, and yield what runs it."""
        with WasiNnCtx(self._runtime, precision=self._precision, keep=None) as ctx:
            graph = ctx.load(self._model.files, self._model.encoding, self._target)
            yield _Run(self, ctx, ctx.init_execution_context(graph))

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the model's classes."""
        return self.reading.card.classes

    def planes(self, output: Tensor) -> NDArray[np.float32]:
        """Return the values of an output of the model as (C, H, W), whatever their layout is."""
        head = replace(self.reading.head, reduce="none", keep=True)
        planes: NDArray[np.float32] = head.apply(output)[0].to_array()[0]
        return planes

    def read(self, planes: NDArray[np.float32], given: Given | None = None) -> Result | None:
        """Return the result that the task makes of an output; None where it makes none, as of NaN.

        Parameters
        ----------
        planes : (C, H, W) float32 array
        given : Given, optional
            What the result is to be compared with.
        """
        head = replace(self.reading.head, channels_last=False, quantization=None)
        recipe = None if given is None or given.result is None else given.result.origin.recipe
        size = (1, 1) if given is None else given.size
        origin = Origin(self.reading.card.name, recipe=recipe)
        try:
            outputs = head.apply(Tensor.from_array(planes[None]))
            return self.reading.result(outputs, None, origin, {}, size=size)
        except TensorError:
            return None

    def compared(self, planes: NDArray[np.float32], given: Given) -> NDArray[Any] | None:
        """Return what an output gives in the form of *given*; None where it gives none."""
        if not given.labels and not given.saved:
            return planes
        found = self.read(planes, given)
        if not isinstance(found, SegmentationResult):
            return None
        return found.labels if given.labels else found.scores

    def given(self, value: Any, image: ImageSource) -> Given:
        """Return an output that a program gave in the form in which it is compared.

        Parameters
        ----------
        value : Tensor, array, SegmentationResult or ClassificationResult
        image : path, bytes, binary file, PIL.Image or array
            What the output was made for.

        Raises
        ------
        InvalidArgumentError
            If it is of another size than the model's output.
        """
        if isinstance(value, SegmentationResult):
            upright = open_image(image, "ignore" if value.recipe is None else value.recipe.exif)
            labels = value.scores is None
            values = value.labels if value.scores is None else value.scores
            size = upright.height, upright.width
            return Given(values, labels, value, saved=True, size=size)
        head = self.reading.head
        if isinstance(value, ClassificationResult):
            assert value.scores is not None  # noqa: S101 - set by its `__post_init__`
            array: NDArray[Any] = value.scores
        else:
            array = value.to_array() if isinstance(value, Tensor) else value
        shape, planes = _sides(array.shape), _sides(head.planes)
        channels, height, width = head.planes
        if shape == _sides((height, width)) and self._holds_labels(array):
            return Given(array.reshape(height, width), labels=True)
        if array.size != math.prod(planes):
            mask = ", or a mask of it" if height * width > 1 else ""
            raise InvalidArgumentError(
                f"expected an output of the model's own size, {channels}x{height}x{width} "
                f"(classes, height, width){mask}, got {'x'.join(map(str, array.shape))}; a resized "
                f"one cannot be compared"
            )
        if head.channels_last and shape == planes != _sides((height, width, channels)):
            scores = array.reshape(head.planes).astype(np.float32)
        else:
            scores = self.planes(Tensor.from_array(array))
        return Given(scores, labels=False, result=self.read(scores))

    def _holds_labels(self, array: NDArray[Any]) -> bool:
        """Whether an array of the mask's size holds labels rather than the scores of one class."""
        head = self.reading.head
        if math.prod(head.planes[1:]) == 1:
            return False
        if head.planes[0] > 1 or head.reduce == "labels":
            return True
        return bool(np.isin(array, (0, 1)).all())


class _Run:
    """One execution context of a model."""

    def __init__(self, reader: Reader, ctx: WasiNnCtx, context: int) -> None:
        self._reader, self._ctx, self._context = reader, ctx, context

    def __call__(self, tensor: Tensor) -> NDArray[np.float32]:
        """Return what the model gives for an input: (C, H, W)."""
        self._ctx.set_input(self._context, 0, tensor)
        self._ctx.compute(self._context)
        output = self._ctx.get_output(self._context, self._reader.reading.head.output)
        return self._reader.planes(output)


def _sides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(side for side in shape if side != 1)
