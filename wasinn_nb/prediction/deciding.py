"""What decides the results of a run, and so the run that they belong to."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any, Final

from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.schema import FORMAT

__all__ = ["key_of", "stated_by"]

_KEY_DIGITS: Final = 16


def key_of(pipeline: Pipeline) -> str:
    """Return the key of the run that the results of a pipeline belong to: 16 digits."""
    text = json.dumps(_decides(pipeline), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


def stated_by(pipeline: Pipeline) -> dict[str, Any]:
    """Return what ``origin.json`` states of a run of a pipeline."""
    decides = _decides(pipeline)
    return {
        "format": FORMAT,
        "key": key_of(pipeline),
        "task": pipeline.reading.task,
        "origin": pipeline.origin.to_dict(),
        "card": pipeline.reading.card.to_dict(),
        "assumed": list(pipeline.assumed),
        "threshold": decides["threshold"],
        "decides": decides,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
    }


def _decides(pipeline: Pipeline) -> dict[str, Any]:
    reading, origin = pipeline.reading, pipeline.origin
    one_class = getattr(getattr(reading, "output", None), "scale", "") == "one class"
    return {
        "task": reading.task,
        "files": sorted(origin.files.values()) or origin.model,
        "recipe": None if origin.recipe is None else origin.recipe.to_dict(),
        "precision": origin.precision,
        "target": origin.target,
        "runtime": origin.runtime,
        "classes": list(reading.card.classes),
        "threshold": getattr(reading, "threshold", None) if one_class else None,
        "output": reading.head.output,
    }
