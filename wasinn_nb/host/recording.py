"""A recording of a guest's calls with their tensors: a folder that is written and read whole."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import Errno
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.host.callvalues import call_from, call_values
from wasinn_nb.isolation import FrameError
from wasinn_nb.json_files import checked_json, json_text, read_json
from wasinn_nb.transaction import Contents, read_member, settle, write_files
from wasinn_nb.wasi_nn import Call, Trace
from wasinn_nb.wording import counted

__all__ = ["read_recording", "write_recording"]

_FORMAT: Final = "wasinn-nb-recording"
_HEAD: Final = "run.json"
_MOST_BYTES: Final = 1 << 26
_WITH_TENSORS: Final = ("set_input", "get_output")


class _File(TypedDict):
    """The JSON file of a recording."""

    format: str
    guest: str
    calls: list[dict[str, Any]]
    sha256: dict[str, str]
    seal: str


def write_recording(folder: str | os.PathLike[str], guest: str, trace: Trace) -> Path:
    """Write the calls of a run and their tensors, so that they change together.

    Parameters
    ----------
    folder : path-like
        Made when it is missing.
    guest : str
        The module's name.
    trace : Trace

    Returns
    -------
    Path
        The JSON file that names the others.

    Raises
    ------
    InvalidArgumentError
        If the trace leaves out calls, or tensors that an answer needs.
    UnwritableError
        If the folder cannot be written.
    """
    if trace.dropped:
        raise InvalidArgumentError(
            f"the trace leaves out {counted(trace.dropped, 'call')} in the middle: too many calls "
            f"to save"
        )
    members: dict[str, Contents] = {}
    calls = []
    for number, call in trace.numbered():
        if call.tensor is None and call.errno is Errno.SUCCESS and call.name in _WITH_TENSORS:
            raise InvalidArgumentError(
                f"the trace does not keep the tensor of call #{number} {call.name}: run it with "
                f"keep='all', and with a larger memory_limit if they were dropped"
            )
        values = call_values(call)
        if call.tensor is not None:
            values["file"] = f"run-{number}-{call.name}-{call.tensor.signature}.tensor"
            members[values["file"]] = memoryview(call.tensor.data)
        calls.append(values)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    facts: dict[str, Any] = {"format": _FORMAT, "guest": guest, "calls": calls, "sha256": hashes}
    facts = json.loads(json_text(facts, _HEAD, InvalidArgumentError))
    text = json_text(facts | {"seal": _seal(facts)}, _HEAD, InvalidArgumentError)
    path = expanded(folder) / _HEAD
    write_files(path.parent, path.name, text.encode(), members)
    return path


def read_recording(folder: str | os.PathLike[str]) -> tuple[Call, ...]:
    """Return the calls of a recording, with their tensors.

    Parameters
    ----------
    folder : path-like

    Raises
    ------
    MissingFileError
        If it, or a file of it, is not there.
    InvalidArgumentError
        If it is something else, or was edited.
    """
    place = expanded(folder)
    settle(place, _HEAD)
    values = read_json(
        place / _HEAD, "recording", most_bytes=_MOST_BYTES, error=InvalidArgumentError
    )
    if values.get("format") != _FORMAT:
        raise InvalidArgumentError(
            f"{place / _HEAD}: expected a recording, as GuestRun.save writes it"
        )
    file = checked_json(values, _File, str(place / _HEAD), InvalidArgumentError)
    if file["seal"] != _seal({key: value for key, value in values.items() if key != "seal"}):
        raise InvalidArgumentError(
            f"{place / _HEAD} was edited after it was saved; save the run again"
        )
    calls = []
    for number, call in enumerate(file["calls"]):
        try:
            calls.append(call_from(call, _Data(place, call, file["sha256"])))
        except FrameError as error:
            raise InvalidArgumentError(f"{place / _HEAD}: call #{number}: {error}") from error
    return tuple(calls)


class _Data:
    """Returns the bytes of a call's tensor."""

    def __init__(self, folder: Path, call: Mapping[str, Any], hashes: Mapping[str, str]) -> None:
        self._folder = folder
        self._name = call.get("file")
        self._hashes = hashes

    def __call__(self, size: int) -> NDArray[np.uint8]:
        name = self._name
        if not isinstance(name, str) or name not in self._hashes or Path(name).name != name:
            raise FrameError(f"it names no file of the recording: {name!r:.80}")
        data = read_member(self._folder, name, self._hashes[name])
        if data is None:
            raise InvalidArgumentError(
                f"{self._folder / name} was edited after it was saved; save the run again"
            )
        if len(data) != size:
            raise FrameError(f"{name} has {len(data)} bytes, its tensor {size}")
        return np.frombuffer(data, np.uint8)


def _seal(facts: Mapping[str, Any]) -> str:
    """Return the hash of a recording's facts, which tells whether they were edited."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
