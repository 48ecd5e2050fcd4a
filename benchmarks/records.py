"""Runs of the benchmarks as files: a JSON line for each row, with the machine and versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.paired import Row

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "out" / "bench"
PACKAGES = (
    *("wasinn-nb", "numpy", "openvino", "pillow", "onnxruntime", "pyarrow", "wasmtime"),
    *("opencv-python-headless", "openvino_model_api"),
)


def circumstances() -> dict[str, Any]:
    """Return the time, the machine with its load, and the versions."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "processor": _processor(),
            "processors": os.cpu_count(),
            "isa": os.environ.get("ONEDNN_MAX_CPU_ISA", ""),
            "load": round(os.getloadavg()[0], 2),
            "system": platform.platform(),
        },
        "versions": {"python": platform.python_version(), **found},
    }


def write_run(rows: Iterable[tuple[str, Row, dict[str, Any]]], path: Path | None = None) -> Path:
    """Write the rows of a run, and return the path.

    Parameters
    ----------
    rows : iterable of (str, Row, mapping)
        The benchmark's name, the row, and the `circumstances` when it began.
    path : Path, optional
        Default: a new file in ``out/bench``, named after the time.
    """
    if path is None:
        path = FOLDER / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"benchmark": name, **asdict(row), "met": row.met, **about})
        for name, row, about in rows
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def read_run(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a run.

    Raises
    ------
    ValueError
        If a line of the file is no row.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    needed = {"what", "peer", "ratio", "lowest", "highest", "goal", "met", "machine", "versions"}
    if not all(isinstance(row, dict) and needed <= row.keys() for row in rows):
        raise ValueError(f"{path}: its lines are not the rows of a run")
    return rows


def last_runs() -> list[Path]:
    """Return the runs in ``out/bench``, the oldest first."""
    return sorted(FOLDER.glob("*.jsonl"))


def _commit() -> str:
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
