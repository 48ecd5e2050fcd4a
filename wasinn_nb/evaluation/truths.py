"""The true classes of whole images: from mappings, CSV files, and folders named after classes."""

from __future__ import annotations

import csv
import io
import operator
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.evaluation.names import short_names
from wasinn_nb.evaluation.pairs import Named, nested_images
from wasinn_nb.files import (
    existing_file,
    expanded,
    first_bytes,
    has_folder,
    is_file,
    is_folder,
    nothing_at,
)
from wasinn_nb.imaging import IMAGE_SUFFIXES, no_images_in
from wasinn_nb.wording import no_such

__all__ = ["aligned", "class_indices", "class_truths", "plain_names"]

_COLUMNS: Final = ("image", "class")
_DELIMITERS: Final = ",;\t"
_MOST_BYTES: Final = 1 << 26  # a million images, and room
_FEW_CLASSES: Final = 250  # so many names can be looked through for similar ones


def class_truths(truths: Any) -> list[Named]:
    """Return the class of each image as it was given, with the image's name where there is one.

    Parameters
    ----------
    truths : mapping, path, class, or iterable of classes
        Image name → class name or index; the path of a CSV file with the columns ``image`` and
        ``class`` (separated by comma, semicolon or tab); the path of a folder whose folders are
        named after classes and hold their images, named ``"CLASS/STEM"``; or classes in the order
        of the images.

    Raises
    ------
    InvalidArgumentError
        If they are none of those, or a file does not hold such a table.
    MissingFileError
        If a path leads nowhere, or its folders hold no images.

    Examples
    --------
    >>> class_truths({"a.jpg": "cat", "b": 7})
    [('a', 'cat'), ('b', 7)]
    >>> class_truths(["cat", 7])
    [(None, 'cat'), (None, 7)]
    """
    if isinstance(truths, Mapping):
        found: list[Named] = [*zip(plain_names([*truths]), truths.values(), strict=True)]
    elif isinstance(truths, os.PathLike) or (isinstance(truths, str) and _is_path(truths)):
        path = expanded(truths)
        if not os.path.lexists(path):
            raise MissingFileError(nothing_at(path, "file or folder"))
        found = _of_folders(path) if is_folder(path) else _of_csv(existing_file(path, "table"))
    elif isinstance(truths, str | int | np.integer):
        found = [(None, truths)]
    elif isinstance(truths, Iterable) and not isinstance(truths, bytes | bytearray | memoryview):
        found = [(None, value) for value in truths]
    else:
        raise InvalidArgumentError(
            f"expected the true classes as image name → class, as the path of a CSV file or of a "
            f"folder with a folder for each class, or in the order of the images, "
            f"got {truths!r:.80}"
        )
    if not found:
        raise InvalidArgumentError("expected at least one image, got no truths")
    return found


def class_indices(truths: Sequence[Named], classes: Sequence[str]) -> list[Named]:
    """Return truths with the index of each class in place of its name.

    Parameters
    ----------
    truths : sequence of (name or None, class name or index)
        Text that is not a name may be an index: ``"7"``.
    classes : sequence of str

    Raises
    ------
    InvalidArgumentError
        If there is no such class, or several have the name.

    Examples
    --------
    >>> class_indices([("a", "dog"), ("b", 0), ("c", "1")], ("cat", "dog"))
    [('a', 1), ('b', 0), ('c', 1)]
    """
    known: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(classes):
        known[name].append(index)
    return [(name, _index(value, classes, known, name)) for name, value in truths]


def _index(
    value: Any, classes: Sequence[str], known: Mapping[str, list[int]], image: str | None
) -> int:
    where = "" if image is None else f"{image}: "
    if isinstance(value, str) and value in known:
        if len(known[value]) == 1:
            return known[value][0]
        several = ", ".join(map(str, known[value][:8]))
        raise InvalidArgumentError(
            f"{where}several classes are called {value!r:.80} ({several}); give the index"
        )
    try:
        number = isinstance(value, str) and value.isascii() and value.isdecimal()
        index = int(value) if number else operator.index(value)
    except (TypeError, ValueError):  # Python limits the digits of a number in text
        index = -1
    if not isinstance(value, bool) and 0 <= index < len(classes):
        return index
    if isinstance(value, str) and index < 0 and len(classes) <= _FEW_CLASSES:
        raise InvalidArgumentError(f"{where}{no_such('class', value, classes)}")
    raise InvalidArgumentError(
        f"{where}expected one of the model's {len(classes)} classes, by its name or an index from "
        f"0 to {len(classes) - 1}, got {value!r:.80}"
    )


def plain_names(names: Sequence[Any]) -> list[str]:
    """Return the names of images without the suffixes of image files.

    Examples
    --------
    >>> plain_names(["./cat/a.b.JPG", "a.b", "c.jpg", "c.png", 7])
    ['cat/a.b', 'a.b', 'c.jpg', 'c.png', '7']
    """
    paths = [Path(name if isinstance(name, os.PathLike) else str(name)) for name in names]
    return short_names(paths, IMAGE_SUFFIXES)


def aligned(truths: Sequence[Named], images: Sequence[Named]) -> list[Named]:
    """Return *truths* under the names of *images* where only the folders in the names differ.

    Images may be without a truth.

    Examples
    --------
    >>> aligned([("val/a", 0), ("val/b", 1)], [("a", None), ("b", None), ("c", None)])
    [('a', 0), ('b', 1)]
    """
    names = {name for name, _ in images if name is not None}
    given = [name for name, _ in truths if name is not None]
    if names.issuperset(given) or len(given) < len(truths) or len(names) < len(images):
        return list(truths)
    whole = {_last(name): name for name in names}
    last = {*map(_last, given)}
    if len(whole) < len(names) or len(last) < len(given) or not last <= whole.keys():
        return list(truths)
    return [(whole[_last(str(name))], value) for name, value in truths]


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _is_path(text: str) -> bool:
    path = expanded(text)
    return has_folder(text) or path.suffix.lower() == ".csv" or is_folder(path) or is_file(path)


def _of_folders(folder: Path) -> list[Named]:
    found = nested_images(folder)
    if not found:
        raise MissingFileError(
            f"expected folders that are named after classes and hold images in {folder}; "
            f"{no_images_in(folder)}"
        )
    return [(name, path.parent.name) for name, path in found.items()]


def _of_csv(path: Path) -> list[Named]:
    content = first_bytes(path, "table", _MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InvalidArgumentError(
            f"{path}: expected a table of at most {_MOST_BYTES} bytes, got a larger file; "
            f"check the path"
        )
    try:
        text = content.decode("utf-8-sig")  # spreadsheets put a byte order mark first
        first = text.partition("\n")[0]
        delimiter = max(_DELIMITERS, key=first.count)
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        header = [name.strip() for name in rows.fieldnames or ()]
        if any(header.count(column) != 1 for column in _COLUMNS):
            raise InvalidArgumentError(
                f"{path}: expected the columns image and class in the first line, "
                f"got {', '.join(header)!r:.120}"
            )
        rows.fieldnames = header
        images, classes = [], []
        for row in rows:
            image, class_ = _named_class(path, rows.line_num, row)
            images.append(image)
            classes.append(class_)
        return [*zip(plain_names(images), classes, strict=True)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidArgumentError(f"{path}: not a CSV file in UTF-8: {error}") from error


def _named_class(path: Path, line: int, row: Mapping[str, Any]) -> tuple[str, str]:
    image, class_ = (str(row[column] or "").strip() for column in _COLUMNS)
    if not image or not class_:
        raise InvalidArgumentError(f"{path}, line {line}: expected an image and its class")
    return image, class_
