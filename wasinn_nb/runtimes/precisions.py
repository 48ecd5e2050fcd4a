"""The precisions that graphs compute in."""

from __future__ import annotations

import warnings
from typing import Final, Literal, TypeAlias, get_args

from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning

__all__ = ["PRECISIONS", "Precision", "check_precision", "precision_remark", "warn_of_precision"]

Precision: TypeAlias = Literal["f32", "f16", "bf16", "device"]
"""What a graph can be asked to compute in; ``device`` is what the device prefers."""

PRECISIONS: Final[tuple[Precision, ...]] = get_args(Precision)


def check_precision(precision: str) -> None:
    """Raise `InvalidArgumentError` unless *precision* is one of `PRECISIONS`.

    Parameters
    ----------
    precision : str
    """
    if precision not in PRECISIONS:
        raise InvalidArgumentError(
            f"expected a precision of {', '.join(PRECISIONS)}, got {precision!r:.80}"
        )


def precision_remark(runtime: str, device: str, requested: str, ran: str) -> str:
    """Return a remark where a device computes in another precision than was asked for, else "".

    Parameters
    ----------
    runtime, device : str
    requested : str
        One of `PRECISIONS`.
    ran : str
        What the graph reports.

    Examples
    --------
    >>> precision_remark("litert", "CPU", "bf16", "f32")
    'precision bf16 was asked for, but litert computes in f32 on CPU here: the device does not have
    bf16'
    >>> precision_remark("litert", "CPU", "device", "f32")
    ''
    """
    if ran in {requested, "unknown"} or requested == "device":
        return ""
    return (
        f"precision {requested} was asked for, but {runtime} computes in {ran} on {device} here: "
        f"the device does not have {requested}"
    )


def warn_of_precision(runtime: str, device: str, requested: str, ran: str) -> None:
    """Issue a `WasiNnWarning` with the remark of :func:`precision_remark`, if there is one.

    Parameters are those of :func:`precision_remark`.  The warning points to the caller's caller,
    which called ``load``.
    """
    if remark := precision_remark(runtime, device, requested, ran):
        warnings.warn(remark, WasiNnWarning, stacklevel=3)
