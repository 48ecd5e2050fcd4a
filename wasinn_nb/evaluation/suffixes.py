"""What data sets add to the names of images and masks, so that those of a pair differ."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from wasinn_nb.errors import InvalidArgumentError

__all__ = ["NO_SUFFIXES", "Suffix", "Suffixes", "likely_suffixes"]

Suffix: TypeAlias = str | tuple[str, str]
"""What names end with: those of the truths, or those of the predictions and of the truths."""

_SEPARATORS: Final = "_-. "
_LOOKED_AT: Final = 200
_TRIED: Final = 8


class Suffixes(NamedTuple):
    """What the names of the predictions, and of the truths, end with besides."""

    own: str = ""
    true: str = ""

    @classmethod
    def of(cls, suffix: Suffix | None) -> Suffixes:
        """Return what an argument says.

        Raises
        ------
        InvalidArgumentError
            If it is neither text nor two texts.

        Examples
        --------
        >>> Suffixes.of("_mask"), Suffixes.of(("_leftImg8bit", "_gtFine_labelIds"))
        (Suffixes(own='', true='_mask'), Suffixes(own='_leftImg8bit', true='_gtFine_labelIds'))
        """
        pair = suffix if isinstance(suffix, tuple | list) else ("", suffix or "")
        texts = tuple(pair)
        if len(texts) != len(cls._fields) or not all(isinstance(text, str) for text in texts):
            raise InvalidArgumentError(
                f"expected suffix as what the names of the truths end with, such as '_mask', or "
                f"as two, of the predictions and of the truths; got {suffix!r:.80}"
            )
        return cls(*texts)

    @property
    def argument(self) -> Suffix:
        """The argument that says the same."""
        return (self.own, self.true) if self.own else self.true


NO_SUFFIXES: Final = Suffixes()
"""Names that are the same on both sides."""


def likely_suffixes(names: Sequence[str], true_names: Sequence[str]) -> tuple[Suffixes, int] | None:
    """Return what makes most names of two sides the same when it is left out, and of how many.

    None where it makes fewer than half of the pairs, or where one pair alone would show it and it
    is not set off by a separator.

    Examples
    --------
    >>> likely_suffixes(["a1", "a2"], ["a1_mask", "a2_mask"])
    (Suffixes(own='', true='_mask'), 2)
    >>> likely_suffixes(["x_1_leftImg8bit"], ["x_1_gtFine_labelIds"])
    (Suffixes(own='_leftImg8bit', true='_gtFine_labelIds'), 1)
    >>> likely_suffixes(["cat1", "dog"], ["cat2", "owl"])
    """
    ordered = sorted(true_names)
    seen: Counter[Suffixes] = Counter()
    for name in names[:_LOOKED_AT]:
        at = bisect.bisect(ordered, name)
        for other in ordered[max(0, at - 1) : at + 1]:
            alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(name, other))  # noqa: B905
            if stem := "".join(character for character, _ in alike).rstrip(_SEPARATORS):
                seen[Suffixes(name[len(stem) :], other[len(stem) :])] += 1
    best: tuple[Suffixes, int] | None = None
    for suffixes, _ in seen.most_common(_TRIED):
        own = {name.removesuffix(suffixes.own) for name in names if name.endswith(suffixes.own)}
        true = {
            name.removesuffix(suffixes.true) for name in true_names if name.endswith(suffixes.true)
        }
        pairs = len((own & true) - {""})
        if best is None or pairs > best[1]:
            best = suffixes, pairs
    if best is None or 2 * best[1] < min(len(names), len(true_names)):
        return None
    set_off = all(text[:1] in _SEPARATORS for text in best[0])
    return best if best[1] > 1 or set_off else None
