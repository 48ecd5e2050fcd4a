"""Which runtimes can be used here, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wasinn_nb import render
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import UnsupportedOperationError
from wasinn_nb.runtimes.registry import runtime, runtimes

__all__ = ["Engine", "EngineTable", "engines"]


@dataclass(frozen=True, slots=True)
class Engine:
    """A runtime that is registered, and whether it can be used here.

    Parameters
    ----------
    name : str
        What to pass as ``runtime=``.
    versions : mapping
        Package → version; empty where it cannot be used.
    encodings : frozenset of GraphEncoding
        What it reads; empty where it cannot be used.
    reason : str
        Why it cannot be used here, with the remedy; empty where it can.
    """

    name: str
    versions: Mapping[str, str] = field(default_factory=dict)
    encodings: frozenset[GraphEncoding] = frozenset()
    reason: str = ""

    @property
    def available(self) -> bool:
        """Whether it can be used here."""
        return not self.reason

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the encodings that it reads, in WASI-NN's order."""
        known = sorted(self.encodings - {GraphEncoding.AUTODETECT})
        return tuple(encoding.name.lower() for encoding in known)


class EngineTable(render.Showing, tuple[Engine, ...]):
    """Engines, shown as a table.

    Examples
    --------
    >>> EngineTable([
    ...     Engine("toy", {"toy-engine": "1.0"}, frozenset({GraphEncoding.ONNX})),
    ...     Engine("other", reason="other is not installed"),
    ... ])
    engine  here  reads  version
    toy     yes   onnx   toy-engine 1.0
    other   no
    - other is not installed
    """

    __slots__ = ()

    def document(self) -> render.Document:
        """Return what there is to see: a row for each engine, and below why some are missing."""
        rows = [
            (
                engine.name,
                "yes" if engine.available else "no",
                ", ".join(engine.reads),
                ", ".join(f"{package} {number}" for package, number in engine.versions.items()),
            )
            for engine in self
        ]
        reasons = [engine.reason for engine in self if engine.reason]
        return render.Document(
            "Engines",
            [render.Table(["engine", "here", "reads", "version"], rows), render.Items(reasons)],
            show_title=False,
        )


def engines() -> EngineTable:
    """Return the engines that models can run on: those that are here, and why the rest are not.

    Every engine that is here is imported, which takes a second or two.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> [engine.name for engine in wn.engines() if engine.name == "openvino" and engine.available]
    ['openvino']
    """
    return EngineTable(map(_engine, runtimes()))


def _engine(name: str) -> Engine:
    try:
        found = runtime(name)
    except UnsupportedOperationError as error:
        return Engine(name, reason=str(error))
    return Engine(name, found.versions, found.encodings)
