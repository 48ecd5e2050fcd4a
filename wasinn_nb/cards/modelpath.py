"""The files of a model on disk: the main one, its weights, its encoding, and the card's place."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import existing_file, expanded, has_folder, is_file, is_folder

__all__ = [
    "CARD_SUFFIX",
    "ENCODINGS",
    "FOLDER_CARD",
    "WEIGHTS",
    "as_name",
    "belongs_to",
    "card_path",
    "check_whole",
    "encoding_by_suffix",
    "existing_model",
    "is_model_file",
    "is_saved_model",
    "main_path",
    "model_files",
    "model_stem",
    "path_text",
    "saved_model_files",
]

ENCODINGS: Final[Mapping[str, GraphEncoding]] = MappingProxyType(
    {
        ".xml": GraphEncoding.OPENVINO,
        ".onnx": GraphEncoding.ONNX,
        ".tflite": GraphEncoding.TENSORFLOWLITE,
        ".pb": GraphEncoding.TENSORFLOW,
        ".pdmodel": GraphEncoding.AUTODETECT,
    }
)
"""The suffix of a model's main file, in lower case → its encoding."""

WEIGHTS: Final[Mapping[str, str]] = MappingProxyType({".xml": ".bin", ".pdmodel": ".pdiparams"})
"""The suffix of a main file → that of the weights beside it."""

FOLDER_CARD: Final = "card.json"
"""The card of a folder: of the model that it names, or of the model that the folder is."""

CARD_SUFFIX: Final = ".card.json"
"""What follows a model's stem in the name of the card beside its file."""

_MAINS: Final = {weights: main for main, weights in WEIGHTS.items()}
_SAVED_MODEL: Final = "saved_model.pb"
_MOST_FILES: Final = 10_000


def is_model_file(path: Path) -> bool:
    """Return whether the suffix is that of a model's main file or of its weights.

    Examples
    --------
    >>> is_model_file(Path("M.XML")), is_model_file(Path("m.bin")), is_model_file(Path("m.txt"))
    (True, True, False)
    """
    suffix = path.suffix.lower()
    return suffix in ENCODINGS or suffix in _MAINS


def path_text(path: str | os.PathLike[str]) -> str:
    """Return the path of a model as text that is not looked up as a name; text as it is.

    Examples
    --------
    >>> path_text(Path("int8")), path_text(Path("a/int8")), path_text(Path("m.xml"))
    ('./int8', 'a/int8', 'm.xml')
    """
    text = os.fspath(path)
    plain = isinstance(path, str) or has_folder(text) or is_model_file(Path(text))
    return text if plain else f".{os.sep}{text}"


def is_saved_model(path: Path) -> bool:
    """Return whether *path* is a folder with a TensorFlow SavedModel."""
    return is_file(path / _SAVED_MODEL)


def encoding_by_suffix(path: Path) -> GraphEncoding | None:
    """Return the encoding of a model's main file by its suffix; a folder is a SavedModel.

    Examples
    --------
    >>> encoding_by_suffix(Path("toy.ONNX"))
    <GraphEncoding.ONNX: 1>
    """
    return GraphEncoding.TENSORFLOW if is_saved_model(path) else ENCODINGS.get(path.suffix.lower())


def saved_model_files(folder: Path) -> tuple[Path, ...]:
    """Return every file of a SavedModel, without its card, in the order of the relative paths.

    Raises
    ------
    MissingFileError
        If a folder in it cannot be read.
    InvalidArgumentError
        If there are more than 10,000 files, which no model has.
    """
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    try:
        for root, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
            stat = Path(root).stat()
            if (stat.st_dev, stat.st_ino) in seen:  # a link that leads back up
                folders.clear()
                continue
            seen.add((stat.st_dev, stat.st_ino))
            found += [path for path in (Path(root, name) for name in names) if path.is_file()]
            if len(found) > _MOST_FILES:
                raise InvalidArgumentError(
                    f"{folder} holds more than {_MOST_FILES} files, which no SavedModel does; keep "
                    f"the model in a folder of its own"
                )
    except OSError as error:
        raise MissingFileError(
            f"{error.filename} cannot be read: {error.strerror}; change its permissions"
        ) from error
    card = folder / FOLDER_CARD
    return tuple(sorted((path for path in found if path != card), key=Path.as_posix))


def _raise(error: OSError) -> None:
    raise error


