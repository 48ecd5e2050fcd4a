"""The runtimes that are installed, by name."""

from __future__ import annotations

from typing import Final, cast

from wasinn_nb import registry, settings
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.runtimes.device_table import DeviceTable
from wasinn_nb.runtimes.protocols import Runtime

__all__ = ["by_name", "device_precisions", "devices", "runtime", "runtimes"]

GROUP: Final = "wasinn_nb.runtimes"


def runtimes() -> tuple[str, ...]:
    """Return the names of the runtimes that are registered.

    A package registers one as an entry point of the group ``wasinn_nb.runtimes``: a class without
    parameters that is a `Runtime`.

    Examples
    --------
    >>> "openvino" in runtimes()
    True
    """
    return registry.names(GROUP)


def runtime(name: str | Runtime | None = None) -> Runtime:
    """Return a runtime.

    Parameters
    ----------
    name : str or Runtime, optional
        One of :func:`runtimes`; a `Runtime` is returned as it is.  Default:
        ``WASINN_NB_RUNTIME``, else OpenVINO.

    Raises
    ------
    InvalidArgumentError
        If no runtime has that name.
    UnsupportedOperationError
        If its package is not installed.

    Examples
    --------
    >>> runtime("tensorrt")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: unknown runtime 'tensorrt'; known are ...openvino...
    """
    if name is None or isinstance(name, str):
        return cast("Runtime", registry.registered(GROUP, name or settings.default("runtime")))
    if not callable(getattr(name, "load", None)):
        raise InvalidArgumentError(
            f"expected a runtime or its name, got {name!r:.80}; known are {', '.join(runtimes())}"
        )
    return name


def by_name(engine: Runtime) -> str | Runtime:
    """Return the name of a runtime where :func:`runtime` makes it of that; else the runtime itself.

    Parameters
    ----------
    engine : Runtime

    Examples
    --------
    >>> by_name(runtime("openvino"))
    'openvino'
    """
    known = registry.is_registered(GROUP, engine.name)
    return engine.name if known and runtime(engine.name) is engine else engine


def devices(name: str | Runtime | None = None) -> DeviceTable:
    """Return the execution targets of a runtime: those that are here, and why the rest are not.

    Parameters
    ----------
    name : str or Runtime, optional
        As for :func:`runtime`.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> [device.name for device in wn.devices() if device.available][0]
    'CPU'
    """
    return runtime(name).devices()


def device_precisions(device: str, name: str | Runtime | None = None) -> tuple[str, ...] | None:
    """Return the precisions that a device computes in, of f32, f16 and bf16.

    Parameters
    ----------
    device : str
        As the runtime calls it.
    name : str or Runtime, optional
        As for :func:`runtime`.

    Returns
    -------
    tuple of str, or None
        None where that is not known: the runtime does not say it, or the device is not here.

    Examples
    --------
    >>> "f32" in device_precisions("CPU", "openvino"), device_precisions("AUTO", "openvino")
    (True, None)
    """
    asked = getattr(runtime(name), "precisions", None)
    found: tuple[str, ...] | None = None if asked is None else asked(device)
    return found
