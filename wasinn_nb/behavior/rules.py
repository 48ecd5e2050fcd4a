"""The rules of other runtimes, read from ``runtimes.json``.

A new version of a runtime is a new entry there.  Of an entry's rules the first that fits a call
counts, so that they stand in the order in which the runtime checks.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.json_files import checked_json, read_json

__all__ = ["Evidence", "Lack", "Outcome", "Rule", "RuntimeRules", "runtime_rules"]

Outcome: TypeAlias = Literal["crashes", "traps", "fails", "differs", "undefined", "needs"]
"""What another runtime does: ends its process, ends the guest, returns an error, returns another
errno, returns success with values that nothing defines; or does the same once it is given more."""
Evidence: TypeAlias = Literal["measured", "read in source"]
Condition: TypeAlias = int | list[int] | dict[Literal["from", "to"], int]

_FILE: Final = Path(__file__).with_name("runtimes.json")
_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Rule:
    """What a runtime does with a call of some kind.

    Attributes
    ----------
    call : str
        The WASI-NN function, or ``exit`` for the end of the guest.
    when : mapping
        Fact of the call → the number it has, one of several, or ``from`` and ``to``.
    outcome : str
    why, change : str
        What happens there, and what to change in the guest.
    evidence : {"measured", "read in source"}
    row : int or None
        Of the measured table of call sequences.
    """

    call: str
    when: dict[str, Condition]
    outcome: Outcome
    why: str
    change: str
    evidence: Evidence
    row: int | None = None

    def fits(self, call: str, facts: Mapping[str, int]) -> bool:
        """Return whether the rule is about a call with these facts.

        Examples
        --------
        >>> rule = Rule("load", {"target": {"from": 4}}, "traps", "", "", "measured")
        >>> rule.fits("load", {"target": 9}), rule.fits("load", {"target": 3})
        (True, False)
        """
        return call == self.call and all(
            name in facts and _holds(facts[name], condition)
            for name, condition in self.when.items()
        )


@dataclass(frozen=True, slots=True)
class Lack:
    """Imports that a runtime does not provide.

    Attributes
    ----------
    names : list of str
        ``module.name``; a ``*`` stands for anything.
    why, change : str
    evidence : {"measured", "read in source"}
    """

    names: list[str]
    why: str
    change: str
    evidence: Evidence

    def among(self, imports: Iterable[str]) -> list[str]:
        """Return those of the imports that are lacking."""
        return [
            name
            for name in imports
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.names)
        ]


@dataclass(frozen=True, slots=True)
class RuntimeRules:
    """What is known of one version of a runtime.

    Attributes
    ----------
    name : str
        Its program.
    title : str
    version : str
        The version, without those parts that make no difference.
    measured : str
        What was measured, and when.
    rules : list of Rule
    lacks : list of Lack
    """

    name: str
    title: str
    version: str
    measured: str
    rules: list[Rule]
    lacks: list[Lack]

    def rule_for(self, call: str, facts: Mapping[str, int]) -> Rule | None:
        """Return the first rule that is about a call; None where it is the same there as here."""
        return next((rule for rule in self.rules if rule.fits(call, facts)), None)


@dataclass(frozen=True, slots=True)
class _File:
    format: Literal["wasinn-nb-runtimes"]
    runtimes: list[RuntimeRules]


@functools.cache
def runtime_rules() -> tuple[RuntimeRules, ...]:
    """Return what is known of other runtimes.

    Examples
    --------
    >>> [(rules.title, rules.version) for rules in runtime_rules()]
    [('Wasmtime', '49'), ('WasmEdge', '0.17')]
    """
    values: dict[str, Any] = read_json(
        _FILE, "table of runtimes", most_bytes=_MOST_BYTES, error=InvalidArgumentError
    )
    return tuple(checked_json(values, _File, _FILE.name, InvalidArgumentError).runtimes)


def _holds(value: int, condition: Condition) -> bool:
    if isinstance(condition, int):
        return value == condition
    if isinstance(condition, list):
        return value in condition
    return condition.get("from", value) <= value <= condition.get("to", value)
