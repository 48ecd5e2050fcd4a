"""What a program did, as far as it is known: input tensor, output tensor, labels."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.masks import argmax_labels
from wasinn_nb.pictures import ImageSource, kept_image, open_image
from wasinn_nb.preprocessing import image_to_tensor
from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor
from wasinn_nb.trace import Trace

__all__ = ["Chain", "Comparable", "RunLike", "chain_of", "with_inputs", "with_places"]

Place = Literal["input", "output", "labels"]
_PICTURES: Final = frozenset({".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_INDEX_MODES: Final = frozenset({"P", "L", "1"})


@runtime_checkable
class RunLike(Protocol):
    """What ran and kept its tensors: a `GuestRun`, without importing the wasm host."""

    trace: Trace

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors of ``set_input``."""

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors of ``get_output``."""


Comparable = SegmentationResult | Trace | Tensor | NDArray[Any] | RunLike | str | os.PathLike[str]


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """One side of a comparison.

    Attributes
    ----------
    what : str
        What it is, without paths and times.
    input, output : Tensor or None
    labels : (H, W) uint8 array or None
    loose : Tensor or None
        A tensor that nothing has said yet whether it went in or came out.
    card : ModelCard or None
    recipe : PreprocessRecipe or None
    image : encoded bytes, array or None
    precision, model_sha384 : str or None
    notes : tuple of str
        What could not be read from it, and why.
    """

    what: str
    input: Tensor | None = None
    output: Tensor | None = None
    labels: NDArray[np.uint8] | None = None
    loose: Tensor | None = None
    card: ModelCard | None = None
    recipe: PreprocessRecipe | None = None
    image: ImageSource | None = None
    precision: str | None = None
    model_sha384: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def known(self) -> list[str]:
        """The steps that it has, in words."""
        steps = {
            "input tensor": self.input,
            "output tensor": self.output,
            "labels": self.labels,
            "tensor": self.loose,
        }
        return [name for name, value in steps.items() if value is not None]

    def scores(self) -> NDArray[Any] | None:
        """Return the output as (C, H, W), or None where it is no such thing."""
        if self.output is None:
            return None
        array = self.output.to_array()
        while array.ndim > 3 and array.shape[0] == 1:
            array = array[0]
        if array.ndim != 3 or 0 in array.shape:
            return None
        classes = len(self.card.classes) if self.card is not None else 0
        first, last = array.shape[0], array.shape[2]
        if classes and classes in (first, last):
            channels_last = first != classes
        else:
            channels_last = last < first and last <= 256
        if channels_last:
            array = np.moveaxis(array, -1, 0)
        return array if 2 <= array.shape[0] <= 256 else None


def chain_of(thing: Any, name: str) -> Chain:
    """Return what is known of *thing*.

    Parameters
    ----------
    thing : SegmentationResult, GuestRun, Trace, Tensor, array or path
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
    if isinstance(thing, SegmentationResult):
        return _of_result(thing)
    if isinstance(thing, Trace):
        return _of_trace(thing, f"Trace of {len(thing)} calls", name)
    if isinstance(thing, Tensor):
        return Chain(f"Tensor {thing.signature}", loose=thing)
    if isinstance(thing, np.ndarray):
        return _of_array(thing)
    if isinstance(thing, str | os.PathLike):
        return _of_file(Path(thing), name)
    if isinstance(thing, RunLike):
        guest = getattr(getattr(thing, "invocation", None), "name", "guest")
        return _of_trace(thing.trace, f"GuestRun {guest}", name)
    raise InvalidArgumentError(
        f"{name}: expected a SegmentationResult, GuestRun, Trace, Tensor, array or path, "
        f"got {type(thing).__name__}"
    )


def _of_result(result: SegmentationResult) -> Chain:
    output = None
    if result.scores is not None:
        output = Tensor.adopt((1, *result.scores.shape), "f32", result.scores)
    return Chain(
        f"SegmentationResult {result.card.name}, {result.precision} on {result.target}",
        output=output,
        labels=result.labels,
        card=result.card,
        recipe=result.recipe,
        image=result.image,
        precision=result.precision,
        model_sha384=result.model_sha384,
    )


