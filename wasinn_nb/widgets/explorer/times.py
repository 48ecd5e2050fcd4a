"""How long a pipeline's steps took: its first run apart from the later ones."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final
from weakref import WeakKeyDictionary

from wasinn_nb import settings
from wasinn_nb.benchmark import STEPS
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.viewer import WidgetResult
from wasinn_nb.wording import milliseconds

__all__ = ["PipelineTimes", "RunTimes", "where"]

_MOST_KEPT: Final = 50


class RunTimes:
    """Seconds per step of one pipeline: its first run, and the later ones.

    Parameters
    ----------
    load_seconds : float
        How long reading and compiling the model took.
    made : str
        What the pipeline makes: ``"mask"`` or ``"result"``.

    Examples
    --------
    >>> times = RunTimes(0.25)
    >>> for infer in (0.05, 0.02, 0.04):
    ...     times.add({"read": 0.01, "preprocess": 0.0, "infer": infer})
    >>> for row in times.rows():
    ...     print(*row, sep=" | ")
     | first run | last run | median of 2
    read | 10.0 ms | 10.0 ms | 10.0 ms
    preprocess | 0.0 ms | 0.0 ms | 0.0 ms
    infer and argmax | 50.0 ms | 40.0 ms | 30.0 ms
    file to mask | 60.0 ms | 50.0 ms | 40.0 ms
    load and compile | 250.0 ms
    """

    def __init__(self, load_seconds: float, made: str = "mask") -> None:
        self._load_seconds = load_seconds
        self.made = made
        self._first: Mapping[str, float] = {}
        self._later: deque[Mapping[str, float]] = deque(maxlen=_MOST_KEPT)

    @property
    def fresh(self) -> bool:
        """Whether there was one run only."""
        return not self._later

    @property
    def last(self) -> float:
        """The last run's seconds, from file to result."""
        return sum((self._later[-1] if self._later else self._first).values())

    def add(self, timings: Mapping[str, float]) -> None:
        """Take in the seconds per step of a run."""
        if self._first:
            self._later.append(timings)
        else:
            self._first = timings

    def rows(self) -> list[list[str]]:
        """Return a table of text: step, first run, last run, median of the later ones."""
        count = len(self._later)
        head = ["", "first run"] + (["last run", f"median of {count}"] if count else [])
        titles = STEPS if self.made == "mask" else {**STEPS, "infer": "infer"}
        steps = [(title, self._of(step)) for step, title in titles.items()]
        whole = [sum(column) for column in zip(*(seconds for _, seconds in steps), strict=True)]
        return [
            head,
            *([title, *_cells(seconds)] for title, seconds in steps),
            [f"file to {self.made}", *_cells(whole)],
            ["load and compile", milliseconds(self._load_seconds)],
        ]

    def _of(self, step: str) -> list[float]:
        return [timings[step] for timings in (self._first, *self._later)]


def _cells(seconds: list[float]) -> list[str]:
    """Return first, last and median of the later ones, as far as there are any."""
    first, *later = seconds
    chosen = [first, later[-1], statistics.median(later)] if later else [first]
    return [milliseconds(one) for one in chosen]


class PipelineTimes:
    """The times of pipelines, as long as they are kept."""

    def __init__(self) -> None:
        self._times: WeakKeyDictionary[Pipeline, RunTimes] = WeakKeyDictionary()

    def add(self, pipeline: Pipeline, result: WidgetResult) -> None:
        """Take in the seconds per step of a run."""
        made = "mask" if isinstance(result, SegmentationResult) else "result"
        new = RunTimes(pipeline.load_seconds, made)
        self._times.setdefault(pipeline, new).add(result.timings)

    def summary(self, pipelines: Sequence[Pipeline]) -> str:
        """Return how long the last run of each took, in words."""
        times = [self._times[pipeline] for pipeline in pipelines]
        seconds = " | ".join(milliseconds(one.last) for one in times)
        made = " and ".join(dict.fromkeys(one.made for one in times))
        return f"{seconds} from file to {made}" + (" (first run)" if times[0].fresh else "")

    def tables(self, pipelines: Sequence[Pipeline]) -> list[tuple[str, list[list[str]]]]:
        """Return a table of text for each, with its title."""
        return [
            (f"{pipeline.model.name}, {where(pipeline)}", self._times[pipeline].rows())
            for pipeline in pipelines
        ]


def where(pipeline: Pipeline) -> str:
    """Return where a pipeline runs, and on which runtime where that is not the default."""
    named = () if pipeline.runtime == settings.default("runtime") else (pipeline.runtime,)
    return ", ".join([pipeline.target, pipeline.precision, *named])
