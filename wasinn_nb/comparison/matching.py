"""Which layers two models have in common: by their names, else by their place in the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from wasinn_nb.cards import standard_name
from wasinn_nb.runtimes import INPUT, Layer, LayeredModel, is_numbered

__all__ = ["Gap", "Pair", "gap_before", "matched", "named_alike"]


class Pair(NamedTuple):
    """The places of one layer in two models."""

    a: int
    b: int


class Gap(NamedTuple):
    """What lies before a layer since the last ones that both models have.

    Attributes
    ----------
    before : frozenset of int
        The layers of a that both have, or `INPUT`.
    unmatched : (int, int)
        How many layers of a, and of b, lie between without a counterpart.
    """

    before: frozenset[int]
    unmatched: tuple[int, int]


def matched(a: LayeredModel, b: LayeredModel) -> list[Pair]:
    """Return the layers that two models have in common, in a's order.

    Those of one name first, then outputs of one place; of the rest those that come in one order
    with the same operation and size, and are computed from the same layers.
    """
    pairs = dict(named_alike(a.layers, b.layers))
    pairs |= _outputs_alike(a, b, pairs)
    pairs |= _placed_alike(a, b, pairs)
    return [Pair(*pair) for pair in sorted(pairs.items())]


def named_alike(a: Sequence[Layer], b: Sequence[Layer]) -> list[Pair]:
    """Return the layers of one name and size, in a's order.

    The names of the values count first, which every runtime takes from the file, then those of the
    operations.  Names that end in a number, which an engine may have generated, count only where
    most of them are those of layers with the same operation and size.

    Examples
    --------
    >>> one = Layer("conv", "Convolution", (1, 8)), Layer("relu", "Relu", (1, 8))
    >>> other = Layer("fq", "FakeQuantize", (1, 8)), Layer("relu", "Relu", (1, 8))
    >>> named_alike(one, other)
    [Pair(a=1, b=1)]
    """
    by_value = {name: place for place, one in enumerate(b) for name in one.tensor_names}
    by_name = {one.name: place for place, one in reversed(list(enumerate(b)))}
    lasting = _numbers_last(a, b, by_name)
    matches: set[int] = set()
    pairs = []
    for place, layer in enumerate(a):
        candidates = [by_value.get(name) for name in sorted(layer.tensor_names)]
        if lasting or not is_numbered(layer.name):
            candidates.append(by_name.get(layer.name))
        for other in candidates:
            if other is None or other in matches or b[other].dimensions != layer.dimensions:
                continue
            matches.add(other)
            pairs.append(Pair(place, other))
            break
    return pairs


def _numbers_last(a: Sequence[Layer], b: Sequence[Layer], by_name: Mapping[str, int]) -> bool:
    """Return whether numbered names stand for the same layers in both models."""
    numbered = [one for one in a if is_numbered(one.name)]
    also = sum(one.name in by_name and _key(one) == _key(b[by_name[one.name]]) for one in numbered)
    others = sum(is_numbered(one.name) for one in b)
    return 2 * also >= min(len(numbered), others)


def _key(layer: Layer) -> tuple[str, tuple[int, ...]]:
    return standard_name(layer.operation), layer.dimensions


def _outputs_alike(a: LayeredModel, b: LayeredModel, pairs: Mapping[int, int]) -> dict[int, int]:
    known = set(pairs.values())
    return {
        one: other
        for one, other in zip(a.outputs, b.outputs, strict=False)
        if one is not None and one not in pairs
        if other is not None and other not in known
        if a.layers[one].dimensions == b.layers[other].dimensions
    }


def _placed_alike(a: LayeredModel, b: LayeredModel, pairs: Mapping[int, int]) -> dict[int, int]:
    """Return further layers of one place, operation and size, with the same ones before them."""
    known = set(pairs.values())
    rest_a = [place for place in range(len(a.layers)) if place not in pairs]
    rest_b = [place for place in range(len(b.layers)) if place not in known]
    keys = [_key(a.layers[place]) for place in rest_a], [_key(b.layers[place]) for place in rest_b]
    found = {rest_a[one]: rest_b[other] for one, other in _common_order(*keys)}
    while wrong := _computed_otherwise(a, b, {**pairs, **found}, found):
        for place in wrong:
            del found[place]
    return found


def _computed_otherwise(
    a: LayeredModel, b: LayeredModel, pairs: Mapping[int, int], chosen: Mapping[int, int]
) -> list[int]:
    """Return the *chosen* layers of a whose counterparts are computed from other layers."""
    places = {INPUT: INPUT, **pairs}
    of_a, of_b = frozenset(pairs), frozenset(pairs.values())
    return [
        one
        for one, other in chosen.items()
        if {places[source] for source in a.reads(one, of_a)} != b.reads(other, of_b)
    ]


def _common_order(a: Sequence[Any], b: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Yield the places of the longest sequence that two have in common, from its end.

    Examples
    --------
    >>> list(_common_order("conv relu", "conv, relu"))[-5:]
    [(4, 5), (3, 3), (2, 2), (1, 1), (0, 0)]
    """
    numbers = {key: number for number, key in enumerate(dict.fromkeys((*a, *b)))}
    ours = [numbers[key] for key in a]
    theirs = np.array([numbers[key] for key in b], np.int64)
    longest = np.zeros((len(a) + 1, len(b) + 1), np.int32)
    for place, number in enumerate(ours):
        equal = longest[place, :-1] + (theirs == number)
        longest[place + 1, 1:] = np.maximum.accumulate(np.maximum(longest[place, 1:], equal))
    one, other = len(a), len(b)
    while one and other:
        if ours[one - 1] == theirs[other - 1]:
            one, other = one - 1, other - 1
            yield one, other
        elif longest[one - 1, other] >= longest[one, other - 1]:
            one -= 1
        else:
            other -= 1


def gap_before(a: LayeredModel, b: LayeredModel, pairs: Sequence[Pair], pair: Pair) -> Gap:
    """Return what lies before a layer since the last ones that both models have.

    Parameters
    ----------
    a, b : LayeredModel
    pairs : sequence of Pair
        What both have.
    pair : Pair
        The layer.
    """
    before, of_a = _upstream(a, pair.a, frozenset(one.a for one in pairs))
    _, of_b = _upstream(b, pair.b, frozenset(one.b for one in pairs))
    return Gap(before, (of_a, of_b))


def _upstream(model: LayeredModel, layer: int, known: frozenset[int]) -> tuple[frozenset[int], int]:
    every = frozenset(range(len(model.layers)))
    left, between, before = [layer], set[int](), set[int]()
    while left:
        sources = model.reads(left.pop(), every)
        before |= sources & (known | {INPUT})
        fresh = sources - known - between - {INPUT}
        between |= fresh
        left += fresh
    return frozenset(before), len(between)
