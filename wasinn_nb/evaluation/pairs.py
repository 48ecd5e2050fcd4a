"""Which prediction belongs to which truth: by name where both have names, else by their order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import expanded

__all__ = ["Pair", "paired"]

_PHOTOGRAPHS: Final = (".jpg", ".jpeg", ".jp2", ".webp", ".avif")
_LOSSLESS: Final = (".png", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
_SUFFIXES: Final = frozenset(_PHOTOGRAPHS + _LOSSLESS)
_SHOWN_NAMES: Final = 8


class Pair(NamedTuple):
    """One image's prediction (or photograph) and its truth."""

    name: str
    prediction: Any
    truth: Any


def paired(predictions: Any, truths: Any) -> list[Pair]:
    """Return what belongs together.

    Parameters
    ----------
    predictions, truths : folder, mapping, one item, or iterable of items
        A folder gives its image files; the names of files are their stems, those of a mapping its
        keys.  Where both have names they must be the same; else the order counts.

    Raises
    ------
    InvalidArgumentError
        If a name has no counterpart or occurs twice, the numbers differ, or there is nothing.
    MissingFileError
        If a folder holds no images.

    Examples
    --------
    >>> [pair.name for pair in paired({"b": 1, "a": 2}, {"a": 3, "b": 4})]
    ['b', 'a']
    >>> paired({"b": 1, "c": 2}, {"a": 3, "b": 4})
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: predictions without truth: c; truths without prediction:
    a; name the pairs with {name: …} on both sides, or take the others out
    """
    own, given = _named(predictions, "predictions"), _named(truths, "truths")
    names, true_names = [name for name, _ in own], [name for name, _ in given]
    if None in names or None in true_names:
        if len(own) != len(given):
            raise InvalidArgumentError(
                f"expected a truth for each prediction, got {len(own)} predictions and "
                f"{len(given)} truths"
            )
        return [
            Pair(a if a is not None else b if b is not None else f"image {n}", prediction, truth)
            for n, ((a, prediction), (b, truth)) in enumerate(zip(own, given, strict=True))
        ]
    _refuse_twice(names, "predictions")
    _refuse_twice(true_names, "truths")
    by_name = dict(given)
    lonely = [name for name in names if name not in by_name]
    unseen = [name for name in true_names if name not in set(names)]
    if lonely or unseen:
        said = [
            f"{what}: {_shown(those)}"
            for what, those in (
                ("predictions without truth", lonely),
                ("truths without prediction", unseen),
            )
            if those
        ]
        raise InvalidArgumentError(
            f"{'; '.join(said)}; name the pairs with {{name: …}} on both sides, "
            f"or take the others out"
        )
    return [Pair(str(name), prediction, by_name[name]) for name, prediction in own]


def _named(given: Any, what: str) -> list[tuple[str | None, Any]]:
    if isinstance(given, str | os.PathLike) and (folder := expanded(given)).is_dir():
        items: list[Any] = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
        )
        if not items:
            raise MissingFileError(f"no images in the folder {folder}; check the path")
    elif isinstance(given, Mapping):
        named: list[tuple[str | None, Any]] = [(str(name), item) for name, item in given.items()]
        if not named:
            raise InvalidArgumentError(f"expected at least one image, got no {what}")
        return named
    elif (isinstance(given, np.ndarray) and given.ndim == 3 and given.shape[2] not in {3, 4}) or (
        isinstance(given, Iterable)
        and not isinstance(given, str | bytes | bytearray | memoryview | np.ndarray | Image.Image)
        and not hasattr(given, "read")
    ):
        items = list(given)
    else:
        items = [given]
    if not items:
        raise InvalidArgumentError(f"expected at least one image, got no {what}")
    return [(_stem(item), item) for item in items]


def _stem(item: Any) -> str | None:
    return Path(item).stem if isinstance(item, str | os.PathLike) else None


def _refuse_twice(names: list[str | None], what: str) -> None:
    if twice := sorted({str(name) for name in names if names.count(name) > 1}):
        raise InvalidArgumentError(
            f"two {what} of one name: {_shown(twice)}; name them apart with {{name: …}}"
        )


def _shown(names: list[Any]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(str, names[:_SHOWN_NAMES])) + more
