"""`portability`: the calls of a guest, held against the rules of other runtimes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from wasinn_nb.behavior.circumstances import circumstances
from wasinn_nb.behavior.report import Finding, Portability, RuntimeReport
from wasinn_nb.behavior.rules import Rule, RuntimeRules, runtime_rules
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.wasi_nn import Trace
from wasinn_nb.wording import counted

__all__ = ["RunWithTrace", "portability"]


@runtime_checkable
class RunWithTrace(Protocol):
    """A `GuestRun`, without importing the wasm host."""

    trace: Trace
    exit_code: int | None
    imports: tuple[str, ...]
    on: str


def portability(run_or_trace: RunWithTrace | Trace) -> Portability:
    """Say what other runtimes would do with the calls that a guest has made here.

    Rules with their evidence are held against each call: those of the measured table of call
    sequences, and others read in the sources of the runtimes.  Where no rule speaks against it, a
    guest would run the same.

    Parameters
    ----------
    run_or_trace : GuestRun or Trace
        Of a run here.  A run also has the guest's imports and its exit code.

    Returns
    -------
    Portability
        For each runtime and version: which calls would fail, differ or be undefined there, why,
        and what to change in the guest.

    Raises
    ------
    InvalidArgumentError
        If it is something else, or a run on another runtime, which keeps no trace.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> ctx = wn.WasiNnCtx()
    >>> try:
    ...     ctx.compute(7)
    ... except wn.WasiNnError:
    ...     pass
    >>> wn.portability(ctx.trace)
    Portability of Trace of 1 call
    Wasmtime 49: would not run the same (1 difference)
      #0 compute: an unknown context is unsupported_operation (6), not invalid_argument (1)
      (measured, row 14)
        change: take every errno but 0 for a failure, and check the errno of
        init_execution_context
    WasmEdge 0.17: would run the same
    """
    if isinstance(run_or_trace, Trace):
        trace, what = run_or_trace, f"Trace of {counted(len(run_or_trace), 'call')}"
        imports: tuple[str, ...] = ()
        exit_code = None
    elif isinstance(run_or_trace, RunWithTrace):
        trace = run_or_trace.trace
        what = getattr(getattr(run_or_trace, "invocation", None), "name", "guest")
        if run_or_trace.on:
            raise InvalidArgumentError(
                f"the run of {what} was on {run_or_trace.on}, which keeps no trace; run it here"
            )
        imports, exit_code = run_or_trace.imports, run_or_trace.exit_code
    else:
        raise InvalidArgumentError(
            f"expected a GuestRun or a Trace, got {type(run_or_trace).__name__}"
        )
    reports = [_report(rules, trace, imports, exit_code) for rules in runtime_rules()]
    notes = []
    if not trace and not trace.dropped:
        judged = "only its imports and its exit code are judged" if exit_code is not None else ""
        notes.append("no WASI-NN call was made" + (f": {judged}" if judged else ""))
    if trace.dropped:
        notes.append(f"the trace leaves out {counted(trace.dropped, 'call')}: not judged")
    return Portability(what, tuple(reports), tuple(notes))


def _report(
    rules: RuntimeRules, trace: Trace, imports: Sequence[str], exit_code: int | None
) -> RuntimeReport:
    findings = list(_lacking(rules, imports))
    by_rule: dict[int, tuple[Rule, list[int]]] = {}
    for number, call, facts in circumstances(trace):
        if (rule := rules.rule_for(call.name, facts)) is not None:
            by_rule.setdefault(id(rule), (rule, []))[1].append(number)
    if exit_code is not None and (rule := rules.rule_for("exit", {"exit_code": exit_code})):
        by_rule[id(rule)] = rule, []
    findings += [
        Finding(
            tuple(numbers), rule.call, rule.outcome, rule.why, rule.change, rule.row, rule.evidence
        )
        for rule, numbers in by_rule.values()
    ]
    return RuntimeReport(
        rules.name, f"{rules.title} {rules.version}", rules.measured, tuple(findings)
    )


def _lacking(rules: RuntimeRules, imports: Sequence[str]) -> Iterable[Finding]:
    for lack in rules.lacks:
        if names := lack.among(imports):
            name = f"import of {', '.join(names)}"
            yield Finding((), name, "fails", lack.why, lack.change, None, lack.evidence)
