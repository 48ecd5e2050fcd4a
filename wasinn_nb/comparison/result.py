"""`Comparison`: a verdict on two programs, with its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison.agreement import TOLERANCE, MaskDifference, TensorDifference
from wasinn_nb.comparison.chain import Chain
from wasinn_nb.comparison.changes import MOST_CHANGES, Change
from wasinn_nb.comparison.figure import class_colors, comparison_blocks, draw_comparison
from wasinn_nb.comparison.layers import LayerComparison
from wasinn_nb.comparison.ranking import ClassRank, RankingDifference
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.imaging import ImageSource
from wasinn_nb.pickling import pickled_fields
from wasinn_nb.render import (
    COUNT,
    Block,
    Column,
    Document,
    ImageBlock,
    Items,
    Only,
    Paragraph,
    Report,
    Section,
    Table,
    encoded_figure,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure

__all__ = ["Comparison", "Step", "Verdict"]


class Verdict(Enum):
    """The outcome of a comparison; ``str`` gives it in words.

    Examples
    --------
    >>> str(wn.Verdict.SAME), wn.Verdict("different")
    ('same within precision', <Verdict.DIFFERENT: 'different'>)
    """

    IDENTICAL = "identical"
    SAME = "same within precision"
    DIFFERENT = "different"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of the chain, as far as both sides have it.

    Attributes
    ----------
    name : str
        ``"recipe"``, ``"input tensor"``, ``"output tensor"``, ``"labels"``; of classifications
        ``"scores"`` and ``"ranking"`` in place of the last two.
    verdict : Verdict
    a, b : str
        What each side has there: ``1x3x512x896xf32``.
    difference : str
        How the sides differ, in words.
    detail : TensorDifference, MaskDifference, RankingDifference or None
        The same in numbers.
    """

    name: str
    verdict: Verdict
    a: str
    b: str
    difference: str
    detail: TensorDifference | MaskDifference | RankingDifference | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Report, arrays="take .iou, .pixels or .to_dict()"):
    """How `a` and `b` differ.  True where they are the same, within precision or exactly.

    Its text holds no paths, times or devices of the moment.

    Attributes
    ----------
    verdict : Verdict
    why : str
        The reason, in one line.
    steps : tuple of Step
        In the order of the chain.
    a, b : str
        What was compared.
    tolerance : float
    agreement : float or None
        The part of the pixels that have the same class; None without two masks of one size, as
        are the following.
    iou : mapping
        Class → intersection over union; classes in neither mask are left out.
    pixels : mapping
        Class → (pixels in a, pixels in b).
    changed : int or None
        Pixels whose class differs.
    near_ties : int or None
        Those of them where the highest probability leads by less than 0.1, on both sides that have
        scores; None where none has.  Of logits a softmax makes probabilities, and a note says so.
        Of one class: where its probability is nearer to the threshold than 0.1 of the larger of
        ``threshold`` and ``1 - threshold``.
    changes : tuple of Change
        Which class became which, the most pixels first.
    recipes : mapping
        What differs in the recipes: field → (a's, b's).
    notes : tuple of str
        What else there is to know.
    remedies : tuple of Remedy
        What to do about steps that could not be compared.
    ranks : tuple of ClassRank
        Of classifications: the five most probable classes of a, then those of b.
    largest : ClassRank or None
        The class whose probability differs most; None where all are equal, or nothing is known.
    unit : str
        What the values in `ranks` and `largest` are: ``"probability"``, or ``"score"`` where
        probabilities are not known on both sides.
    layers : LayerComparison or None
        Of two models that were compared layer by layer.

    Examples
    --------
    >>> import numpy as np
    >>> import wasinn_nb as wn
    >>> ones = np.ones((1, 3), np.float32)
    >>> comparison = wn.compare(ones, 1.001 * ones)
    >>> str(comparison.verdict), bool(comparison), comparison.first_difference
    ('same within precision', True, None)
    """

    verdict: Verdict
    why: str
    steps: tuple[Step, ...]
    a: str
    b: str
    tolerance: float = TOLERANCE
    agreement: float | None = None
    iou: Mapping[str, float] = field(default_factory=dict)
    pixels: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    changed: int | None = None
    near_ties: int | None = None
    changes: tuple[Change, ...] = ()
    recipes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    ranks: tuple[ClassRank, ...] = ()
    largest: ClassRank | None = None
    unit: str = "probability"
    remedies: tuple[Remedy, ...] = ()
    layers: LayerComparison | None = None
    _chains: tuple[Chain, Chain] | None = None
    _margins: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for name in ("iou", "pixels", "recipes"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled_fields(self)

    @property
    def same(self) -> bool:
        """Whether both are the same, within precision or exactly."""
        return self.verdict is not Verdict.DIFFERENT

    def __str__(self) -> str:
        """Return the verdict in one line."""
        return f"{self.verdict}: {self.why}"

    def __bool__(self) -> bool:
        return self.same

    @property
    def first_difference(self) -> str | None:
        """The first step that differs by more than precision, or None."""
        return next((s.name for s in self.steps if s.verdict is Verdict.DIFFERENT), None)

    @property
    def worst_class(self) -> str | None:
        """The class with the lowest IoU; None where all pixels agree, or nothing is known."""
        return min(self.iou, key=self.iou.__getitem__) if self.changed else None

    @property
    def gained(self) -> tuple[str, ...]:
        """Classes that only b has."""
        return tuple(name for name, (a, b) in self.pixels.items() if b and not a)

    @property
    def lost(self) -> tuple[str, ...]:
        """Classes that only a has."""
        return tuple(name for name, (a, b) in self.pixels.items() if a and not b)

    def step(self, name: str) -> Step | None:
        """Return the step of that name, or None where not both sides have it."""
        return next((step for step in self.steps if step.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but tensors and images as plain JSON values."""
        return {
            "verdict": str(self.verdict),
            "same": self.same,
            "why": self.why,
            "first_difference": self.first_difference,
            "a": self.a,
            "b": self.b,
            "tolerance": self.tolerance,
            "steps": [
                {"name": s.name, "verdict": str(s.verdict), "a": s.a, "b": s.b}
                | {"difference": s.difference}
                for s in self.steps
            ],
            "agreement": self.agreement,
            "changed": self.changed,
            "near_ties": self.near_ties,
            "worst_class": self.worst_class,
            "iou": dict(self.iou),
            "pixels": {name: list(pair) for name, pair in self.pixels.items()},
            "gained": list(self.gained),
            "lost": list(self.lost),
            "changes": [[c.before, c.after, c.pixels] for c in self.changes],
            "recipes": {name: list(map(str, pair)) for name, pair in self.recipes.items()},
            "notes": list(self.notes),
            "ranks": [rank.to_dict() for rank in self.ranks],
            "largest": None if self.largest is None else self.largest.to_dict(),
            "unit": self.unit,
            "layers": None if self.layers is None else self.layers.to_dict(),
        }

    def document(self) -> Document:
        """Return what there is to see: the verdict, the steps, the classes and what changed."""
        blocks: list[Block] = [
            Paragraph(str(self), "strong" if self.same else "bad"),
            Paragraph(f"a: {self.a}\nb: {self.b}"),
        ]
        if self._drawable:
            figure = ImageBlock(
                lambda: encoded_figure(self.plot()),
                f"The masks of a and b, and what differs: {self}",
            )
            blocks.append(Only(("page",), [Section("Masks", [figure])]))
        steps = [(step.name, step.verdict, step.difference) for step in self.steps]
        sides = [s.a if s.a == s.b else f"{s.a} against {s.b}" for s in self.steps]
        marked = [i for i, s in enumerate(self.steps) if s.verdict is Verdict.DIFFERENT]
        classes = self._class_tables()
        facts = Items(self._facts())
        text: list[Block] = [
            Table(["step", "verdict", "difference"], steps),
            *(classes if self._values_differ else []),
            facts,
        ]
        html: list[Block] = [
            Section(
                "Step by step",
                [
                    Table(
                        ["step", "verdict", "difference", "a and b"],
                        [(*step, side) for step, side in zip(steps, sides, strict=True)],
                        marked=marked,
                    )
                ],
            ),
            Section("Classes", classes, folded=not self._values_differ),
            Section("Details", [facts] if facts.items else [], folded=True),
        ]
        blocks += [Only(("text",), text), Only(("notebook", "page"), html)]
        if self.layers is not None:
            blocks.append(Section("Layers", self.layers.document().blocks))
        return Document("Comparison", blocks, show_title=False)

    @property
    def _values_differ(self) -> bool:
        """Whether a pixel changed, or the probability of a class."""
        return bool(self.changed) or self.largest is not None

    def _class_tables(self) -> list[Table]:
        """Return a table of the classes of masks, and one of those of classifications."""
        tables = []
        if self.pixels:
            rows = [
                (name, *self.pixels[name], self.iou.get(name))
                for name in self.pixels
                if len(self.pixels) <= MANY_CLASSES or any(self.pixels[name])
            ]
            names = Column("class", colors=class_colors(self._chains) if self._chains else None)
            pixels = (Column(f"pixels in {side}", COUNT) for side in "ab")
            tables.append(Table([names, *pixels, Column("IoU", ".4f")], rows))
        if self.ranks:
            values = (Column(f"{self.unit} in {side}", ".4g") for side in "ab")
            tables.append(
                Table(
                    ["class", "rank in a", "rank in b", *values],
                    [(r.name, *r.ranks, *r.values) for r in self.ranks],
                    marked=[index for index, rank in enumerate(self.ranks) if rank.changed],
                )
            )
        return tables

    def _facts(self) -> list[str]:
        facts = []
        if self.largest is not None:
            a, b = self.largest.values
            facts.append(
                f"largest difference of a {self.unit}: {self.largest.name}, {a:.6g} in a, "
                f"{b:.6g} in b"
            )
        if self.changed:
            ties = "" if self.near_ties is None else f", {self.near_ties:,} of them near a tie"
            pixels = counted(self.changed, "pixel", grouped=True)
            facts.append(f"{pixels} changed{ties}; worst class: {self.worst_class}")
            first = [f"{c.before} → {c.after} {c.pixels:,}" for c in self.changes[:MOST_CHANGES]]
            more = len(self.changes) - len(first)
            facts.append("changed: " + ", ".join(first) + (f", {more} more" if more else ""))
        for what, names in (("gained", self.gained), ("lost", self.lost)):
            if names:
                facts.append(f"classes {what} in b: {', '.join(names)}")
        for step in self.steps:
            found = step.detail
            if isinstance(found, TensorDifference) and found.largest and found.values:
                a, b = found.values
                where = ", ".join(map(str, found.where or ()))
                facts.append(f"largest in the {step.name}: [{where}] {a:.6g} in a, {b:.6g} in b")
            elif isinstance(found, MaskDifference) and found.cell:
                top, left, bottom, right = found.cell
                facts.append(
                    f"most changed pixels: rows {top} to {bottom - 1}, "
                    f"columns {left} to {right - 1}"
                )
        facts += [f"recipe, {name}: {a} in a, {b} in b" for name, (a, b) in self.recipes.items()]
        return [*facts, *self.notes, *(remedy.python for remedy in self.remedies)]

    @property
    def _drawable(self) -> bool:
        return self._chains is not None and any(c.labels is not None for c in self._chains)

    def _drawn_blocks(self) -> Sequence[Block]:
        """Return the panels of the figure but for the histogram, which needs matplotlib."""
        if self._chains is None or not self._drawable:
            return []
        return comparison_blocks(self._chains, self.changes, self._present())

    def _present(self) -> set[str]:
        """Return the names of the classes that have a pixel."""
        return {name for name, pair in self.pixels.items() if any(pair)}

    def plot(self, image: ImageSource | None = None) -> PanelFigure:
        """Draw both masks, which class became which, and how near to a tie the pixels are.

        Parameters
        ----------
        image : path, bytes, binary file, PIL.Image or array, optional
            The image to draw beneath the changed pixels.  Default: the one that was compared.

        Returns
        -------
        PanelFigure

        Raises
        ------
        InvalidArgumentError
            If neither side has labels.
        """
        if self._chains is None or not self._drawable:
            raise InvalidArgumentError(
                "neither side has labels to draw; compare results or output tensors"
            )
        return draw_comparison(self._chains, self.changes, self._present(), self._margins, image)
