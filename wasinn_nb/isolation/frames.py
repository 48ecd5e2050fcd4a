"""Frames between a process and its helper: a JSON object, and bytes behind it."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "FrameError", "read_frame", "write_frame"]

Frame = tuple[dict[str, Any], NDArray[np.uint8]]
"""The object, and the bytes."""

_HEAD: Final = struct.Struct("<IQ")
_MAX_OBJECT: Final = 1 << 22

_lock = threading.Lock()


class FrameError(Exception):
    """What arrived is not a frame."""


def write_frame(file: BinaryIO, values: Mapping[str, Any], content: Any = b"") -> None:
    """Write a frame and flush it; frames of several threads do not mix.

    Parameters
    ----------
    file : binary file
    values : mapping
        JSON values.
    content : bytes-like
    """
    text = json.dumps(values).encode()
    raw = memoryview(content)
    with _lock:
        file.write(_HEAD.pack(len(text), raw.nbytes) + text)
        if raw.nbytes:
            file.write(raw)
        file.flush()


def read_frame(file: BinaryIO, max_content: int) -> Frame | None:
    """Return the next frame; None at the end of *file*, or where it ends inside of a frame.

    Nothing is trusted: the writer may be a process that a guest has taken over.

    Parameters
    ----------
    file : binary file
    max_content : int
        Bytes that may follow the object.

    Raises
    ------
    FrameError
        If it is not a frame, or too large.
    """
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, size = _HEAD.unpack(head)
    if length > _MAX_OBJECT or size > max_content:
        raise FrameError(f"a frame of {length} + {size} bytes is too large")
    text = file.read(length)
    if len(text) < length:
        return None
    content = np.empty(size, np.uint8)
    if size and _read_into(file, content.data) < size:
        return None
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a frame is not valid JSON: {error}") from error
    if not isinstance(values, dict):
        raise FrameError("a frame is not a JSON object")
    return values, content


def _read_into(file: BinaryIO, view: memoryview) -> int:
    done = 0
    while done < view.nbytes:
        count = file.readinto(view[done:])  # type: ignore[attr-defined]  # typeshed leaves it out
        if not count:
            break
        done += count
    return done
