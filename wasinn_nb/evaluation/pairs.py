"""Which prediction belongs to which truth: by name where both have names, else by their order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb import catalog
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, Remedy
from wasinn_nb.evaluation.names import composed, short_names
from wasinn_nb.evaluation.stored import Stored, query_of, stored_items
from wasinn_nb.evaluation.suffixes import NO_SUFFIXES, Suffixes, likely_suffixes
from wasinn_nb.files import expanded, is_folder, is_special, nothing_at
from wasinn_nb.imaging import IMAGE_SUFFIXES, no_images_in
from wasinn_nb.prediction import Predictions
from wasinn_nb.wording import counted, listed

__all__ = ["Named", "Pair", "images_in", "named", "nested_images", "paired"]
__all__ += ["passed_over", "rows_left_out"]

Named: TypeAlias = tuple[str | None, Any]
"""An item with its name, where it has one."""

_MOST_NAMES: Final = 8
_MOST_UNPAIRED: Final = 3


class Pair(NamedTuple):
    """One image's prediction (or the image to predict) and its truth."""

    name: str
    prediction: Any
    truth: Any


def paired(
    own: Sequence[Named],
    given: Sequence[Named],
    passed_over: Sequence[str] = (),
    suffixes: Suffixes | None = NO_SUFFIXES,
    left_out: Collection[str] = (),
) -> list[Pair]:
    """Return what belongs together.

    Parameters
    ----------
    own, given : sequence of (name or None, item)
        The predictions and the truths, as :func:`named` returns them.  Where both have names they
        must be the same; else the order counts.
    passed_over : sequence of str
        Files of the folders that are in neither, as :func:`passed_over` returns them, for errors.
    suffixes : Suffixes or None
        What the names end with besides; it is left out of them.  None where they have none: those
        of classes.
    left_out : collection of str
        Names of predictions that are not judged, so that nor are their truths.

    Raises
    ------
    InvalidArgumentError
        If a name has no counterpart or occurs twice, or the numbers differ.

    Examples
    --------
    >>> [pair.name for pair in paired([("b", 1), ("a", 2)], [("a", 3), ("b", 4)])]
    ['b', 'a']
    >>> paired([("b", 1), ("c", 2)], [("a", 3), ("b", 4)])
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: 1 of 2 predictions without truth: c; 1 of 2 truths
    without prediction: a; what belongs together has one name, ...
    """
    as_given = own, given
    if suffixes is not None:
        own, given = _without(suffixes.own, own), _without(suffixes.true, given)
        left_out = {name.removesuffix(suffixes.own) or name for name in left_out}
    names, true_names = [name for name, _ in own], [name for name, _ in given]
    if None in names or None in true_names:
        if len(own) != len(given):
            raise InvalidArgumentError(
                f"expected a truth for each prediction, got {counted(len(own), 'prediction')} and "
                f"{counted(len(given), 'truth')}"
            )
        return [
            Pair(a if a is not None else b if b is not None else f"image {n}", prediction, truth)
            for n, ((a, prediction), (b, truth)) in enumerate(zip(own, given, strict=True))
        ]
    _refuse_twice(names, "predictions")
    _refuse_twice(true_names, "truths")
    by_name, here = dict(given), {*names, *left_out}
    unpaired = [(name, item) for name, item in own if name not in by_name]
    without_truth = [name for name, item in unpaired if not _failed(item)]
    without_prediction = [name for name in true_names if name not in here]
    _refuse_twice(_shortened(without_prediction, without_truth), "truths")
    _refuse_twice(_shortened(without_truth, without_prediction), "predictions")
    if without_truth or without_prediction:
        problem = "; ".join(
            f"{len(those):,} of {len(every):,} {what}: {listed([*map(str, those)], _MOST_UNPAIRED)}"
            for what, those, every in (
                ("predictions without truth", without_truth, names),
                ("truths without prediction", without_prediction, true_names),
            )
            if those
        )
        if passed_over:
            skipped = listed([*map(str, passed_over)], _MOST_NAMES)
            problem += f"; passed over, as not named like images: {skipped}"
        tried = len(without_truth) < len(names) and any(suffixes or ())
        remedy = (
            _remedy(*as_given, suffixes=None if tried else suffixes)
            if without_prediction
            else _judge_the_others(own, by_name)
        )
        raise InvalidArgumentError(problem, remedy=remedy)
    return [Pair(str(name), prediction, by_name.get(name)) for name, prediction in own]


