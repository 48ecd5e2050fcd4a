"""Run the benchmarks and print one table: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import benchmarks
from wasinn_nb.render import Column, Table, table_text

_WIDTH = 120


def main(names: list[str]) -> int:
    """Print the ratios of the named benchmarks, or of all; 1 if one misses its goal."""
    known = [m.name for m in pkgutil.iter_modules(benchmarks.__path__) if "bench_" in m.name]
    chosen = [f"bench_{name.removeprefix('bench_')}" for name in names] or known
    if unknown := set(chosen) - set(known):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    print(f"{os.cpu_count()} processors; median of paired rounds (quartiles); ours / peer's time")
    rows = []
    for name in chosen:
        print(f"measuring {name} ...", file=sys.stderr)
        rows += importlib.import_module(f"benchmarks.{name}").rows()
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
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
