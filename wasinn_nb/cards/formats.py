"""Which format a model's bytes have, and what other bytes are that are found in its place."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeGuard

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import MissingFileError, RuntimeFailure
from wasinn_nb.files import existing_file

__all__ = [
    "CONVERT",
    "TEXT_SUFFIXES",
    "content_of",
    "encoding_of",
    "fetched_instead",
    "foreign_content",
    "is_folder",
    "naming",
    "size_of",
    "start_of",
    "xml_text",
]

# What is read to recognize a format: a comment before the root of an xml can be long.
_START_BYTES: Final = 1 << 16
# Protocol buffers and flatbuffers end at 2 GiB; an xml is text.
_MAX_BYTES: Final = 1 << 31
_TEXT_BYTES: Final = 1024
TEXT_SUFFIXES: Final = {".pbtxt", ".json"}
"""Of TensorFlow's and Paddle's models that are text."""

# Encodings of XML, recognized by a byte order mark or, without one, by how "<" is written.
_XML_CODECS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_XML_PROLOG: Final = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_CONTROL: Final = re.compile(rb"[\0-\x08\x0b\x0e-\x1f\x7f]")

_AGAIN: Final = "fetch the file again and look at the server's answer"
_UNPACK: Final = "unpack it and load the model inside"
CONVERT: Final = "convert the model to OpenVINO IR or ONNX"
"""What to do about a format that no runtime reads."""
_FOREIGN: Final = (
    (b"PK\3\4", f"a zip archive, as PyTorch's .pt files are too: {_UNPACK}, or {CONVERT}"),
    (b"\x1f\x8b", f"gzip data: {_UNPACK}"),
    (b"BZh", f"bzip2 data: {_UNPACK}"),
    (b"\xfd7zXZ\0", f"xz data: {_UNPACK}"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7z archive: {_UNPACK}"),
    (b"GGUF", "a GGUF file, a language model: WasmEdge with its plug-in wasi_nn-ggml runs these"),
    (b"\x89HDF\r\n", f"an HDF5 file, as Keras writes them: {CONVERT}"),
)


def is_folder(part: Path | bytes) -> TypeGuard[Path]:
    """Return whether *part* of a model is a folder (a TensorFlow SavedModel)."""
    return isinstance(part, Path) and part.is_dir()


@contextmanager
def naming(part: Path | bytes) -> Iterator[None]:
    """Put the path of *part* of a model, where it has one, before what is wrong with its content.

    Raises
    ------
    RuntimeFailure
        The one that the block raises.
    """
    try:
        yield
    except RuntimeFailure as error:
        if isinstance(part, bytes):
            raise
        message = f"{part}: {error.problem}"
        raise RuntimeFailure(message, remedy=error.remedy) from error.__cause__


def size_of(part: Path | bytes) -> int:
    """Return the size in bytes of *part* of a model.

    Raises
    ------
    MissingFileError
        If there is no such file.
    """
    return len(part) if isinstance(part, bytes) else existing_file(part, "model").stat().st_size


def start_of(part: Path | bytes) -> bytes:
    """Return the first bytes, at most 64 KiB, of *part* of a model.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.
    """
    return part[:_START_BYTES] if isinstance(part, bytes) else _read(part, _START_BYTES)


def content_of(part: Path | bytes) -> bytes:
    """Return all bytes of *part* of a model.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.
    RuntimeFailure
        If it is larger than 2 GiB, where protocol buffers and flatbuffers end.
    """
    if (size := size_of(part)) > _MAX_BYTES:
        raise RuntimeFailure(
            f"expected a model of at most {_MAX_BYTES} bytes, got {size}: "
            f"convert it to OpenVINO IR, or keep its weights in a file of their own"
        )
    return part if isinstance(part, bytes) else _read(part, -1)


def encoding_of(part: Path | bytes) -> GraphEncoding | None:
    """Return the encoding of a model by the content of its first file.

    Parameters
    ----------
    part : Path or bytes
        The first file of a model, or its bytes.  A folder is a TensorFlow SavedModel.

    Returns
    -------
    GraphEncoding or None
        None where the bytes do not show it: TensorFlow's graphs and Paddle's are both protocol
        buffers without a mark.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> encoding_of(b'<!-- a net --><net name="toy" version="11">')
    <GraphEncoding.OPENVINO: 0>
    >>> encoding_of(b"garbage")
    """
    if is_folder(part):
        return GraphEncoding.TENSORFLOW
    start = start_of(part)
    if start[4:8] == b"TFL3":
        return GraphEncoding.TENSORFLOWLITE
    if _is_ir(_look(start)):
        return GraphEncoding.OPENVINO
    return GraphEncoding.ONNX if _is_onnx(start) else None


def xml_text(content: bytes) -> str | bytes:
    """Return XML as a parser takes it, without white space at its start.

    Text where the bytes show UTF-16, or UTF-8 with a byte order mark; else the bytes, whose
    declaration may state the encoding.
    """
    for mark, codec in _XML_CODECS:
        if content.startswith(mark):
            return content.decode(codec, errors="replace").lstrip()
    return content.lstrip()


def foreign_content(part: Path | bytes) -> str:
    r"""Return what a file holds in place of a model or its weights, and what to do.

    Parameters
    ----------
    part : Path or bytes
        A file, or its bytes.  A file called ``.json`` or ``.pbtxt`` may be text: Paddle's and
        TensorFlow's models are.

    Returns
    -------
    str
        Empty where it may be what is expected.

    Raises
    ------
    MissingFileError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> foreign_content(b"7z\xbc\xaf\x27\x1c")
    'a 7z archive: unpack it and load the model inside'
    >>> foreign_content(b"Not Found")
    "plain text, such as the error of a server: fetch the file again and look at the server's
    answer"
    """
    start = start_of(part)
    if not start:
        return "an empty file: fetch or copy it again"
    if fetched := fetched_instead(start):
        return fetched
    for mark, what in _FOREIGN:
        if start.startswith(mark):
            return what
    if isinstance(part, Path) and part.suffix in TEXT_SUFFIXES:
        return ""
    head = _look(start[:_TEXT_BYTES])
    if head.startswith("<"):
        what = f"XML or HTML, such as the error of a server, not OpenVINO IR: {_AGAIN}"
        return "" if _is_ir(_look(start)) else what
    if not _is_text(start[:_TEXT_BYTES]):
        return ""
    kind = "JSON" if head.startswith(("{", "[")) else "plain text"
    return f"{kind}, such as the error of a server: {_AGAIN}"


def fetched_instead(start: bytes) -> str:
    """Return what a download often brings in place of a file, and what to do; else "".

    Weights may be any bytes, also text: nothing else can be recognized.

    Examples
    --------
    >>> fetched_instead(b"version https://git-lfs.github.com/spec/v1")
    "a Git LFS pointer, not the file itself: run 'git lfs pull'"
    >>> fetched_instead(b"<!DOCTYPE html><html>")
    "an HTML page: fetch the file again and look at the server's answer"
    """
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself: run 'git lfs pull'"
    head = _look(start[:_TEXT_BYTES]).lower()
    if head.startswith("<") and ("<html" in head or "<!doctype html" in head):
        return f"an HTML page: {_AGAIN}"
    return ""


def _read(path: Path, count: int) -> bytes:
    """Read *count* bytes of a file, or all with -1."""
    found = existing_file(path, "model")
    try:
        with found.open("rb") as file:
            return file.read(count)
    except OSError as error:
        mode = stat.filemode(found.stat().st_mode)
        raise MissingFileError(
            f"{found}: cannot be read ({error.strerror or error}); its permissions are {mode}"
        ) from error


def _look(start: bytes) -> str:
    """Return XML or other text, whatever its encoding."""
    text = xml_text(start)
    return text if isinstance(text, str) else text.decode("latin-1")


def _is_text(start: bytes) -> bool:
    """Return whether bytes are printable UTF-8, perhaps cut inside a character."""
    if _CONTROL.search(start):
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4
    return True


def _is_ir(text: str) -> bool:
    """Return whether XML may be OpenVINO IR; the parser checks its root."""
    prolog = _XML_PROLOG.match(text)
    return text.startswith("<?xml") or text.startswith("<net", prolog.end() if prolog else 0)


def _is_onnx(start: bytes) -> bool:
    """Return whether bytes begin as an ONNX ``ModelProto``, by its fields.

    TensorFlow's ``GraphDef`` and Paddle's ``ProgramDesc`` have a message in field 1, TensorFlow's
    ``SavedModel`` has no field 7; ONNX has its version in field 1 and its graph in field 7
    (onnx.proto).  The fields before the graph are short: *start* holds them.
    """
    has_version = False
    for number, wire_type in _protobuf_fields(start):
        if (number, wire_type) == (7, 2):
            return has_version
        if number not in _ONNX_FIELDS or wire_type != (0 if number in {1, 5} else 2):
            return False
        has_version |= number == 1
    return False


# onnx.proto, ModelProto: what there can be beside the graph.
_ONNX_FIELDS: Final = frozenset({1, 2, 3, 4, 5, 6, 8, 14, 20, 25, 26})


def _protobuf_fields(message: bytes) -> Iterator[tuple[int, int]]:
    """Yield number and wire type of each field of *message*, up to what is cut off or wrong."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        yield key >> 3, key & 7
        length, position = _varint(message, position)
        if key & 7 == 2:
            position += length
        elif key & 7 != 0:
            return


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, position + index + 1
    return 0, len(message)