def main_path(path: Path) -> Path:
    """Return the path that stands for a model, for that of any of its files.

    Parameters
    ----------
    path : Path
        Of the main file; of the weights, for which it is the main file beside them; or of a
        ``saved_model.pb``, for which it is the folder.

    Examples
    --------
    >>> main_path(Path("a/m.bin")).name, main_path(Path("a/saved_model.pb")).name
    ('m.xml', 'a')
    """
    if path.name == _SAVED_MODEL:
        return path.parent
    main = _MAINS.get(path.suffix.lower())
    return path if main is None else _beside(path, main)


def model_files(main: Path) -> tuple[Path, ...]:
    """Return the main file and its weights, whether they are there or not.

    Examples
    --------
    >>> [path.name for path in model_files(Path("m.xml"))]
    ['m.xml', 'm.bin']
    """
    weights = WEIGHTS.get(main.suffix.lower())
    return (main,) if weights is None or is_saved_model(main) else (main, _beside(main, weights))


def _beside(path: Path, suffix: str) -> Path:
    """Return the file of the same stem, its suffix in lower or upper case, whichever is there."""
    cases = [path.with_suffix(suffix), path.with_suffix(suffix.upper())]
    if path.suffix.isupper():
        cases.reverse()
    return next(filter(os.path.lexists, cases), cases[0])


def check_whole(files: Sequence[Path]) -> None:
    """Raise an error where a file of a model is missing.

    Raises
    ------
    MissingFileError
        If one of *files* is missing.
    """
    there = [path for path in files if is_file(path) or is_saved_model(path)]
    for missing in (path for path in files if path not in there):
        if not there:
            existing_file(missing, "model")
        raise MissingFileError(
            f"{missing.name} is missing beside {there[0]}; the model is the pair of both files: "
            f"copy it there too"
        )


def existing_model(path: str | os.PathLike[str]) -> Path:
    """Return the path that stands for the model whose file *path* is.

    Parameters
    ----------
    path : path-like
        A main file, its weights, or the folder of a TensorFlow SavedModel; a leading ``~`` is
        expanded.

    Returns
    -------
    Path
        As of `main_path`.

    Raises
    ------
    MissingFileError
        If no model lies there, or weights without their main file.
    InvalidArgumentError
        If the suffix is not one of a model's.
    """
    given = expanded(path)
    if is_saved_model(given):
        return given
    if is_folder(given):
        raise MissingFileError(
            f"no model at {given}: expected a file of a model, or a folder with {_SAVED_MODEL}; "
            f"name the model's file in the folder"
        )
    if not is_model_file(given):
        raise InvalidArgumentError(
            f"expected the path of a model, which ends in {', '.join(ENCODINGS)}, got {given}"
        )
    main = main_path(existing_file(given, "model"))
    check_whole((main, given))
    return main


def belongs_to(main: Path, file: Path) -> bool:
    """Return whether a file lies in a model's folder or below it, all links resolved.

    Where the model itself is a link, as in the caches of downloaders, the folder that it leads to
    is a folder of the model, too.

    Parameters
    ----------
    main : Path
        The main file, or the folder of a SavedModel.
    file : Path

    Examples
    --------
    >>> belongs_to(Path("a/m.onnx"), Path("a/b/w")), belongs_to(Path("a/m.onnx"), Path("w"))
    (True, False)
    """
    named = main / _SAVED_MODEL if main.is_dir() else main
    place = file.resolve()
    return any(
        place.is_relative_to(one) for one in (named.parent.resolve(), named.resolve().parent)
    )


def model_stem(main: Path) -> str:
    """Return what a model is called on disk: the stem of its main file, or the folder's name."""
    return main.absolute().name if is_saved_model(main) else main.stem


def card_path(main: Path) -> Path:
    """Return where the card of one model lies: beside its file, or inside its folder.

    Examples
    --------
    >>> card_path(Path("m.v1.onnx")).name
    'm.v1.card.json'
    """
    if is_saved_model(main):
        return main / FOLDER_CARD
    return main.with_name(main.stem + CARD_SUFFIX)


def as_name(text: str) -> str:
    """Return *text* as a model name: what a name cannot hold becomes ``-``.

    Examples
    --------
    >>> as_name("my model"), as_name("../x"), as_name("")
    ('my-model', 'x', 'model')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "-", text).lstrip("._-")[:128] or "model"
