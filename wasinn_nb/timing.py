"""How long pipelines take, step by step and in turn, and whether their masks are the same."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, overload

import numpy as np

from wasinn_nb import settings
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.pictures import ImageSource
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.tables import html_table, percent, text_table

__all__ = ["STEPS", "PipelineTimes", "Timings", "bench", "milliseconds"]

STEPS: Final[Mapping[str, str]] = {
    "read": "read",
    "preprocess": "preprocess",
    "infer": "infer and argmax",
}
"""The steps of a pipeline's timings, and their names for people."""

FEWEST_ROUNDS: Final = 3


def milliseconds(seconds: float) -> str:
    """Return seconds as text.

    Examples
    --------
    >>> milliseconds(0.0401)
    '40.1 ms'
    """
    return f"{1000 * seconds:.1f} ms"


@dataclass(frozen=True, slots=True)
class PipelineTimes:
    """The times of one pipeline.

    Parameters
    ----------
    model, target, precision, resize : str
        What ran, and where it really ran.
    load_seconds : float
        How long reading and compiling the model took.
    first : mapping of str to float
        Seconds per step of its first run, which is often slower and is in no median.
    rounds : tuple of mappings of str to float
        Seconds per step of the later runs.
    same_pixels : float or None
        Part of the pixels, 0 to 1, that have the class that the first pipeline gave them; None
        where sizes or classes are others.
    """

    model: str
    target: str
    precision: str
    resize: str
    load_seconds: float
    first: Mapping[str, float]
    rounds: tuple[Mapping[str, float], ...]
    same_pixels: float | None

    @property
    def seconds(self) -> tuple[float, ...]:
        """Seconds from file to mask, one for each round."""
        return tuple(sum(steps.values()) for steps in self.rounds)

    def median(self, step: str) -> float:
        """Return the median of one step in seconds."""
        return statistics.median(steps[step] for steps in self.rounds)


class Timings(Sequence[PipelineTimes]):
    """Times of pipelines that ran in turn, as an immutable sequence that prints as a table.

    Parameters
    ----------
    image : str
        What they ran on.
    times : iterable of PipelineTimes
        One or more, as many rounds each; the others are compared with the first.

    Examples
    --------
    >>> def of(model, *infer):
    ...     rounds = tuple({"read": 0.01, "preprocess": 0.0, "infer": one} for one in infer)
    ...     return PipelineTimes(model, "CPU", "f32", "bilinear", 0.25, rounds[0], rounds, 1.0)
    >>> timings = Timings("photo.jpg", [of("a", 0.03, 0.09, 0.07), of("b", 0.01, 0.04, 0.03)])
    >>> [round(one, 2) for one in timings.ratio(1)]
    [0.5, 0.5, 0.5]
    >>> print(timings)
    photo.jpg: 3 rounds in turn; medians in milliseconds, ratios with quartiles
    model  ran on    load   read  preprocess  infer and argmax  file to mask  ratio             same pixels
    a      CPU, f32  250.0  10.0  0.0         70.0              80.0          1
    b      CPU, f32  250.0  10.0  0.0         30.0              40.0          0.50 (0.50-0.50)  100.00 %
    """  # noqa: E501 - a table

    __slots__ = ("_image", "_times")

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

        Each round's time from file to mask is divided by the first pipeline's in the same round,
        so that a machine that slows down meanwhile changes little.
        """
        ours, peer = self._times[index].seconds, self._times[0].seconds
        ratios = [one / other for one, other in zip(ours, peer, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return low, middle, high

    @property
    def _caption(self) -> str:
        rounds = len(self._times[0].rounds)
        if len(self) == 1:
            return f"{self._image}: {rounds} rounds; medians in milliseconds"
        how = "medians in milliseconds, ratios with quartiles"
        return f"{self._image}: {rounds} rounds in turn; {how}"

    def _table(self) -> tuple[list[str], list[list[str]]]:
        # A column that says the same in every row says nothing.
        resizes = len({one.resize for one in self._times}) > 1
        headers = ["model", "ran on", *(["resize"] if resizes else []), "load", *STEPS.values()]
        headers += ["file to mask", *(["ratio", "same pixels"] if len(self) > 1 else [])]
        rows = []
        for index, one in enumerate(self._times):
            row = [one.model, f"{one.target}, {one.precision}"]
            row += [one.resize] if resizes else []
            times = (one.load_seconds, *map(one.median, STEPS), statistics.median(one.seconds))
            row += [f"{1000 * seconds:.1f}" for seconds in times]
            if index:
                low, middle, high = self.ratio(index)
                row.append(f"{middle:.2f} ({low:.2f}-{high:.2f})")
                row.append("-" if one.same_pixels is None else percent(one.same_pixels))
            elif len(self) > 1:
                row += ["1", ""]
            rows.append(row)
        return headers, rows

    def __repr__(self) -> str:
        return f"{self._caption}\n{text_table(*self._table())}"

    def _repr_html_(self) -> str:
        return html_table(*self._table(), caption=self._caption)


def bench(
    pipelines: Pipeline | Iterable[Pipeline],
    image: ImageSource | None = None,
    *,
    rounds: int = 20,
    progress: Progress = True,
) -> Timings:
    """Time pipelines on one image, in turn, and compare their masks.

    In every round each pipeline runs once, so that ratios hold where the machine's speed drifts.
    First runs are kept apart.

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
    pipelines = list(pipelines) if isinstance(pipelines, Iterable) else [pipelines]
    if not pipelines or not all(isinstance(one, Pipeline) for one in pipelines):
        raise InvalidArgumentError(
            f"expected pipelines, got {pipelines!r:.120}; wasinn_nb.Pipeline makes one of a model"
        )
    if not isinstance(rounds, int) or rounds < FEWEST_ROUNDS:
        raise InvalidArgumentError(
            f"expected at least {FEWEST_ROUNDS} rounds, for quartiles; got {rounds!r}"
        )
    firsts = [pipeline(image) for pipeline in pipelines]
    later: list[list[Mapping[str, float]]] = [[] for _ in pipelines]
    # The bar moves between rounds, when no clock runs.
    turns = range(rounds)
    for _ in progress_bar(turns, progress=progress, desc="bench", unit="round", leave=False):
        for pipeline, timings in zip(pipelines, later, strict=True):
            timings.append(dict(pipeline(image).timings))
    peer = firsts[0]

    def same_pixels(index: int) -> float | None:
        result = firsts[index]
        if result.labels.shape != peer.labels.shape or result.card.classes != peer.card.classes:
            return None
        return float(np.mean(result.labels == peer.labels))

    return Timings(
        _named(image),
        (
            PipelineTimes(
                pipeline.model.name,
                pipeline.target,
                pipeline.precision,
                pipeline.recipe.resize,
                pipeline.load_seconds,
                dict(firsts[index].timings),
                tuple(later[index]),
                same_pixels(index),
            )
            for index, pipeline in enumerate(pipelines)
        ),
    )


def _named(image: ImageSource | None) -> str:
    given = settings.default("image") if image is None else image
    return Path(given).name if isinstance(given, str | os.PathLike) else type(given).__name__