def _failed(item: Any) -> bool:
    """Return whether there is no prediction that a truth could judge."""
    return isinstance(item, Stored) and item.failed


def _judge_the_others(own: Sequence[Named], by_name: Collection[str | None]) -> Remedy:
    """Return how to judge the predictions that have a truth, where no truth is left over."""
    rows = [(name, item) for name, item in own if isinstance(item, Stored)]
    if not rows:
        start = "add their truths, or"
        return Remedy(f"{start} judge the others alone", command=f"{start} take them out")
    those = [row.name for name, row in rows if name in by_name]
    if not those:
        return Remedy(
            "the truths are of other rows of the run: judge those",
            command="the truths are of other rows of the run: choose those with --query",
        )
    whole = stored_items(rows[0][1].predictions.whole)  # the query replaces one that chose rows
    if not (query := query_of({*those, *(row.name for row in whole if not row.failed)}, those)):
        return Remedy(
            "judge the others alone, chosen by their names: predictions.query('name in @names')",
            command="judge the others alone, chosen by their names: add --query \"name < 'NAME'\"",
        )
    return Remedy(f"judge the others alone: predictions.query({query!r})", [{"query": query}])


def _shortened(names: Sequence[str | None], others: Sequence[str | None]) -> list[str | None]:
    """Return those names, without their suffixes, that the other side has without a suffix.

    Examples
    --------
    >>> _shortened(["a.jpg", "a.png", "b"], ["a", "c"])
    ['a', 'a']
    """
    short = [str(PurePosixPath(name).with_suffix("")) for name in names if name]
    return [name for name in short if name in {*others}]


def _without(suffix: str, items: Sequence[Named]) -> list[Named]:
    """Return items with names without a suffix; one that is nothing else stays."""
    return [((name and name.removesuffix(suffix)) or name, item) for name, item in items]


def _remedy(own: Sequence[Named], given: Sequence[Named], suffixes: Suffixes | None) -> Remedy:
    """Return how to pair items of which some have no counterpart."""
    if suffixes is None:
        return Remedy(
            "name the pairs with {name: …} on both sides, or take the others out",
            command="give the files of a pair one name, or take the others out",
        )
    names, true_names = ([str(name) for name, _ in items] for items in (own, given))
    common = {*names} & {*true_names} if not any(suffixes) else set()
    likely = likely_suffixes(
        [name for name in names if name not in common],
        [name for name in true_names if name not in common],
    )
    if likely is None or likely[0] == suffixes:
        return Remedy(
            "what belongs together has one name, without what follows its last dot: name the pairs "
            "with {name: …} on both sides, pass suffix='_mask' where the names of the truths end "
            "with that besides, or take the others out",
            command="the files of a pair have one name, without what follows its last dot: add "
            "--suffix _mask where the names of the truths end with that besides, --suffix A,B "
            "where those of both sides do, or take the others out",
        )
    found, count = likely
    if not any(found):
        return Remedy(
            f"leave suffix out, which pairs {count} of them",
            command=f"leave --suffix out, which pairs {count} of them",
        )
    argument = found.argument
    return Remedy(
        f"suffix={argument!r} pairs {count} of them; or name the pairs with {{name: …}}",
        [{"suffix": argument}],
    )


