"""What the tensors of two sides mean: where they belong, and which labels or scores they give.

An output is read by its card as a pipeline reads it, see `wasinn_nb.tasks`.  Only where neither
side has a card does its shape alone tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard, Port, Signature, image_inputs
from wasinn_nb.comparison.chain import Chain, fields_of
from wasinn_nb.comparison.ranking import ClassScores
from wasinn_nb.errors import InvalidArgumentError, Remedy, WasiNnError
from wasinn_nb.imaging import MAX_SIDE, PreprocessRecipe, image_to_tensor, kept_image, open_for
from wasinn_nb.origin import Origin
from wasinn_nb.runtimes import argmax_labels
from wasinn_nb.tasks import UnreadableError, reading_of, task_for, tasks
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor

__all__ = ["same_image", "with_inputs", "with_meaning", "with_places"]

Place = Literal["input", "output", "labels"]


# -- where a tensor belongs -----------------------------------------------------------------------


def with_places(a: Chain, b: Chain) -> tuple[Chain, Chain]:
    """Return both with their loose tensors where they belong.

    A tensor belongs where the other side has one of as many elements; else where its card's recipe
    or classes put it; else where its values do: indices of classes are labels, three channels are
    an input unless they add up to 1.
    """
    places = [_place(one, other) for one, other in ((a, b), (b, a))]
    # Two tensors are compared element by element, unless one is the index mask of the other.
    if (
        a.loose is not None
        and b.loose is not None
        and places[0] != places[1]
        and ("labels" not in places or _elements(a.loose) == _elements(b.loose))
    ):
        places = ["input" if "input" in places else "output"] * 2
    return _placed(a, places[0]), _placed(b, places[1])


def _place(chain: Chain, other: Chain) -> Place | None:
    tensor = chain.loose
    if tensor is None:
        return None
    if _is_index(tensor):
        return "labels"
    elements = _elements(tensor)
    places: dict[Place, int | None] = {
        "input": None if other.input is None else _elements(other.input),
        "output": _elements_given(other),
    }
    fits = [place for place, theirs in places.items() if theirs == elements]
    if len(fits) == 1:
        return fits[0]
    recipe = chain.recipe or other.recipe
    card = chain.card or other.card
    if card is not None and card.classes and len(card.classes) in tensor.dimensions[-3:]:
        return "output"
    recipe = recipe or (None if card is None else card.recipe)
    if recipe is not None and elements == math.prod(recipe.dimensions):
        return "input"
    return "input" if _is_image(tensor) else "output"


def _elements_given(chain: Chain) -> int | None:
    """Return how many elements the output of *chain* has."""
    if chain.output is not None:
        return _elements(chain.output)
    if chain.class_scores is not None:
        return chain.class_scores.values.size
    values = chain.labels if chain.scores is None else chain.scores
    return None if values is None else values.size


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


def _is_image(tensor: Tensor) -> bool:
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


# -- what an output means -------------------------------------------------------------------------


def with_meaning(a: Chain, b: Chain) -> tuple[Chain, Chain]:
    """Return both with the labels, or the scores of classes, that their outputs give.

    An output is read by its own card, else by the other side's.
    """
    return _read(a, b), _read(b, a)


def _read(chain: Chain, other: Chain) -> Chain:
    if chain.output is None:
        return chain
    if not chain.output.nbytes:
        return _last_of_outputs(chain)
    card = _card_for(chain, other)
    if card is None:
        return _by_shape(_last_of_outputs(chain))
    task = _task_of(other)
    reason: WasiNnError | None = None
    for recipe in _recipes(chain, other, card):
        try:
            return _by_card(chain, other, card, recipe)
        except UnreadableError as error:  # perhaps the input has another size
            reason = reason or error
        except WasiNnError as error:
            reason = error
            break
    chain = _last_of_outputs(chain)
    if reason is None or (task is None and card.task not in tasks()):
        return chain  # nothing says that the output can be read
    what = "scores" if "classification" in {task, card.task} else "labels"
    note = f"{chain.what}: no {what}: {reason.problem}"
    return replace(chain, notes=(*chain.notes, note), remedy=reason.remedy)


def _card_for(chain: Chain, other: Chain) -> ModelCard | None:
    """Return the card to read an output by: its own, completed by what the other side knows."""
    own, theirs = chain.card, other.card
    card = own or theirs
    if card is None:
        return None
    if own is not None and not own.classes and theirs is not None and theirs.classes:
        stated = {name: getattr(own, name) for name in _HOW_TO_READ}
        card = theirs.replace(
            **{name: value for name, value in stated.items() if value is not None}
        )
    if card.threshold is None and other.threshold is not None:
        card = card.replace(threshold=other.threshold)
    return card


_HOW_TO_READ: Final = ("output", "threshold", "channels_last", "logits")


def _task_of(chain: Chain) -> str | None:
    """Return the task whose result *chain* is, or None where it is only tensors."""
    if chain.class_scores is not None:
        return "classification"
    return "segmentation" if chain.output is None and chain.labels is not None else None


def _recipes(chain: Chain, other: Chain, card: ModelCard) -> Iterator[PreprocessRecipe]:
    """Yield what may have been done to the image: what counts is the size of the model's input."""
    stated = [recipe for recipe in (chain.recipe, other.recipe, card.recipe) if recipe is not None]
    if chain.input is not None:
        stated = [one for one in stated if math.prod(one.dimensions) == _elements(chain.input)]
        found = image_inputs([_port(chain.input)])
        of_input = _of_sizes((one.height or 0, one.width or 0) for one in found)
        if certain := [*stated, *of_input][:1]:
            yield certain[0]
            return
    yield from stated
    sizes = [] if other.labels is None else [other.labels.shape]
    yield from _of_sizes([*sizes, *_plane_sizes(chain.output, len(card.classes)), (1, 1)])


