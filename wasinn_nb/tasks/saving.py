"""The files of a result: an index mask, an overlay, a tensor with its sidecar, facts as JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError, InvalidArgumentError, MissingFileError
from wasinn_nb.files import atomic, existing_file, expanded
from wasinn_nb.imaging import open_image
from wasinn_nb.json_files import checked_json, json_text, read_json
from wasinn_nb.tensor import Tensor, read_tensor

__all__ = [
    "SavedFiles",
    "beside",
    "checked_stem",
    "read_facts",
    "read_result",
    "saved_format",
    "write_facts",
    "write_result",
]

RESULT_FORMAT: Final = "wasinn_nb.result/1"
# A classification keeps the names and scores of up to 100,000 classes.
_MOST_BYTES: Final = 1 << 26
_JPEG_QUALITY: Final = 92


class _MaskFiles(TypedDict):
    mask: str
    tensor: str


class _MaskFacts(TypedDict):
    files: _MaskFiles


class SavedFiles(NamedTuple):
    """Where the files of a result lie."""

    mask: Path
    """The labels: a PNG whose pixels index its palette."""
    overlay: Path | None
    """The image with the mask over it (JPEG), where the image was kept."""
    tensor: Path
    """Scores or labels; the sidecar lies beside it."""
    facts: Path
    """The JSON file that names the others."""


def write_result(
    directory: str | os.PathLike[str],
    stem: str,
    *,
    mask: Image.Image,
    overlay: Image.Image | None,
    tensor: Tensor,
    origin: Mapping[str, object],
    facts: Mapping[str, object],
) -> SavedFiles:
    """Write the files of a result, each whole or not at all, the JSON last.

    Parameters
    ----------
    directory : path-like
        Made when it is missing.
    stem : str
        How the files' names begin.
    mask : PIL.Image.Image
        In mode ``P``.
    overlay : PIL.Image.Image or None
    tensor : Tensor
    origin : mapping
        JSON values that the tensor's sidecar has, too: model, recipe, target, precision, versions.
    facts : mapping
        Further JSON values for the result's own file.

    Raises
    ------
    InvalidArgumentError
        If *stem* is not a plain file name, or *origin* and *facts* cannot be written as JSON.
        Nothing is written.
    """
    checked_stem(stem)
    folder = expanded(directory)
    saved = SavedFiles(
        folder / f"{stem}-mask.png",
        None if overlay is None else folder / f"{stem}-overlay.jpg",
        folder / f"{stem}-{tensor.signature}.tensor",
        folder / f"{stem}.json",
    )
    files = {
        "mask": saved.mask.name,
        "overlay": None if saved.overlay is None else saved.overlay.name,
        "tensor": saved.tensor.name,
    }
    values = {"format": RESULT_FORMAT, **origin, **facts, "files": files}
    text = json_text(values, "the result", InvalidArgumentError)
    tensor.write(saved.tensor, metadata=origin)
    with atomic(saved.mask) as temporary:
        mask.save(temporary, "PNG", optimize=True)
    if overlay is not None and saved.overlay is not None:
        with atomic(saved.overlay) as temporary:
            overlay.save(temporary, "JPEG", quality=_JPEG_QUALITY)
    with atomic(saved.facts) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return saved


def read_result(path: Path) -> tuple[dict[str, Any], NDArray[np.uint8], Tensor]:
    """Read what :func:`write_result` wrote.

    Returns
    -------
    dict, (H, W) uint8 array, Tensor
        The JSON's values, the labels, and the tensor.

    Raises
    ------
    MissingFileError
        If a file is missing.
    InvalidArgumentError
        If the JSON is not one of a result.
    ImageError, TensorFileError
        If the mask or the tensor is broken.
    """
    found, facts = read_facts(path, RESULT_FORMAT)
    files = checked_json(facts, _MaskFacts, found.name, InvalidArgumentError)["files"]
    mask_path, tensor_path = (beside(found, files[what]) for what in ("mask", "tensor"))
    try:
        with existing_file(mask_path, "mask").open("rb") as file:
            image = open_image(file)
    except ImageError as error:
        raise ImageError(f"{mask_path.name}: {error}") from error
    if image.mode not in {"P", "L"}:
        raise ImageError(f"{mask_path.name}: expected an index image, got mode {image.mode}")
    return facts, np.asarray(image), read_tensor(tensor_path)


def write_facts(path: Path, facts: Mapping[str, object]) -> None:
    """Write the JSON file of a result, whole or not at all.

    Parameters
    ----------
    path : Path
    facts : mapping
        JSON values, with the ``format`` by which :func:`read_facts` knows them.

    Raises
    ------
    InvalidArgumentError
        If they cannot be written as JSON.  Nothing is written.
    """
    text = json_text(facts, "the result", InvalidArgumentError)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_facts(path: Path, format_: str) -> tuple[Path, dict[str, Any]]:
    """Read the JSON file of a result.

    Parameters
    ----------
    path : Path
    format_ : str
        What its ``format`` must be.

    Returns
    -------
    Path, dict
        The path with ``~`` expanded, and the values.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InvalidArgumentError
        If it is not JSON of that format.
    """
    found, facts = _read_json(path)
    if facts.get("format") != format_:
        raise InvalidArgumentError(
            f'{found.name}: expected a JSON object with "format": "{format_}"'
        )
    return found, facts


def saved_format(path: Path) -> str:
    """Return the ``format`` of the JSON file of a result, by which its reader is known.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        Empty where the file does not state it as text.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InvalidArgumentError
        If it is not valid JSON.
    """
    stated = _read_json(path)[1].get("format")
    return stated if isinstance(stated, str) else ""


def _read_json(path: Path) -> tuple[Path, dict[str, Any]]:
    """Return the path with ``~`` expanded, and the JSON object in the file."""
    if path.is_dir():
        names = (entry.name for entry in path.glob("*.json"))
        own = sorted(name for name in names if not name.endswith(".tensor.json"))
        raise MissingFileError(
            f"expected the JSON file of a result, got the folder {path}; it has "
            f"{', '.join(own) or 'none'}"
        )
    found = existing_file(path, "result")
    facts = read_json(
        found, "result", most_bytes=_MOST_BYTES, error=InvalidArgumentError, name=found.name
    )
    return found, facts


def beside(path: Path, name: str) -> Path:
    """Return the path of a file that the JSON file of a result names.

    Parameters
    ----------
    path : Path
        Of the JSON file.
    name : str
        As the JSON has it.

    Raises
    ------
    InvalidArgumentError
        If it is not the name of a file in the same folder.
    """
    if not _is_plain(name):
        raise InvalidArgumentError(
            f"{path.name}: expected the names of files in the same folder, got {name!r:.120}"
        )
    return path.with_name(name)


def checked_stem(stem: object) -> str:
    """Return *stem*, or raise InvalidArgumentError where it is not the beginning of a file name."""
    if not isinstance(stem, str) or not _is_plain(stem):
        raise InvalidArgumentError(
            f"expected the beginning of a file name as stem, without folders, got {stem!r:.80}"
        )
    return stem


def _is_plain(name: object) -> bool:
    """Return whether *name* is a file name that leads nowhere else."""
    return (
        isinstance(name, str)
        and name.strip() not in {"", ".", ".."}
        and name.isprintable()
        and not {"/", "\\", ":"} & set(name)
    )
