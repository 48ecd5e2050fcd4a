"""`describe`: a model before it runs."""

from __future__ import annotations

import os
from typing import Any, Final

from wasinn_nb import catalog
from wasinn_nb.cards import (
    UNNAMED_CLASS,
    ModelCard,
    PartialRecipe,
    Signature,
    card_code,
    is_bare,
    statements,
    unnamed_classes,
)
from wasinn_nb.catalog import Model
from wasinn_nb.errors import InvalidArgumentError, RuntimeFailure
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.inspection.code import (
    calls_code,
    files_code,
    given_card,
    given_recipe,
    model_code,
    path_of,
    task_code,
)
from wasinn_nb.inspection.description import ModelDescription, listed
from wasinn_nb.literals import literal
from wasinn_nb.plan import Plan
from wasinn_nb.runtimes import Runtime
from wasinn_nb.runtimes import runtime as runtime_of
from wasinn_nb.tasks import Reading, task, tasks

__all__ = ["describe"]

_MOST_NAMES: Final = 20


def describe(
    model: str | os.PathLike[str] | catalog.Model | None = None,
    *,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    runtime: str | Runtime | None = None,
) -> ModelDescription:
    """Say what a model takes and gives, what its file and card state, and what is assumed.

    Nothing is compiled.

    Parameters
    ----------
    model, card, recipe, runtime
        As for `Pipeline`.

    Returns
    -------
    ModelDescription
        Prints as text of at most 100 columns, which ends in the Python that runs the model.

    Raises
    ------
    NotFoundError, MissingFileError, DownloadError
        If the model cannot be found or fetched.
    RuntimeFailure, UnsupportedOperationError
        If the runtime cannot read it.
    RecipeError
        If the card or *recipe* holds what it cannot.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> wn.describe().reading["class axis"]
    '1, 4 classes'
    """
    found = catalog.model(model, card=card)
    engine = runtime_of(runtime)
    signature = engine.describe(found.files, found.encoding)
    path = path_of(model, found)
    read = _Read(engine, found, recipe, signature)
    given: dict[str, str] = {}
    if recipe is not None:
        given["recipe"] = given_recipe(recipe)
    if runtime is not None:
        given["runtime"] = literal(engine.name)
    reading: dict[str, str] = {}
    fields: dict[str, Any] = {}
    assumed, line = read.assumed, ""  # the same that a result has
    if read.reading is None:
        files = files_code(path, found)
        python = calls_code(files, found.encoding.name.lower(), signature, read.recipe, runtime)
    else:
        facts, marked = _reading_facts(read.reading, found), set(read.reading.assumed_facts)
        if read.others:
            facts["task"] += f" ({' and '.join(read.others)} fits too)"
            marked.add("task")
            assumed += (f"task: {facts['task']}",)
        fields = statements(assumed) | _unnamed(read.reading, found)
        if (fields or read.others) and found.card.task == "unknown":
            fields["task"] = read.reading.task
        reading = {
            name: f"{text}, assumed" if name in marked else text for name, text in facts.items()
        }
        held = isinstance(model, Model) and _card_source(found, None) == "given"
        start, passed = given_card(found.card if held and card is None else card)
        if fields:
            passed = card_code(path, fields, found.card, read.recipe, start=start)
            line = f"{passed}.write({literal(path)})"
        python = task_code(task(read.reading.task).call, model_code(model, found), given, passed)
    return ModelDescription(
        found.name,
        path,
        found.encoding,
        engine.name,
        signature.inputs,
        signature.outputs,
        found.stated,
        found.card,
        _card_source(found, card),
        "" if read.reading is None else read.reading.task,
        read.recipe,
        reading,
        assumed,
        fields,
        "" if read.error is None else str(read.error),
        line,
        python,
        read.error,
    )


class _Read:
    """How a model would be read: its recipe and reading, or why no task reads it."""

    recipe: PreprocessRecipe | None = None
    reading: Reading | None = None
    others: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    error: InvalidArgumentError | RuntimeFailure | None = None

    def __init__(
        self, engine: Runtime, model: Model, recipe: PartialRecipe | None, signature: Signature
    ) -> None:
        plan = self._plan(engine, model, recipe, signature)
        if plan is None:
            # Where several tasks can read it, its card says which; segmentation is assumed.
            named = {name: self._plan(engine, model, recipe, signature, name) for name in tasks()}
            fitting = {name: plan for name, plan in named.items() if plan is not None}
            first = "segmentation" if "segmentation" in fitting else next(iter(fitting), "")
            plan = fitting.pop(first) if fitting else None
            self.others = tuple(fitting)
        if plan is not None:
            self.error = None
            self.reading = plan.reading
            self.assumed = (*plan.assumed, *plan.reading.assumed_facts.values())

    def _plan(
        self,
        engine: Runtime,
        model: Model,
        recipe: PartialRecipe | None,
        signature: Signature,
        required: str | None = None,
    ) -> Plan | None:
        """Return how a task reads the model; None, and the reason, where it does not."""
        try:
            plan = Plan(model, recipe, required)
            self.recipe = plan.recipe_of(signature)
            self.assumed = plan.assumed
            ports = (*signature.inputs, *signature.outputs)
            if any(port.fixed_dimensions is None for port in ports):
                signature = engine.describe(model.files, model.encoding, input=plan.recipe_of)
            plan.head_of(signature)
        except (InvalidArgumentError, RuntimeFailure) as error:
            self.error = self.error or error.with_traceback(None)
            return None
        return plan


def _reading_facts(reading: Reading, model: Model) -> dict[str, str]:
    """Return how an output is read, in words."""
    classes = reading.card.classes
    text = listed(classes)
    if _is_unnamed(reading, model):
        text = f"{len(classes) if len(classes) > _MOST_NAMES else text}, without names"
    return {"task": reading.task, **reading.facts, "classes": text}


def _unnamed(reading: Reading, model: Model) -> dict[str, Any]:
    """Return the field of a card to fill in where nothing names the classes and they are few."""
    few = _is_unnamed(reading, model) and len(reading.card.classes) <= _MOST_NAMES
    return {"classes": list(reading.card.classes)} if few else {}


def _is_unnamed(reading: Reading, model: Model) -> bool:
    classes = reading.card.classes
    return classes in {UNNAMED_CLASS, unnamed_classes(len(classes))} and not model.card.classes


def _card_source(model: Model, card: ModelCard | str | os.PathLike[str] | None) -> str:
    """Return where a model's card comes from; empty where nothing describes the model."""
    if model.card_path is not None:
        return model.card_path.name
    return "given" if card is not None or not is_bare(model.card) else ""
