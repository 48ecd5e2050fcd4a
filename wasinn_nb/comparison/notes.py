"""What else there is to know of two sides: what made them, and what was assumed or not read."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import precision_with
from wasinn_nb.comparison.chain import Chain
from wasinn_nb.comparison.margins import are_logits
from wasinn_nb.origin import Origin

__all__ = ["QUANTIZED", "made_by", "notes_on", "on_softmax", "quantized_ports", "told_apart"]

QUANTIZED: Final = "engines round quantized models differently"
"""What is known of one quantized model on two engines."""

_BYTES: Final = frozenset({TensorType.U8, TensorType.I8})


def notes_on(a: Chain, b: Chain) -> tuple[str, ...]:
    """Return a sentence on each thing that differs in what made the two sides, and their notes."""
    notes = [*_on_models(a, b)]
    if a.origin is not None and b.origin is not None:
        differing = a.origin.diff(b.origin)
        for name in ("precision", "runtime", "target"):
            if name in differing:
                first, second = differing[name]
                notes.append(f"{name}: {first} in a, {second} in b")
    if a.threshold is not None and b.threshold is not None and a.threshold != b.threshold:
        notes.append(f"threshold: {a.threshold:g} in a, {b.threshold:g} in b")
    highest = [_highest(chain) for chain in (a, b)]
    if None not in highest and highest[0] != highest[1]:
        notes.append(f"the highest score is element {highest[0]} in a, {highest[1]} in b")
    return (*notes, *_on_assumed(a, b), *a.notes, *b.notes)


def told_apart(a: Chain, b: Chain) -> tuple[Chain, Chain]:
    """Return two sides that are called the same by the files that ran, where their cards know them.

    Examples
    --------
    >>> told_apart(Chain("a tensor"), Chain("a tensor"))[0].what
    'a tensor'
    """
    weights = [_weights(chain) for chain in (a, b)]
    if a.what != b.what or weights[0] == weights[1] or "" in weights:
        return a, b
    one, other = (
        replace(chain, what=f"{chain.what}, {name} weights", weights=name)
        for chain, name in zip((a, b), weights, strict=True)
    )
    return one, other


def _weights(chain: Chain) -> str:
    """Return which of the precisions on its card a side's files have; empty where unknown."""
    if chain.card is None or chain.origin is None:
        return ""
    return precision_with(chain.card.precisions, chain.origin.files.values()) or ""


def on_softmax(a: Chain, b: Chain) -> tuple[str, ...]:
    """Return a sentence on the sides whose scores became probabilities to judge what is near a tie.

    Examples
    --------
    >>> logits = Chain("a", scores=np.float32([[[9.0]], [[-9.0]]]))
    >>> on_softmax(logits, Chain("b"))
    ('near a tie: the scores of a are logits, by their values; judged on the softmax of them',)
    """
    sides = [
        name
        for name, chain in (("a", a), ("b", b))
        if chain.scores is not None and chain.threshold is None and are_logits(chain.scores)
    ]
    if not sides:
        return ()
    whose = f"the scores of {' and '.join(sides)} are logits, by their values"
    return (f"near a tie: {whose}; judged on the softmax of them",)


def made_by(a: Chain, b: Chain) -> str:
    """Return in short what made the two sides, where it differs: ``"f32 against bf16"``."""
    if a.origin is None or b.origin is None:
        return ""
    differing = a.origin.diff(b.origin)
    if a.weights:
        differing["precision"] = (
            f"{a.origin.precision} with {a.weights} weights",
            f"{b.origin.precision} with {b.weights} weights",
        )
    return ", ".join(
        f"{differing[name][0]} against {differing[name][1]}"
        for name in ("runtime", "target", "precision")
        if name in differing
    )


def quantized_ports(a: Chain, b: Chain) -> tuple[str, ...]:
    """Return what of one model that ran on two engines is quantized: ``"input"``, ``"output"``.

    Nothing where two runtimes are not known to have run the same files.
    """
    if a.origin is None or b.origin is None or a.origin.runtime == b.origin.runtime:
        return ()
    if a.origin.model != b.origin.model or _differing_files(a.origin, b.origin):
        return ()
    ports = {
        "input": _takes_integers(a) or _takes_integers(b),
        "output": _gives_integers(a) or _gives_integers(b),
    }
    return tuple(name for name, quantized in ports.items() if quantized)


def _takes_integers(chain: Chain) -> bool:
    if chain.input is not None and chain.input.type in _BYTES:
        return True
    recipe = chain.recipe
    return recipe is not None and (recipe.type in _BYTES or recipe.quantization is not None)


def _gives_integers(chain: Chain) -> bool:
    if chain.class_scores is not None and chain.class_scores.are_integers:
        return True
    return chain.output is not None and chain.output.type in _BYTES


def _on_models(a: Chain, b: Chain) -> list[str]:
    notes = []
    if a.card is not None and b.card is not None and a.card.name != b.card.name:
        notes.append(f"models: {a.card.name} in a, {b.card.name} in b")
    if a.origin is not None and b.origin is not None:
        notes += _differing_files(a.origin, b.origin)
    if a.card is not None and b.card is not None and a.card.classes != b.card.classes:
        notes.append("the cards name different classes; those of a are used")
    return notes


def _differing_files(a: Origin, b: Origin) -> list[str]:
    """Return sentences on the files that the weights come from, where both sides know them."""
    digests = set(a.files.values()), set(b.files.values())
    # Version 0.1.0 knows the last file alone.
    if digests[0] <= digests[1] or digests[1] <= digests[0]:
        return []
    changed = [name for name in a.files if name in b.files and a.files[name] != b.files[name]]
    notes = [f"model file {name}: other SHA-384 in b" for name in changed]
    only = [
        [name for name in one.files if name not in other.files] for one, other in ((a, b), (b, a))
    ]
    if any(only):
        listed = [", ".join(names) or "no other" for names in only]
        notes.append(f"model files: {listed[0]} in a, {listed[1]} in b")
    return notes


def _on_assumed(a: Chain, b: Chain) -> list[str]:
    """Return what was assumed of the two sides; once where it is the same."""
    both = [text for text in a.assumed if text in b.assumed]
    sides = {"both": both} | {
        name: [text for text in chain.assumed if text not in both]
        for name, chain in (("a", a), ("b", b))
    }
    return [f"assumed in {name}: {'; '.join(texts)}" for name, texts in sides.items() if texts]


def _highest(chain: Chain) -> int | None:
    """Return which score of a classification is the highest, where only its tensor is known."""
    if chain.output is None or not chain.output.nbytes or chain.class_scores is not None:
        return None
    dims = chain.output.dimensions
    values = chain.output.to_array()
    one_row = len(dims) - dims.count(1) == 1
    return int(values.argmax()) if one_row and not np.isnan(values).any() else None
