"""The native path, for any task and runtime: read, resize, infer, decode; compiled once."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, Final

import numpy as np
import PIL
from PIL import Image

from wasinn_nb import __version__, catalog, settings
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import (
    EncodedImage,
    ImageSource,
    PreprocessRecipe,
    Resize,
    formats_loading,
    ignored_orientation,
    open_for,
    pixels_to_tensor,
    read_encoded,
    reordered,
    resized_pixels,
    unused_bits,
)
from wasinn_nb.origin import Origin
from wasinn_nb.plan import Plan
from wasinn_nb.request import Prepared, Request
from wasinn_nb.runtimes import (
    Concurrency,
    Precision,
    ProcessGuard,
    Runtime,
    by_name,
    device_name,
    processors,
)
from wasinn_nb.runtimes import runtime as runtime_of
from wasinn_nb.tensor import Tensor

__all__ = ["Pipeline", "kept_pipeline"]

_MOST_KEPT: Final = 4
_kept: dict[tuple[object, ...], Pipeline] = {}
_kept_lock = threading.Lock()
_inherited: Final[list[dict[tuple[object, ...], Pipeline]]] = []
"""Pipelines of the parent process: freeing one would wait for threads that do not exist here."""


class Pipeline:
    """A model, compiled with as much of its preprocessing and head as the runtime takes over.

    With OpenVINO the graph of a segmentation model takes 8-bit pixels and gives 8-bit labels: no
    float tensor crosses into Python unless *scores* is set.  The result is that of the five
    WASI-NN calls on the tensor of the same recipe, value for value.

    A pickle holds what the pipeline was made from, with the paths of the model's files: unpickling
    compiles the model again.

    Parameters
    ----------
    model : str, path, Model or None
        As for :func:`wasinn_nb.model`.
    target : str or ExecutionTarget, optional
        ``"CPU"``, ``"GPU"``, ``"NPU"``, ``"AUTO"``.  Default: ``WASINN_NB_TARGET``, else CPU.
    precision : {"f32", "f16", "bf16", "device"}, optional
        What the graph computes in; ``device`` takes what the device prefers, and the result says
        which it was.  Default: ``WASINN_NB_PRECISION``, else f32.
    card : ModelCard or path, optional
        In place of the model's own.
    recipe : PreprocessRecipe or mapping, optional
        A whole recipe, or some of its fields, such as ``{"color": "RGB", "range": (0, 1)}``: the
        rest is the card's, else what the model's file states.  What nothing states is assumed: see
        :func:`wasinn_nb.cards.recipe_for`.
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}, optional
        Replaces the recipe's filter.
    scores : bool
        Keep the scores of every class in the results.
    task : str, optional
        What the model is for, where its card does not state it.  Default: what its outputs are.
    runtime : str or Runtime, optional
        The engine.  Default: ``WASINN_NB_RUNTIME``, else OpenVINO.
    confidence : bool
        Whether results say how sure the model was of them; see `SegmentationResult`.
    concurrency : Concurrency, optional
        Compile for many images at once, in place of for the shortest time of one.

    Attributes
    ----------
    model : Model
    recipe : PreprocessRecipe
    reading : Reading
        How the model's output is read.
    target, precision, runtime : str
        The device, the precision and the engine that really run.
    concurrency : Concurrency or None
        As it was passed.
    assumed : tuple of str
        What nothing states about the model, and is assumed.
    origin : Origin
        What makes the results, besides the images.
    load_seconds : float
        How long reading and compiling took.
    model_cache : Path or None
        The folder that the compiled model is from, where ``WASINN_NB_MODEL_CACHE`` names one and it
        was there already.

    Raises
    ------
    NotFoundError, MissingFileError, DownloadError
        If the model cannot be found or fetched.
    InvalidArgumentError
        If the target is not here, or the model does not take one image or is for another task.
    RuntimeFailure
        If the runtime cannot read or compile the model.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> pipeline = wn.Pipeline()
    >>> [pipeline(name).labels.shape for name in wn.images()[:2]]
    [(512, 896), (512, 896)]
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | catalog.Model | None = None,
        target: str | int | None = None,
        *,
        precision: Precision | None = None,
        card: ModelCard | str | os.PathLike[str] | None = None,
        recipe: PartialRecipe | None = None,
        resize: Resize | None = None,
        scores: bool = False,
        task: str | None = None,
        runtime: str | Runtime | None = None,
        confidence: bool = False,
        concurrency: Concurrency | None = None,
    ) -> None:
        self.model = catalog.model(model, card=card)
        engine = runtime_of(runtime)
        plan = Plan(self.model, recipe, task, resize=resize, scores=scores, measured=confidence)
        files = self.model.sha384  # of what is loaded now: it may be written anew later
        device, chosen = device_name(target), precision or settings.default("precision")
        self._arguments = {
            "model": self.model,
            "target": device,
            "precision": chosen,
            "recipe": recipe,
            "resize": resize,
            "scores": scores,
            "task": task,
            "runtime": by_name(engine),
            "confidence": confidence,
            "concurrency": concurrency,
        }
        many: dict[str, Any] = {}
        if concurrency is not None and "concurrency" in signature(engine.load).parameters:
            many = {"concurrency": concurrency}
        start = time.perf_counter()
        with formats_loading():
            self._graph = engine.load(
                self.model.files,
                self.model.encoding,
                device,
                chosen,
                input=plan.recipe_of,
                head=plan.head_of,
                **many,
            )
        self._request = Request(self._graph, plan.reading.head)
        self.load_seconds = time.perf_counter() - start
        self.model_cache: Path | None = getattr(self._graph, "model_cache", None)
        self.reading = plan.reading
        self.assumed = (*plan.assumed, *plan.reading.assumed_facts.values())
        self._assumed, self._exif_stated = plan.assumed, plan.exif_stated
        self.recipe = plan.recipe
        self.target = self._graph.device
        self.precision = self._graph.precision
        self.runtime = engine.name
        self.concurrency = concurrency
        self.origin = Origin(
            self.model.name,
            files,
            self.recipe,
            self.target,
            self.precision,
            self.runtime,
            {**versions(), **engine.versions},
        )
        # Where many images are run at once, each is prepared by a thread of its own already.
        self._threads = processors() if concurrency is None else 1
        self._lock = threading.Lock()
        self._guard = ProcessGuard("this pipeline")

    def __call__(self, image: ImageSource | None = None) -> Any:
        """Run the model on one image.

        Parameters
        ----------
        image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
            Default: ``WASINN_NB_IMAGE``, else a shipped one.

        Returns
        -------
        Result
            The task's, such as a `SegmentationResult` at the model's size, with the image and the
            seconds per step: ``read``, ``preprocess``, ``infer`` (the head included).

        Raises
        ------
        ImageError, MissingFileError
            If the image cannot be read.
        TensorError
            If the model gives values that mean nothing, such as NaN.
        RuntimeFailure
            If the runtime fails, or this process was forked from the one that made the pipeline.
        """
        prepared = self.prepare(image)
        started = time.perf_counter()
        with self._lock:  # one inference request: callers take turns
            outputs = self._request.run(prepared.tensor)
        return self.result(prepared, outputs, time.perf_counter() - started)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it was made from: parameters of `Pipeline`, which can be pickled."""
        return self._arguments

    def variant(self, **changes: Any) -> Pipeline:
        """Return another pipeline of the same model, compiled again.

        Parameters
        ----------
        **changes
            What differs: parameters of `Pipeline`.
        """
        return Pipeline(**{**self._arguments, **changes})

    def request(self) -> Request:
        """Make a request with memory of its own, for a thread of its own."""
        self._guard.check()
        return Request(self._graph, self.reading.head)

    def prepare(self, image: ImageSource | EncodedImage | None = None) -> Prepared:
        """Return an image as the model takes it; parameters and errors as of the call."""
        self._guard.check()
        recipe, chosen = self.recipe, ""
        if image is None or isinstance(image, str):
            given, image = image, catalog.image(image)
            chosen = "" if given else f"the image {image.stem}, as none was given"
        started = time.perf_counter()
        # A file is read once: what is kept is what was decoded, whoever writes it meanwhile.
        decoded = isinstance(image, Image.Image | np.ndarray)
        source = image if decoded else read_encoded(image)
        opened = open_for(source, recipe)
        if self._exif_stated:
            opened = opened._replace(ignored=1)
        depth = "" if recipe.bits else unused_bits(opened.content, source)
        notes = (chosen, depth, ignored_orientation(opened.ignored))
        read = time.perf_counter()
        pixels = resized_pixels(opened, recipe, self._threads)
        if self._graph.fuses_input:
            tensor = Tensor.adopt((1, *pixels.shape), "u8", reordered(pixels, recipe.color))
        else:
            tensor = pixels_to_tensor(pixels, recipe)
        prepared = time.perf_counter()
        seconds = {"read": read - started, "preprocess": prepared - read}
        kept = source.content if isinstance(source, EncodedImage) else source
        return Prepared(tensor, pixels, opened, kept, seconds, tuple(filter(None, notes)))

    def result(self, prepared: Prepared, outputs: Sequence[Tensor], seconds: float) -> Any:
        """Return what the outputs mean.

        Parameters
        ----------
        prepared : Prepared
        outputs : sequence of Tensor
            What :meth:`Request.run` returned for it.
        seconds : float
            How long that took.

        Raises
        ------
        TensorError
            If the model gives values that mean nothing, such as NaN.
        """
        return self.reading.result(
            outputs,
            prepared.source,
            self.origin,
            {**prepared.seconds, "infer": seconds},
            size=(prepared.opened.height, prepared.opened.width),
            assumed=(*self._assumed, *prepared.assumed),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # What it was made from; it is compiled again where it is unpickled.
        return _pipeline, (self._arguments,)

    def __repr__(self) -> str:
        return f"Pipeline({self.model.name}, {self.target}, {self.precision}, {self.recipe.resize})"


def _pipeline(arguments: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline of a pickle."""
    return Pipeline(**arguments)


