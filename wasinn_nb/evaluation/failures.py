"""Images and masks that cannot be read: they are kept with the reason, and the rest is judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from wasinn_nb.errors import ImageError, MissingFileError

__all__ = ["Failures"]


class Failures:
    """What could not be read so far.

    Examples
    --------
    >>> failures = Failures()
    >>> with failures.kept("a"):
    ...     raise ImageError("a.png: empty")
    >>> failures.reasons
    (('a', 'a.png: empty'),)
    """

    def __init__(self) -> None:
        self._errors: list[tuple[str, Exception]] = []

    @contextmanager
    def kept(self, name: str) -> Iterator[None]:
        """Keep the error where an image or a mask cannot be read; others go on.

        Parameters
        ----------
        name : str
            Of the image.
        """
        try:
            yield
        except (ImageError, MissingFileError) as error:
            self._errors.append((name, error))

    @property
    def last(self) -> Exception:
        """The error that was kept last."""
        return self._errors[-1][1]

    @property
    def reasons(self) -> tuple[tuple[str, str], ...]:
        """The names of the images and why they could not be read."""
        return tuple((name, str(error)) for name, error in self._errors)

    def refuse_all(self) -> NoReturn:
        """Raise the first error: no image could be read."""
        raise self._errors[0][1]
