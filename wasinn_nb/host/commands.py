"""The command lines of other runtimes: the same guest, directories and models there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from wasinn_nb.host.wasi import Directory
from wasinn_nb.wasi_nn import ModelFiles

__all__ = ["Invocation", "encoding_name", "model_parts", "wasmedge_words", "wasmtime_words"]

_ENCODINGS: Final = {".onnx": "ONNX", ".tflite": "TensorflowLite"}


@dataclass(frozen=True, slots=True)
class Invocation:
    """How a guest was started.

    Attributes
    ----------
    wasm : str
        The module's path as it was given, or ``guest.wasm`` for one given as bytes.
    args : tuple of str
    dirs : tuple of Directory
    env : mapping
    invoke : str
        The function that was asked for; empty for the module's own start.
    """

    wasm: str
    args: tuple[str, ...]
    dirs: tuple[Directory, ...]
    env: Mapping[str, str]
    invoke: str = ""

    @property
    def name(self) -> str:
        """The module's file name."""
        return PurePosixPath(self.wasm.replace(os.sep, "/")).name


def wasmedge_words(
    invocation: Invocation,
    models: Iterable[tuple[str, Sequence[str]]],
    *,
    program: str = "wasmedge",
    options: Sequence[str] = (),
) -> list[str]:
    """Return the command that runs a guest on WasmEdge.

    Parameters
    ----------
    invocation : Invocation
    models : iterable of (str, sequence of str)
        Name and files of each model that the guest loads by name.
    program : str
    options : sequence of str
        Words to put before the module.
    """
    words = [program, *options]
    for d in invocation.dirs:
        words += ["--dir", f"{d.guest}:{d.host}" + ("" if d.writable else ":readonly")]
    for name, value in invocation.env.items():
        words += ["--env", f"{name}={value}"]
    for name, parts in models:
        words += ["--nn-preload", ":".join([name, encoding_name(parts), "CPU", *parts])]
    if invocation.invoke:
        return [*words, "--reactor", invocation.wasm, invocation.invoke, *invocation.args]
    return [*words, invocation.wasm, *invocation.args]


def wasmtime_words(
    invocation: Invocation,
    folders: Iterable[tuple[str, str]],
    *,
    program: str = "wasmtime",
    options: Sequence[str] = (),
) -> list[str]:
    """Return the command that runs a guest with the ``wasmtime`` program.

    Parameters
    ----------
    invocation : Invocation
    folders : iterable of (str, str)
        Encoding and folder of each model that the guest loads by name, the folder's.
    program : str
    options : sequence of str
        Words to put before the module.
    """
    graphs = [f"nn-graph={encoding.lower()}::{folder}" for encoding, folder in folders]
    words = [program, "run", "-S", ",".join(["nn", *graphs]), *options]
    for d in invocation.dirs:
        words += ["--dir", d.host if d.host == d.guest else f"{d.host}::{d.guest}"]
    for name, value in invocation.env.items():
        words += ["--env", f"{name}={value}"]
    if invocation.invoke:
        words += ["--invoke", invocation.invoke]
    return [*words, invocation.wasm, *invocation.args]


def encoding_name(parts: Sequence[str]) -> str:
    """Return the encoding of a model as WasmEdge's ``--nn-preload`` calls it."""
    return _ENCODINGS.get(Path(parts[0]).suffix, "OpenVINO")


def model_parts(name: str, model: ModelFiles) -> list[str]:
    """Return a model's files as words of a command; those given as bytes by a likely name."""
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        return [str(path), str(path.with_suffix(".bin"))] if path.suffix == ".xml" else [str(path)]
    suffixes = [".xml", ".bin"] if len(model) == 2 else [".onnx"]
    return [
        f"{name}{suffix}" if isinstance(part, bytes | bytearray | memoryview) else os.fspath(part)
        for part, suffix in zip(model, suffixes, strict=True)
    ]
