"""`GuestRun`: the outcome of a run, and the commands that repeat it on other runtimes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from wasinn_nb.abi import Dialect
from wasinn_nb.behavior import portability
from wasinn_nb.errors import InvalidArgumentError, TensorFileError, WasiNnError
from wasinn_nb.files import expanded, is_file
from wasinn_nb.host.commands import (
    Invocation,
    encoding_name,
    model_parts,
    wasmedge_words,
    wasmtime_words,
)
from wasinn_nb.host.reasons import failure_reasons
from wasinn_nb.host.recording import write_recording
from wasinn_nb.render import Code, Column, Document, Only, Paragraph, Section, Showing, Table, Tone
from wasinn_nb.tensor import Tensor, read_tensor
from wasinn_nb.wasi_nn import ModelFiles, Trace
from wasinn_nb.wording import counted, first_few, inert, milliseconds

__all__ = ["GuestRun", "read_tensor_files"]

_MOST_CHARACTERS = 20_000  # characters of each stream in a notebook's output


@dataclass(slots=True, repr=False, eq=False)
class GuestRun(Showing, arrays="take .outputs[0] or .inputs[0]"):
    """What a guest did.

    Its text holds nothing that changes from run to run; its HTML has the durations, too.

    Attributes
    ----------
    exit_code : int or None
        ``None`` where the guest did not end by itself.
    ended : str
        How it ended: ``exit code 0``, ``trapped``, ``stopped after 2 s``, ``interrupted``.
    stdout, stderr : str
        What it printed, up to *output_limit*.
    trace : Trace
        Its WASI-NN calls.
    files : tuple of Path
        New and changed files in its writable directories.
    seconds : dict
        Durations: ``compile`` (WebAssembly to machine code), ``guest code`` (its own time, files
        included), each WASI-NN function with its copies, and ``total``.
    dialect : Dialect or None
        The numbering of tensor types that the guest has shown; ``None`` where both fit.
    notes : tuple of str
        Remarks on the run.
    invocation : Invocation
        How it was started.
    models : mapping
        The models that it has loaded by name.
    runtime : str
        The engine behind WASI-NN.
    isolation : tuple of str
        What held the guest: ``"process"`` or ``"thread"``, and of a process what else applies on
        this system: ``"limits on …"``, ``"no_new_privs"``, ``"landlock"``, ``"seccomp"``; or
        ``"without landlock"``, ``"without seccomp"``.
    imports : tuple of str
        What the module imports, as ``module.name``.
    on : str
        The other runtime's program, ``"wasmtime"`` or ``"wasmedge"``; empty for a run here.
    tensor_files : mapping
        Of a run on another runtime: path → tensor of the ``.tensor`` files that the guest wrote, as
        they were when it ended.
    """

    invocation: Invocation
    trace: Trace
    exit_code: int | None = None
    ended: str = ""
    stdout: str = ""
    stderr: str = ""
    files: tuple[Path, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    dialect: Dialect | None = None
    notes: tuple[str, ...] = ()
    models: Mapping[str, ModelFiles] = field(default_factory=dict)
    runtime: str = ""
    isolation: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    on: str = ""
    tensor_files: Mapping[Path, Tensor] = field(default_factory=dict)

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors of ``set_input``, in order, as far as the trace keeps them."""
        return self.trace.tensors("set_input")

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors of ``get_output``, in order, as far as the trace keeps them.

        Of a run on another runtime, which keeps no trace: those of `tensor_files`.
        """
        return list(self.tensor_files.values()) if self.on else self.trace.tensors("get_output")

    @property
    def reasons(self) -> str:
        """The last failed calls in lines of text, where the exit code is not 0; may be empty."""
        return "" if self.exit_code == 0 else failure_reasons(self.trace)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Save the calls with their tensors, for ``run_guest(..., replay=folder)``.

        Parameters
        ----------
        folder : path-like
            Made when it is missing.  A recording that is there is replaced.

        Returns
        -------
        Path
            The JSON file that names the others, which are ``.tensor`` files.

        Raises
        ------
        InvalidArgumentError
            If the trace leaves out calls or tensors, or the run was on another runtime, which keeps
            no trace.
        UnwritableError
            If the folder cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from wasinn_nb.host import Invocation
        >>> run = wn.GuestRun(Invocation("seg.wasm", (), (), {}), wn.Trace(), exit_code=0)
        >>> run.save(tempfile.mkdtemp()).name
        'run.json'
        """
        if self.on:
            raise InvalidArgumentError(
                f"the run of {self.invocation.name} was on {self.on}, which keeps no trace"
            )
        return write_recording(folder, self.invocation.name, self.trace)

    # -- the same elsewhere ----------------------------------------------------------------------

    def wasmedge_command(self) -> str:
        """Return the shell command that runs the same guest on WasmEdge.

        WasmEdge needs its WASI-NN plug-in for OpenVINO.  Standard input and limits are not in it.

        Examples
        --------
        >>> from wasinn_nb.host import Directory, Invocation
        >>> dirs = (Directory(".", "data", writable=False),)
        >>> run = wn.GuestRun(Invocation("seg.wasm", ("my image.png",), dirs, {}), wn.Trace())
        >>> run.wasmedge_command()
        "wasmedge --dir .:data:readonly seg.wasm 'my image.png'"
        """
        models = [(name, model_parts(name, model)) for name, model in self.models.items()]
        return shlex.join(wasmedge_words(self.invocation, models))

    def wasmtime_command(self) -> str:
        """Return the shell command that runs the same guest with the ``wasmtime`` program.

        Wasmtime needs to be built with wasi-nn and OpenVINO.  It knows a model by the name of a
        folder with ``model.xml`` and ``model.bin``: where the model does not lie like that, the
        command copies it there first.  Its directories are always writable.  Standard input and
        limits are not in it.

        Examples
        --------
        >>> from wasinn_nb.host import Directory, Invocation
        >>> dirs = (Directory(".", "data", writable=True),)
        >>> run = wn.GuestRun(Invocation("seg.wasm", ("a.png",), dirs, {"LOG": "1"}), wn.Trace())
        >>> run.wasmtime_command()
        'wasmtime run -S nn --dir data::. --env LOG=1 seg.wasm a.png'
        """
        before: list[list[str]] = []
        folders: list[tuple[str, str]] = []
        for name, model in self.models.items():
            parts = model_parts(name, model)
            first = Path(parts[0])
            folder = str(first.parent)
            if first.parent.name != name or first.name != "model.xml":
                folder = name
                before.append(["mkdir", "-p", name])
                before += [["cp", p, f"{name}/model{Path(p).suffix}"] for p in parts]
            folders.append((encoding_name(parts), folder))
        return " && ".join(map(shlex.join, [*before, wasmtime_words(self.invocation, folders)]))

    # -- showing ---------------------------------------------------------------------------------

    @property
    def _summary(self) -> str:
        if self.on:
            return inert(f"{self.invocation.name} on {self.on}: {self.ended}")
        calls = len(self.trace) + self.trace.dropped
        return inert(f"{self.invocation.name}: {self.ended}, {counted(calls, 'WASI-NN call')}")

    def _file_names(self) -> list[str]:
        """Return the written files by their paths in the guest."""
        names = []
        for path in self.files:
            for d in self.invocation.dirs:
                host = expanded(d.host)
                if d.writable and path.is_relative_to(host):
                    names.append(str(PurePosixPath(d.guest, *path.relative_to(host).parts)))
                    break
        return names

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain JSON values: how it ended, its calls, what it printed and wrote.

        Tensors are left out.
        """
        return {
            "guest": self.invocation.wasm,
            "arguments": list(self.invocation.args),
            "exit_code": self.exit_code,
            "ended": self.ended,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "calls": [call.to_dict() for call in self.trace],
            "calls_dropped": self.trace.dropped,
            "files": [str(path) for path in self.files],
            "notes": list(self.notes),
            "reasons": self.reasons.splitlines(),
            "seconds": dict(self.seconds),
            "dialect": None if self.dialect is None else self.dialect.name.lower(),
            "runtime": self.runtime,
            "isolation": list(self.isolation),
            "on": self.on,
        }

    def document(self) -> Document:
        """Return what there is to see: how it ended, its calls, and what it printed and wrote."""
        ended: Tone = "strong" if self.exit_code == 0 else "bad"
        printed = [("stdout", self.stdout), ("stderr", self.stderr)]
        folded = [
            Section(name, [Code(_shortened(text))], folded=True) for name, text in printed if text
        ]
        if self.seconds:
            steps = Table(["step", Column("time", milliseconds)], list(self.seconds.items()))
            folded.insert(0, Section("durations", [steps], folded=True))
        if len(self.trace) and not self.on:
            report = portability(self).document()
            folded.append(Section("on other runtimes", report.blocks, folded=True))
        if self.isolation:
            held = Paragraph(", ".join(self.isolation))
            folded.append(Section("isolation", [held], folded=True))
        return Document(
            self._summary,
            [
                Only(("text",), [Paragraph(f"GuestRun({self._summary})")]),
                Only(("notebook", "page"), [Paragraph(self._summary, ended)]),
                *(self.trace.document().blocks if len(self.trace) else ()),
                Only(("notebook", "page"), folded),
                *(Paragraph(f"wrote {inert(name)}") for name in first_few(self._file_names())),
                *(Paragraph(f"note: {inert(note)}") for note in first_few(self.notes)),
            ],
            show_title=False,
        )


def read_tensor_files(
    files: Iterable[Path], most_bytes: int
) -> tuple[dict[Path, Tensor], list[str]]:
    """Return the tensors of those files that are ``.tensor`` files, and why some are left out.

    Parameters
    ----------
    files : iterable of Path
        Written by a guest: links among them are not followed.
    most_bytes : int
        To read, all together.
    """
    tensors: dict[Path, Tensor] = {}
    notes: list[str] = []
    left = most_bytes
    for path in files:
        if path.suffix != ".tensor" or path.is_symlink() or not is_file(path):
            continue
        try:
            if path.stat().st_size > left:
                raise TensorFileError(f"{path.name} is left out, to keep within memory_limit bytes")
            found = read_tensor(path)
            # A mapped file would change when the guest runs again.
            tensors[path] = Tensor.adopt(found.dimensions, found.type, np.array(found.data))
            left -= found.nbytes
        except (WasiNnError, OSError) as error:
            notes.append(f"not read: {error}")
    return tensors, notes


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}\n…"
