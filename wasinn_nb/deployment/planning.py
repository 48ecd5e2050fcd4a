"""How a model goes into a bundle: its recipe, its output, and what a guest cannot do with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wasinn_nb import catalog
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import (
    UNNAMED_CLASS,
    ModelCard,
    PartialRecipe,
    Port,
    Signature,
    unnamed_classes,
)
from wasinn_nb.catalog import Model
from wasinn_nb.deployment.facts import OutputFacts, Values
from wasinn_nb.errors import InvalidArgumentError, Remedy, UnsupportedOperationError
from wasinn_nb.files import is_folder
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.plan import Plan
from wasinn_nb.runtimes import Runtime
from wasinn_nb.runtimes import runtime as runtime_of
from wasinn_nb.tasks import Reading
from wasinn_nb.tasks.classification import ScoresReading
from wasinn_nb.tasks.segmentation import MaskReading

__all__ = ["DeploymentPlan", "output_facts", "planned"]

_SUFFIXES: Final = {
    GraphEncoding.OPENVINO: (".xml", ".bin"),
    GraphEncoding.ONNX: (".onnx",),
    GraphEncoding.TENSORFLOW: (".pb",),
    GraphEncoding.TENSORFLOWLITE: (".tflite",),
}


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What a general guest needs to know of a model.

    Attributes
    ----------
    model : Model
    card : ModelCard
        The model's, with the recipe, the task and the names of classes that its file states.
    recipe : PreprocessRecipe
        With the filter ``triangle``.
    reading : Reading
        How the output is read.
    output : OutputFacts
        The same as plain values.
    files : mapping
        Name in the bundle → file, in the order in which ``load`` takes them.
    notes, assumed : tuple of str
        What is not as the model's card says, and what nothing states.
    """

    model: Model
    card: ModelCard
    recipe: PreprocessRecipe
    reading: Reading
    output: OutputFacts
    files: Mapping[str, Path]
    notes: tuple[str, ...]
    assumed: tuple[str, ...]

    @property
    def encoding(self) -> str:
        """The encoding's name, as the guest and the runtimes call it."""
        return self.model.encoding.name.lower()


def planned(
    model: str | os.PathLike[str] | Model | None,
    *,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    runtime: str | Runtime | None = None,
) -> DeploymentPlan:
    """Return how a model goes into a bundle.

    Parameters
    ----------
    model, card, recipe, runtime
        As for `Pipeline`.

    Raises
    ------
    InvalidArgumentError
        If no task reads the model.
    UnsupportedOperationError
        If a guest cannot load it or make its input: it is not one or two files, or takes i8.
    """
    found = catalog.model(model, card=card)
    files = _files(found)
    plan = Plan(found, recipe, resize="triangle")
    engine = runtime_of(runtime)
    signature = engine.describe(found.files, found.encoding, input=plan.recipe_of)
    plan.head_of(signature)
    reading = plan.reading
    if not plan.recipe.type.in_wasi_nn:
        raise UnsupportedOperationError(
            f"{found.name} takes {plan.recipe.type.suffix}, which WASI-NN does not have, so that "
            f"no guest can run it; convert the original model with an f32 or u8 input"
        )
    notes: list[str] = []
    replaced = _filter_of(recipe, found.card)
    if replaced not in {None, plan.recipe.resize}:
        notes.append(
            f"the recipe's filter {replaced} is replaced by {plan.recipe.resize}, which is the "
            f"guest's; results differ a little: compare with resize={plan.recipe.resize!r}"
        )
    return DeploymentPlan(
        found,
        _card(found.card, plan.recipe, reading),
        plan.recipe,
        reading,
        output_facts(reading, signature, found.name),
        files,
        tuple(notes),
        (*plan.assumed, *reading.assumed_facts.values()),
    )


def _files(model: Model) -> dict[str, Path]:
    """Return the files that a guest passes to ``load``, by their names in the bundle."""
    suffixes = _SUFFIXES.get(model.encoding)
    if suffixes is None or is_folder(model.path) or len(model.weights) != len(suffixes):
        kinds = "OpenVINO IR, or one ONNX, TensorFlow Lite or frozen TensorFlow file"
        raise UnsupportedOperationError(
            f"a guest loads a model from the bytes of its files, {kinds}; {model.name} is "
            f"{_what(model)}",
            remedy=Remedy(
                "save it as OpenVINO IR: openvino.save_model(openvino.convert_model(path), xml)",
                command="save it as OpenVINO IR: ovc {model}",
            ),
        )
    return {f"model{suffix}": path for suffix, path in zip(suffixes, model.files, strict=True)}


def _what(model: Model) -> str:
    if is_folder(model.path):
        return "a folder"
    return f"{len(model.weights)} files of {model.encoding.name}"


def _filter_of(recipe: PartialRecipe | None, card: ModelCard) -> str | None:
    """Return the filter that is stated; None where none is."""
    if isinstance(recipe, PreprocessRecipe):
        return recipe.resize
    if recipe is not None and "resize" in recipe:
        return str(recipe["resize"])
    return None if card.recipe is None else card.recipe.resize


def _card(card: ModelCard, recipe: PreprocessRecipe, reading: Reading) -> ModelCard:
    """Return the bundle's card: files have other names there, so that none are described."""
    changes: dict[str, Any] = {"recipe": recipe, "task": reading.task, "precisions": {}}
    names = reading.card.classes
    if not card.classes and names not in {UNNAMED_CLASS, unnamed_classes(len(names))}:
        changes |= {"classes": names, "palette": reading.card.palette}
    return card.replace(**changes)


def output_facts(reading: Reading, signature: Signature, name: str) -> OutputFacts:
    """Return what the guest needs to know of the output that a task reads.

    Parameters
    ----------
    reading : Reading
    signature : Signature
        What the model takes and gives at the recipe's size.
    name : str
        The model's, for errors.

    Raises
    ------
    UnsupportedOperationError
        If the output's size is open, or its type is not one of WASI-NN's.
    InvalidArgumentError
        If the guest does not know the task.
    """
    head = reading.head
    port = signature.outputs[head.output]
    dimensions, type_ = port.fixed_dimensions, port.type
    if dimensions is None or type_ is None or not type_.in_wasi_nn:
        raise UnsupportedOperationError(
            f"the output {port.name or head.output} of {name} is {port.signature}: a guest has to "
            f"know its size, in a type that WASI-NN has; convert the model with fixed sizes"
        )
    values, threshold = _values(reading)
    return {
        "index": head.output,
        "dimensions": list(dimensions),
        "type": type_.suffix,
        "values": values,
        "planes": list(head.planes),
        "channels_last": head.channels_last,
        "threshold": threshold,
        "quantization": _quantization(reading, port),
    }


def _values(reading: Reading) -> tuple[Values, float | None]:
    """Return what the values of the output are, and of one class the threshold."""
    if isinstance(reading, ScoresReading):
        return reading.scale, None
    if not isinstance(reading, MaskReading):
        raise InvalidArgumentError(
            f"the general guest does segmentation and classification, not {reading.task}; write a "
            f"guest of your own"
        )
    if reading.output.scale == "one class" and reading.logits is None:
        return "one class, by the values", reading.threshold
    if reading.output.scale == "one class":
        return "one class", reading.head.threshold
    return ("labels" if reading.output.scale == "labels" else "class scores"), None


def _quantization(reading: Reading, port: Port) -> tuple[float, int] | None:
    """Return scale and zero point of values that are compared with something else."""
    return None if _values(reading)[0] in {"labels", "class scores"} else port.quantization
