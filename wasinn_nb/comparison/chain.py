"""What a program did, as far as it is known: input tensor, output tensor, labels or scores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import ENCODINGS, ModelCard, Port, unnamed_class
from wasinn_nb.comparison.ranking import ClassScores
from wasinn_nb.errors import InvalidArgumentError, Remedy, WasiNnError
from wasinn_nb.files import is_file
from wasinn_nb.imaging import (
    IMAGE_SUFFIXES,
    JPEG_SUFFIXES,
    Coverage,
    ImageSource,
    PreprocessRecipe,
    stored_mask,
)
from wasinn_nb.origin import Origin
from wasinn_nb.tasks import saved_result
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult, labels_of
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor
from wasinn_nb.wasi_nn import Trace
from wasinn_nb.wording import counted

__all__ = ["Chain", "Comparable", "RunLike", "chain_of", "class_names", "fields_of"]

_LARGEST_LABEL: Final = 255
_BUNDLE: Final = "bundle.json"
"""What the folder of a bundle has: packages above this one read it."""


@runtime_checkable
class RunLike(Protocol):
    """What ran and kept its tensors: a `GuestRun`, without importing the wasm host."""

    trace: Trace
    on: str

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors of ``set_input``."""

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors of ``get_output``."""


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One side of a comparison.

    Attributes
    ----------
    what : str
        What it is, without paths and times.
    input : Tensor or None
        What the model took.
    output : Tensor or None
        What the model gave, as it gave it.
    outputs : mapping
        Of a trace: index of an output → what the model says of it, and its last tensor.
    scores : (C, H, W) array or None
        A plane for each class; of one class, one plane of probabilities.
    labels : (H, W) uint8 array or None
    class_scores : ClassScores or None
        Of a classification.
    loose : Tensor or None
        A tensor that may be an input or an output.
    card : ModelCard or None
    origin : Origin or None
        What made it; None where that is not known.
    recipe : PreprocessRecipe or None
        The origin's, or one that is known without the rest.
    image : encoded bytes, array or None
    threshold : float or None
        Of one class.
    covers : Coverage or None
        Which part of the image the labels cover; None where that is not known.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    notes : tuple of str
        What could not be read from it, and why.
    remedy : Remedy or None
        What to do about that.
    weights : str
        Which of the precisions on the card the model's files have, where that tells it from the
        other side: ``"INT8"``.
    """

    what: str
    input: Tensor | None = None
    output: Tensor | None = None
    outputs: Mapping[int, tuple[Port | None, Tensor]] = field(default_factory=dict)
    scores: NDArray[Any] | None = None
    labels: NDArray[np.uint8] | None = None
    class_scores: ClassScores | None = None
    loose: Tensor | None = None
    card: ModelCard | None = None
    origin: Origin | None = None
    recipe: PreprocessRecipe | None = None
    image: ImageSource | None = None
    threshold: float | None = None
    covers: Coverage | None = None
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    remedy: Remedy | None = None
    weights: str = ""

    @property
    def known(self) -> list[str]:
        """The steps that it has, in words."""
        steps = {
            "input tensor": self.input,
            "output tensor": self.scores if self.output is None else self.output,
            "labels": self.labels,
            "scores": self.class_scores,
            "tensor": self.loose,
        }
        return [name for name, value in steps.items() if value is not None]

    @property
    def scores_tensor(self) -> Tensor | None:
        """The scores as a (1, C, H, W) tensor."""
        if self.scores is None:
            return None
        scores = np.ascontiguousarray(self.scores)
        return Tensor.adopt((1, *scores.shape), scores.dtype, scores)


Comparable = (
    Chain
    | SegmentationResult
    | ClassificationResult
    | Trace
    | Tensor
    | NDArray[Any]
    | RunLike
    | str
    | os.PathLike[str]
)


