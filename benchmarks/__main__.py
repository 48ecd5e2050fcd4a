"""Run the benchmarks and print one table: ``python -m benchmarks [NAME ...]``."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys

import benchmarks
from wasinn_nb.render.tables import text_table


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
    print(
        text_table(
            ("what", "peer", "ratio", "quartiles", "goal", "met"),
            [
                (
                    row.what,
                    row.peer,
                    f"{row.ratio:.2f}",
                    f"{row.lowest:.2f} to {row.highest:.2f}",
                    row.goal,
                    "yes" if row.met else "NO",
                )
                for row in rows
            ],
        )
    )
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