def _of_sizes(sizes: Iterable[tuple[int, ...]]) -> list[PreprocessRecipe]:
    """Return a recipe for each of these heights and widths that an image can have."""
    return [
        PreprocessRecipe(height, width)
        for height, width in sizes
        if min(height, width) >= 1 and max(height, width) <= MAX_SIDE
    ]


def _plane_sizes(output: Tensor | None, classes: int) -> list[tuple[int, ...]]:
    """Return height and width of the planes of an output, as its shape alone tells them."""
    if output is None:
        return []
    shape = _plain(output.dimensions)
    if len(shape) == 2:
        return [shape]
    if len(shape) != 3:
        return []
    if 1 in {shape[0], shape[2]}:
        return [shape[:2] if shape[0] != 1 else shape[1:]]
    return [shape[:2] if _channels_last(shape, classes) else shape[1:]]


def _plain(dimensions: tuple[int, ...]) -> tuple[int, ...]:
    """Return dimensions without the ones that lead, as far as three are left."""
    while len(dimensions) > 3 and dimensions[0] == 1:
        dimensions = dimensions[1:]
    return dimensions


def _channels_last(shape: tuple[int, ...], classes: int) -> bool:
    first, last = shape[0], shape[2]
    if classes and classes in (first, last):
        return first != classes
    return last < first and last <= 256


def _by_card(chain: Chain, other: Chain, card: ModelCard, recipe: PreprocessRecipe) -> Chain:
    """Return *chain* with what its output means by a card, for an input of the recipe's size."""
    kept, card = _candidates(chain, card)
    whole, size = recipe.replace(fit="stretch"), (recipe.height, recipe.width)
    reading = reading_of(
        Signature((), tuple(port for port, _ in kept.values())),
        card,
        whole,
        task_for(card, _task_of(other)),
        scores=True,
    )
    index, (port, output) = list(kept.items())[reading.head.output]
    if recipe.fit == "letterbox" and _is_cut(other, reading.head.planes[1:]):
        whole, size = recipe, _image_size(chain, other, recipe)
    origin = Origin(card.name, recipe=whole)
    result = reading.result(reading.head.apply(output), None, origin, {}, size=size)
    if not isinstance(result, SegmentationResult | ClassificationResult):
        raise InvalidArgumentError(f"nothing compares a {type(result).__name__}")
    about = fields_of(result)
    if isinstance(result, ClassificationResult) and _is_unscaled(port):
        values = output.to_array().reshape(-1).astype(np.float32)
        about |= {"class_scores": ClassScores(values, None), "assumed": ()}
    notes = chain.notes
    if len(chain.outputs) > 1:
        notes = (*notes, f"{chain.what}: output {index} of {_listed(chain)} is compared")
    return replace(chain, output=output, notes=notes, **about)


