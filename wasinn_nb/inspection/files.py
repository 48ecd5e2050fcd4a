"""What a tensor or an image in a file is."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import UnidentifiedImageError

from wasinn_nb.errors import ImageError, MissingFileError, Remedy, TensorFileError
from wasinn_nb.files import existing_file, expanded
from wasinn_nb.imaging import (
    HEADER_BYTES,
    IMAGE_SUFFIXES,
    PreprocessRecipe,
    exif_orientation,
    open_image,
    read_encoded,
    unread_format,
    unused_bits,
)
from wasinn_nb.inspection.kinds import foreign_kind
from wasinn_nb.render import Document, Facts, Showing
from wasinn_nb.tensor import guessed_signature, read_sidecar, read_tensor

__all__ = ["FileDescription", "describe_file"]

_TENSORS: Final = frozenset({".tensor", ".npy"})
_STATE_SHAPE: Final = Remedy(
    "state it: wn.read_tensor(path, [1, 224, 224, 3], 'f32')",
    command="state it: --shape 1x224x224x3 --type f32",
)


@dataclass(frozen=True, slots=True, repr=False)
class FileDescription(Showing):
    """What is known of a file.

    Parameters
    ----------
    facts : mapping
        Name → JSON value.
    words : mapping
        Name → text, where text puts a fact otherwise; None where it leaves the fact out.
    """

    facts: Mapping[str, Any]
    words: Mapping[str, str | None]

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain JSON values."""
        return dict(self.facts)

    def document(self) -> Document:
        """Return what there is to see: a line for each fact."""
        texts = {name: str(value) for name, value in self.facts.items()} | dict(self.words)
        rows = [(name, text) for name, text in texts.items() if text is not None]
        return Document("File", [Facts(rows)], show_title=False)


def describe_file(
    path: str | os.PathLike[str],
    dimensions: Iterable[int] | None = None,
    element_type: str | None = None,
) -> FileDescription:
    """Say what a file is: a tensor by its suffix (``.tensor``, ``.npy``), an image otherwise.

    A file of another suffix is a tensor where *dimensions* or *element_type* are given, or its
    name says them.

    Parameters
    ----------
    path : path-like
    dimensions : iterable of int, optional
    element_type : str, optional
        Of the numbers: ``f32``, ``u8``.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TensorFileError, ImageError
        If it is broken, or neither; then the message says what it is, as far as that is known.
    """
    found = expanded(path)
    if found.suffix in _TENSORS or dimensions is not None or element_type is not None:
        return _tensor(found, dimensions, element_type)
    if found.suffix.lower() not in IMAGE_SUFFIXES and guessed_signature(found):
        return _tensor(found)
    return _image_or_unknown(existing_file(found, "image"))


def _image_or_unknown(path: Path) -> FileDescription:
    if kind := foreign_kind(path):
        raise ImageError(f"{path}: {kind}")
    try:
        return _image(path)
    except ImageError as error:
        # What has the suffix of an image, or begins like one, was meant to be one.
        unknown = isinstance(error.__cause__, UnidentifiedImageError)
        if not unknown or path.suffix.lower() in IMAGE_SUFFIXES or unread_format(_start(path)):
            raise
        size = path.stat().st_size
        if path.suffix == ".bin":
            raise MissingFileError(
                f"{path}: if these are the weights of an OpenVINO model, "
                f"{path.with_suffix('.xml').name} is missing beside them; if these {size} bytes "
                f"are a raw tensor, nothing says its shape",
                remedy=_STATE_SHAPE,
            ) from error
        raise TensorFileError(
            f"{path}: neither an image nor a model; if these {size} bytes are a raw tensor, "
            f"nothing says its shape",
            remedy=_STATE_SHAPE,
        ) from error


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _tensor(
    path: Path, dimensions: Iterable[int] | None = None, element_type: str | None = None
) -> FileDescription:
    tensor = read_tensor(path, dimensions, element_type)
    values = tensor.to_array()
    facts: dict[str, Any] = {
        "tensor": path.name,
        "dimensions": list(tensor.dimensions),
        "type": tensor.type.suffix,
        "bytes": tensor.nbytes,
        "sha256": tensor.sha256(),
    }
    words: dict[str, str | None] = {}
    if values.size:
        for name, number in (
            ("min", float(values.min())),
            ("mean", float(values.mean(dtype="f8"))),
            ("max", float(values.max())),
        ):
            facts[name] = number if math.isfinite(number) else None  # JSON has no NaN
            words[name] = str(number)
    sidecar = (read_sidecar(path) if path.suffix == ".tensor" else None) or {}
    known = {*facts, "format"}
    about = {name: value for name, value in sidecar.items() if name not in known}
    if isinstance(about.get("model"), dict):
        words["model"] = str(about["model"].get("name"))
    if about.get("recipe"):
        words["recipe"] = repr(PreprocessRecipe.from_dict(about["recipe"]))
    return FileDescription(facts | about, words)


def _image(path: Path) -> FileDescription:
    image = open_image(path)
    orientation = exif_orientation(image)
    depth = unused_bits(image, read_encoded(path))
    facts = {
        "image": path.name,
        "picture": path.name,  # the name of this key before
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        **({"depth": depth} if depth else {}),
        "EXIF": "upright" if orientation == 1 else f"orientation {orientation}: guests ignore it",
        "bytes": path.stat().st_size,
    }
    words = {
        "picture": None,
        "width": None,
        "height": None,
        "size": f"{image.height} x {image.width} pixels (height x width)",
    }
    return FileDescription(facts, words)
