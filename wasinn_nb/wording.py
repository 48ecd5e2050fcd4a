"""Numbers and names in words, as every text, page and widget shows them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["bytes_text", "milliseconds", "no_such", "percent"]


def percent(share: float) -> str:
    """Return a part of 1 in percent, never rounded to all or nothing.

    Examples
    --------
    >>> percent(0.99999), percent(0.9847), percent(0.00001), percent(1)
    ('>99.99 %', '98.47 %', '<0.01 %', '100.00 %')
    """
    if 0 < share < 0.00005:
        return "<0.01 %"
    if 0.99995 <= share < 1:
        return ">99.99 %"
    return f"{100 * share:.2f} %"


def milliseconds(seconds: float) -> str:
    """Return seconds as text.

    Examples
    --------
    >>> milliseconds(0.0401)
    '40.1 ms'
    """
    return f"{1000 * seconds:.1f} ms"


def bytes_text(size: int) -> str:
    """Return a number of bytes for people, in decimal units as browsers show them.

    Examples
    --------
    >>> bytes_text(923_231), bytes_text(220_017), bytes_text(180)
    ('0.9 MB', '220 kB', '180 bytes')
    """
    if size < 1000:
        return f"{size} bytes"
    if size < 900_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1e6:.1f} MB" if size < 900_000_000 else f"{size / 1e9:.1f} GB"


def no_such(what: str, name: object, known: Iterable[str], where: str = "") -> str:
    """Say that there is no such name, and which ones come close."""
    names = list(known)
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    close = close or [known for known in names if str(name).lower() in known.lower()]
    remedy = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names)}"
    return f"no {what} {str(name)!r:.140}{where}; {remedy if names else 'there are none here'}"
