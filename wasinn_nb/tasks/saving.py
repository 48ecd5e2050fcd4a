"""The files of a result: an index mask, an overlay, a tensor with its sidecar, facts as JSON."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import (
    ImageError,
    InvalidArgumentError,
    MissingFileError,
    TensorFileError,
)
from wasinn_nb.files import existing_file, expanded
from wasinn_nb.imaging import open_image
from wasinn_nb.json_files import checked_json, json_text, read_json
from wasinn_nb.tensor import Tensor, read_tensor, tensor_files
from wasinn_nb.transaction import Contents, read_member, settle, write_files

__all__ = [
    "SavedFiles",
    "beside",
    "checked_stem",
    "read_facts",
    "read_result",
    "read_saved",
    "read_saved_tensor",
    "saved_format",
    "write_facts",
    "write_result",
]

Saved = TypeVar("Saved")

RESULT_FORMAT: Final = "wasinn_nb.result/1"
_ATTEMPTS: Final = 100
"""How often a result is read again while other processes save it."""

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
    """Write the files of a result, so that they change together.

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
    members = tensor_files(saved.tensor.name, tensor, origin)
    members[saved.mask.name] = _encoded(mask, "PNG", optimize=True)
    if overlay is not None and saved.overlay is not None:
        members[saved.overlay.name] = _encoded(overlay, "JPEG", quality=_JPEG_QUALITY)
    write_facts(saved.facts, {"format": RESULT_FORMAT, **origin, **facts, "files": files}, members)
    return saved


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


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
    return read_saved(path, RESULT_FORMAT, _mask_and_tensor)


def _mask_and_tensor(
    found: Path, facts: dict[str, Any]
) -> tuple[dict[str, Any], NDArray[np.uint8], Tensor]:
    files = checked_json(facts, _MaskFacts, found.name, InvalidArgumentError)["files"]
    name, sha256 = files["mask"], _stated_hash(facts, files["mask"])
    source: Path | io.BytesIO = existing_file(beside(found, name), "mask")
    if sha256 is not None:
        data = read_member(found.parent, name, sha256)
        if data is None:
            raise _ChangedError(_changed(found, name))
        source = io.BytesIO(data)
    try:
        image = open_image(source)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error
    if image.mode not in {"P", "L"}:
        raise ImageError(f"{name}: expected an index image, got mode {image.mode}")
    return facts, np.asarray(image), read_saved_tensor(found, facts, files["tensor"])


class _ChangedError(InvalidArgumentError):
    """A file of a result is not the one that its JSON file names."""


def read_saved(path: Path, format_: str, read: Callable[[Path, dict[str, Any]], Saved]) -> Saved:
    """Read a result, again where another process saved it meanwhile.

    Parameters
    ----------
    path : Path
        Of the JSON file.
    format_ : str
        What its ``format`` must be.
    read : callable
        ``(path, facts)`` → the result, by :func:`read_saved_tensor`.

    Raises
    ------
    MissingFileError
        If a file is missing.
    InvalidArgumentError
        If the JSON is not of that format, or a file was changed after it was saved.
    """
    before = None
    for attempt in range(_ATTEMPTS):
        found, facts = read_facts(path, format_)
        try:
            return read(found, facts)
        except (_ChangedError, TensorFileError, MissingFileError):
            if facts == before or attempt == _ATTEMPTS - 1:  # nobody saved meanwhile
                raise
            before = facts
    raise AssertionError  # the last attempt returned or raised


def read_saved_tensor(found: Path, facts: Mapping[str, Any], name: str) -> Tensor:
    """Return a result's tensor.

    Parameters
    ----------
    found : Path
        The JSON file of the result.
    facts : mapping
        What it states.
    name : str
        Of the tensor's file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TensorFileError
        If the tensor is broken.
    InvalidArgumentError
        If it is not the one that the facts name.
    """
    tensor, sha256 = read_tensor(beside(found, name)), _stated_hash(facts, name)
    if sha256 not in {None, tensor.sha256()}:
        raise _ChangedError(_changed(found, name))
    return tensor


def _stated_hash(facts: Mapping[str, Any], name: str) -> str | None:
    """Return the SHA-256 that a result states of its file; None in results of version 0.1."""
    stated = facts.get("sha256")
    sha256 = stated.get(name) if isinstance(stated, dict) else None
    return sha256 if isinstance(sha256, str) else None


def _changed(found: Path, name: str) -> str:
    return (
        f"{name} was changed after {found.name} was saved, so that they may belong to different "
        f"results; save the result again"
    )


def write_facts(path: Path, facts: Mapping[str, object], members: Mapping[str, Contents]) -> None:
    """Write the JSON file of a result and the files that it names, so that they change together.

    Parameters
    ----------
    path : Path
        Of the JSON file.
    facts : mapping
        JSON values, with the ``format`` by which :func:`read_facts` knows them.  The SHA-256 of
        each member is added.
    members : mapping
        File name → content.

    Raises
    ------
    InvalidArgumentError
        If they cannot be written as JSON.  Nothing is written.
    UnwritableError
        If a file cannot be written.  What was there before is unchanged.
    """
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    text = json_text({**facts, "sha256": hashes}, "the result", InvalidArgumentError)
    write_files(path.parent, path.name, text.encode(), members)


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
    settle(path.parent, path.name)
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
