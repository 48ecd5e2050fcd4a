"""`Portability`: what would be different on other runtimes, and what to change."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from wasinn_nb.behavior.rules import Evidence, Outcome
from wasinn_nb.render import Block, Document, Only, Paragraph, Report, Table
from wasinn_nb.wording import counted, first_few, inert

__all__ = ["Finding", "Portability", "RuntimeReport"]

_WORDS: dict[Outcome, str] = {
    "crashes": "the process ends",
    "traps": "the guest is stopped",
    "fails": "it fails",
    "differs": "it differs",
    "undefined": "it is undefined",
    "needs": "it needs more",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What another runtime does with some calls of a guest.

    Attributes
    ----------
    calls : tuple of int
        Their numbers in the trace; empty for what is not a call.
    name : str
        The WASI-NN function, ``import`` or ``exit``.
    outcome : str
        ``crashes``: the runtime's process ends; ``traps``: it ends the guest; ``fails``: it returns
        an error; ``differs``: it returns another errno, or computes on something else;
        ``undefined``: it returns success, and values that nothing defines; ``needs``: it is the
        same once the runtime is given more.
    why : str
        What happens there.
    change : str
        What to change in the guest, or to give to the runtime.
    row : int or None
        Of the measured table of call sequences.
    evidence : {"measured", "read in source"}
    """

    calls: tuple[int, ...]
    name: str
    outcome: Outcome
    why: str
    change: str
    row: int | None
    evidence: Evidence

    @property
    def source(self) -> str:
        """The evidence in words."""
        return self.evidence if self.row is None else f"{self.evidence}, row {self.row}"

    @property
    def where(self) -> str:
        """The calls in words."""
        numbers = first_few([f"#{number}" for number in self.calls])
        return " ".join([", ".join(numbers), self.name]).strip()


@dataclass(frozen=True, slots=True)
class RuntimeReport:
    """What one runtime would do with a guest.

    Attributes
    ----------
    name : str
        Its program: ``wasmtime``, ``wasmedge``.
    title : str
        With its version.
    measured : str
        What the rules were measured on.
    findings : tuple of Finding
        In the order of the calls.
    """

    name: str
    title: str
    measured: str
    findings: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """Whether nothing speaks against the same run there."""
        return all(finding.outcome == "needs" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """The result in one line."""
        if self.same:
            needs = f", once it has what it needs ({len(self.findings)})" if self.findings else ""
            return f"{self.title}: would run the same{needs}"
        differing = [finding for finding in self.findings if finding.outcome != "needs"]
        return f"{self.title}: would not run the same ({counted(len(differing), 'difference')})"


@dataclass(frozen=True, eq=False, repr=False)
class Portability(Report):
    """What would be different on other runtimes.  True where nothing speaks against the same run.

    Attributes
    ----------
    what : str
        The guest, or the trace.
    runtimes : tuple of RuntimeReport
    notes : tuple of str
        What could not be judged.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> with wn.WasiNnCtx() as ctx:
    ...     graph = ctx.load(wn.model().files, "openvino", "AUTO")
    >>> report = wn.portability(ctx.trace)
    >>> bool(report), report["wasmtime"].same
    (False, False)
    """

    what: str
    runtimes: tuple[RuntimeReport, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(runtime.same for runtime in self.runtimes)

    def __getitem__(self, name: str) -> RuntimeReport:
        """Return the report on a runtime, by its program's name."""
        for runtime in self.runtimes:
            if runtime.name == name:
                return runtime
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "what": self.what,
            "same": bool(self),
            "runtimes": [
                {
                    "name": runtime.name,
                    "title": runtime.title,
                    "measured": runtime.measured,
                    "same": runtime.same,
                    "findings": [
                        {
                            "calls": list(finding.calls),
                            "name": finding.name,
                            "outcome": finding.outcome,
                            "why": finding.why,
                            "change": finding.change,
                            "row": finding.row,
                            "evidence": finding.evidence,
                        }
                        for finding in runtime.findings
                    ],
                }
                for runtime in self.runtimes
            ],
            "notes": list(self.notes),
        }

    def document(self) -> Document:
        """Return what there is to see: a verdict for each runtime, and the findings below it."""
        blocks: list[Block] = []
        for runtime in self.runtimes:
            blocks.append(Paragraph(runtime.verdict, "good" if runtime.same else "bad"))
            if runtime.findings:
                blocks += _findings(runtime, self._WIDTH)
        blocks += [Paragraph(f"note: {inert(note)}") for note in self.notes]
        return Document(f"Portability of {inert(self.what)}", blocks)


def _findings(runtime: RuntimeReport, width: int) -> list[Block]:
    lines = []
    for finding in runtime.findings:
        lines += [
            _wrapped(f"{inert(finding.where)}: {finding.why} ({finding.source})", "  ", width),
            _wrapped(f"change: {finding.change}", "    ", width),
        ]
    rows = [
        (inert(f.where), _WORDS[f.outcome], f.why, f.change, f.source) for f in runtime.findings
    ]
    table = Table(["call", "there", "why", "what to change", "evidence"], rows)
    measured = Paragraph(f"Measured on {runtime.measured}.")
    return [
        Only(("text",), [Paragraph("\n".join(lines))]),
        Only(("notebook", "page"), [table, measured]),
    ]


def _wrapped(text: str, indent: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=f"{indent}  ")
