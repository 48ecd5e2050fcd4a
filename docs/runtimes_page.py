"""Write the tables of what other runtimes do, from the rules of `wasinn_nb.portability`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from wasinn_nb.behavior.rules import Rule, RuntimeRules, runtime_rules

ROOT: Final = Path(__file__).resolve().parents[1]
TABLES: Final = ROOT / "docs" / "explanation" / "runtimes-table.md"


def text(runtimes: Sequence[RuntimeRules]) -> str:
    """Return the tables, one or two for each runtime.

    Parameters
    ----------
    runtimes : sequence of RuntimeRules

    Returns
    -------
    str
        Markdown.
    """
    return "\n".join(line for one in runtimes for line in _lines(one)) + "\n"


def _lines(runtime: RuntimeRules) -> Iterator[str]:
    yield f"## {runtime.title} {runtime.version}\n"
    yield f"Measured: {runtime.measured}.\n"
    yield "| Call | What happens there | Outcome | What to change | Evidence |"
    yield "|---|---|---|---|---|"
    yield from dict.fromkeys(map(_rule, runtime.rules))  # some differ in their conditions alone
    if runtime.lacks:
        yield f"\nImports that {runtime.title} does not have:\n"
        yield "| Import | What happens there | What to change | Evidence |"
        yield "|---|---|---|---|"
        for lack in runtime.lacks:
            names = ", ".join(f"`{name}`" for name in lack.names)
            yield _row((names, lack.why, lack.change, lack.evidence))
    yield ""


def _rule(rule: Rule) -> str:
    row = "" if rule.row is None else f", sequence {rule.row}"
    return _row((f"`{rule.call}`", rule.why, rule.outcome, rule.change, rule.evidence + row))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def write() -> None:
    """Write the file that the page about runtimes includes."""
    TABLES.write_text(text(runtime_rules()), "utf-8")


if __name__ == "__main__":
    write()
