"""How long pipelines take, step by step and in turn, and whether their results are the same."""

from __future__ import annotations

import dataclasses
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, overload

import numpy as np

from wasinn_nb import settings
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import ImageSource
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.render import Column, Document, Paragraph, Showing, Table
from wasinn_nb.tasks import Result
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.wording import inert, percent

__all__ = ["STEPS", "PipelineTimes", "Timings", "bench"]

STEPS: Final[Mapping[str, str]] = {
    "read": "read",
    "preprocess": "preprocess",
    "infer": "infer and argmax",
}
"""The steps of a pipeline's timings, and their names for people."""

FEWEST_ROUNDS: Final = 3


class _Words(NamedTuple):
    """What the columns of a table are called for results of one kind."""

    infer: str
    whole: str
    same: str


_OTHER: Final = _Words("infer", "file to result", "same result")
_WORDS: Final = {
    "segmentation": _Words(STEPS["infer"], "file to mask", "same pixels"),
    "classification": _OTHER._replace(same="same top class"),
}


@dataclass(frozen=True, slots=True)
class PipelineTimes:
    """The times of one pipeline.

    Parameters
    ----------
    model, target, precision, resize : str
        What ran, and where and in which precision it really ran.
    load_seconds : float
        How long reading and compiling the model took.
    first : mapping of str to float
        Seconds per step of its first run, which is often slower and is in no median.
    rounds : tuple of mappings of str to float
        Seconds per step of the later runs.
    same_pixels : float or None
        Of masks: part of the pixels, 0 to 1, that have the class that the first pipeline gave
        them; None where sizes or classes are others, or the results are not masks.
    same_top_class : bool or None
        Of classifications: whether the most probable class is the first pipeline's; None where
        the classes are others, or the results are not classifications.
    runtime : str
        The engine that ran.
    task : str
        What the results are: ``"segmentation"``, ``"classification"``, or another task.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    model_cache : Path or None
        The folder that the compiled model is from, where it was not compiled now.
    weights : str
        ``"INT8"`` of a model that is quantized: its layers compute with 8 bits, all else in
        *precision*.
    """

    model: str
    target: str
    precision: str
    resize: str
    load_seconds: float
    first: Mapping[str, float]
    rounds: tuple[Mapping[str, float], ...]
    same_pixels: float | None
    same_top_class: bool | None = None
    runtime: str = "openvino"
    task: str = "segmentation"
    assumed: tuple[str, ...] = ()
    model_cache: Path | None = None
    weights: str = ""

    @property
    def seconds(self) -> tuple[float, ...]:
        """Seconds from file to result, one for each round."""
        return tuple(sum(steps.values()) for steps in self.rounds)

    def median(self, step: str) -> float:
        """Return the median of one step in seconds."""
        return statistics.median(steps[step] for steps in self.rounds)