def chain_of(thing: Any, name: str) -> Chain:
    """Return what is known of *thing*.

    Parameters
    ----------
    thing : Chain, SegmentationResult, ClassificationResult, GuestRun, Trace, Tensor, array or path
        Paths lead to a ``.tensor`` or ``.npy`` file, to the JSON of a saved result, or to an index
        mask (PNG in mode P or L).
    name : str
        What to call it in an error.

    Raises
    ------
    InvalidArgumentError
        If it is none of these, or holds nothing to compare.
    MissingFileError, TensorFileError, ImageError
        If a file is missing or broken.
    """
    if isinstance(thing, Chain):
        return thing
    if isinstance(thing, SegmentationResult | ClassificationResult):
        return _of_result(thing)
    if isinstance(thing, Trace):
        return _of_trace(thing, f"Trace of {counted(len(thing), 'call')}", name)
    if isinstance(thing, Tensor):
        return Chain(f"Tensor {thing.signature}", loose=thing)
    if isinstance(thing, np.ndarray):
        return _of_array(thing)
    if isinstance(thing, str | os.PathLike):
        return _of_file(Path(thing), name)
    if isinstance(thing, RunLike):
        guest = getattr(getattr(thing, "invocation", None), "name", "guest")
        if thing.on:
            return _of_files(thing.outputs, f"GuestRun {guest} on {thing.on}", name)
        return _of_trace(thing.trace, f"GuestRun {guest}", name)
    raise InvalidArgumentError(
        f"{name}: expected a SegmentationResult, ClassificationResult, GuestRun, Trace, Tensor, "
        f"array or path, got {type(thing).__name__}"
    )


def fields_of(result: SegmentationResult | ClassificationResult) -> dict[str, Any]:
    """Return those fields of a chain that say what a model's output means."""
    about = {"card": result.card, "assumed": result.assumed}
    if isinstance(result, ClassificationResult):
        return about | {"class_scores": ClassScores.of(result)}
    return about | {
        "labels": result.labels,
        "scores": result.scores,
        "threshold": result.threshold,
    }


def _of_result(result: SegmentationResult | ClassificationResult) -> Chain:
    kind, origin = type(result).__name__, result.origin
    return Chain(
        f"{kind} {origin.model}, {origin.precision} on {origin.target}",
        origin=origin,
        recipe=origin.recipe,
        image=result.image,
        covers=result.covers if isinstance(result, SegmentationResult) else None,
        **fields_of(result),
    )


def _of_trace(trace: Trace, what: str, name: str) -> Chain:
    inputs = trace.tensors("set_input")
    outputs: dict[int, tuple[Port | None, Tensor]] = {}
    output, kept = None, trace.tensors("get_output")
    for call in trace:
        if call.name == "get_output" and call.tensor is not None:
            outputs[call.index or 0], output = (call.port, call.tensor), call.tensor
    if not inputs and not outputs:
        raise InvalidArgumentError(
            f"{name} ({what}) keeps no tensor to compare; run it with keep='last', and with a "
            f"larger memory limit if they were dropped"
        )
    notes = [
        f"{name} keeps {len(tensors)} {kind} tensors; the last is compared"
        for kind, tensors, different in (("input", inputs, 1), ("output", kept, len(outputs)))
        if len(tensors) > different
    ]
    given = inputs[-1] if inputs else None
    return Chain(what, given, output, outputs, notes=tuple(notes))


def _of_files(tensors: Sequence[Tensor], what: str, name: str) -> Chain:
    """Return what a run on another runtime wrote."""
    if not tensors:
        raise InvalidArgumentError(
            f"{name} ({what}) wrote no .tensor file to compare, and another runtime keeps no trace"
        )
    notes = []
    if len(tensors) > 1:
        notes = [f"{name} wrote {len(tensors)} .tensor files; the last by name is compared"]
    return Chain(what, output=tensors[-1], notes=tuple(notes))


def _of_array(array: NDArray[Any]) -> Chain:
    tensor = Tensor.from_array(array.astype(np.uint8) if array.dtype == np.bool_ else array)
    return Chain(f"array {tensor.signature}", loose=tensor)


def _of_file(path: Path, name: str) -> Chain:
    suffix = path.suffix.lower()
    if suffix in ENCODINGS:
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected a tensor, an image mask or a result, got a model",
            remedy=Remedy("models are run by wn.compare(a, b, image=…, layers=True)"),
        )
    if is_file(path / _BUNDLE):
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected a file, got the folder of a bundle",
            remedy=Remedy(f"compare by wn.Bundle.read({str(path)!r}).compare(…)"),
        )
    if path.name.endswith(".tensor.json"):  # the sidecar was meant to be its tensor
        path, suffix = path.with_suffix(""), ".tensor"
    if suffix == ".json":
        chain = _of_result(saved_result(path))
        return replace(chain, what=f"{path.name}: {chain.what}")
    if suffix in JPEG_SUFFIXES:
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected an index mask; JPEG changes class numbers, save "
            f"masks as PNG; segment an image first, then compare its mask"
        )
    if suffix in IMAGE_SUFFIXES:
        return _of_mask(path, name)
    tensor = read_tensor(path)
    chain = Chain(f"{path.name}: Tensor {tensor.signature}", loose=tensor)
    sidecar = None if suffix == ".npy" else read_sidecar(path)
    return chain if sidecar is None else _described(chain, sidecar)


