"""The true masks of the images that judge a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wasinn_nb.evaluation import Suffixes, named, paired
from wasinn_nb.quantization.samples import Sample

__all__ = ["Truths"]


@dataclass(frozen=True)
class Truths:
    """True masks, and how they are read.

    Parameters
    ----------
    masks : folder, mapping or sequence
        As for `evaluate`.
    options : mapping
        Further parameters of `evaluate`.
    suffix : str or (str, str), optional
        As for `evaluate`.
    """

    masks: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    suffix: Any = None

    def of(self, samples: Sequence[Sample], masked: Sequence[Sample]) -> Truths:
        """Return the masks of some images by name.

        Parameters
        ----------
        samples : sequence of Sample
            Whose masks are needed.
        masked : sequence of Sample
            All that have one, in the order of the masks.

        Raises
        ------
        InvalidArgumentError
            If one has no mask, or a mask no image.
        """
        given = named(self.masks, "masks")
        every = [(sample.name, sample) for sample in masked]
        pairs = paired(every, given, suffixes=Suffixes.of(self.suffix))
        masks = {pair.prediction.name: pair.truth for pair in pairs}
        return Truths({sample.name: masks[sample.name] for sample in samples}, self.options)