def _of_trace(trace: Trace, what: str, name: str) -> Chain:
    inputs, outputs = trace.tensors("set_input"), trace.tensors("get_output")
    if not inputs and not outputs:
        raise InvalidArgumentError(
            f"{name} ({what}) keeps no tensor to compare; run it with keep='last', and with a "
            f"larger memory limit if they were let go"
        )
    notes = [
        f"{name} keeps {len(tensors)} {kind} tensors; the last is compared"
        for kind, tensors in (("input", inputs), ("output", outputs))
        if len(tensors) > 1
    ]
    given, taken = (tensors[-1] if tensors else None for tensors in (inputs, outputs))
    return Chain(what, given, taken, notes=tuple(notes))


def _of_array(array: NDArray[Any]) -> Chain:
    tensor = Tensor.from_array(array.astype(np.uint8) if array.dtype == np.bool_ else array)
    return Chain(f"array {tensor.signature}", loose=tensor)


def _of_file(path: Path, name: str) -> Chain:
    suffix = path.suffix.lower()
    if path.name.endswith(".tensor.json"):  # the sidecar was meant to be its tensor
        path, suffix = path.with_suffix(""), ".tensor"
    if suffix == ".json":
        chain = _of_result(SegmentationResult.load(path))
        return replace(chain, what=f"{path.name}: {chain.what}")
    if suffix in _PICTURES:
        picture = open_image(path)
        if picture.mode not in _INDEX_MODES:
            raise InvalidArgumentError(
                f"{name} ({path.name}): expected an index mask, whose pixels are class numbers "
                f"(mode P or L), got a picture of mode {picture.mode}; for a photograph, segment "
                f"it first"
            )
        labels = np.array(picture, np.uint8)
        return Chain(f"{path.name}: mask {labels.shape[0]}x{labels.shape[1]}", labels=labels)
    if suffix in {".jpg", ".jpeg"}:
        raise InvalidArgumentError(
            f"{name} ({path.name}): expected an index mask; JPEG changes class numbers, save "
            f"masks as PNG. For a photograph, segment it first"
        )
    tensor = read_tensor(path)
    chain = Chain(f"{path.name}: Tensor {tensor.signature}", loose=tensor)
    sidecar = None if suffix == ".npy" else read_sidecar(path)
    return chain if sidecar is None else _told(chain, sidecar)


def _told(chain: Chain, sidecar: dict[str, Any]) -> Chain:
    """Return *chain* with what the sidecar says of its origin, as far as it is understood."""
    model = sidecar.get("model")
    precision = sidecar.get("precision")
    try:
        card = sha384 = None
        if isinstance(model, dict):
            sha384 = model.get("sha384")
            said = {key: value for key, value in model.items() if key != "sha384"}
            card = ModelCard.from_dict(said | {"task": "segmentation"})
        recipe = sidecar.get("recipe")
        return replace(
            chain,
            card=card,
            recipe=None if recipe is None else PreprocessRecipe.from_dict(recipe),
            precision=precision if isinstance(precision, str) else None,
            model_sha384=sha384 if isinstance(sha384, str) else None,
        )
    except WasiNnError as error:
        return replace(chain, notes=(f"{chain.what}: its sidecar is not understood: {error}",))


def with_places(a: Chain, b: Chain) -> tuple[Chain, Chain]:
    """Return both with their loose tensors where they belong, and their labels where they follow.

    A tensor belongs where the other side has one of as many elements; else where its card's recipe
    or classes put it; else where its values do: indices of classes are labels, three channels are
    an input unless they add up to 1.
    """
    places = [_place(one, other) for one, other in ((a, b), (b, a))]
    # Two tensors are meant to be laid over each other, unless one is the index mask of the other.
    if (
        a.loose is not None
        and b.loose is not None
        and places[0] != places[1]
        and ("labels" not in places or _elements(a.loose) == _elements(b.loose))
    ):
        places = ["input" if "input" in places else "output"] * 2
    return tuple(  # type: ignore[return-value]  # two of them
        _with_labels(_placed(chain, place)) for chain, place in zip((a, b), places, strict=True)
    )


