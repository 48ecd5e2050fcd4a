"""What a gallery is given: a store, results, or an evaluation, and the code that opens it again."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.evaluation import ClassificationEvaluation, Evaluation, JudgedRows, evaluate
from wasinn_nb.files import expanded, is_folder
from wasinn_nb.prediction import (
    Predictions,
    gather_results,
    is_store,
    near_store,
    read_predictions,
)
from wasinn_nb.progress import Progress
from wasinn_nb.tasks import near_results

__all__ = [
    "arguments_of",
    "backgrounds",
    "disagreement_of",
    "judged",
    "made_by",
    "opened",
    "refuse_other_truths",
]

_MOST_PATHS: Final = 20


def opened(given: Any, what: str, progress: Progress) -> tuple[Predictions, str]:
    """Return the predictions that are given, and the Python that makes them.

    Parameters
    ----------
    given : Predictions, path, evaluation, or what `gather_results` takes
    what : str
        What it is, for errors and for the code where nothing else names it.
    progress : bool or callable
        While what an evaluation judged is gathered.

    Raises
    ------
    MissingFileError
        If a path leads neither to a store nor to a folder of saved results.
    InvalidArgumentError
        If it is anything else, or an evaluation that does not know its predictions; and as
        `gather_results`.
    """
    if isinstance(given, Evaluation | ClassificationEvaluation):
        if given.rows is None:
            raise InvalidArgumentError(
                "this evaluation does not know what it judged: pass what evaluate() returned, or "
                "the predictions and the evaluation: wn.Gallery(predictions, evaluation)"
            )
        found = given.rows.predictions(progress)
        return found, _stored(found, what) or "evaluation.predictions"
    if isinstance(given, Predictions):
        return given, _stored(given, what)
    if isinstance(given, str | os.PathLike):
        if is_store(given) or not is_folder(expanded(given)):
            found = read_predictions(given)
            return found, _stored(found, what)
        try:
            return gather_results(given), f"wn.gather_results({os.fspath(given)!r})"
        except MissingFileError as error:
            folder = expanded(given)
            near = near_store(folder) or near_results(folder)
            raise MissingFileError(
                f"neither a store nor saved results at {os.fspath(given)}; "
                f"{near or 'predict() and result.save() write them'}"
            ) from error
    try:
        found = gather_results(given)
    except InvalidArgumentError as error:
        raise InvalidArgumentError(
            f"expected Predictions, results, or the folder of a store as {what}: {error}"
        ) from error
    name = "results" if what == "predictions" else what
    return found, f"wn.gather_results({name})"


def refuse_other_truths(truths: Any) -> None:
    """Refuse truths beside an evaluation."""
    if truths is not None:
        raise InvalidArgumentError("an evaluation has its truths already; leave truths out")


def judged(
    predictions: Predictions, truths: Any, how: Mapping[str, Any], progress: Progress
) -> tuple[JudgedRows | None, Evaluation | ClassificationEvaluation | None]:
    """Return the evaluation, and what it judged if that are these predictions, as of `Gallery`.

    Raises
    ------
    InvalidArgumentError, ImageError, MissingFileError, TensorError
        As :func:`wasinn_nb.evaluate`.
    """
    if truths is None or isinstance(truths, Evaluation | ClassificationEvaluation):
        if any(value is not None for value in how.values()):
            raise InvalidArgumentError(
                "mapping, ignore, classes and suffix say how truths are read; pass truths, or "
                "leave them out"
            )
        rows = None if truths is None else truths.rows
        return (None if rows is None or not rows.are(predictions) else rows), truths
    found = evaluate(predictions, truths, worst=0, progress=progress, **how)
    return found.rows, found


def made_by(evaluation: Evaluation | ClassificationEvaluation | None) -> str:
    """Return the code that makes an evaluation; empty where there is none."""
    return "" if evaluation is None or evaluation.rows is None else evaluation.rows.code


def _stored(found: Predictions, what: str) -> str:
    """Return the code that reads these rows; empty where it would read others, or none."""
    if found.temporary:
        return "" if what == "predictions" else what
    store, run = str(found.folder.parent), found.folder.name
    if what == "predictions" and len(read_predictions(store, run)) != len(found):
        return ""
    return f"wn.read_predictions({store!r}, {run!r})"


def disagreement_of(
    predictions: Predictions, other: Predictions | None, progress: Progress
) -> NDArray[np.float64] | None:
    """Return how far each row disagrees with another run; NaN where that has no result for it.

    Of masks, the part of the pixels that have another class.  Of a classifier, where the classes
    differ, the lower one of their probabilities: 0 where they are the same.
    """
    if other is None:
        return None
    found = predictions.compare(other, progress=progress)
    disagreements = 1.0 - found.agreements
    if found.sure is not None:
        disagreements *= found.sure
    by_name = dict(zip(found.names, disagreements.tolist(), strict=True))
    return np.array([by_name.get(name, math.nan) for name in predictions.table(["name"])["name"]])


def arguments_of(truths: Any, other: str, how: Mapping[str, Any]) -> str:
    """Return the arguments beside the predictions, as code; what has no short text is named."""
    parts = []
    if isinstance(truths, Evaluation | ClassificationEvaluation):
        parts.append("truths=evaluation")
    elif truths is not None:
        parts.append(f"truths={_paths(truths) or 'truths'}")
    if other:
        parts.append(f"other={other}")
    parts += [f"{name}={value!r}" for name, value in how.items() if value is not None]
    return "".join(f", {part}" for part in parts)


def backgrounds(
    predictions: Predictions, evaluation: Evaluation | ClassificationEvaluation | None
) -> list[str]:
    """Return the classes that are not drawn at first: the background, also as it is evaluated."""
    card = predictions.card
    if predictions.task != "segmentation" or card.background is None:
        return []
    names = [card.classes[card.background]]
    if isinstance(evaluation, Evaluation):
        known = evaluation.class_map
        names += known.names[(index := int(known.from_predicted[card.background])) : index + 1]
    return list(dict.fromkeys(names))


def _paths(truths: Any) -> str:
    """Return a path, or a few by name, as code; empty for anything else."""
    if isinstance(truths, str | os.PathLike):
        return repr(os.fspath(truths))
    few = isinstance(truths, Mapping) and len(truths) <= _MOST_PATHS
    if few and all(isinstance(one, str | os.PathLike) for one in truths.values()):
        return repr({name: os.fspath(path) for name, path in truths.items()})
    return ""
