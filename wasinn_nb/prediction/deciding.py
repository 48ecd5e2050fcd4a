"""What decides the results of a run, and so the run that they belong to."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from wasinn_nb.cards import ModelCard
from wasinn_nb.origin import Origin
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.schema import FORMAT
from wasinn_nb.tasks import Result

__all__ = ["key_of", "stated_by", "stated_of"]

_KEY_DIGITS: Final = 16


def key_of(pipeline: Pipeline) -> str:
    """Return the key of the run that the results of a pipeline belong to: 16 digits."""
    return _key(_decides(pipeline))


def stated_by(pipeline: Pipeline) -> dict[str, Any]:
    """Return what ``origin.json`` states of a run of a pipeline."""
    reading = pipeline.reading
    return _stated(
        reading.task, pipeline.origin, reading.card, pipeline.assumed, _decides(pipeline)
    )


def stated_of(result: Result, task: str) -> dict[str, Any]:
    """Return what ``origin.json`` states of a run that results are put into.

    Parameters
    ----------
    result : Result
        One of them.
    task : str
    """
    decides = {
        **_by_origin(task, result.origin, result.card),
        "threshold": getattr(result, "threshold", None),
        "output": None,
    }
    return _stated(task, result.origin, result.card, result.assumed, decides)


def _stated(
    task: str, origin: Origin, card: ModelCard, assumed: Sequence[str], decides: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "key": _key(decides),
        "task": task,
        "origin": origin.to_dict(),
        "card": card.to_dict(),
        "assumed": list(assumed),
        "threshold": decides["threshold"],
        "decides": decides,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
    }


def _decides(pipeline: Pipeline) -> dict[str, Any]:
    reading, origin = pipeline.reading, pipeline.origin
    one_class = getattr(getattr(reading, "output", None), "scale", "") == "one class"
    return {
        **_by_origin(reading.task, origin, reading.card),
        "threshold": getattr(reading, "threshold", None) if one_class else None,
        "output": reading.head.output,
    }


def _key(decides: Mapping[str, Any]) -> str:
    text = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


def _by_origin(task: str, origin: Origin, card: ModelCard) -> dict[str, Any]:
    return {
        "task": task,
        "files": sorted(origin.files.values()) or origin.model,
        "recipe": None if origin.recipe is None else origin.recipe.to_dict(),
        "precision": origin.precision,
        "target": origin.target,
        "runtime": origin.runtime,
        "classes": list(card.classes),
    }
