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
    try:
        a, b = (read_run(path) for path in chosen)
    except (ValueError, LookupError, TypeError, OSError) as error:
        print(f"expected two runs that `make bench` wrote; one cannot be read: {error}")
        return 2
    for name, path, run in zip("AB", chosen, (a, b), strict=True):
        print(f"{name}: {path.name}, {_about(run)}")
    for line in _differences(a, b):
        print(f"   {line}")
    both = table(a, b)
    print(table_text(both, WIDTH) if both.rows else "no row is in both")
    for name, run, other in (("A", a, b), ("B", b, a)):
        if alone := dict.fromkeys(row["what"] for row in run if _key(row) not in map(_key, other)):
            print(f"only in {name}: {', '.join(alone)}")
    return 0


def table(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> Table:
    """Return the rows that two runs have, side by side, in the order of A."""
    others = {_key(row): row for row in b}
    rows = []
    for one in a:
        if (other := others.get(_key(one))) is None:
            continue
        apart = one["lowest"] > other["highest"] or other["lowest"] > one["highest"]
        ratios = one["ratio"], other["ratio"], other["ratio"] / one["ratio"]
        met = "yes" if other["met"] else "NO"
        rows.append((*_key(one), *ratios, "yes" if apart else "", other["goal"], met))
    columns: list[Column | str] = ["what", "peer", Column("A", ".2f"), Column("B", ".2f")]
    columns += [Column("B / A", ".2f"), "quartiles apart", "goal", "met"]
    return Table(columns, rows)


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["what"], row["peer"]


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
