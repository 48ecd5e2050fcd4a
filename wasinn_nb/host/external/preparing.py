"""What a runtime's program is given: its command line, the module, the models and variables."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.host.commands import encoding_name, wasmedge_words, wasmtime_words
from wasinn_nb.host.external.libraries import prepare_libraries
from wasinn_nb.host.external.programs import PROGRAMS, Program
from wasinn_nb.host.job import Job
from wasinn_nb.host.reachable import reachable_files
from wasinn_nb.host.wasi import Directory
from wasinn_nb.isolation import helper_environment
from wasinn_nb.wasi_nn import ModelFiles, parsed_builders

__all__ = ["Prepared", "prepare"]

_PAGE: Final = 1 << 16
_SEPARATOR: Final = {"wasmtime": "::", "wasmedge": ":"}
_PLAIN_NAME: Final = re.compile(r"[^,:/\0\n]+")
_PASSED_ON: Final = ("PATH", "WASMEDGE_PLUGIN_PATH")
_STDIN: Final = "stdin"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program that is ready to start.

    Attributes
    ----------
    command : list of str
    environment : dict
        Its variables; the guest gets none of them.
    stdin : Path
        What the guest reads from standard input.
    readable, writable, executable : tuple of str
        Paths for the sandbox.
    """

    command: list[str]
    environment: dict[str, str]
    stdin: Path
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    executable: tuple[str, ...]


def prepare(job: Job, program: Program, folder: Path) -> Prepared:
    """Write to a folder what a program needs to run a guest.

    Parameters
    ----------
    job : Job
    program : Program
    folder : Path
        Empty, and this run's alone.

    Raises
    ------
    InvalidArgumentError
        If the program cannot be told a path or a name.
    """
    (folder / "guest").mkdir()
    wasm = folder / "guest" / _file_name(job.invocation.name)
    wasm.write_bytes(job.wasm)
    (folder / _STDIN).write_bytes(job.stdin)
    (folder / "temporary").mkdir()
    libraries = prepare_libraries(folder / "libraries", job.precision)
    environment = _environment(folder, libraries)
    directories = [_directory(d, program, folder) for d in job.invocation.dirs]
    there = replace(job.invocation, wasm=str(wasm), dirs=tuple(directories))
    models = {name: _model(name, model, folder) for name, model in job.models.items()}
    if program.name == "wasmtime":
        options = ["-W", f"max-memory-size={job.memory_limit}", "--argv0", job.invocation.name]
        # It may not write into the home directory, and ends where the cache's folder is missing.
        options += ["-C", "cache=n"]
        folders = [(encoding_name(parts), str(Path(parts[0]).parent)) for parts in models.values()]
        command = wasmtime_words(there, folders, program=str(program.path), options=options)
    else:
        options = ["--memory-page-limit", str(max(1, job.memory_limit // _PAGE))]
        command = wasmedge_words(there, models.items(), program=str(program.path), options=options)
    own = program.path.parent
    beside = [own, *(own.parent / name for name in ("lib", "lib64", "plugin"))]
    return Prepared(
        command,
        environment,
        folder / _STDIN,
        readable=(
            str(folder),
            *reachable_files(job.models.values()),
            *(os.path.realpath(d.host) for d in directories if not d.writable),
        ),
        writable=(
            str(folder / "temporary"),
            *(os.path.realpath(d.host) for d in directories if d.writable),
        ),
        executable=tuple(map(str, [*beside, *([libraries] if libraries else [])])),
    )


def _file_name(name: str) -> str:
    """Return a name for the module's file; a guest sees the module's own as its first argument."""
    return name if len(os.fsencode(name)) < 200 and name not in {"", ".", ".."} else "guest.wasm"


def _environment(folder: Path, libraries: Path | None) -> dict[str, str]:
    environment = helper_environment(os.environ)
    environment |= {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # Without it, a program that gives up prints pages of its own functions.
    environment |= {"RUST_BACKTRACE": "0", "TMPDIR": str(folder / "temporary")}
    if libraries is not None:
        given = environment.get("LD_LIBRARY_PATH")
        path = os.pathsep.join(filter(None, [str(folder / "libraries"), given]))
        environment["LD_LIBRARY_PATH"] = path
    return environment


def _directory(directory: Directory, program: Program, folder: Path) -> Directory:
    """Return a directory by a path that the program takes for one."""
    separator = _SEPARATOR[program.name]
    if separator in directory.guest:
        raise InvalidArgumentError(
            f"{PROGRAMS[program.name]} takes no directory whose path in the guest has a "
            f"{separator!r} in it, got {directory.guest!r}"
        )
    host = os.path.realpath(expanded(directory.host))
    if separator in host or sys.platform == "win32":
        link = folder / f"directory-{len(list(folder.glob('directory-*')))}"
        link.symlink_to(host, target_is_directory=True)
        host = str(link)
    return replace(directory, host=host)


def _model(name: str, model: ModelFiles, folder: Path) -> Sequence[str]:
    """Return a model's files in a folder of its name, as Wasmtime looks for them."""
    if not _PLAIN_NAME.fullmatch(name) or name in {".", ".."}:
        raise InvalidArgumentError(
            f"the name of a model for another runtime has none of , : / in it, got {name!r}"
        )
    place = folder / "models" / name
    place.mkdir(parents=True)
    parts = parsed_builders(model)
    if len(parts) == 2:
        suffixes = [".xml", ".bin"]
    else:
        only = parts[0]
        suffixes = [only.suffix.lower() if isinstance(only, Path) else ".onnx"]
    paths = []
    for part, suffix in zip(parts, suffixes, strict=True):
        path = place / f"model{suffix}"
        if isinstance(part, Path):
            path.symlink_to(part.resolve())
        else:
            path.write_bytes(part)
        paths.append(str(path))
    return paths
