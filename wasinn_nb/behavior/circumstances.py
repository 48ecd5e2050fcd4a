"""The facts of each call of a trace, with those that earlier calls make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wasinn_nb.abi import Errno, GraphEncoding
from wasinn_nb.wasi_nn import Call, Trace

__all__ = ["circumstances"]


@dataclass(slots=True)
class _Context:
    """What has been done with an execution context since its last compute."""

    refused: dict[int, str] = field(default_factory=dict)
    """Input → why it was refused, or is read in another order, where its last setting was."""
    attempted: bool = False
    set_since: int = 0


def circumstances(trace: Trace) -> Iterator[tuple[int, Call, dict[str, int]]]:
    """Yield each call with its number and its facts.

    To the facts that the call states are added: ``errno``; of ``set_input``: the ``encoding`` of
    the graph, which is OpenVINO's where the trace does not tell; of ``compute``: ``missing``
    inputs, and how many were last ``mismatched`` or ``permuted``; of ``get_output``: whether
    compute was ``attempted``, and how many inputs were set since (``stale``).

    Parameters
    ----------
    trace : Trace

    Examples
    --------
    >>> trace = Trace()
    >>> trace.add(Call("compute", facts={"context": 0, "inputs": 2, "set": 1}))
    >>> [facts["missing"] for _, _, facts in circumstances(trace)]
    [1]
    """
    contexts: dict[int, _Context] = {}
    encodings = _Encodings(complete=not trace.dropped)
    for number, call in trace.numbered():
        facts = {**call.facts, "errno": call.errno.value}
        context = contexts.setdefault(facts.get("context", -1), _Context())
        encodings.note(call)
        if call.name == "set_input":
            facts["encoding"] = encodings.of(facts.get("context", -1))
            _set_input(context, call, facts)
        elif call.name == "compute":
            _compute(context, facts)
        elif call.name == "get_output":
            facts["attempted"] = int(context.attempted)
            if facts.get("computed"):
                facts["stale"] = context.set_since
        yield number, call, facts


class _Encodings:
    """The encodings of graphs; handles count from 0, and no handle is used again."""

    def __init__(self, *, complete: bool) -> None:
        self._complete = complete
        self._graphs: list[int] = []
        self._contexts: list[int] = []

    def note(self, call: Call) -> None:
        """Take what a call makes: a graph, or a context."""
        if call.errno is not Errno.SUCCESS:
            return
        if call.name.startswith("load"):
            self._graphs.append(call.facts.get("encoding", GraphEncoding.OPENVINO))
        elif call.name == "init_execution_context":
            self._contexts.append(_at(self._graphs, call.facts.get("graph", -1)))

    def of(self, context: int) -> int:
        """Return the encoding of a context's graph."""
        return _at(self._contexts, context) if self._complete else GraphEncoding.OPENVINO


def _at(encodings: list[int], handle: int) -> int:
    known = 0 <= handle < len(encodings)
    return encodings[handle] if known else GraphEncoding.OPENVINO


def _set_input(context: _Context, call: Call, facts: dict[str, int]) -> None:
    index = facts.get("index", -1)
    kinds = ("mismatch", "resized", "permuted")
    kind = next((name for name in kinds if facts.get(name)), None)
    if kind is not None:
        context.refused[index] = "permuted" if kind == "permuted" else "mismatched"
    elif call.errno is Errno.SUCCESS:
        context.refused.pop(index, None)
    context.set_since += call.errno is Errno.SUCCESS


def _compute(context: _Context, facts: dict[str, int]) -> None:
    if "inputs" in facts:
        facts["missing"] = facts["inputs"] - facts.get("set", 0)
    kinds = list(context.refused.values())
    facts |= {kind: kinds.count(kind) for kind in ("mismatched", "permuted")}
    context.attempted, context.set_since = True, 0
