"""`LayerComparison`: which layers of two models differ by more than their precisions explain.

Each layer of b is computed twice: in a run of the whole model, where it carries on what came before
it, and alone, from a's values.  The second tells where a difference arises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.render import (
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
from wasinn_nb.wording import counted

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure

__all__ = ["LayerComparison", "LayerDifference"]

_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """How one layer of b differs from a's.

    Attributes
    ----------
    name : str
        As a's file has it.
    operation : str
    dimensions : tuple of int
    own : float
        Signal to noise of the layer alone, in dB: b's, computed from a's values.  Infinite where
        all values are equal.  Of a layer that is *compensated*: of it and the next one together.
    snr : float
        Signal to noise where both models run through, in dB.
    largest : float
        The largest difference there, as a part of a's largest value.
    explained : bool
        Whether the precisions explain what the layer alone changes.
    compensated : bool
        Whether the layer holds other numbers than a's, and what reads it compensates them, as
        where a converter fused the two.
    before : str
        Of a layer that differs: the last layer before it that both models have.
    unmatched : (int, int)
        Of a layer that differs: how many layers of a, and of b, without a counterpart lie between.
    allowed : float or None
        Down to which *own* the precisions explain it, in dB; None where it is the comparison's.
    """

    name: str
    operation: str
    dimensions: tuple[int, ...]
    own: float
    snr: float
    largest: float
    explained: bool
    compensated: bool = False
    before: str = ""
    unmatched: tuple[int, int] = (0, 0)
    allowed: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values, numbers that are not finite as None."""
        return {
            "name": self.name,
            "operation": self.operation,
            "dimensions": list(self.dimensions),
            "own": _finite(self.own),
            "snr": _finite(self.snr),
            "largest": _finite(self.largest),
            "identical": self.own == math.inf,
            "explained": self.explained,
            "allowed": self.allowed,
            "compensated": self.compensated,
            "before": self.before,
            "unmatched": list(self.unmatched),
        }


