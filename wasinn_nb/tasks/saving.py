"""The files of a result: an index mask, an overlay, a tensor with its sidecar, facts as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError, InvalidArgumentError, MissingFileError
from wasinn_nb.files import atomic, existing_file, expanded
from wasinn_nb.imaging import open_image
from wasinn_nb.tensor import Tensor, read_tensor

__all__ = [
    "SavedFiles",
    "checked_stem",
    "read_facts",
    "read_result",
    "saved_format",
    "write_facts",
    "write_result",
]

RESULT_FORMAT: Final = "wasinn_nb.result/1"
# A classification keeps the names and scores of up to 100,000 classes.
_MAX_JSON_BYTES: Final = 1 << 26
_JPEG_QUALITY: Final = 92


class SavedFiles(NamedTuple):
    """Where the files of a result lie."""

    mask: Path
    """The labels: a PNG whose pixels index its palette."""
    overlay: Path | None
    """The masked photograph (JPEG), where there was a photograph."""
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
        JSON values that the tensor's sidecar says too: model, recipe, target, precision, versions.
    facts : mapping
        Further JSON values for the result's own file.

    Raises
    ------
    InvalidArgumentError
        If *stem* is no plain file name, or *origin* and *facts* are no JSON.  Nothing is written.
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
    text = _as_json({"format": RESULT_FORMAT, **origin, **facts, "files": files})
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
        What the JSON says, the labels, and the tensor.

    Raises
    ------
    MissingFileError
        If a file is missing.
    InvalidArgumentError
        If the JSON is not one of a result.
    ImageError, TensorFileError
        If the mask or the tensor is broken.
    """
    found, said = read_facts(path, RESULT_FORMAT)
    files = said.get("files")
    names = [files.get(what) if isinstance(files, dict) else None for what in ("mask", "tensor")]
    if not all(_is_plain(name) for name in names):
        raise InvalidArgumentError(
            f"{found.name}: expected the names of a mask and a tensor in the same folder, "
            f"got {files!r:.120}"
        )
    mask_path, tensor_path = (found.with_name(str(name)) for name in names)
    try:
        with existing_file(mask_path, "mask").open("rb") as file:
            image = open_image(file)
    except ImageError as error:
        raise ImageError(f"{mask_path.name}: {error}") from error
    if image.mode not in {"P", "L"}:
        raise ImageError(f"{mask_path.name}: expected an index image, got mode {image.mode}")
    return said, np.asarray(image), read_tensor(tensor_path)


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
        If they are not JSON.  Nothing is written.
    """
    text = _as_json(facts)
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
    """Return the path with ``~`` expanded, and the JSON object in the file; else an empty one."""
    if path.is_dir():
        own = (one.name for one in path.glob("*.json") if not one.name.endswith(".tensor.json"))
        raise MissingFileError(
            f"expected the JSON file of a result, got the folder {path}; it has "
            f"{', '.join(sorted(own)) or 'none'}"
        )
    found = existing_file(path, "result")
    if found.stat().st_size > _MAX_JSON_BYTES:
        raise InvalidArgumentError(
            f"{found.name}: larger than {_MAX_JSON_BYTES} bytes, which no result is"
        )
    try:
        facts = json.loads(found.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{found.name} is not valid JSON: {error}") from error
    return found, facts if isinstance(facts, dict) else {}


def checked_stem(stem: object) -> str:
    """Return *stem*, or raise InvalidArgumentError where it is not the beginning of a file name."""
    if not isinstance(stem, str) or not _is_plain(stem):
        raise InvalidArgumentError(
            f"expected the beginning of a file name as stem, without folders, got {stem!r:.80}"
        )
    return stem


def _as_json(facts: Mapping[str, object]) -> str:
    try:
        return json.dumps(facts, indent=2, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"the facts of the result are not JSON: {error}") from error


def _is_plain(name: object) -> bool:
    """Return whether *name* is a file name that leads nowhere else."""
    return (
        isinstance(name, str)
        and name.strip() not in {"", ".", ".."}
        and name.isprintable()
        and not {"/", "\\", ":"} & set(name)
    )
