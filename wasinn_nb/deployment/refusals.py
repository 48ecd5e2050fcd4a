"""Which runtimes are known not to run a bundle, and why: what `portability` says of its guest."""

from __future__ import annotations

from collections.abc import Iterable

from wasinn_nb.behavior import portability
from wasinn_nb.host import GuestRun

__all__ = ["refusals"]


def refusals(run: GuestRun, runtimes: Iterable[str]) -> dict[str, str | None]:
    """Return runtime → why it is known not to run the bundle; None where nothing speaks against it.

    Parameters
    ----------
    run : GuestRun
        The bundle's own guest, here.
    runtimes : iterable of str
    """
    report = portability(run)
    found: dict[str, str | None] = {}
    for name in runtimes:
        differing = [one for one in report[name].findings if one.outcome != "needs"]
        reasons = (f"{one.name}: {one.why}; {one.change}" for one in differing)
        found[name] = f"{report[name].title}: {'. '.join(reasons)}" if differing else None
    return found
