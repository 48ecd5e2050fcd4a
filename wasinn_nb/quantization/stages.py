"""The stages of quantizing, as one bar that is named after what is being done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wasinn_nb.wording import counted

__all__ = ["Stages"]


class Stages:
    """Which stage it is, and how much of all of them is done.

    Parameters
    ----------
    bar : as from `progress_bar`

    Examples
    --------
    >>> from wasinn_nb.progress import progress_bar
    >>> with progress_bar(progress=print, total=2) as bar:
    ...     stages = Stages(bar)
    ...     stages.begin("calibrating")
    ...     stages.step()
    ...     stages.part()(0, 3)
    0 2
    1 2
    1 5
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._attempt = ""

    def retry(self, layers: int, more: int) -> None:
        """Begin another attempt, which the names of its stages say.

        Parameters
        ----------
        layers : int
            How many layers are kept as they are.
        more : int
            How many steps it takes.
        """
        self._attempt = f" with {counted(layers, 'layer')} kept"
        self._bar.total += more

    def begin(self, name: str, *, of_attempt: bool = True) -> None:
        """Begin a stage.

        Parameters
        ----------
        name : str
            What is being done: ``"calibrating"``.
        of_attempt : bool
            Whether it is a stage of the attempt that was begun last.
        """
        attempt = self._attempt if of_attempt else ""
        self._bar.set_description(f"quantize, {name}{attempt}")

    def step(self) -> None:
        """Count one step."""
        self._bar.update(1)

    def fewer(self, steps: int) -> None:
        """Leave out steps that were planned.

        Parameters
        ----------
        steps : int
        """
        self._bar.total -= steps

    def part(self, planned: int = 0) -> Callable[[int, int], None]:
        """Return a ``progress`` for a function that counts by itself.

        Parameters
        ----------
        planned : int
            How many of its steps are in the total already.
        """
        counted = [0, planned]

        def report(so_far: int, in_all: int) -> None:
            self._bar.total += in_all - counted[1]
            self._bar.update(so_far - counted[0])
            counted[:] = so_far, in_all

        return report