def kept_pipeline(
    model: str | os.PathLike[str] | catalog.Model | None = None,
    target: str | int | None = None,
    *,
    precision: Precision | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    resize: Resize | None = None,
    scores: bool = False,
    task: str | None = None,
    runtime: str | Runtime | None = None,
) -> Pipeline:
    """Return the pipeline for these parameters, compiled once.

    The last four different ones are kept.  A file that was written anew, and another card, make
    another pipeline.  Parameters and errors are those of `Pipeline`.
    """
    found = catalog.model(model, card=card)
    engine = runtime_of(runtime)
    chosen = precision or settings.default("precision")
    key = (
        found.stamps,
        found.card,
        device_name(target),
        chosen,
        recipe if isinstance(recipe, PreprocessRecipe) else repr(recipe),
        resize,
        scores,
        task,
        engine.name,
    )
    try:
        hash(key)
    except TypeError as error:
        raise InvalidArgumentError(
            f"expected precision, resize and task as text and scores as True or False, got "
            f"{(chosen, resize, task, scores)!r:.200}"
        ) from error
    with _kept_lock:
        pipeline = _kept.pop(key, None) or Pipeline(
            found,
            target,
            precision=precision,
            recipe=recipe,
            resize=resize,
            scores=scores,
            task=task,
            runtime=engine,
        )
        _kept[key] = pipeline  # the newest is the last
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return pipeline


def _keep_none_in_child() -> None:
    """Let a forked process make pipelines of its own: the parent's cannot be used there."""
    global _kept, _kept_lock
    _inherited.append(_kept)
    _kept, _kept_lock = {}, threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_keep_none_in_child)


@functools.cache
def versions() -> Mapping[str, str]:
    """Return the versions of what prepares an image: this package, Pillow and NumPy."""
    return {"wasinn-nb": __version__, "pillow": PIL.__version__, "numpy": np.__version__}
