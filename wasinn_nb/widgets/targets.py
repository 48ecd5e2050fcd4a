"""`TargetPicker`: the execution targets and precisions."""

from __future__ import annotations

from typing import Any, Final

from traitlets import List, Unicode

from wasinn_nb import settings
from wasinn_nb.abi import ExecutionTarget
from wasinn_nb.arguments import device_name
from wasinn_nb.runtimes import PRECISIONS, DeviceTable, devices
from wasinn_nb.widgets.picking import Option, Picker, option, readable

__all__ = ["TargetPicker"]

# They run a model on other devices: "AUTO:GPU,CPU" names which.
_VIRTUAL: Final = ("AUTO", "MULTI", "HETERO", "BATCH")


class TargetPicker(Picker):
    """Pick where a model runs, and in what precision.

    Parameters
    ----------
    value : ExecutionTarget, str or int, optional
        ``"CPU"``, ``"GPU"``, ``"AUTO"``, …  Default: ``WASINN_NB_TARGET``, else ``CPU``.
    precision : {"f32", "f16", "bf16", "device"}, optional
        Default: ``WASINN_NB_PRECISION``, else ``f32``.

    Attributes
    ----------
    value : str
        OpenVINO's name of the device.
    precision : str
        As the parameter.
    ran : str
        Where the last run really ran, as whoever ran it says: ``"CPU, f32"``.

    Examples
    --------
    >>> picker = TargetPicker("cpu", "bf16")
    >>> picker.value, picker.precision
    ('CPU', 'bf16')
    """

    precision = Unicode().tag(sync=True)
    ran = Unicode().tag(sync=True)
    _precisions = List(Unicode()).tag(sync=True)

    def __init__(
        self, value: ExecutionTarget | str | int | None = None, precision: str | None = None
    ) -> None:
        target = device_name(value)
        precision = precision or settings.default("precision")
        message = ""
        if precision not in PRECISIONS:
            message = f"expected a precision of {', '.join(PRECISIONS)}, got {precision!r:.80}"
        super().__init__(
            _kind="targets",
            label="Target",
            value=target,
            precision=precision,
            _precisions=list(PRECISIONS),
            _options=self._listed(target),
            _message=message,
        )

    def _listed(self, value: str) -> list[Option]:
        table = devices()
        listed = [
            option(row.name, row.name, row.full_name, row.reason, enabled=row.available)
            for row in sorted(table, key=lambda row: not row.available)
        ]
        if all(row.name != value for row in table):
            reason = _why_not(value, table)
            listed.append(option(value, readable(value), reason=reason, enabled=not reason))
        return listed


def _why_not(target: str, table: DeviceTable) -> str:
    """Say why *target*, which has no row in *table*, cannot be used; "" if it can."""
    here = [row.name for row in table if row.available]
    reasons: dict[Any, str] = {row.name: row.reason for row in table}
    plugin, _, rest = target.partition(":")
    for name in rest.split(",") if plugin in _VIRTUAL and rest else [target]:
        if name not in {*here, *_VIRTUAL} and f"{name}.0" not in here:
            return reasons.get(name) or f"unknown execution target; here are {', '.join(here)}"
    return ""
