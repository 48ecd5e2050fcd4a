"""`Remedy`: what to do about an error, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Remedy"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about an error: in Python, and as values that other surfaces put their own way.

    Parameters
    ----------
    python : str
        What to do in Python; the end of the error's message.
    choices : sequence of mappings
        Each would do: names of arguments or of a card's fields, such as ``runtime``, ``recipe`` or
        ``task``, with the values to give.
    command : str
        What to do on the command line where no choice says it; ``{model}`` stands for the model.

    Examples
    --------
    >>> from wasinn_nb.errors import Remedy, RuntimeFailure
    >>> remedy = Remedy("use runtime='litert'", [{"runtime": "litert"}])
    >>> error = RuntimeFailure("OpenVINO does not have this operation", remedy=remedy)
    >>> error.problem
    'OpenVINO does not have this operation'
    >>> str(error)
    "OpenVINO does not have this operation; use runtime='litert'"
    """

    python: str
    choices: Sequence[Mapping[str, Any]] = ()
    command: str = ""
