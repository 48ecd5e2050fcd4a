"""`Comparison`: a verdict on two programs, with its reasons in text, HTML and pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison.agreement import NEAR_TIE, TOLERANCE, MaskDifference, TensorDifference
from wasinn_nb.comparison.chain import Chain, class_names
from wasinn_nb.comparison.changes import draw_changes, faded
from wasinn_nb.comparison.ranking import ClassRank, RankingDifference
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import ImageSource
from wasinn_nb.render import (
    RGB,
    LegendEntry,
    distinct_palette,
    figure_html,
    html_table,
    text_table,
    write_page,
)
from wasinn_nb.tasks.segmentation import colorize

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure

__all__ = ["Change", "Comparison", "Step", "Verdict"]

_MANY_CLASSES: Final = 20
_SHOWN_CHANGES: Final = 6
_OTHER_CHANGES: Final[RGB] = (120, 120, 120)
_LEAD: Final = "Lead of the highest score over the next"
_DISTANCE: Final = "Distance of the probability from the threshold"


class Verdict(Enum):
    """What came of a comparison; ``str`` says it in words."""

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
        What lies between, in words.
    detail : TensorDifference, MaskDifference, RankingDifference or None
        The same in numbers.
    """

    name: str
    verdict: Verdict
    a: str
    b: str
    difference: str
    detail: TensorDifference | MaskDifference | RankingDifference | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Pixels that have one class in `a` and another in `b`."""

    before: str
    after: str
    pixels: int


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What lies between `a` and `b`.  True where they are the same, within precision or exactly.

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
        Those of them where the highest score leads by less than 0.1 of the largest, on both sides
        that have scores; None where none has.  Of one class: where its probability is nearer to
        the threshold than 0.1 of the larger of ``threshold`` and ``1 - threshold``.
    changes : tuple of Change
        Which class became which, the most pixels first.
    recipes : mapping
        What differs in the recipes: field → (a's, b's).
    notes : tuple of str
        What else there is to know.
    ranks : tuple of ClassRank
        Of classifications: the five most probable classes of a, then those of b.
    largest : ClassRank or None
        The class whose probability differs most; None where all are equal, or nothing is known.
    unit : str
        What the values in `ranks` and `largest` are: ``"probability"``, or ``"score"`` where
        probabilities are not known on both sides.
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
    _chains: tuple[Chain, Chain] | None = None
    _margins: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for name in ("iou", "pixels", "recipes"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def same(self) -> bool:
        """Whether both are the same, within precision or exactly."""
        return self.verdict is not Verdict.DIFFERENT

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
        """Return all that is said in words and numbers as plain JSON values."""
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
        }

    # -- showing ---------------------------------------------------------------------------------

    def __str__(self) -> str:
        """Return the verdict in one line."""
        return f"{self.verdict}: {self.why}"

    def _class_rows(self) -> list[tuple[object, ...]]:
        return [
            (name, *self.pixels[name], f"{self.iou[name]:.4f}" if name in self.iou else "")
            for name in self.pixels
            if len(self.pixels) <= _MANY_CLASSES or any(self.pixels[name])
        ]

    def _rank_table(self) -> tuple[list[str], list[tuple[object, ...]]]:
        headers = ["class", "rank in a", "rank in b", f"{self.unit} in a", "in b"]
        rows = [(r.name, *r.ranks, *(f"{value:.4g}" for value in r.values)) for r in self.ranks]
        return headers, rows

    def _facts(self) -> list[str]:
        facts = []
        if self.largest is not None:
            a, b = self.largest.values
            facts.append(
                f"largest difference of a {self.unit}: {self.largest.name}, {a:.6g} in a, "
                f"{b:.6g} in b"
            )
        if self.changed:
            ties = "" if self.near_ties is None else f", {self.near_ties} of them near a tie"
            pixels = "1 pixel" if self.changed == 1 else f"{self.changed} pixels"
            facts.append(f"{pixels} changed{ties}; worst class: {self.worst_class}")
            shown = [f"{c.before} → {c.after} {c.pixels}" for c in self.changes[:_SHOWN_CHANGES]]
            more = len(self.changes) - len(shown)
            facts.append("changed: " + ", ".join(shown) + (f", {more} more" if more else ""))
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
        return [*facts, *self.notes]

    def __repr__(self) -> str:
        rows = [(step.name, step.verdict, step.difference) for step in self.steps]
        parts = [
            str(self),
            f"a: {self.a}\nb: {self.b}",
            text_table(["step", "verdict", "difference"], rows),
        ]
        if self.changed:
            parts.append(text_table(["class", "a", "b", "IoU"], self._class_rows()))
        if self.ranks and self.largest is not None:
            parts.append(text_table(*self._rank_table()))
        return "\n".join([*parts, *self._facts()])

    def _sections(self) -> list[tuple[str, str]]:
        color = "inherit" if self.same else "#d1242f"
        head = (
            f'<p style="color:{color};font-weight:600">{escape(str(self))}</p>'
            f"<p>a: {escape(self.a)}<br>b: {escape(self.b)}</p>"
        )
        steps = html_table(
            ["step", "verdict", "a", "b", "difference"],
            [(s.name, s.verdict, s.a, s.b, s.difference) for s in self.steps],
            marked=[i for i, s in enumerate(self.steps) if s.verdict is Verdict.DIFFERENT],
        )
        sections = [("", head), ("Step by step", steps)]
        if self.pixels:
            headers = ["class", "pixels in a", "pixels in b", "IoU"]
            sections.append(("Classes", html_table(headers, self._class_rows())))
        if self.ranks:
            marked = [index for index, rank in enumerate(self.ranks) if rank.changed]
            sections.append(("Classes", html_table(*self._rank_table(), marked=marked)))
        if facts := self._facts():
            listed = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
            sections.append(("Details", f"<ul>{listed}</ul>"))
        return sections

    def _repr_html_(self) -> str:
        (_, head), (_, steps), *others = self._sections()
        unequal = self.changed or self.largest is not None
        folded = "".join(
            f"<details{' open' if unequal and heading == 'Classes' else ''}>"
            f"<summary>{escape(heading)}</summary>{html}</details>"
            for heading, html in others
        )
        return f"<div>{head}{steps}{folded}</div>"

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write everything, with the figure where there are masks, as one self-contained page."""
        sections = self._sections()
        if self._drawable:
            alt = f"The masks of a and b, and what differs: {self}"
            sections.insert(1, ("Masks", figure_html(self.plot(), alt)))
        return write_page(path, "Comparison", sections)

    @property
    def _drawable(self) -> bool:
        return self._chains is not None and any(c.labels is not None for c in self._chains)

    def plot(self, image: ImageSource | None = None) -> PanelFigure:
        """Draw both masks, which class became which, and how near to a tie the pixels lie.

        Parameters
        ----------
        image : path, bytes, binary file, PIL.Image or array, optional
            The photograph to show beneath the changed pixels.  Default: the one that was compared.

        Returns
        -------
        PanelFigure

        Raises
        ------
        InvalidArgumentError
            If neither side has labels.
        """
        from wasinn_nb.render import Histogram, Panel, draw_panels

        if self._chains is None or not self._drawable:
            raise InvalidArgumentError(
                "neither side has labels to draw; compare results or output tensors"
            )
        masks = [c.labels for c in self._chains if c.labels is not None]
        names = class_names(self._chains, 1 + max(int(labels.max()) for labels in masks))
        palette = self._palette(len(names))
        titles = [
            f"Mask of {n}" for n, c in zip("ab", self._chains, strict=True) if c.labels is not None
        ]
        panels = [
            Panel(title, colorize(labels, palette), smooth=False)
            for title, labels in zip(titles, masks, strict=True)
        ]
        legend = [
            LegendEntry(name, color, "")
            for name, color in zip(names, palette, strict=True)
            if len(names) <= _MANY_CLASSES or any(self.pixels.get(name, ()))
        ]
        if self.agreement is None:
            return draw_panels(panels, legend, columns=2)
        a, b = masks
        shown = self.changes[:_SHOWN_CHANGES]
        # Blue shall not mean road above and a change below.
        free = [rgb for rgb in distinct_palette(256) if rgb not in palette]
        colors = free[: len(shown)]
        index = {name: number for number, name in enumerate(names)}
        pairs = {
            (index[c.before], index[c.after]): rgb for c, rgb in zip(shown, colors, strict=True)
        }
        photo = image if image is not None else self._chains[0].image
        drawn, widened = draw_changes(a, b, pairs, _OTHER_CHANGES, faded(a, photo))
        title = f"Changed pixels{', widened' if widened else ''}"
        panels.append(Panel(title if self.changed else "No pixel changed", drawn, smooth=False))
        legend += [
            LegendEntry(f"{c.before} → {c.after}", rgb, f"{c.pixels} px")
            for c, rgb in zip(shown, colors, strict=True)
        ]
        if rest := sum(c.pixels for c in self.changes[_SHOWN_CHANGES:]):
            legend.append(LegendEntry("other changes", _OTHER_CHANGES, f"{rest} px"))
        histogram = None
        if self._margins is not None:
            one_class = any(chain.threshold is not None for chain in self._chains)
            histogram = Histogram(
                _DISTANCE if one_class else _LEAD,
                {"all pixels": self._margins.ravel(), "changed": self._margins[a != b]},
                marked=(f"near a tie: below {NEAR_TIE}", NEAR_TIE),
            )
        return draw_panels(
            panels, legend, histogram=histogram, columns=None if histogram is None else 2
        )

    def _palette(self, classes: int) -> tuple[RGB, ...]:
        cards = [c.card for c in self._chains or () if c.card is not None]
        stated = next((card.palette for card in cards if card.palette), ())
        if len(stated) == 1 and classes > 1:  # the background of a single class
            stated = (distinct_palette(1)[0], *stated)
        # A card with fewer classes than the masks have keeps its colors.
        return (*stated, *distinct_palette(classes)[len(stated) :])
