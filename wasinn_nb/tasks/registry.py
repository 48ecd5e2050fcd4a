"""The tasks that are installed, by name."""

from __future__ import annotations

from typing import Final, cast

from wasinn_nb import registry
from wasinn_nb.cards import FIVE_CALLS, ModelCard, Signature
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.tasks.base import Reading, Task
from wasinn_nb.tasks.outputs import UnreadableError

__all__ = ["reading_of", "task", "task_for", "tasks"]

GROUP: Final = "wasinn_nb.tasks"
UNKNOWN: Final = "unknown"


def tasks() -> tuple[str, ...]:
    """Return the names of the tasks that are registered.

    A package registers one as an entry point of the group ``wasinn_nb.tasks``: a class without
    parameters that is a `Task`.

    Examples
    --------
    >>> "segmentation" in tasks()
    True
    """
    return registry.names(GROUP)


def task(name: str) -> Task:
    """Return the task of that name.

    Raises
    ------
    InvalidArgumentError
        If no task has it; the error lists those that are known.

    Examples
    --------
    >>> task("detection")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: unknown task 'detection'; known are ...segmentation...
    """
    return cast("Task", registry.registered(GROUP, name))


def task_for(card: ModelCard, required: str | None = None) -> Task | None:
    """Return the task that a card's model is for.

    Parameters
    ----------
    card : ModelCard
    required : str, optional
        What the caller is about to do.

    Returns
    -------
    Task or None
        None where neither says it.

    Raises
    ------
    InvalidArgumentError
        If the card names another task than the required one, or one that is not known.
    """
    stated = card.task
    if stated == UNKNOWN:
        return None if required is None else task(required)
    found = task(stated)
    if required not in {None, stated}:
        raise InvalidArgumentError(
            f"the card of {card.name} says that its task is {stated}, not {required}",
            remedy=Remedy(
                f"use {found.call}, or pass a card with task={required!r}",
                [{"task": stated}],
            ),
        )
    return found


def reading_of(
    signature: Signature,
    card: ModelCard,
    recipe: PreprocessRecipe,
    required: Task | None = None,
    *,
    scores: bool = False,
) -> Reading:
    """Return how a model is read by the required task, or by the one that can read it.

    Parameters
    ----------
    signature : Signature
        What the model takes and gives at the recipe's size.
    card : ModelCard
    recipe : PreprocessRecipe
    required : Task, optional
        Default: the task that can read the outputs, where nothing states it.
    scores : bool
        Whether results are to keep the scores.

    Raises
    ------
    UnreadableError
        If that task cannot read the model; the error names the task that can, or the five calls.
    InvalidArgumentError
        If several readings fit, or the card does not fit; the error says how to choose.
    """
    names = [required.name] if required is not None else list(tasks())
    readings: dict[str, Reading] = {}
    reasons = []
    for name in names:
        try:
            readings[name] = task(name).read(signature, card, recipe, scores=scores)
        except UnreadableError as error:
            reasons.append(str(error))
    if len(readings) == 1:
        return next(iter(readings.values()))
    if readings:
        raise InvalidArgumentError(
            f"{card.name} can be read for {' and '.join(readings)}",
            remedy=Remedy(
                f"say which on its card: {' or '.join(f'task={name!r}' for name in readings)}",
                [{"task": name} for name in readings],
            ),
        )
    raise UnreadableError("; ".join(reasons), remedy=_remedy(signature, card, recipe, names))


def _remedy(
    signature: Signature, card: ModelCard, recipe: PreprocessRecipe, tried: list[str]
) -> Remedy:
    """Return what can be done with a model that the tasks that were tried cannot read."""
    for name in tasks():
        if name not in tried:
            try:
                task(name).read(signature, card.replace(classes=()), recipe, scores=False)
            except InvalidArgumentError:
                continue
            return Remedy(f"it can be read for {name}: use {task(name).call}", [{"task": name}])
    return FIVE_CALLS
