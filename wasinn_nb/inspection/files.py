"""What a tensor or an image in a file is."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wasinn_nb.files import expanded
from wasinn_nb.imaging import PreprocessRecipe, exif_orientation, open_image
from wasinn_nb.render import Document, Facts, Showing
from wasinn_nb.tensor import read_sidecar, read_tensor

__all__ = ["FileDescription", "describe_file"]

_TENSORS: Final = frozenset({".tensor", ".npy"})


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


def describe_file(path: str | os.PathLike[str]) -> FileDescription:
    """Say what a file is: a tensor by its suffix (``.tensor``, ``.npy``), an image otherwise.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    MissingFileError
        If there is no such file.
    TensorFileError, ImageError
        If it is broken.
    """
    found = expanded(path)
    return _tensor(found) if found.suffix in _TENSORS else _image(found)


def _tensor(path: Path) -> FileDescription:
    tensor = read_tensor(path)
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
    facts = {
        "image": path.name,
        "picture": path.name,  # the name of this key before
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
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
