"""What is picked for one run, and the Python that runs it again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, cast

from wasinn_nb import catalog
from wasinn_nb.errors import NotFoundError
from wasinn_nb.pipeline import Pipeline, kept_pipeline
from wasinn_nb.progress import Progress
from wasinn_nb.recipe import Color, PreprocessRecipe, Resize

__all__ = ["Selection", "code_of"]

_WIDTH: Final = 90  # with "result = " before it, as long as a line may be


@dataclass(frozen=True)
class Selection:
    """One run: a model, a target, a precision, and how the picture becomes a tensor.

    Parameters
    ----------
    model, target, precision : str
        As for `Pipeline`.
    resize : str
        Replaces the recipe's filter; empty leaves it.
    color : str
        Replaces the recipe's order of channels; empty leaves it.
    recipe : PreprocessRecipe or None
        In place of the card's.

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
    recipe: PreprocessRecipe | None = None

    def pipeline(self, *, scores: bool, progress: Progress = False) -> Pipeline:
        """Return the compiled pipeline; errors are those of `Pipeline`.

        Parameters
        ----------
        scores : bool
        progress : bool or callable
            As for :func:`wasinn_nb.fetch`, where the model has to be downloaded.
        """
        try:
            found = catalog.model(self.model, download=False)
        except NotFoundError:
            found = catalog.fetch(self.model, progress=progress)
        return kept_pipeline(
            found,
            self.target,
            precision=self.precision,
            recipe=self._recipe(),
            resize=cast("Resize", self.resize) if self.resize else None,
            scores=scores,
        )

    def _recipe(self) -> PreprocessRecipe | None:
        """Return the recipe where it is not simply the card's."""
        if not self.color:
            return self.recipe
        known = self.recipe or catalog.model(self.model).card.recipe
        if known is None:  # read off the model's input, which has to be loaded for that
            known = kept_pipeline(self.model, self.target, precision=self.precision).recipe
        return known.replace(color=cast("Color", self.color))

    def code(self, image: str, *, scores: bool = False) -> str:
        """Return the call of `segment` that does the same.

        Parameters
        ----------
        image : str
            A shipped picture's name, or a path.
        scores : bool
        """
        arguments = [_quoted(image), _quoted(self.model), _quoted(self.target)]
        arguments.append(f"precision={_quoted(self.precision)}")
        if (recipe := self._recipe()) is not None:
            arguments.append(f"recipe={_recipe_code(recipe)}")
        if self.resize:
            arguments.append(f"resize={_quoted(self.resize)}")
        if scores:
            arguments.append("scores=True")
        line = f"wn.segment({', '.join(arguments)})"
        if len(line) <= _WIDTH:
            return line
        return "wn.segment(\n" + "".join(f"    {said},\n" for said in arguments) + ")"


def code_of(image: str, selections: list[Selection], *, scores: bool) -> str:
    """Return a program that makes the picture of one selection, or compares two.

    Examples
    --------
    >>> one = Selection("m.xml", "CPU", "f32")
    >>> print(code_of("a.png", [one], scores=False))
    import wasinn_nb as wn
    <BLANKLINE>
    result = wn.segment("a.png", "m.xml", "CPU", precision="f32")
    wn.MaskViewer(result)
    """
    lines = ["import wasinn_nb as wn", ""]
    if len(selections) == 1:
        lines += [f"result = {selections[0].code(image, scores=scores)}", "wn.MaskViewer(result)"]
    else:
        for name, selection in zip("ab", selections, strict=True):
            lines.append(f"{name} = {selection.code(image, scores=scores)}")
        lines += ["print(wn.compare(a, b))", 'wn.MaskViewer(a, b, mode="difference")']
    return "\n".join(lines)


def _recipe_code(recipe: PreprocessRecipe) -> str:
    """Return the constructor's call, without what is its default."""
    default = PreprocessRecipe(recipe.height, recipe.width)
    said = [str(recipe.height), str(recipe.width)]
    for field in fields(recipe):
        value = getattr(recipe, field.name)
        if value != getattr(default, field.name):
            shown = _quoted(value.suffix) if field.name == "type" else value
            shown = _quoted(shown) if isinstance(value, str) else shown
            said.append(f"{field.name}={shown}")
    return f"wn.PreprocessRecipe({', '.join(said)})"


def _quoted(text: str) -> str:
    return '"' + text.encode("unicode_escape").decode().replace('"', '\\"') + '"'
