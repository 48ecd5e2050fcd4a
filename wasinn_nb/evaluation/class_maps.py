"""Which classes of the data and of the model are the same."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import UNNAMED_CLASS, ModelCard, named_background, unnamed_classes
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.evaluation.labels import IGNORED, LabelSet, known_class
from wasinn_nb.render import RGB, class_palette

__all__ = ["OTHER", "ClassMap", "Side", "class_map"]

Side: TypeAlias = str | int | Sequence[str | int]
"""One or more classes of one side of a mapping, by name or index."""

OTHER: Final = "other"
"""The class of all that a mapping does not name."""

_Groups: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
_GRAY: Final = (128, 128, 128)
_BLACK: Final = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class ClassMap:
    """Which classes are evaluated, and which classes of data and model each stands for.

    Parameters
    ----------
    names : tuple of str
        The evaluated classes; the last is `OTHER` where `has_other`.
    palette : tuple of (red, green, blue)
    truth, predicted : tuple of tuples of str
        For each evaluated class, the names of the data's and the model's classes.
    from_truth, from_predicted : (256,) uint8 arrays
        Index of the data's, or the model's, class → index of the evaluated class.
    has_other : bool
        Whether the last class is all that the mapping does not name.
    ignored : tuple of str
        Evaluated classes of which no true pixel counts; they are in no mean.
    """

    names: tuple[str, ...]
    palette: tuple[RGB, ...]
    truth: tuple[tuple[str, ...], ...]
    predicted: tuple[tuple[str, ...], ...]
    from_truth: NDArray[np.uint8]
    from_predicted: NDArray[np.uint8]
    has_other: bool
    ignored: tuple[str, ...] = ()

    @property
    def averaged(self) -> tuple[int, ...]:
        """The indices of the classes that means include."""
        named = self.names[: len(self.names) - self.has_other]
        return tuple(index for index, name in enumerate(named) if name not in self.ignored)

    def lines(self) -> list[str]:
        r"""Return what the mapping does, a line for each class where names differ.

        Examples
        --------
        >>> classes = class_map(LabelSet(("road", "tree"), (0, 1)), None, {"road": "road"})
        >>> print(*classes.lines(), sep="\n")
        other: tree of the data, tree of the model
        """
        lines = []
        for name, truth, predicted in zip(self.names, self.truth, self.predicted, strict=True):
            if name != " + ".join(truth):
                lines.append(
                    f"{name}: {_joined(truth)} of the data, {_joined(predicted)} of the model"
                )
            elif truth != predicted:
                lines.append(f"{_joined(truth)} of the data is {_joined(predicted)} of the model")
        return lines


def class_map(
    data: LabelSet, card: ModelCard | None, mapping: Mapping[Side, Side] | None
) -> ClassMap:
    r"""Return which classes are evaluated.

    Parameters
    ----------
    data : LabelSet
    card : ModelCard or None
        Of the model; without one its classes are the data's.
    mapping : mapping or None
        Class or classes of the data → class or classes of the model, by name or index.  All other
        classes, on either side, become one further class `OTHER`.  Without a mapping each class is
        the one of the same name.  Ignored classes of the data that a mapping does not name, or that
        the model does not have, are none.

    Raises
    ------
    InvalidArgumentError
        If a name is not known or occurs twice, or names differ and there is no mapping.

    Examples
    --------
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road", "mark"))
    >>> found = class_map(LabelSet(("sky", "road"), (0, 1)), card, {"road": ("road", "mark")})
    >>> found.names
    ('road', 'other')
    >>> print(*found.lines(), sep="\n")
    road of the data is road + mark of the model
    other: sky of the data, background of the model
    """
    model = data.names if card is None else card.classes
    ignored = {
        name for name, value in zip(data.names, data.values, strict=True) if value in data.ignored
    }
    counted = tuple(name for name in data.names if name not in ignored)
    if mapping is None:
        own = data.names
        same = _same(own, model)
        if same is None:  # a class that the model need not know
            own = counted
            same = _same(own, model)
        if same is None:
            raise InvalidArgumentError(
                f"the data's classes ({_joined(own, ', ')}) are not the model's "
                f"({_joined(model, ', ')})",
                remedy=_mapping_remedy(own, model),
            )
        pairs: list[_Groups] = [((one,), (other,)) for one, other in zip(own, same, strict=True)]
        names = same if own == unnamed_classes(len(same)) else list(own)
    else:
        if not isinstance(mapping, Mapping) or not mapping:
            raise InvalidArgumentError(
                f"expected a mapping from the data's classes to the model's, got {mapping!r:.80}"
            )
        pairs = [
            (_side(key, data.names, "data class"), _model_side(value, model, card))
            for key, value in mapping.items()
        ]
        names = [" + ".join(truth) for truth, _ in pairs]
    rest = tuple(
        tuple(name for name in known if all(name not in pair[side] for pair in pairs))
        for side, known in enumerate((counted, model))
    )
    for side, kind in enumerate(("data's", "model's")):
        counts = Counter(name for pair in pairs for name in pair[side])
        if twice := sorted(name for name, count in counts.items() if count > 1):
            raise InvalidArgumentError(
                f"the mapping names the {kind} {_joined(twice, ', ')} more than once"
            )
    has_other = any(rest)
    if has_other:
        if OTHER in names:
            raise InvalidArgumentError(
                f"the mapping names a class {OTHER!r}, which is what the rest is called; "
                f"rename it in classes, or map every class"
            )
        pairs.append((rest[0], rest[1]))
        names.append(OTHER)
    return ClassMap(
        tuple(names),
        _palette(data, card, pairs, has_other=has_other),
        tuple(pair[0] for pair in pairs),
        tuple(pair[1] for pair in pairs),
        _translation(data.names, [pair[0] for pair in pairs]),
        _translation(model, [pair[1] for pair in pairs]),
        has_other,
        tuple(
            name
            for name, (truth, _) in zip(names[: len(pairs) - has_other], pairs, strict=False)
            if ignored.issuperset(truth)
        ),
    )


def _mapping_remedy(names: Sequence[str], model: Sequence[str]) -> Remedy:
    """Return how to say which classes are the same: those of one name, where there are some.

    Examples
    --------
    >>> _mapping_remedy(("Sky", "car"), ("sky", "tree")).python
    "say which are the same: mapping={'Sky': 'sky'}; the rest becomes 'other'"
    """
    by_plain = {name.casefold(): name for name in (*model, *set(names).intersection(model))}
    pairs: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name not in model):
        other = name if name in model else by_plain.get(name.casefold())
        if other is not None and other not in pairs.values() and name != OTHER:
            pairs[name] = other
    start, end = "say which are the same: ", f"; the rest becomes {OTHER!r}"
    if not pairs:
        return Remedy(
            f"{start}mapping={{DATA_CLASS: MODEL_CLASS, …}}{end}",
            command=f"{start}--map DATA_CLASS=MODEL_CLASS, again for more{end}",
        )
    options = (f"--map {shlex.quote(f'{one}={other}')}" for one, other in pairs.items())
    return Remedy(f"{start}mapping={pairs!r}{end}", command=f"{start}{' '.join(options)}{end}")


def _same(names: tuple[str, ...], model: tuple[str, ...]) -> list[str] | None:
    """Return the model's class for each of the data's; None where their names differ."""
    # Numbered classes have no names that could differ.
    if len(names) == len(model) and unnamed_classes(len(model)) in {names, model}:
        return list(model)
    if set(names) == set(model):
        return list(names)
    background, foreground = UNNAMED_CLASS
    if model == UNNAMED_CLASS and len(names) == 2 and background in names:
        return [name if name == background else foreground for name in names]
    return None


def _palette(
    data: LabelSet,
    card: ModelCard | None,
    pairs: Sequence[_Groups],
    *,
    has_other: bool,
) -> tuple[RGB, ...]:
    """Return the model's colors, else the data's own."""
    if card is not None:
        known = dict(zip(card.classes, card.palette, strict=True))
    elif data.colored:
        known = dict(zip(data.names, data.values, strict=True))
    else:
        colors = class_palette(len(data.names), named_background(data.names))
        known = dict(zip(data.names, colors, strict=True))
    side = 0 if card is None else 1
    own = [known[pair[side][0]] for pair in pairs[: len(pairs) - has_other]]
    return (*own, *([_GRAY if _BLACK in own else _BLACK] if has_other else []))


def _translation(known: Sequence[str], groups: Sequence[Sequence[str]]) -> NDArray[np.uint8]:
    table = np.full(256, IGNORED, np.uint8)
    for index, group in enumerate(groups):
        for name in group:
            table[known.index(name)] = index
    return table


def _side(given: Any, known: Sequence[str], what: str) -> tuple[str, ...]:
    one = isinstance(given, str | int | np.integer)
    items = (given,) if one or not isinstance(given, Iterable) else tuple(given)
    if not items:
        raise InvalidArgumentError(f"the mapping gives no {what}; leave the entry out")
    return tuple(known_class(item, known, what) for item in items)


def _model_side(given: Any, known: Sequence[str], card: ModelCard | None) -> tuple[str, ...]:
    """Return the model's classes of one entry of a mapping; where no card has any, the data's."""
    try:
        return _side(given, known, "model class")
    except InvalidArgumentError as error:
        if card is not None and card.classes:
            raise
        raise InvalidArgumentError(
            f"{error.problem.partition(';')[0]}: nothing says which classes the predicted masks "
            f"have",
            remedy=Remedy(
                "pass card=, a card with the classes: wn.model(NAME).card of what made them",
                command="add --model MODEL or --card CARD, of a model with these classes",
            ),
        ) from error


def _joined(names: Sequence[str], between: str = " + ") -> str:
    joined = between.join(names[:12])
    return (joined + (" …" if len(names) > 12 else "")) or "nothing"