def _place(chain: Chain, other: Chain) -> Place | None:
    tensor = chain.loose
    if tensor is None:
        return None
    if _is_index(tensor):
        return "labels"
    elements = _elements(tensor)
    fits = [
        place
        for place, theirs in (("input", other.input), ("output", other.output))
        if theirs is not None and _elements(theirs) == elements
    ]
    if len(fits) == 1:
        return "input" if fits == ["input"] else "output"
    recipe = chain.recipe or other.recipe
    card = chain.card or other.card
    if card is not None and card.classes and len(card.classes) in tensor.dimensions[-3:]:
        return "output"
    recipe = recipe or (None if card is None else card.recipe)
    if recipe is not None and elements == math.prod(recipe.dimensions):
        return "input"
    return "input" if _is_picture(tensor) else "output"


def _elements(tensor: Tensor) -> int:
    return tensor.nbytes // tensor.type.itemsize


def _is_index(tensor: Tensor) -> bool:
    """Return whether a tensor is an index mask: whole numbers of a byte in rows and columns."""
    dims = tensor.dimensions
    plane = len(dims) >= 2 and dims[-2] > 1 and 0 not in dims and set(dims[:-2]) <= {1}
    if not plane or tensor.to_array().dtype.kind not in "iu":
        return False
    values = tensor.to_array()
    return int(values.min()) >= 0 and int(values.max()) <= 255


def _is_picture(tensor: Tensor) -> bool:
    dims = tensor.dimensions[-3:]
    if len(dims) < 3 or not tensor.nbytes or 3 not in (dims[0], dims[2]):
        return False
    if tensor.to_array().dtype.kind != "f":
        return True
    values = tensor.to_array().reshape(-1, *dims)[0]
    with np.errstate(invalid="ignore", over="ignore"):
        totals = values.sum(axis=0 if dims[0] == 3 else 2, dtype=np.float64)
    # A score or two may be NaN.
    return bool(np.mean(np.abs(totals - 1) <= 0.01) < 0.9)


def _placed(chain: Chain, place: Place | None) -> Chain:
    tensor = chain.loose
    if tensor is None or place is None:
        return chain
    if place == "labels":
        return replace(chain, loose=None, labels=_index(tensor))
    if place == "input":
        return replace(chain, loose=None, input=tensor)
    return replace(chain, loose=None, output=tensor)


def _index(tensor: Tensor) -> NDArray[np.uint8]:
    return tensor.to_array().reshape(tensor.dimensions[-2:]).astype(np.uint8)


def _with_labels(chain: Chain) -> Chain:
    """Return *chain* with the labels that its output tensor gives."""
    if chain.labels is not None or chain.output is None:
        return chain
    if _is_index(chain.output):
        return replace(chain, labels=_index(chain.output))
    scores = chain.scores()
    if scores is None:
        return chain
    try:
        return replace(chain, labels=argmax_labels(scores))
    except WasiNnError as error:
        return replace(chain, notes=(*chain.notes, f"{chain.what}: no labels: {error}"))


def with_inputs(a: Chain, b: Chain) -> tuple[Chain, Chain]:
    """Return both with the input tensors that their own images and recipes make.

    Where neither kept its tensor, and image and recipe are the same, there is nothing to make.
    """
    if a.input is None and b.input is None and a.recipe == b.recipe and same_image(a, b):
        return a, b
    made = [
        replace(chain, input=image_to_tensor(chain.image, chain.recipe))
        if chain.input is None and chain.image is not None and chain.recipe is not None
        else chain
        for chain in (a, b)
    ]
    return made[0], made[1]


def same_image(a: Chain, b: Chain) -> bool:
    """Return whether both have a photograph, and the same one."""
    if a.image is None or b.image is None:
        return False
    one, other = kept_image(a.image), kept_image(b.image)
    if isinstance(one, bytes) or isinstance(other, bytes):
        return isinstance(one, bytes) and isinstance(other, bytes) and one == other
    return bool(np.array_equal(one, other))


def class_names(chains: Sequence[Chain], classes: int) -> tuple[str, ...]:
    """Return at least so many names of classes: the first card's, then ``class 7``."""
    named = next((c.card.classes for c in chains if c.card is not None and c.card.classes), ())
    return (*named, *(f"class {index}" for index in range(len(named), classes)))
