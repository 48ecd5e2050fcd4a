"""The telemetry of OpenVINO's packages, which is off unless the user turns it on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

from wasinn_nb import settings

__all__ = ["without_telemetry"]

_PACKAGE: Final = "openvino_telemetry"


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Keep packages that are imported in the block from sending usage data.

    OpenVINO and NNCF import ``openvino_telemetry`` when they are imported themselves, send an event
    to an analytics server, and keep a client id in the home folder.  Both work without that
    package: until the block ends, importing it fails as if it was not installed.  Afterwards, it
    can be imported again.  With ``WASINN_NB_TELEMETRY=1`` nothing is changed.

    Not covered: an ``openvino`` or ``nncf`` that the user's own code imports before this block, or
    an ``nncf`` that it imports later; and, while the block lasts, another thread that imports
    ``openvino_telemetry`` for itself, where the import fails.

    Examples
    --------
    >>> with without_telemetry():
    ...     import openvino_telemetry
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: import of openvino_telemetry halted; None in sys.modules
    """
    if settings.telemetry():
        yield
        return
    before = _loaded()
    for name in before:
        del sys.modules[name]
    # The documented way to make an import fail.
    sys.modules[_PACKAGE] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in _loaded():
            del sys.modules[name]
        sys.modules.update(before)


def _loaded() -> dict[str, ModuleType]:
    """Return the modules of the telemetry's package that are imported."""
    return {
        name: module
        for name, module in list(sys.modules.items())
        if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
    }
