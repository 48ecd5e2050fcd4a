"""The names by which images and their truths are paired."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import PurePath

__all__ = ["composed", "short_names"]


def composed(name: str) -> str:
    r"""Return a name with each accent and its letter as one character (NFC).

    Names of files from macOS have accents behind the letters (NFD), others as they were typed.

    Examples
    --------
    >>> len("u\u0308ber"), len(composed("u\u0308ber"))
    (5, 4)
    """
    return unicodedata.normalize("NFC", name)


def short_names(names: Sequence[PurePath], suffixes: Collection[str] | None = None) -> list[str]:
    """Return names without their suffixes, folders kept; those that would be alike keep theirs.

    Parameters
    ----------
    names : sequence of path
    suffixes : collection of str, optional
        Those that are left out, in small letters.  Default: all.

    Examples
    --------
    >>> from pathlib import PurePosixPath
    >>> short_names([PurePosixPath(name) for name in ("a.jpg", "b/c.jpg", "b/c.png")])
    ['a', 'b/c.jpg', 'b/c.png']
    >>> short_names([PurePosixPath(name) for name in ("./cat/a.b.JPG", "a.b")], {".jpg"})
    ['cat/a.b', 'a.b']
    """
    short = [
        name.with_suffix("")
        if name.suffix and (suffixes is None or name.suffix.lower() in suffixes)
        else name
        for name in names
    ]
    texts = [composed(name.as_posix()) for name in short]
    count = Counter(texts)
    pairs = zip(texts, names, strict=True)
    return [text if count[text] == 1 else composed(name.as_posix()) for text, name in pairs]
