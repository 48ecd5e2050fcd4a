"""What is picked for one run, and the Python that runs it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from wasinn_nb import catalog, settings
from wasinn_nb.cards import (
    DEFAULT_THRESHOLD,
    ModelCard,
    PartialRecipe,
    card_code,
    card_line,
    statements,
)
from wasinn_nb.catalog import Model, useless_cards
from wasinn_nb.errors import NotFoundError, WasiNnError
from wasinn_nb.imaging import Color, PreprocessRecipe, Resize
from wasinn_nb.inspection import given_card, given_recipe
from wasinn_nb.literals import called, literal
from wasinn_nb.pipeline import Pipeline, kept_pipeline
from wasinn_nb.progress import Progress
from wasinn_nb.runtimes import Precision, precision_remark
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.widgets.viewer import Note, WidgetResult, note

__all__ = ["TASKS", "Selection", "code_of"]

_CALLS: Final = {"segmentation": "wn.segment", "classification": "wn.classify"}
TASKS: Final = tuple(_CALLS)
"""The tasks whose results the widgets can show."""


@dataclass(frozen=True)
class Selection:
    """One run: a model, a target, a precision, and how the image becomes a tensor.

    Parameters
    ----------
    model, target, precision : str
        As for `Pipeline`.
    resize : str
        Replaces the recipe's filter; empty leaves it.
    color : str
        Replaces the recipe's order of channels; empty leaves it.
    recipe : PreprocessRecipe, mapping or None
        In place of the card's, or of some of its fields.
    card : ModelCard, str or None
        In place of the model's own; text is the path of a card's file.
    runtime : str
        The engine; empty is the default.

    Examples
    --------
    >>> print(Selection("road-segmentation-synth-0001", "CPU", "f32").code("city-crosswalk"))
    wn.segment("city-crosswalk", "road-segmentation-synth-0001", "CPU", precision="f32")
    """

    model: str
    target: str
    precision: str
    resize: str = ""
    color: str = ""
    recipe: PartialRecipe | None = None
    card: ModelCard | str | None = None
    runtime: str = ""

    @property
    def found(self) -> Model:
        """The model with the card that counts; errors are those of :func:`wasinn_nb.model`."""
        return catalog.model(self.model, download=False, card=self.card)

    def pipeline(self, *, scores: bool, progress: Progress = False) -> Pipeline:
        """Return the compiled pipeline; errors are those of `Pipeline`.

        Parameters
        ----------
        scores : bool
        progress : bool or callable
            As for :func:`wasinn_nb.fetch`, where the model has to be downloaded.
        """
        try:
            found = self.found
        except NotFoundError:
            found = catalog.model(catalog.fetch(self.model, progress=progress), card=self.card)
        return kept_pipeline(
            found,
            self.target,
            precision=cast("Precision", self.precision),  # the picker offers these alone
            recipe=self._recipe(),
            resize=cast("Resize", self.resize) if self.resize else None,
            scores=scores,
            runtime=self.runtime or None,
        )

    def _recipe(self) -> PartialRecipe | None:
        """Return what is given of the recipe: the rest is the card's, the file's or assumed."""
        if not self.color:
            return self.recipe
        if isinstance(self.recipe, PreprocessRecipe):
            return self.recipe.replace(color=cast("Color", self.color))
        return {**(self.recipe or {}), "color": self.color}

    def remarks(self, pipeline: Pipeline) -> Iterator[Note]:
        """Yield what is to be known of a run, besides what its result says."""
        ran = pipeline.target, self.precision, pipeline.precision
        if remark := precision_remark(pipeline.runtime, *ran):
            yield note(remark, badge=f"ran in {pipeline.precision}, not {self.precision}")
        if self.card is None:
            for remark in useless_cards(pipeline.model.path, pipeline.model.card_path):
                yield note(remark, badge="a card is not used")

    def stating(self, result: WidgetResult, path: str) -> str:
        """Return the Python that writes a card beside the model which states what is assumed.

        Parameters
        ----------
        result : SegmentationResult or ClassificationResult
        path : str
            Of the model's file.
        """
        recipe = result.origin.recipe
        if self.card is None:
            return card_line(path, result.assumed, result.card, recipe)
        if not (stated := statements(result.assumed)):
            return ""
        start, _ = given_card(self.card)
        end = f".write({literal(path)})"
        return card_code(path, stated, result.card, recipe, start=start, end=end)

    def code(self, image: str, result: WidgetResult | None = None, *, scores: bool = False) -> str:
        """Return the call that does the same.

        Parameters
        ----------
        image : str
            The name of a shipped image, or a path.
        result : SegmentationResult or ClassificationResult, optional
            What came of it: it tells which call that is, and the threshold.
        scores : bool
            Whether a mask is to keep its scores.
        """
        task = self.task(result)
        arguments = [literal(image), literal(self.model), literal(self.target)]
        arguments += [f"{name}={value}" for name, value in self._options()]
        if task == "segmentation":
            if (threshold := _moved_threshold(result)) is not None:
                arguments.append(f"threshold={threshold!r}")
            if scores:
                arguments.append("scores=True")
        return called(_CALLS[task], arguments)

    def task(self, result: WidgetResult | None = None) -> str:
        """Return the task: that of the result, else the one that the card states."""
        if result is not None:
            one_row = isinstance(result, ClassificationResult)
            return "classification" if one_row else "segmentation"
        with suppress(WasiNnError):  # whoever runs it says what is wrong
            if (stated := self.found.card.task) in _CALLS:
                return stated
        return "segmentation"

    def _options(self) -> Iterator[tuple[str, str]]:
        yield "precision", literal(self.precision)
        if self.card is not None:
            yield "card", given_card(self.card)[1]
        if (recipe := self._recipe()) is not None:
            yield "recipe", given_recipe(recipe)
        if self.resize:
            yield "resize", literal(self.resize)
        if self.runtime not in {"", settings.default("runtime")}:
            yield "runtime", literal(self.runtime)


def code_of(
    image: str,
    selections: Sequence[Selection],
    results: Sequence[WidgetResult] = (),
    *,
    scores: bool = False,
) -> str:
    """Return a program that shows the result of one selection, or compares two.

    Parameters
    ----------
    image : str
        The name of a shipped image, or a path.
    selections : sequence of Selection
        One or two.
    results : sequence of SegmentationResult or ClassificationResult, optional
        What came of them, where they have run.
    scores : bool
        Whether masks are to keep their scores.

    Examples
    --------
    >>> one = Selection("m.xml", "CPU", "f32")
    >>> print(code_of("a.png", [one]))
    import wasinn_nb as wn
    <BLANKLINE>
    result = wn.segment("a.png", "m.xml", "CPU", precision="f32")
    wn.MaskViewer(result)
    """
    ran = results or (None,) * len(selections)
    names = ("result",) if len(selections) == 1 else ("a", "b")
    lines = ["import wasinn_nb as wn", ""]
    for name, selection, result in zip(names, selections, ran, strict=True):
        lines.append(f"{name} = {selection.code(image, result, scores=scores)}")
    tasks = {selection.task(result) for selection, result in zip(selections, ran, strict=True)}
    both = ", ".join(names)
    if len(names) == 2 and len(tasks) == 1:
        lines.append(f"print(wn.compare({both}))")
    if tasks == {"segmentation"}:
        mode = ', mode="difference"' if len(names) == 2 else ""
        lines.append(f"wn.MaskViewer({both}{mode})")
    else:
        lines.append(both)
    return "\n".join(lines)


def _moved_threshold(result: WidgetResult | None) -> float | None:
    """Return the threshold of a mask where it is another than that of its model."""
    threshold: float | None = getattr(result, "threshold", None)
    if result is None or threshold is None:
        return None
    stated = result.card.threshold
    own = DEFAULT_THRESHOLD if stated is None else stated
    return None if threshold == own else threshold
