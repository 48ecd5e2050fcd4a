"""How many runs of a graph go on at once, and how many processors there are for them."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Concurrency", "processors"]

_MOUNT: Final = Path("/sys/fs/cgroup")


class Concurrency(NamedTuple):
    """How a graph is compiled for many images, in place of for the shortest time of one.

    Examples
    --------
    >>> Concurrency(streams=2, threads=4).threads_each
    2
    """

    streams: int
    """Runs that are computed side by side."""
    threads: int
    """Threads that compute, of all runs together."""

    @property
    def threads_each(self) -> int:
        """Threads of one run."""
        return max(1, self.threads // self.streams)


def processors() -> int:
    """Return how many processors this process may use: the threads that an engine gets.

    The smaller of the processors that it may run on and the quota of its control groups, as
    containers have one.
    """
    known = hasattr(os, "sched_getaffinity")
    here = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    quota = _quota(_MOUNT, Path("/proc/self/cgroup"))
    return here if quota is None else max(1, min(here, math.ceil(quota)))


def _quota(mount: Path, own: Path) -> float | None:
    """Return the processors that control groups leave to this process; None without a limit."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return None
    found = []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers in {"", "cpu", "cpu,cpuacct"}:
            root = mount / controllers
            # A group has the limits of those around it, too; in a container the names may lead
            # to nothing, and the root is the container's own group.
            group = root / name.strip("/")
            folders = [one for one in (group, *group.parents) if one.is_relative_to(root)]
            found += [quota for one in folders if (quota := _group_quota(one)) is not None]
    return min(found, default=None)


def _group_quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():  # version 2
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        return int(quota) / int(period) if quota not in {"max", "-1"} else None
    except (OSError, ValueError, ZeroDivisionError):
        return None
