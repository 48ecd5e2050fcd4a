"""Progress: as a bar for people in a terminal or a notebook, or as numbers for a program."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, Self, TypeAlias

__all__ = ["Progress", "progress_bar"]

Progress: TypeAlias = bool | Callable[[int, int], None]
"""Whether to show a bar; or what to call with how much is done, and how much there is in all."""

_COLUMNS: Final = 80


def progress_bar(*items: Any, progress: Progress, **options: Any) -> Any:
    """Return a `tqdm` bar that stays silent in pipes and logs, or where *progress* is False.

    In a notebook it is gone when its work has ended, whatever ``leave`` says.

    Parameters
    ----------
    *items
        What to go through, if anything.
    progress : bool or callable
        Whether to show a bar.  A callable is called in place of a bar, with how much is
        done and how much there is in all: of items that have a length, or of a ``total``.
    **options
        Those of `tqdm`: ``desc``, ``unit``, ``total``, ``leave``.

    Examples
    --------
    >>> list(progress_bar([1, 2], progress=False))
    [1, 2]
    >>> with progress_bar(progress=print, total=8) as bar:
    ...     bar.update(3)
    ...     bar.update(5)
    0 8
    3 8
    8 8
    >>> list(progress_bar("ab", progress=print))
    0 2
    1 2
    2 2
    ['a', 'b']
    """
    if callable(progress):
        return _Report(progress, *items, total=options.get("total"))
    from tqdm.auto import tqdm

    if any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__):
        return _in_notebook(*items, disable=not progress, **options)
    disable = not progress or not sys.stderr.isatty()
    return tqdm(*items, disable=disable, ncols=None if disable else _columns(), **options)


def _columns() -> int | None:
    """Return how wide a bar is where the terminal does not say: it says 0, and nothing is shown."""
    try:
        return None if os.get_terminal_size(sys.stderr.fileno()).columns else _COLUMNS
    except (OSError, ValueError):  # nothing that has a size
        return None


def _in_notebook(*items: Any, **options: Any) -> Any:
    """Return a bar that takes its output with it: saved, it would be a widget without its model."""
    from IPython.display import display
    from tqdm.notebook import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        _output: Any = None

        def __init__(self) -> None:
            super().__init__(*items, display=False, **options)
            if not self.disable:
                self._output = display(self.container, display_id=True)  # type: ignore[no-untyped-call]

        def display(self, *arguments: Any, **named: Any) -> Any:
            # The total may have grown since the bar was made.
            bar = self.container.children[1]
            if self.total and bar.max != self.total:
                bar.max = self.total
            return super().display(*arguments, **named)

        def close(self) -> None:
            super().close()
            if self._output is not None:
                self._output.update({}, raw=True)
                self._output = None

    return Bar()


class _Report:
    """Reports to a callable what a bar would show."""

    def __init__(
        self, report: Callable[[int, int], None], items: Collection[Any] = (), *, total: int | None
    ) -> None:
        self._report, self._items, self._done = report, items, 0
        self.total = len(items) if total is None else total
        self.update(0)

    def __iter__(self) -> Iterator[Any]:
        for item in self._items:
            yield item
            self.update(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, more: int) -> None:
        self._done += more
        self._report(self._done, max(self._done, self.total or 0))

    def set_description(self, text: str) -> None:
        """Do nothing: numbers alone are reported."""

    def set_postfix_str(self, text: str, **_: object) -> None:
        """Do nothing: numbers alone are reported."""
