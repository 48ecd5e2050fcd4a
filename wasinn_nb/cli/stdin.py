"""``-`` on the command line: an image, or another file, from the standard input."""

from __future__ import annotations

import io
import shlex
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import typer
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards import ENCODINGS
from wasinn_nb.files import has_folder

__all__ = ["STDIN", "image_of", "stdin_file"]

STDIN: Final = "-"
"""The word that stands for the standard input; a file of that name is ``./-``."""

_MOST_BYTES: Final = 1 << 30


def image_of(text: str | None) -> str | bytes | None:
    """Return an image as it is named; of ``-``, the bytes that the standard input holds.

    Raises
    ------
    typer.BadParameter
        If the standard input is a terminal, empty, or larger than 1 GiB; or a model is named.
    """
    if text is not None and _is_model(text):
        raise typer.BadParameter(f"expected an image, got a model; use --model {shlex.quote(text)}")
    return _content() if text == STDIN else text


def _is_model(text: str) -> bool:
    """Return whether a text that names no image names a model."""
    path = Path(text)
    if path.suffix.lower() in ENCODINGS:
        return True
    plain = not (path.suffix or has_folder(text) or path.exists() or text in wn.images())
    return plain and text in wn.models().names


@contextmanager
def stdin_file(text: str) -> Iterator[Path]:
    """Yield the path that is named; of ``-``, that of a file with what the standard input holds.

    The file is temporary.  Its name ends as those of images of its format do.
    Errors are those of :func:`image_of`.
    """
    if text != STDIN:
        yield Path(text)
        return
    content, suffix = _content(), ""
    with suppress(Exception), Image.open(io.BytesIO(content)) as image:
        suffix = f".{(image.format or '').lower()}"
    with tempfile.TemporaryDirectory(prefix="wasinn-nb-") as folder:
        copied = Path(folder, f"standard-input{suffix}")
        copied.write_bytes(content)
        yield copied


def _content() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise typer.BadParameter(
            "- reads the standard input, which is the terminal here; put '< image.png' behind "
            "the command, or give the path"
        )
    content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if not content:
        raise typer.BadParameter("- reads the standard input, which is empty; pipe an image to it")
    if len(content) > _MOST_BYTES:
        raise typer.BadParameter("- reads at most 1 GiB; save the image, and give its path")
    return content