def named(given: Any, what: str, *, nested: bool = False) -> list[Named]:
    """Return items with their names, where they have any.

    Parameters
    ----------
    given : Predictions, folder, mapping, one item, or iterable of items
        A folder gives its image files; the names of files are their stems, or the whole names where
        two have one stem; those of a mapping are its keys.  An array (H, W), (H, W, 1), (H, W, 3)
        or (H, W, 4) is one item, any other its parts.
    what : str
        What they are, for errors: ``"predictions"``.
    nested : bool
        Whether a folder without image files may give those of its folders, named
        ``"FOLDER/STEM"``.

    Raises
    ------
    InvalidArgumentError
        If there is nothing.
    MissingFileError
        If a path leads nowhere, or a folder holds no images or cannot be read.

    Examples
    --------
    >>> named(["x/a.png", "x/b.png"], "truths")
    [('a', 'x/a.png'), ('b', 'x/b.png')]
    """
    if isinstance(given, Predictions):
        rows = stored_items(given)
        if not rows:
            raise InvalidArgumentError(f"expected at least one image, got no {what}")
        return [*zip(short_names([PurePosixPath(row.name) for row in rows]), rows, strict=True)]
    if isinstance(given, str | os.PathLike) and is_folder(folder := expanded(given)):
        items: list[Any] = images_in(folder)
        if not items and nested and (found := nested_images(folder)):
            return list(found.items())
        if not items:
            raise MissingFileError(no_images_in(folder))
    elif isinstance(given, str | os.PathLike):
        path = expanded(given)
        if not os.path.lexists(path) and given not in catalog.images():
            raise MissingFileError(nothing_at(path, "file or folder"))
        items = [given]
    elif isinstance(given, Mapping):
        by_key: list[Named] = [(composed(str(name)), item) for name, item in given.items()]
        if not by_key:
            raise InvalidArgumentError(f"expected at least one image, got no {what}")
        return by_key
    elif (isinstance(given, np.ndarray) and _is_stack(given)) or (
        isinstance(given, Iterable)
        and not isinstance(given, str | bytes | bytearray | memoryview | np.ndarray | Image.Image)
        and not hasattr(given, "read")
    ):
        items = list(given)
    else:
        items = [given]
    if not items:
        raise InvalidArgumentError(f"expected at least one image, got no {what}")
    files = [item for item in items if isinstance(item, str | os.PathLike)]
    stems = iter(short_names([PurePosixPath(Path(item).name) for item in files]))
    return [(next(stems) if isinstance(item, str | os.PathLike) else None, item) for item in items]


def rows_left_out(predictions: Any) -> list[str]:
    """Return the names of the other rows of a run, where predictions are some of its rows."""
    if not isinstance(predictions, Predictions):
        return []
    whole = predictions.whole
    if len(whole) == len(predictions):
        return []
    chosen = {row.name for row in stored_items(predictions)}
    rows = named(whole, "predictions")
    return [str(name) for name, row in rows if row.name not in chosen]


def _is_stack(array: NDArray[np.generic]) -> bool:
    """Return whether an array holds several images or masks: (N, H, W) or (N, H, W, channels)."""
    return array.ndim == 4 or (array.ndim == 3 and array.shape[2] not in {1, 3, 4})


def images_in(folder: Path) -> list[Path]:
    """Return the image files in a folder, sorted; hidden ones, pipes and devices are left out.

    Raises
    ------
    MissingFileError
        If the folder cannot be read.
    """
    return [
        path
        for path in _entries(folder)
        if path.suffix.lower() in IMAGE_SUFFIXES and not is_special(path)
    ]


def passed_over(given: Any) -> list[str]:
    """Return the names of the files in a folder that are not taken, as they are not images.

    Hidden ones are left out.  Of a folder without images, those in its folders are named, too.

    Parameters
    ----------
    given : Any
        As for :func:`named`; what is not the path of a folder passes over nothing.

    Raises
    ------
    MissingFileError
        If a folder cannot be read.
    """
    if not isinstance(given, str | os.PathLike) or not is_folder(folder := expanded(given)):
        return []
    others = _others_in(folder)
    if not images_in(folder):
        for inner in _entries(folder):
            others += _others_in(inner) if is_folder(inner) else []
    return [path.relative_to(folder).as_posix() for path in others]


def _others_in(folder: Path) -> list[Path]:
    images = {*images_in(folder)}
    return [path for path in _entries(folder) if path not in images and not is_folder(path)]


def nested_images(folder: Path) -> dict[str, Path]:
    """Return the image files in the folders of a folder: ``"FOLDER/STEM"`` → path.

    Raises
    ------
    MissingFileError
        If a folder cannot be read.
    """
    found = [
        (PurePosixPath(inner.name, path.name), path)
        for inner in _entries(folder)
        if is_folder(inner)
        for path in images_in(inner)
    ]
    names = short_names([name for name, _ in found])
    return {name: path for name, (_, path) in zip(names, found, strict=True)}


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise MissingFileError(
            f"the folder {folder} cannot be read: {error.strerror}; change its permissions"
        ) from error


def _refuse_twice(names: list[str | None], what: str) -> None:
    if twice := sorted(str(name) for name, count in Counter(names).items() if count > 1):
        raise InvalidArgumentError(
            f"two {what} of one name: {listed([*map(str, twice)], _MOST_NAMES)}",
            remedy=Remedy("name them apart with {name: …}", command="rename one of the files"),
        )
