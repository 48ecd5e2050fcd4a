"""Run the benchmarks, print one table and write it: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import benchmarks
from benchmarks.records import circumstances, write_run
from wasinn_nb.render import Column, Table, table_text

_WIDTH = 120


def main(names: list[str]) -> int:
    """Print the ratios of the named benchmarks, or of all; 1 if one misses its goal."""
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if "bench_" in m.name]
    chosen = [f"bench_{name.removeprefix('bench_')}" for name in names] or known
    if unknown := set(chosen) - set(known):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} processors, load {load:.1f}; median of paired rounds (quartiles); "
        f"ours / peer's time"
    )
    measured = []
    for name in chosen:
        print(f"measuring {name} ...", file=sys.stderr)
        about = circumstances()
        rows = importlib.import_module(f"benchmarks.{name}").rows()
        measured += [(name.removeprefix("bench_"), row, about) for row in rows]
    rows = [row for _, row, _ in measured]
    columns = ["what", "peer", Column("ratio", ".2f"), "quartiles", "goal", "met"]
    values = [
        (
            row.what,
            row.peer,
            row.ratio,
            f"{row.lowest:.2f} to {row.highest:.2f}",
            row.goal,
            "yes" if row.met else "NO",
        )
        for row in rows
    ]
    print(table_text(Table(columns, values), _WIDTH))
    print(f"run: {write_run(measured)}")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
