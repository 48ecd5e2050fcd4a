"""Refusing model files that cannot be right, before a runtime reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from glob import escape
from pathlib import Path
from typing import Final

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.formats import (
    CONVERT,
    TEXT_SUFFIXES,
    content_of,
    encoding_of,
    fetched_instead,
    foreign_content,
    is_folder,
    naming,
    size_of,
    start_of,
)
from wasinn_nb.cards.ir import needed_weights
from wasinn_nb.cards.modelpath import (
    ENCODINGS,
    belongs_to,
    encoding_by_suffix,
    is_saved_model,
    model_files,
    saved_model_files,
)
from wasinn_nb.cards.onnx_file import external_data, parsed_onnx
from wasinn_nb.cards.tflite_check import check_tflite
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RuntimeFailure
from wasinn_nb.files import existing_file
from wasinn_nb.wording import counted

__all__ = ["checked_encoding", "checked_files", "companion_files"]

# Beside a graph of TensorFlow or Paddle whose suffix does not say which of them it is.
_BESIDE_GRAPHS: Final = (".index", ".data-*", ".pdiparams")
_KINDS: Final = {
    GraphEncoding.OPENVINO: "an OpenVINO IR",
    GraphEncoding.ONNX: "an ONNX model",
    GraphEncoding.TENSORFLOW: "a TensorFlow model",
    GraphEncoding.TENSORFLOWLITE: "a TensorFlow Lite model",
}


def checked_encoding(files: Sequence[Path | bytes], declared: GraphEncoding) -> GraphEncoding:
    """Return the encoding of a model, as declared or found, or refuse what is of another one.

    Parameters
    ----------
    files : sequence of Path or bytes
        The model's builders.
    declared : GraphEncoding
        ``AUTODETECT`` takes what the content shows.

    Returns
    -------
    GraphEncoding
        ``AUTODETECT`` where the bytes may be a model, but do not show of which encoding.

    Raises
    ------
    InvalidArgumentError
        If the number of builders is not what the encoding takes.
    MissingFileError
        If a file is not there.
    RuntimeFailure
        If the bytes are not a model, or of another encoding than declared.

    Examples
    --------
    >>> checked_encoding([b'<net name="toy" version="11">', b""], GraphEncoding.AUTODETECT)
    <GraphEncoding.OPENVINO: 0>
    """
    _check_number(files, declared)
    first = files[0]
    found = encoding_of(first)
    if is_folder(first):
        start, foreign = b"", ""
    else:
        start = start_of(first)
        foreign = foreign_content(first) if found in {None, GraphEncoding.OPENVINO} else ""
    with naming(first):
        if found is not None and not foreign:
            if declared not in {found, GraphEncoding.AUTODETECT}:
                raise RuntimeFailure(_other_encoding(first, declared, found))
            _check_number(files, found)
            return found
        if foreign or not _may_be(declared, start, first):
            # OpenVINO would try every frontend, and TensorFlow's writes to the standard error.
            raise RuntimeFailure(_no_model(first, declared, start, foreign))
    return declared


def _other_encoding(first: Path | bytes, declared: GraphEncoding, found: GraphEncoding) -> str:
    """Say that a model is of another encoding than it should be."""
    if isinstance(first, Path) and encoding_by_suffix(first) is declared:
        suffix = next((one for one, encoding in ENCODINGS.items() if encoding is found), "")
        return (
            f"expected {_KINDS[declared]}, as the suffix says, got {_KINDS[found]}: rename it to "
            f"{first.stem}{suffix}"
        )
    return (
        f"declared as {declared.name.lower()}, but the bytes are those of encoding "
        f"{found.name.lower()}"
    )


def _no_model(first: Path | bytes, declared: GraphEncoding, start: bytes, foreign: str) -> str:
    """Say what a file, or the bytes of a guest, hold in place of a model."""
    if isinstance(first, Path):
        other = f"bytes that start with {start[:16]!r}: fetch the file again, or {CONVERT}"
        return f"expected {_KINDS.get(declared, 'a model')}, got {foreign or other}"
    order = " (builders: xml, then bin)" if declared is GraphEncoding.OPENVINO else ""
    return (
        f"the bytes are not a model of encoding {declared.name.lower()}{order}; they start "
        f"with {start[:16]!r}" + (f": {foreign}" if foreign else "")
    )


def checked_files(files: Sequence[Path | bytes], encoding: GraphEncoding) -> None:
    """Refuse weights that are missing or cannot belong to the model.

    Parameters
    ----------
    files : sequence of Path or bytes
        The model's builders.
    encoding : GraphEncoding
        As :func:`checked_encoding` returned it.

    Raises
    ------
    MissingFileError
        If ONNX weights in a file of their own are not there.
    RuntimeFailure
        If an IR is of a version that OpenVINO does not read, weights are of another size than the
        model takes, are something else, or lie outside the model's folder, or the parts of a
        TensorFlow Lite file do not fit each other.

    Examples
    --------
    >>> ir = b'<net version="11"><layers/></net>'
    >>> checked_files([ir, b""], GraphEncoding.OPENVINO)
    >>> checked_files([ir, bytes(8)], GraphEncoding.OPENVINO)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.RuntimeFailure: expected 0 bytes of weights, as the xml says, got 8: use the
    .bin that was written with this xml
    """
    needed: int | None = None
    with naming(files[0]):
        if encoding is GraphEncoding.OPENVINO:
            needed = needed_weights(content_of(files[0]))
        elif encoding is GraphEncoding.ONNX:
            _check_external_data(files[0])
        elif encoding is GraphEncoding.TENSORFLOWLITE:
            check_tflite(content_of(files[0]))
    for weights in files[1:]:
        with naming(weights):
            if needed is not None and (size := size_of(weights)) != needed:
                remedy = foreign_content(weights)
                raise RuntimeFailure(
                    f"expected {needed} bytes of weights, as the xml says, got {size}"
                    + (f", {remedy}" if remedy else ": use the .bin that was written with this xml")
                )
            if fetched := fetched_instead(start_of(weights)):
                raise RuntimeFailure(f"expected the model's weights, got {fetched}")


def companion_files(main: Path) -> tuple[Path, ...]:
    """Return the files beside a model's main file that an engine reads along with it.

    Parameters
    ----------
    main : Path
        The main file, or the folder of a SavedModel.

    Returns
    -------
    tuple of Path
        Those that are there.  Files that an ONNX model or a folder leads to outside of the model's
        folder are left out: `checked_files` refuses them.

    Raises
    ------
    MissingFileError
        If the main file is not there, or cannot be read.
    RuntimeFailure
        If an ONNX file is damaged, or names weights outside the model's folder.
    """
    if is_folder(main):
        files = saved_model_files(main) if is_saved_model(main) else ()
        return tuple(file for file in files if belongs_to(main, file))
    encoding = encoding_of(main)
    found: Iterable[Path] = model_files(main)[1:]
    if encoding is GraphEncoding.ONNX:
        with naming(main):
            parts = external_data(parsed_onnx(content_of(main)))
        named = dict.fromkeys(main.parent / part.location for part in parts)
        found = (file for file in named if belongs_to(main, file))
    elif encoding is None:
        found = (
            path
            for suffix in _BESIDE_GRAPHS
            for path in main.parent.glob(f"{escape(main.stem)}{suffix}")
        )
    return tuple(file for file in found if file.is_file())


def _check_number(files: Sequence[Path | bytes], encoding: GraphEncoding) -> None:
    number = encoding.builders
    if not (1 <= len(files) <= 2 if number is None else len(files) == number):
        what = counted(number, "builder") if number else "1 or 2 builders"
        raise InvalidArgumentError(
            f"encoding {encoding.name.lower()} takes {what}, got {len(files)}"
        )


def _may_be(encoding: GraphEncoding, start: bytes, first: Path | bytes) -> bool:
    """Return whether bytes without a magic number can be a model of *encoding*."""
    if encoding in {GraphEncoding.OPENVINO, GraphEncoding.TENSORFLOWLITE}:
        return False
    if isinstance(first, Path) and first.suffix in TEXT_SUFFIXES:
        return True
    # ONNX, TensorFlow and Paddle: a protobuf message, field 1 to 8, a number or with a length.
    return bool(start) and 1 <= start[0] >> 3 <= 8 and start[0] & 7 in {0, 2}


def _check_external_data(first: Path | bytes) -> None:
    ends: dict[str, tuple[int, str]] = {}
    for part in external_data(parsed_onnx(content_of(first))):
        ends[part.location] = max(ends.get(part.location, (0, "")), (part.end, part.tensor))
    if not ends:
        return
    if isinstance(first, bytes):
        raise RuntimeFailure(
            f"expected an ONNX model with its weights inside, got bytes with weights in "
            f"{', '.join(ends)!r:.200}: bytes cannot name other files; load the model from its "
            f"path, or save it with its weights inside (onnx.save of onnx.load)"
        )
    for location, (end, tensor) in ends.items():
        path = first.parent / location
        try:
            found = existing_file(path, "weights")
        except MissingFileError as error:
            raise MissingFileError(
                f"the ONNX model has weights in {location!r:.200}, which is missing: put the file "
                f"beside the model ({error})"
            ) from error
        if not belongs_to(first, found):
            raise RuntimeFailure(
                f"expected the weights of {tensor!r:.80} in a file in the model's folder, got a "
                f"link, {location!r:.200}, that leads out of it: put the file itself there"
            )
        size = found.stat().st_size
        what = foreign_content(found) if size < end else fetched_instead(start_of(found))
        if what or size < end:
            raise RuntimeFailure(
                f"expected at least {end} bytes of weights in {location!r:.200} (for tensor "
                f"{tensor!r:.80}), got {size}" + (f", {what}" if what else ": copy it again, whole")
            )