@dataclass(frozen=True, eq=False, repr=False)
class LayerComparison(Report):
    """The layers that two models have in common, and the first that differs.

    Attributes
    ----------
    layers : tuple of LayerDifference
        In the order in which a computes them.
    explained_by : str
        What explains differences: ``f32``, ``f16``, ``bf16`` or ``i8``.
    allowed : float
        Down to which signal to noise of any layer alone, in dB; of some layers less is allowed.
    left_out : (int, int)
        How many layers of a, and of b, the other does not have.
    image : str
        What the image is called that both were run on.
    same_model : bool
        Whether both are the same files, run in the same way.
    outputs_equal : bool
        Whether the outputs of both hold the same values.
    results_differ : bool
        Whether what is read from the outputs differs by more than precision explains.

    Examples
    --------
    >>> import math
    >>> from wasinn_nb.comparison import LayerDifference
    >>> equal = LayerDifference("conv", "Convolution", (1, 8), math.inf, math.inf, 0.0, True)
    >>> other = LayerDifference("relu", "Relu", (1, 8), 31.5, 31.5, 0.02, False)
    >>> found = wn.LayerComparison((equal, other), "f32", 80.0)
    >>> found.first.name
    'relu'
    >>> print(found)
    first layer that differs: relu (Relu), alone 31.5 dB where f32 explains 80 dB
    """

    layers: tuple[LayerDifference, ...]
    explained_by: str
    allowed: float
    left_out: tuple[int, int] = (0, 0)
    image: str = ""
    same_model: bool = False
    outputs_equal: bool = False
    results_differ: bool = False

    @property
    def identical(self) -> bool:
        """Whether both are the same model, run in the same way, and gave the same values."""
        equal = all(layer.snr == math.inf for layer in self.layers)
        return self.same_model and equal and self.first is None

    @property
    def first(self) -> LayerDifference | None:
        """The first layer that differs by more than its precision explains.

        None where the outputs are equal all the same.
        """
        return None if self.outputs_equal else next(iter(self._unexplained), None)

    @property
    def _unexplained(self) -> list[LayerDifference]:
        return [layer for layer in self.layers if not layer.explained]

    @property
    def worst_first(self) -> tuple[LayerDifference, ...]:
        """The layers that are not equal, the one that changes most by itself first."""
        return tuple(sorted((x for x in self.layers if x.own < math.inf), key=lambda x: x.own))

    def __str__(self) -> str:
        """Return the answer in one line."""
        count = counted(len(self.layers), "layer")
        if self.identical:
            parts = [f"a and b are the same model, run in the same way: all {count} are equal"]
        elif self.first is not None:
            parts = [self._where(self.first)]
        elif inside := len(self._unexplained):
            differ = "differs" if inside == 1 else "differ"
            known = f"{inside} of {count} inside {differ} by more than {self._kind} explains"
            parts = [
                f"the outputs are equal, but {known}",
                "nothing of it reaches the outputs on this image",
            ]
        elif self.worst_first or self._compensated:
            parts = [f"none of {count} differs by more than {self._kind} explains"]
        else:
            parts = [f"all {count} are equal"]
        if number := self._compensated:
            parts.append(
                f"{counted(number, 'layer')} {'holds' if number == 1 else 'hold'} other numbers, "
                f"which the next ones compensate, as where layers are fused"
            )
        if any(self.left_out):
            a, b = (f"{one} of {one + len(self.layers)}" for one in self.left_out)
            parts.append(f"without a counterpart: {a} layers of a, {b} of b")
        if self.results_differ and self.first is None:
            parts.append(self._elsewhere)
        return "; ".join(parts)

    @property
    def _elsewhere(self) -> str:
        """Return where a difference of the results lies that is none of a layer."""
        if self.outputs_equal:
            return (
                "the outputs are equal, and the results differ as they are read otherwise: check "
                "what the cards and the files say of the output, such as its quantization"
            )
        inside = "in layers without a counterpart, or " if any(self.left_out) else ""
        return (
            f"the results differ all the same: {inside}by many differences that are each explained"
        )

    def _where(self, layer: LayerDifference) -> str:
        """Return which layer differs, how much, and what lies before it."""
        found = (
            f"first layer that differs: {layer.name} ({layer.operation}), alone "
            f"{_decibel(layer.own)} where {self._kind} explains {self._allowed(layer):.3g} dB"
        )
        if not any(layer.unmatched):
            return found
        sides = [f"{n} of {side}" for side, n in zip("ab", layer.unmatched, strict=True) if n]
        noun = "layer" if sum(layer.unmatched) == 1 else "layers"
        return (
            f"{found}; between {layer.before} and {layer.name}, {noun} without a counterpart: "
            f"{' and '.join(sides)}"
        )

    def _allowed(self, layer: LayerDifference) -> float:
        return self.allowed if layer.allowed is None else layer.allowed

    @property
    def _kind(self) -> str:
        return "INT8" if self.explained_by == "i8" else self.explained_by

    @property
    def _compensated(self) -> int:
        return sum(layer.compensated for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "first": None if self.first is None else self.first.name,
            "why": str(self),
            "explained_by": self.explained_by,
            "allowed": self.allowed,
            "left_out": list(self.left_out),
            "matched": len(self.layers),
            "compensated": self._compensated,
            "outputs_equal": self.outputs_equal,
            "results_differ": self.results_differ,
            "image": self.image,
            "same_model": self.same_model,
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def document(self) -> Document:
        """Return what there is to see: the first layer that differs, a table and a figure."""
        blocks: list[Block] = [Paragraph(str(self), "strong" if self.first is None else "bad")]
        # One alone may be computed otherwise than among others, also of the same model.
        listed = () if self.identical else self.worst_first[:_LISTED]
        ordered = sorted(listed, key=self.layers.index)
        if self.first is not None and self.first not in ordered:
            ordered = sorted([*ordered[:-1], self.first], key=self.layers.index)
        title = "layers that change most by themselves" if ordered else ""
        if ordered or self._compensated:
            tables = [self._table(ordered, title)] if ordered else []
            blocks.append(Only(("text",), tables))
            figure = ImageBlock(
                lambda: encoded_figure(self.plot()), f"Signal to noise of each layer: {self}"
            )
            blocks.append(Only(("notebook", "page"), [figure]))
            blocks.append(Only(("notebook",), tables))
            every = Section("Every layer", [self._table(self.layers)], folded_on_page=True)
            blocks.append(Only(("page",), [every]))
            facts = Items(self._facts())
            blocks.append(Only(("text",), [facts]))
            how = Section("How they were compared", [facts])
            blocks.append(Only(("notebook", "page"), [how]))
        elif self.image:
            blocks.append(Items([self._image]))
        return Document("Layers", blocks)

    def _table(self, layers: Sequence[LayerDifference], caption: str = "") -> Table:
        columns: list[Column | str] = ["layer", "operation"]
        columns += [Column("alone, dB", _short), Column("explained, dB", ".1f")]
        columns.append(Column("in the whole, dB", _short))
        columns.append(Column("largest difference", ".2g"))
        rows = [
            (
                *(x.name, x.operation, _with_next(x) if x.compensated else x.own),
                *(self._allowed(x), x.snr, x.largest),
            )
            for x in layers
        ]
        marked = [index for index, layer in enumerate(layers) if not layer.explained]
        return Table(columns, rows, caption, marked)

    def _facts(self) -> list[str]:
        explained = (
            "alone: b's layer computed from a's values; in the whole: both models run through; "
            "signal to noise, 20 dB are a difference of a tenth; equal layers have no point"
        )
        facts = [explained, self._unseen, *([self._image] if self.image else [])]
        if self._compensated:
            facts.append(
                "with the next: the layer holds other numbers than a's, and the next one, computed "
                "from b's own, gives a's again, as where a normalization is fused into it; the "
                "figure is that of both"
            )
        return facts

    @property
    def _unseen(self) -> str:
        """Return which faults are not seen."""
        part = f"{100 * 10 ** (-self.allowed / 20):.2g} %"
        text = (
            f"a fault that changes a layer by less than {self._kind} explains is not seen: "
            f"{self.allowed:g} dB are {part} of its values"
        )
        if all(self._allowed(layer) == self.allowed for layer in self.layers):
            return text
        return f"{text}; of layers with weights, {self._kind} explains what a's, rounded, give"

    @property
    def _image(self) -> str:
        return f"image that both were run on: {self.image}"

    def plot(self) -> PanelFigure:
        """Draw the signal to noise of each layer.

        Returns
        -------
        PanelFigure

        Raises
        ------
        InvalidArgumentError
            If the models have no layer in common.
        """
        from wasinn_nb.render import draw_curves

        if not self.layers:
            raise InvalidArgumentError("the models have no layer in common to draw")
        found, marked = self.first, None
        if found is not None:
            at = found.own if math.isfinite(found.own) else 0.0
            marked = (f"first that differs: {found.name}", self.layers.index(found), at)
        return draw_curves(
            "Signal to noise of b's layers against a's",
            ("layer, in the order of computation", "dB"),
            {
                "in the whole": [
                    math.nan if layer.compensated else layer.snr for layer in self.layers
                ],
                "alone": [layer.own for layer in self.layers],
            },
            limit=(f"what {self._kind} explains", [*map(self._allowed, self.layers)]),
            marked=marked,
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _short(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else ("equal" if value > 0 else "no signal")


def _with_next(layer: LayerDifference) -> str:
    return f"{_short(layer.own)}, with the next"


def _decibel(value: float) -> str:
    return f"{value:.1f} dB" if math.isfinite(value) else "not a number, or without any signal"
