"""One file of a model, as its card describes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wasinn_nb.errors import RecipeError

__all__ = ["MODEL_NAME", "ModelFile", "is_text", "precision_with"]

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What the name of a model, and of a file of one, may be."""

_SHA384 = re.compile(r"[0-9a-f]{96}")
_MOST_BYTES = (1 << 63) - 1


def is_text(value: object) -> bool:
    """Return whether *value* is text that UTF-8 can hold: text without lone surrogates."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    Parameters
    ----------
    name : str
        The file's name, without a folder.
    bytes : int
        Its size.
    sha384 : str
        Its SHA-384 in hexadecimal: the hash that the Open Model Zoo publishes.
    url : str or None
        Where it can be fetched.

    Raises
    ------
    RecipeError
        If a field holds what it cannot.

    Examples
    --------
    >>> ModelFile("toy.onnx", 7, "0123456789abcdef" * 6).to_dict()["bytes"]
    7
    """

    name: str
    bytes: int
    sha384: str
    url: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not MODEL_NAME.fullmatch(self.name):
            raise RecipeError(f"expected a plain file name, got {self.name!r:.80}")
        if type(self.bytes) is not int or not 0 <= self.bytes <= _MOST_BYTES:
            raise RecipeError(f"{self.name}: expected a size in bytes, got {self.bytes!r:.80}")
        if not isinstance(self.sha384, str) or not _SHA384.fullmatch(self.sha384):
            raise RecipeError(f"{self.name}: expected 96 hexadecimal digits of SHA-384")
        if self.url is not None and not (
            is_text(self.url) and self.url.startswith(("https://", "http://"))
        ):
            raise RecipeError(f"{self.name}: expected an http(s) address, got {self.url!r:.80}")

    def to_dict(self) -> dict[str, Any]:
        """Return the file as plain JSON values, without the address where there is none."""
        described = {"name": self.name, "bytes": self.bytes, "sha384": self.sha384}
        return described if self.url is None else described | {"url": self.url}


def precision_with(
    precisions: Mapping[str, Sequence[ModelFile]], sha384s: Iterable[str]
) -> str | None:
    """Return the precision that has files of these contents, or None.

    Parameters
    ----------
    precisions : mapping
        Of a card: name → files.
    sha384s : iterable of str
        Of all files of a model.

    Examples
    --------
    >>> one, other = (ModelFile("toy.onnx", 7, digit * 96) for digit in "ab")
    >>> precision_with({"FP16": [one], "INT8": [other]}, ["b" * 96])
    'INT8'
    """
    digests = sorted(sha384s)
    found = (
        name
        for name, files in precisions.items()
        if digests and sorted(one.sha384 for one in files) == digests
    )
    return next(found, None)
