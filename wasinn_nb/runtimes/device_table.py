"""Devices and execution targets: their names, which of them are here, and why the rest are not."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from wasinn_nb import render, settings
from wasinn_nb.abi import ExecutionTarget
from wasinn_nb.errors import InvalidArgumentError

__all__ = [
    "AUTO",
    "HARDWARE",
    "Device",
    "DeviceTable",
    "check_device",
    "device_error",
    "device_name",
    "missing_devices",
]

AUTO: Final = ExecutionTarget.AUTO.device
"""The target by which a runtime chooses the device."""

HARDWARE: Final = tuple(target.device for target in ExecutionTarget if target.device != AUTO)
"""The kinds of devices that WASI-NN's targets mean, in its order: CPU, GPU, NPU."""

# OpenVINO's plug-ins that run a model on other devices: "AUTO:GPU,CPU" names which.
_VIRTUAL: Final = (AUTO, "MULTI", "HETERO", "BATCH")


@dataclass(frozen=True, slots=True)
class Device:
    """A device that a graph can run on, or why it cannot.

    Parameters
    ----------
    name : str
        What to pass as the execution target.
    full_name : str
        The hardware's own name; empty where it is not here.
    reason : str
        Why it cannot be used here; empty where it can.
    """

    name: str
    full_name: str = ""
    reason: str = ""

    @property
    def available(self) -> bool:
        """Whether it can be used here."""
        return not self.reason


class DeviceTable(render.Showing, tuple[Device, ...]):
    """Devices, shown as a table.

    Examples
    --------
    >>> DeviceTable([Device("CPU", "A processor"), Device("GPU", reason="no driver")])
    device  here  what
    CPU     yes   A processor
    GPU     no    no driver
    """

    __slots__ = ()

    @property
    def here(self) -> list[str]:
        """The names of those that can be used here."""
        return [device.name for device in self if device.available]

    def document(self) -> render.Document:
        """Return what there is to see: a row for each device."""
        rows = [(d.name, "yes" if d.available else "no", d.reason or d.full_name) for d in self]
        table = render.Table(["device", "here", "what"], rows)
        return render.Document("Execution targets", [table], show_title=False)


def device_name(target: ExecutionTarget | str | int | None) -> str:
    """Return OpenVINO's device name of an execution target.

    Parameters
    ----------
    target : ExecutionTarget, str, int or None
        None: ``WASINN_NB_TARGET``, else CPU.

    Raises
    ------
    InvalidArgumentError
        If it is a number that WASI-NN does not have, or not a name.

    Examples
    --------
    >>> device_name("tpu"), device_name(1), device_name("AUTO:GPU,CPU")
    ('NPU', 'GPU', 'AUTO:GPU,CPU')
    """
    if target is None:
        target = settings.default("target")
    if isinstance(target, str):
        if not target.strip():
            raise InvalidArgumentError("expected an execution target such as CPU, got no name")
        name = target.strip().upper()
        return ExecutionTarget[name].device if name in ExecutionTarget.__members__ else name
    try:
        return ExecutionTarget(target).device
    except ValueError:
        *others, last = (f"{member.value} ({member.name})" for member in ExecutionTarget)
        raise InvalidArgumentError(
            f"unknown execution target {target}; expected {', '.join(others)} or {last}"
        ) from None


def missing_devices(target: str, here: Collection[str]) -> list[str]:
    """Return the devices that a target of OpenVINO names and that are not here.

    Parameters
    ----------
    target : str
        A device, or a plug-in with those that it runs models on.
    here : collection of str
        The devices that are here; ``GPU.0`` stands for ``GPU``, too.

    Examples
    --------
    >>> missing_devices("AUTO:GPU,CPU", ["CPU"]), missing_devices("AUTO", ["CPU"])
    (['GPU'], [])
    """
    plugin, _, rest = target.partition(":")
    named = rest.split(",") if plugin in _VIRTUAL and rest else [target]
    known = {*here, *_VIRTUAL}
    return [name for name in named if name not in known and f"{name}.0" not in known]


def device_error(name: str, reason: str, here: Collection[str]) -> InvalidArgumentError:
    """Return the error of a device that cannot be used.

    Parameters
    ----------
    name : str
    reason : str
        Why it is not here; empty where no such device is known.
    here : collection of str
        Those that can be used.

    Examples
    --------
    >>> device_error("GPU", "no driver", ["CPU"])
    InvalidArgumentError('no GPU on this machine: no driver; here are CPU')
    >>> device_error("XPU", "", ["CPU"])
    InvalidArgumentError("unknown execution target 'XPU'; here are CPU")
    """
    also = " (TPU stands for it, too)" if name == ExecutionTarget.TPU.device else ""
    what = f"no {name} on this machine: {reason}{also}" if reason else ""
    return InvalidArgumentError(
        f"{what or f'unknown execution target {name!r:.80}'}; here are {', '.join(here)}"
    )


def check_device(device: str, table: DeviceTable) -> str:
    """Return the device of *table* that runs for *device*: for ``AUTO`` the first that is here.

    Parameters
    ----------
    device : str
    table : DeviceTable

    Raises
    ------
    InvalidArgumentError
        If it is unknown or not here; the error lists those that are.

    Examples
    --------
    >>> table = DeviceTable([Device("CPU", "A processor"), Device("GPU", reason="no driver")])
    >>> check_device("AUTO", table)
    'CPU'
    >>> check_device("GPU", table)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: no GPU on this machine: no driver; here are CPU
    """
    if device == AUTO:
        return table.here[0]
    if device in table.here:
        return device
    reasons = {row.name: row.reason for row in table}
    raise device_error(device, reasons.get(device, ""), table.here)
