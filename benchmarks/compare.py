"""Two runs of the benchmarks side by side: ``python -m benchmarks.compare [A B]``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchmarks.records import last_runs, read_run
from wasinn_nb.render import Column, Table, table_text

WIDTH = 140


def main(paths: list[str]) -> int:
    """Print the ratios of two runs, by default the last two; 2 where there are no two."""
    chosen = [Path(path) for path in paths] or last_runs()[-2:]
    if len(chosen) != 2 or not all(path.is_file() for path in chosen):
        print("expected two runs that `make bench` wrote, as A=PATH B=PATH, or two in out/bench")
        return 2
    a, b = (read_run(path) for path in chosen)
    for name, path, run in zip("AB", chosen, (a, b), strict=True):
        print(f"{name}: {path.name}, {_about(run)}")
    for line in _differences(a, b):
        print(f"   {line}")
    print(table_text(table(a, b), WIDTH))
    return 0


def table(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> Table:
    """Return the rows of two runs side by side, in the order of A, then what only B has."""
    runs = [{(row["what"], row["peer"]): row for row in run} for run in (a, b)]
    rows = []
    for key in dict.fromkeys([*runs[0], *runs[1]]):
        one, other = (run.get(key) for run in runs)
        ratios = [None if row is None else row["ratio"] for row in (one, other)]
        change = None if one is None or other is None else ratios[1] / ratios[0]
        apart = (
            one and other and (one["lowest"] > other["highest"] or other["lowest"] > one["highest"])
        )
        known = other or one
        rows.append((*key, *ratios, change, "yes" if apart else "", known["goal"], _met(known)))
    columns: list[Column | str] = ["what", "peer", Column("A", ".2f"), Column("B", ".2f")]
    columns += [Column("B / A", ".2f"), "quartiles apart", "goal", "met"]
    return Table(columns, rows)


def _met(row: dict[str, Any]) -> str:
    return "yes" if row["met"] else "NO"


def _about(run: list[dict[str, Any]]) -> str:
    if not run:
        return "no rows"
    first, machine = run[0], run[0]["machine"]
    loads = [row["machine"]["load"] for row in run]
    return (
        f"{first['time']}, commit {first['commit'] or 'unknown'}, {machine['processor']}, "
        f"{machine['processors']} processors, load {min(loads):g} to {max(loads):g}"
    )


def _differences(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> list[str]:
    """Return which versions are others."""
    if not a or not b:
        return []
    one, other = a[0]["versions"], b[0]["versions"]
    return [
        f"{name} {one.get(name, 'missing')} in A, {other.get(name, 'missing')} in B"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