def _of_mask(path: Path, name: str) -> Chain:
    """Return the class numbers in an index mask."""
    mask = stored_mask(path, f"{name} ({path.name})")
    if mask.samples is None:
        mode = getattr(mask.source, "mode", "")
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected an index mask, whose pixels are class numbers "
            f"(mode P or L), got an image of mode {mode}; segment an image first, then "
            f"compare its mask"
        )
    if mask.lossy:
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected an index mask; {mask.lossy} changes class numbers, "
            f"save masks as PNG; segment an image first, then compare its mask"
        )
    labels = mask.samples
    if (
        labels.dtype.kind == "f"
        or not 0 <= int(labels.min()) <= int(labels.max()) <= _LARGEST_LABEL
    ):
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected class numbers from 0 to {_LARGEST_LABEL}, got "
            f"{labels.min()} to {labels.max()}"
        )
    what = f"{path.name}: mask {labels.shape[0]}x{labels.shape[1]}"
    note = f"{what}: read as labels, though it is a color image (R = G = B)"
    return Chain(what, labels=labels.astype(np.uint8), notes=(note,) if mask.gray else ())


def _described(chain: Chain, sidecar: dict[str, Any]) -> Chain:
    """Return *chain* with what the sidecar says of its origin, as far as it is understood."""
    model = sidecar.get("model")
    try:
        origin = card = None
        if isinstance(model, dict):
            stated = {key: model[key] for key in _ON_CARD if key in model}
            task = "segmentation" if "classes" in stated else "unknown"
            card = ModelCard.from_dict(stated | {"task": task})
            origin = _origin(card.name, model, sidecar)
        recipe, covers = sidecar.get("recipe"), sidecar.get("covers")
        about = replace(
            chain,
            card=card,
            origin=origin,
            recipe=None if recipe is None else PreprocessRecipe.from_dict(recipe),
            threshold=_threshold(sidecar.get("threshold")),
            covers=None if covers is None else Coverage.of_values(covers),
        )
        return _as_result(about)
    except WasiNnError as error:
        return replace(chain, notes=(f"{chain.what}: its sidecar is not understood: {error}",))


_ON_CARD: Final = ("name", "classes", "palette", "background")


def _origin(name: str, model: Mapping[str, Any], sidecar: Mapping[str, Any]) -> Origin | None:
    """Return the origin that a sidecar states; None where it leaves out what an origin needs."""
    if not {"target", "precision"} <= set(sidecar):
        return None
    files, sha384 = model.get("files"), model.get("sha384")
    if not files:  # as version 0.1.0 writes it
        files = {} if sha384 is None else {name: sha384}
    return Origin.from_dict({**sidecar, "model": name, "files": files})


def _threshold(value: Any) -> float | None:
    if value is not None and (type(value) is not float or not 0 < value < 1):
        raise InvalidArgumentError(f"expected a threshold between 0 and 1, got {value!r:.80}")
    return value


def _as_result(chain: Chain) -> Chain:
    """Return *chain* as a mask, where its tensor is the one that a result saves.

    Scores are (1, C, H, W) then, with a plane for each class, or one plane of probabilities.
    """
    tensor, card = chain.loose, chain.card
    if tensor is None or card is None or not card.classes:
        return chain
    planes = len(card.classes) if chain.threshold is None else 1
    if tensor.type is not TensorType.F32 or tensor.dimensions[:-2] != (1, planes):
        return chain
    scores = tensor.to_array()[0]
    chain = replace(chain, loose=None, scores=scores)
    try:
        return replace(chain, labels=labels_of(scores, chain.threshold))
    except WasiNnError as error:
        return replace(chain, notes=(f"{chain.what}: no labels: {error}",))


def class_names(chains: Sequence[Chain], classes: int) -> tuple[str, ...]:
    """Return at least so many names of classes: the first card's, then ``class 7``."""
    named = next((c.card.classes for c in chains if c.card is not None and c.card.classes), ())
    if len(named) == 1 and classes > 1:  # the one class of a model that has no other
        named = ("background", *named)
    return (*named, *map(unnamed_class, range(len(named), classes)))
