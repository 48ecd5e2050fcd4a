"""Where an image lies in a model's input, and which part of the image the input shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging.recipe import PreprocessRecipe

__all__ = ["Box", "Placement", "centered", "cover_size", "inside_size"]

Number = TypeVar("Number", int, float)


class Box(NamedTuple, Generic[Number]):
    """A rectangle of pixels: rows from `top`, columns from `left`."""

    top: Number
    left: Number
    height: Number
    width: Number


@dataclass(frozen=True, slots=True)
class Placement:
    """How an image of a certain size is placed in a model's input.

    The sizes are computed in float64 and rounded half to even, as Python's `round` does, with
    ``scale = min(height / rows, width / columns)`` for ``letterbox`` and ``max`` of the two for
    ``crop``, where the input has `height` rows and `width` columns, the image `rows` and `columns`.
    The whole image is resized to ``round(rows * scale)`` by ``round(columns * scale)``, but to at
    least 1 and at most the input's size for ``letterbox``, at least the input's for ``crop``.
    Where a margin is odd, the smaller half is above or to the left.  These are the sizes of
    Ultralytics' ``LetterBox``, and of ``resize`` and ``resize_to_fill`` of the Rust `image` crate
    (which rounds halves up).

    Attributes
    ----------
    resized : (int, int)
        Height and width to which the whole image is resized.
    inside : Box of int
        The pixels of the input that hold the image; all but for ``letterbox``.
    visible : Box of float
        The part of the image, in its own pixels, that the input shows; all but for ``crop``.

    Examples
    --------
    >>> recipe = PreprocessRecipe(4, 4, fit="letterbox")
    >>> Placement.of(recipe, 100, 200).inside
    Box(top=1, left=0, height=2, width=4)
    >>> Placement.of(recipe.replace(fit="crop"), 100, 200).visible
    Box(top=0.0, left=50.0, height=100.0, width=100.0)
    """

    resized: tuple[int, int]
    inside: Box[int]
    visible: Box[float]

    @classmethod
    def of(cls, recipe: PreprocessRecipe, height: int, width: int) -> Placement:
        """Return how *recipe* places an image.

        Parameters
        ----------
        recipe : PreprocessRecipe
        height, width : int
            The image's own, in pixels, after its EXIF orientation was applied where the recipe
            applies it.

        Raises
        ------
        InvalidArgumentError
            If the image has no pixels.
        """
        if min(height, width) < 1:
            raise InvalidArgumentError(
                f"expected an image of at least 1x1 pixels, got {height}x{width}"
            )
        target = recipe.height, recipe.width
        inside, visible = Box(0, 0, *target), Box(0.0, 0.0, float(height), float(width))
        if recipe.fit == "stretch":
            return cls(target, inside, visible)
        if recipe.fit == "letterbox":
            resized = inside_size(*target, height, width)
            return cls(resized, centered(*target, *resized), visible)
        resized = cover_size(*target, height, width)
        window = centered(*resized, *target)
        down, right = height / resized[0], width / resized[1]
        visible = Box(
            window.top * down, window.left * right, window.height * down, window.width * right
        )
        return cls(resized, inside, visible)

    @property
    def window(self) -> Box[int]:
        """The part of the resized image that the input shows, in pixels of the resized image."""
        return centered(*self.resized, self.inside.height, self.inside.width)


def inside_size(height: int, width: int, rows: int, columns: int) -> tuple[int, int]:
    """Return the size of *rows* x *columns* resized to fit inside *height* x *width*.

    Examples
    --------
    >>> inside_size(640, 640, 1080, 1920)
    (360, 640)
    """
    scale = min(height / rows, width / columns)
    return (
        min(height, max(1, round(rows * scale))),
        min(width, max(1, round(columns * scale))),
    )


def cover_size(
    height: int, width: int, rows: int, columns: int, larger: float = 1.0
) -> tuple[int, int]:
    """Return the size of *rows* x *columns* resized to cover *height* x *width*.

    Parameters
    ----------
    larger : float
        By how much the image is resized larger than needed; 8 / 7 is 256 for 224.

    Examples
    --------
    >>> cover_size(224, 224, 1080, 1920)
    (224, 398)
    """
    scale = max(height / rows, width / columns) * larger
    return max(height, round(rows * scale)), max(width, round(columns * scale))


def centered(height: int, width: int, rows: int, columns: int, *, late: bool = False) -> Box[int]:
    """Return the box of *rows* x *columns* in the middle of *height* x *width*.

    Where a margin is odd, the smaller half is above or to the left, or below or to the right if
    *late*.

    Examples
    --------
    >>> centered(4, 5, 1, 2), centered(4, 5, 1, 2, late=True)
    (Box(top=1, left=1, height=1, width=2), Box(top=2, left=2, height=1, width=2))
    """
    return Box((height - rows + late) // 2, (width - columns + late) // 2, rows, columns)