def _candidates(chain: Chain, card: ModelCard) -> tuple[dict[int, tuple[Port, Tensor]], ModelCard]:
    """Return the outputs that may be meant, and the card as it chooses among them."""
    assert chain.output is not None  # noqa: S101 - `_read` has seen to it
    outputs = chain.outputs or {0: (None, chain.output)}
    kept = {
        index: (_port(tensor, port), tensor)
        for index, (port, tensor) in outputs.items()
        if tensor.nbytes
    }
    if isinstance(card.output, int) and chain.outputs:
        if card.output not in kept:
            raise InvalidArgumentError(
                f"the card of {card.name} names output {card.output}, kept is {_listed(chain)}"
            )
        kept = {card.output: kept[card.output]}
    if isinstance(card.output, str) and any(port.name for port, _ in kept.values()):
        return kept, card
    return kept, card.replace(output=None)


def _port(tensor: Tensor, port: Port | None = None) -> Port:
    """Return what is known of a tensor, with its dimensions."""
    if port is None:
        return Port("", tensor.dimensions, tensor.type, tensor.type.suffix)
    return replace(port, dimensions=tensor.dimensions)


def _listed(chain: Chain) -> str:
    return "outputs " + " and ".join(map(str, chain.outputs))


def _is_unscaled(port: Port) -> bool:
    """Return whether an output holds integers that stand for numbers that are not known."""
    return port.quantization is None and port.type is not None and port.type.dtype.kind in "iu"


def _is_cut(other: Chain, planes: tuple[int, ...]) -> bool:
    """Return whether the other side's labels lack the borders that the model's mask has."""
    return other.output is None and other.labels is not None and other.labels.shape != planes


def _image_size(chain: Chain, other: Chain, recipe: PreprocessRecipe) -> tuple[int, int]:
    image = other.image if chain.image is None else chain.image
    if image is None:
        raise InvalidArgumentError(
            f"the borders of the letterbox are cut off the labels of {other.what}, and without "
            f"the image nothing says where",
            remedy=Remedy(
                "to cut them off here too, pass the image as image=",
                command="to cut them off here too, add --image PATH",
            ),
        )
    opened = open_for(image, recipe)
    return opened.height, opened.width


def _last_of_outputs(chain: Chain) -> Chain:
    """Return *chain* with a note where the last of several outputs is compared."""
    if len(chain.outputs) <= 1:
        return chain
    note = f"{chain.what}: the last of {_listed(chain)} is compared"
    return replace(chain, notes=(*chain.notes, note))


def _by_shape(chain: Chain) -> Chain:
    """Return *chain* with the labels that its output gives without any card."""
    assert chain.output is not None  # noqa: S101 - `_read` has seen to it
    if _is_index(chain.output):
        return replace(chain, labels=_index(chain.output))
    scores: NDArray[Any] = chain.output.to_array()
    scores = scores.reshape(_plain(scores.shape))
    if scores.ndim != 3 or 0 in scores.shape:
        return chain
    if _channels_last(scores.shape, 0):
        scores = np.moveaxis(scores, -1, 0)
    if not 2 <= len(scores) <= 256:
        return chain
    chain = replace(chain, scores=scores)
    try:
        return replace(chain, labels=argmax_labels(scores))
    except WasiNnError as error:
        return replace(chain, notes=(*chain.notes, f"{chain.what}: no labels: {error}"))


# -- inputs ---------------------------------------------------------------------------------------


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
    """Return whether both have an image, and the same one."""
    if a.image is None or b.image is None:
        return False
    one, other = kept_image(a.image), kept_image(b.image)
    if isinstance(one, bytes) or isinstance(other, bytes):
        return isinstance(one, bytes) and isinstance(other, bytes) and one == other
    return bool(np.array_equal(one, other))
