"""The facts of each call of a trace, with those that earlier calls make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from wasinn_nb.abi import Errno
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

    To the facts that the call states are added: ``errno``; of ``compute``: ``missing`` inputs, and
    how many were last ``mismatched`` or ``permuted``; of ``get_output``: whether compute was
    ``attempted``, and how many inputs were set since (``stale``).

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
    for number, call in trace.numbered():
        facts = {**call.facts, "errno": call.errno.value}
        context = contexts.setdefault(facts.get("context", -1), _Context())
        if call.name == "set_input":
            _set_input(context, call, facts)
        elif call.name == "compute":
            _compute(context, facts)
        elif call.name == "get_output":
            facts["attempted"] = int(context.attempted)
            if facts.get("computed"):
                facts["stale"] = context.set_since
        yield number, call, facts


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
