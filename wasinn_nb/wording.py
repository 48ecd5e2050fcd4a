"""Numbers and names in words, and text from outside, as every text, page and widget shows them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = [
    "bytes_text",
    "closest",
    "counted",
    "first_few",
    "inert",
    "listed",
    "milliseconds",
    "no_such",
    "percent",
]

_JOINERS: Final = "\u200c\u200d"
"""They join letters and emoji, and are invisible, but change nothing around them."""
_MOST_LISTED: Final = 20
_MOST_CLOSE: Final = 3
_CLOSE: Final = 0.5
"""How alike two names are that may be meant for each other, as `difflib` measures it."""
_FARTHER: Final = 0.2
_NOT_ASCII_PRINTABLE: Final = re.compile(r"[^ -~]")


def inert(text: str, limit: int | None = None, *, lines: bool = False, middle: bool = False) -> str:
    r"""Return text from outside as text that only shows itself, wherever it is printed.

    What steers a terminal or a page, or cannot be seen, becomes a visible escape: control
    characters, escape sequences, changes of the direction of writing, line breaks, and the halves
    of surrogate pairs that stand for bytes of file names that are not UTF-8.  Blanks of every width
    become plain blanks.

    Parameters
    ----------
    text : str
        A name, or a whole output.
    limit : int, optional
        The most characters; ``…`` stands for what is left out.
    lines : bool
        Whether line feeds and tabs stay: text of several lines.
    middle : bool
        Whether the middle is left out of what is too long, as of a path, and not the end.

    Examples
    --------
    >>> inert("road\x1b[31m\n"), inert("\u202egnp.exe"), inert("\udcff.png")
    ('road\\x1b[31m\\n', '\\u202egnp.exe', '\\udcff.png')
    >>> inert("a long name", 6), inert("folder/name.png", 9, middle=True)
    ('a lon…', 'fold….png')
    """
    if not text.isprintable():  # or there is nothing to do
        kept = "\n\t" if lines else ""
        text = _NOT_ASCII_PRINTABLE.sub(lambda found: _visible(found[0], kept), text)
    if limit is None or len(text) <= limit:
        return text
    if not middle:
        return f"{text[: limit - 1]}…"
    half = (limit - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def _visible(character: str, kept: str) -> str:
    if character.isprintable() or character in kept or character in _JOINERS:
        return character
    if character.isspace() and character > "\x85" and character not in "\u2028\u2029":
        return " "
    return character.encode("unicode_escape").decode()


def first_few(texts: Sequence[str], most: int = _MOST_LISTED) -> list[str]:
    """Return the first texts of a list, and how many more there are.

    Examples
    --------
    >>> first_few(["a", "b", "c", "d"], 2)
    ['a', 'b', '2 more']
    """
    if len(texts) <= most:
        return list(texts)
    return [*texts[:most], f"{len(texts) - most:,} more"]


def listed(texts: Sequence[str], most: int = _MOST_LISTED) -> str:
    """Return texts with commas between: the first ones, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b"]), listed(["c"] * 30_000, 2)
    ('a, b', 'c, c and 29,998 more')
    """
    text = ", ".join(texts[:most])
    return text if len(texts) <= most else f"{text} and {len(texts) - most:,} more"


def counted(number: int, noun: str, *, grouped: bool = False) -> str:
    """Return a number with its noun, of which there may be one.

    Of a noun with something after it, such as ``file of a model``, the first word is put into the
    plural where ``of`` follows it, else the last.  *grouped* digits have a comma after thousands.

    Examples
    --------
    >>> counted(1, "pixel"), counted(0, "prediction"), counted(1234, "class")
    ('1 pixel', '0 predictions', '1234 classes')
    >>> counted(2, "WASI-NN call"), counted(2, "file of a model"), counted(2, "category")
    ('2 WASI-NN calls', '2 files of a model', '2 categories')
    >>> counted(4415069, "pixel", grouped=True)
    '4,415,069 pixels'
    """
    if number == 1:
        return f"1 {noun}"
    head, of, rest = noun.partition(" of ")
    if head.endswith("y") and head[-2:-1] not in "aeiou":
        head = f"{head[:-1]}ie"
    elif head.endswith(("s", "x", "ch", "sh")):
        head += "e"
    return f"{number:{',' if grouped else ''}} {head}s{of}{rest}"


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
        return counted(size, "byte")
    if size < 900_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1e6:.1f} MB" if size < 900_000_000 else f"{size / 1e9:.1f} GB"


def closest(name: str, known: Iterable[str], cutoff: float = _CLOSE) -> list[str]:
    """Return the known names, at most three, that come close to a name, the closest first.

    Parameters
    ----------
    name : str
    known : iterable of str
    cutoff : float
        How alike they are at least, 0 to 1.

    Examples
    --------
    >>> closest("Rod", ["sky", "road"]), closest("lane", ["left lane"]), closest("x", ["road"])
    (['road'], ['left lane'], [])
    """
    texts = {one.lower(): one for one in known}
    low = name.lower()
    close = difflib.get_close_matches(low, texts, n=_MOST_CLOSE, cutoff=cutoff)
    # Beside one that is almost the same, those that are only a little alike are no help.
    close = [one for one in close if _alike(low, one) > _alike(low, close[0]) - _FARTHER]
    # One or two letters are part of many names.
    close = close or [one for one in texts if len(low) > 2 and low in one][:_MOST_CLOSE]
    return [texts[one] for one in close]


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, other, one).ratio()


def no_such(what: str, name: object, known: Iterable[str], where: str = "") -> str:
    """Say that there is no such name, and which ones come close."""
    names = list(known)
    close = closest(str(name), names)
    remedy = f"did you mean {' or '.join(close)}?" if close else f"there are {listed(names)}"
    return f"no {what} {str(name)!r:.140}{where}; {remedy if names else 'there are none here'}"
