"""Durations and errors as the frames of a helper hold them; nothing in them is trusted."""

from __future__ import annotations

from typing import Any, Final

from wasinn_nb import errors
from wasinn_nb.errors import GuestCrash, GuestTrap, WasiNnError
from wasinn_nb.host.callvalues import number_from, text_from
from wasinn_nb.host.job import REMEDIES
from wasinn_nb.isolation import FrameError

__all__ = [
    "error_from",
    "error_values",
    "seconds_from",
]

_MOST_NAMES: Final = 1024


def seconds_from(value: Any) -> dict[str, float]:
    """Return durations by name."""
    if not isinstance(value, dict) or len(value) > _MOST_NAMES:
        raise FrameError("a frame holds no durations where they are expected")
    return {text_from(name): number_from(seconds) for name, seconds in value.items()}


def error_values(error: BaseException) -> dict[str, Any]:
    """Return an error as JSON values."""
    known = isinstance(error, WasiNnError)
    remedy = error.remedy if isinstance(error, WasiNnError) else None
    limit = next((name for name, one in REMEDIES.items() if one == remedy), None)
    values: dict[str, Any] = {
        "type": type(error).__name__,
        "message": str(error) if known else f"{type(error).__name__}: {error}",
        "limit": limit,
    }
    if isinstance(error, WasiNnError) and limit is not None:
        values["message"] = error.problem
    if isinstance(error, GuestTrap):
        values |= {"reason": error.reason, "backtrace": list(error.backtrace)}
    return values


def error_from(values: Any, name: str) -> WasiNnError:
    """Return the error that a frame holds.

    Parameters
    ----------
    values : mapping
    name : str
        The guest's.
    """
    if not isinstance(values, dict):
        raise FrameError("a frame holds no error where one is expected")
    kind, message = text_from(values.get("type")), text_from(values.get("message"))
    limit = values.get("limit")
    remedy = REMEDIES.get(limit) if isinstance(limit, str) else None
    if kind == GuestTrap.__name__:
        backtrace = values.get("backtrace")
        if not isinstance(backtrace, list):
            raise FrameError("a frame holds no backtrace where one is expected")
        return GuestTrap(
            message,
            reason=text_from(values.get("reason")),
            backtrace=tuple(text_from(place) for place in backtrace[:_MOST_NAMES]),
        )
    if kind == MemoryError.__name__:
        return GuestCrash(
            f"{name} needed more memory than its process may have ({message})",
            limit="memory_limit",
            remedy=REMEDIES["memory_limit"],
        )
    known = getattr(errors, kind, None) if kind in errors.__all__ else None
    if isinstance(known, type) and issubclass(known, WasiNnError):
        try:
            # A remedy is a command to paste: it comes from here, never from a frame.
            return known(message, remedy=remedy)
        except TypeError:  # it takes more than a message
            pass
    return GuestCrash(f"{name}: the helper process failed: {message}")