class Timings(Showing, Sequence[PipelineTimes], arrays="take .records()"):
    """Times of pipelines that ran in turn, as an immutable sequence that prints as a table.

    Parameters
    ----------
    image : str
        What they ran on.
    times : iterable of PipelineTimes
        One or more, as many rounds each; the others are compared with the first.

    Examples
    --------
    >>> from wasinn_nb.benchmark import PipelineTimes
    >>> def of(model, *infer):
    ...     rounds = tuple({"read": 0.01, "preprocess": 0.0, "infer": one} for one in infer)
    ...     return PipelineTimes(model, "CPU", "f32", "bilinear", 0.25, rounds[0], rounds, 1.0)
    >>> timings = wn.Timings("image.jpg", [of("a", 0.03, 0.09, 0.07), of("b", 0.01, 0.04, 0.03)])
    >>> [round(one, 2) for one in timings.ratio(1)]
    [0.5, 0.5, 0.5]
    >>> print(timings)
    image.jpg: 3 rounds in turn; medians in milliseconds; ratios are medians of paired rounds
    model  ran on     load  read  preprocess  infer and argmax  file to mask  ratio  quartiles  same pixels
    a      CPU, f32  250.0  10.0         0.0              70.0          80.0   1.00
    b      CPU, f32  250.0  10.0         0.0              30.0          40.0   0.50  0.50-0.50     100.00 %
    """  # noqa: E501 - a table

    __slots__ = ("_image", "_times")
    _WIDTH: ClassVar[int] = 160

    def __init__(self, image: str, times: Iterable[PipelineTimes]) -> None:
        self._image = image
        self._times = tuple(times)

    @overload
    def __getitem__(self, index: int) -> PipelineTimes: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PipelineTimes]: ...

    def __getitem__(self, index: int | slice) -> PipelineTimes | Sequence[PipelineTimes]:
        return self._times[index]

    def __len__(self) -> int:
        return len(self._times)

    def ratio(self, index: int) -> tuple[float, float, float]:
        """Return lower quartile, median and upper quartile of the time against the first's.

        Each round's time from file to result is divided by the first pipeline's in the same round,
        so that a machine that slows down meanwhile changes little.

        Parameters
        ----------
        index : int
            Of the pipeline.
        """
        ours, peer = self._times[index].seconds, self._times[0].seconds
        ratios = [one / other for one, other in zip(ours, peer, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return low, middle, high

    def records(self) -> list[dict[str, Any]]:
        """Return the times of each pipeline as plain JSON values, with the ratio to the first."""
        return [
            {
                **dataclasses.asdict(times),
                "seconds": times.seconds,
                "ratio": dict(zip(("lower", "median", "upper"), self.ratio(index), strict=True)),
            }
            for index, times in enumerate(self._times)
        ]

    @property
    def _caption(self) -> str:
        rounds = len(self._times[0].rounds)
        if len(self) == 1:
            return f"{self._image}: {rounds} rounds; medians in milliseconds"
        how = "medians in milliseconds; ratios are medians of paired rounds"
        return f"{self._image}: {rounds} rounds in turn; {how}"

    def document(self) -> Document:
        """Return what there is to see: a row for each pipeline, and what is assumed."""
        remarks = map(Paragraph, [*self._assumptions(), *self._cached()])
        return Document(self._caption, [self._table(), *remarks])

    def _table(self) -> Table:
        words = [_WORDS.get(one.task, _OTHER) for one in self._times]
        titles = words[0] if len(set(words)) == 1 else _OTHER
        several = len(self) > 1
        same = list(dict.fromkeys(word.same for word in words)) if several else []
        extra = self._extra_columns
        steps = [titles.infer if step == "infer" else name for step, name in STEPS.items()]
        columns: list[Column | str] = ["model", "ran on", *extra]
        columns += [Column(name, ".1f") for name in ("load", *steps, titles.whole)]
        if several:
            columns += [Column("ratio", ".2f"), "quartiles"]
        columns += [Column(name, percent) for name in same]
        rows = []
        for index, one in enumerate(self._times):
            row: list[object] = [one.model, f"{one.target}, {one.precision}"]
            row += [getattr(one, column) for column in extra]
            times = (one.load_seconds, *map(one.median, STEPS), statistics.median(one.seconds))
            row += [1000 * seconds for seconds in times]
            if several:
                low, middle, high = self.ratio(index)
                row += [middle, f"{low:.2f}-{high:.2f}" if index else None]
            for column in same:  # the first is what the others are compared with
                row.append(_same(one) if index and column == words[index].same else None)
            rows.append(row)
        return Table(columns, rows)

    @property
    def _extra_columns(self) -> list[str]:
        """Columns for what is not the same in every row, and for weights of 8 bits."""
        columns = [
            column
            for column in ("runtime", "resize")
            if len({getattr(one, column) for one in self._times}) > 1
        ]
        return [*columns, "weights"] if any(one.weights for one in self._times) else columns

    def _assumptions(self) -> list[str]:
        """Return a line for each pipeline of whose model something is assumed."""
        extra = self._extra_columns
        return [
            f"assumed for {', '.join(names)}: {'; '.join(one.assumed)}"
            for one in self._times
            for known in [(one.model, one.target, one.precision, *(getattr(one, c) for c in extra))]
            for names in [filter(None, known)]
            if one.assumed
        ]

    def _cached(self) -> list[str]:
        """Return a line for each folder that compiled models are from."""
        folders = dict.fromkeys(one.model_cache for one in self._times if one.model_cache)
        return [
            f"loaded as compiled before, from {inert(str(folder))}: "
            + ", ".join(dict.fromkeys(o.model for o in self._times if o.model_cache == folder))
            for folder in folders
        ]


def _same(one: PipelineTimes) -> float | str:
    """Return whether a result is the first one's: a part of 1, or a word."""
    if one.same_pixels is not None:
        return one.same_pixels
    return {True: "yes", False: "no", None: "-"}[one.same_top_class]


def bench(
    pipelines: Pipeline | Iterable[Pipeline],
    image: ImageSource | None = None,
    *,
    rounds: int = 20,
    progress: Progress = True,
) -> Timings:
    """Time pipelines on one image, in turn, and compare their results.

    In every round each pipeline runs once, so that ratios hold where the machine's speed drifts.
    First runs are kept apart.  Pipelines may be of any task: masks are compared by the part of
    the pixels with the same class, classifications by their most probable class.

    Parameters
    ----------
    pipelines : Pipeline or iterable of Pipeline
        The others are compared with the first.
    image : path, name of a shipped image, bytes, PIL.Image or array, optional
        Default: ``WASINN_NB_IMAGE``, else a shipped one.
    rounds : int
        3 or more.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with rounds.

    Raises
    ------
    InvalidArgumentError
        If there is no pipeline, or there are too few rounds.
    ImageError, MissingFileError
        If the image cannot be read.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> timings = wn.bench([wn.Pipeline(), wn.Pipeline(resize="triangle")], rounds=3)
    >>> [(one.model, one.resize, len(one.rounds)) for one in timings]  # doctest: +NORMALIZE_WHITESPACE
    [('road-segmentation-synth-0001', 'bilinear', 3),
     ('road-segmentation-synth-0001', 'triangle', 3)]
    """  # noqa: E501 - the directive
    several = isinstance(pipelines, Iterable) and not isinstance(pipelines, str)
    pipelines = list(pipelines) if several else [pipelines]  # type: ignore[arg-type, list-item]
    if not pipelines or not all(isinstance(one, Pipeline) for one in pipelines):
        raise InvalidArgumentError(
            f"expected pipelines, got {pipelines!r:.120}; wasinn_nb.Pipeline makes one of a model"
        )
    if not isinstance(rounds, int) or rounds < FEWEST_ROUNDS:
        raise InvalidArgumentError(
            f"expected at least {FEWEST_ROUNDS} rounds, for quartiles; got {rounds!r}"
        )
    image = settings.default("image") if image is None else image  # which the table names
    firsts = [pipeline(image) for pipeline in pipelines]
    later: list[list[Mapping[str, float]]] = [[] for _ in pipelines]
    # The bar moves between rounds, when no clock runs.
    turns = range(rounds)
    for _ in progress_bar(turns, progress=progress, desc="bench", unit="round", leave=False):
        for pipeline, timings in zip(pipelines, later, strict=True):
            timings.append(dict(pipeline(image).timings))
    return Timings(
        _named(image),
        (
            PipelineTimes(
                pipeline.model.name,
                pipeline.target,
                pipeline.precision,
                pipeline.recipe.resize,
                pipeline.load_seconds,
                dict(first.timings),
                tuple(rounds_of_one),
                _same_pixels(first, firsts[0]),
                _same_top_class(first, firsts[0]),
                pipeline.runtime,
                _task(first),
                tuple(first.assumed),
                pipeline.model_cache,
                "INT8" if pipeline.model.stated.quantized else "",
            )
            for pipeline, first, rounds_of_one in zip(pipelines, firsts, later, strict=True)
        ),
    )


def _task(result: Result) -> str:
    if isinstance(result, SegmentationResult):
        return "segmentation"
    return "classification" if isinstance(result, ClassificationResult) else result.card.task


def _same_pixels(result: Result, peer: Result) -> float | None:
    if not isinstance(result, SegmentationResult) or not isinstance(peer, SegmentationResult):
        return None
    other_places = result.labels.shape != peer.labels.shape or result.covers != peer.covers
    if other_places or result.card.classes != peer.card.classes:
        return None
    return float(np.mean(result.labels == peer.labels))


def _same_top_class(result: Result, peer: Result) -> bool | None:
    if not isinstance(result, ClassificationResult) or not isinstance(peer, ClassificationResult):
        return None
    if result.card.classes != peer.card.classes:
        return None
    return result.top(1)[0].index == peer.top(1)[0].index


def _named(image: ImageSource) -> str:
    return Path(image).name if isinstance(image, str | os.PathLike) else type(image).__name__
