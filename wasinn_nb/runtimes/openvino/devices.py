"""The devices of OpenVINO: which are here, and why another one is not."""

from __future__ import annotations

from wasinn_nb.runtimes.device_table import (
    AUTO,
    HARDWARE,
    Device,
    DeviceTable,
    device_error,
    missing_devices,
)
from wasinn_nb.runtimes.openvino.models import core, reason

__all__ = ["checked_device", "device_table"]


def device_table() -> DeviceTable:
    """Return CPU, GPU, NPU and AUTO, and every further device that OpenVINO finds."""
    here = core().available_devices
    kinds = {_kind(name) for name in here}
    rows = [Device(name, str(core().get_property(name, "FULL_DEVICE_NAME"))) for name in here]
    rows += [Device(name, reason=_why_missing(name)) for name in HARDWARE if name not in kinds]
    order = [*HARDWARE, *sorted(kinds - set(HARDWARE))]
    rows.sort(key=lambda row: (order.index(_kind(row.name)), row.name))
    return DeviceTable([*rows, Device(AUTO, f"OpenVINO chooses among {', '.join(here)}")])


def checked_device(device: str) -> str:
    """Return the name of a device that is here.

    Parameters
    ----------
    device : str
        Such as ``CPU``, ``GPU.1``, ``AUTO`` or ``AUTO:GPU,CPU``.

    Raises
    ------
    InvalidArgumentError
        If it is not here; the error says why, and which are.
    """
    # To list all devices, OpenVINO loads the plug-ins of all, which takes longer than a CPU's own.
    if device in HARDWARE and _answers(device):
        return device
    here = core().available_devices
    if missing := missing_devices(device, here):
        first = missing[0]
        why = _why_missing(first) if _kind(first) in HARDWARE else ""
        raise device_error(first, why, [*here, AUTO])
    return device


def _answers(device: str) -> bool:
    try:
        return bool(core().get_property(device, "FULL_DEVICE_NAME"))
    except RuntimeError:
        return False


def _kind(name: str) -> str:
    """Return the kind of a device: that of ``GPU.1`` is ``GPU``."""
    return name.split(".", maxsplit=1)[0]


def _why_missing(name: str) -> str:
    try:
        core().get_property(name, "AVAILABLE_DEVICES")
    except RuntimeError as error:
        return reason(error)
    return "its plug-in loads but finds no such device or driver"
