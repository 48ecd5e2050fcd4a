"""`TargetPicker`: the execution targets and precisions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from traitlets import Dict, List, Unicode, observe

from wasinn_nb import settings
from wasinn_nb.abi import ExecutionTarget, GraphEncoding
from wasinn_nb.errors import WasiNnError
from wasinn_nb.runtimes import (
    PRECISIONS,
    DeviceTable,
    Precision,
    device_name,
    device_precisions,
    devices,
    missing_devices,
    runtime,
    runtimes,
)
from wasinn_nb.widgets.pickers.picking import Option, Picker, option, readable

__all__ = ["TargetPicker"]

_NOT_HERE: Final = "not on this machine"


class TargetPicker(Picker):
    """Pick where a model runs, in what precision, and on which runtime.

    Parameters
    ----------
    value : ExecutionTarget, str or int, optional
        ``"CPU"``, ``"GPU"``, ``"AUTO"``, …  Default: ``WASINN_NB_TARGET``, else ``CPU``.
    precision : {"f32", "f16", "bf16", "device"}, optional
        Default: ``WASINN_NB_PRECISION``, else ``f32``.
    runtime : str, optional
        One of :func:`wasinn_nb.runtimes.runtimes`.  Default: ``WASINN_NB_RUNTIME``, else OpenVINO.

    Attributes
    ----------
    value : str
        The name of the device.
    precision, runtime : str
        As the parameters.
    ran : str
        Where the last run really ran, as whoever ran it says: ``"CPU, f32"``.

    Examples
    --------
    >>> picker = wn.TargetPicker("cpu", "bf16")
    >>> picker.value, picker.precision
    ('CPU', 'bf16')
    """

    _from_page = frozenset({"value", "precision", "runtime"})

    precision = Unicode().tag(sync=True)
    runtime = Unicode().tag(sync=True)
    ran = Unicode().tag(sync=True)
    _precisions = List(Unicode()).tag(sync=True)
    _unsupported = Dict().tag(sync=True)  # precision → why not; filled in when the page asks
    _runtimes = List(Unicode()).tag(sync=True)

    def __init__(
        self,
        value: ExecutionTarget | str | int | None = None,
        precision: Precision | None = None,
        runtime: str | None = None,
    ) -> None:
        target = device_name(value)
        chosen = precision or settings.default("precision")
        engine = runtime or settings.default("runtime")
        message = ""
        if chosen not in PRECISIONS:
            message = f"expected a precision of {', '.join(PRECISIONS)}, got {chosen!r:.80}"
        super().__init__(
            _kind="targets",
            label="Target",
            value=target,
            precision=chosen,
            runtime=engine,
            _precisions=list(PRECISIONS),
            _runtimes=[engine],
            _options=_options(target, engine),
            _message=message,
        )

    def list_runtimes(self, encoding: GraphEncoding) -> None:
        """Offer the runtimes that are installed and read models of that encoding.

        The page shows the choice where there is more than one, or where the one that is picked
        does not read it.
        """
        self._runtimes = [name for name in runtimes() if _reads(name, encoding)]

    def fit_runtime(self, encoding: GraphEncoding) -> None:
        """Pick the default runtime where the one that is picked does not read that encoding."""
        default = settings.default("runtime")
        if self.runtime != default and not _reads(self.runtime, encoding):
            self.runtime = default

    def _listed(self, value: str) -> list[Option]:
        return _options(value, self.runtime)

    def _answer(self, content: dict[str, Any], buffers: Sequence[memoryview], /) -> None:
        del buffers
        if content.get("type") == "precisions":
            self._in_background(self._look_at_precisions)

    def _look_at_precisions(self) -> None:
        """Say which precisions the device does not have, where its runtime knows."""
        target, engine = self.value, self.runtime
        known = None
        with suppress(WasiNnError):  # the runtime is not installed, which its option says
            known = device_precisions(target, engine)
        missing = [] if known is None else [one for one in PRECISIONS if one not in known]
        with self._guard:
            if (target, engine) == (self.value, self.runtime):
                self._unsupported = {
                    one: f"{engine} does not compute in {one} on {readable(target)} here"
                    for one in missing
                    if one != "device"
                }

    @observe("value", "runtime")
    def _forget_precisions(self, _: object) -> None:
        with self._guard:
            self._unsupported = {}

    @observe("runtime")
    def _list_devices(self, change: Any) -> None:
        if change["old"]:  # not while it is made
            self.refresh()


def _reads(name: str, encoding: GraphEncoding) -> bool:
    """Return whether a runtime is installed and reads models of that encoding."""
    with suppress(WasiNnError):
        return encoding in runtime(name).encodings
    return False


def _options(value: str, engine: str) -> list[Option]:
    """Return an option for each device of a runtime, and one for *value*."""
    try:
        table = devices(engine)
    except WasiNnError as error:
        return [option(value, readable(value), reason=str(error), enabled=False)]
    listed = [
        option(row.name, row.name, row.full_name)
        if row.available
        else option(row.name, row.name, reason=_NOT_HERE, why=row.reason, enabled=False)
        for row in sorted(table, key=lambda row: not row.available)
    ]
    if all(row.name != value for row in table):
        reason, why = _why_not(value, table)
        listed.append(option(value, readable(value), reason=reason, enabled=not reason, why=why))
    return listed


def _why_not(target: str, table: DeviceTable) -> tuple[str, str | None]:
    """Say why *target*, which has no row in *table*, cannot be used, and more of that."""
    reasons = {row.name: row.reason for row in table}
    for name in missing_devices(target, table.here):
        if why := reasons.get(name):
            return f"{name} is {_NOT_HERE}", why
        return f"unknown execution target; here are {', '.join(table.here)}", None
    return "", None
