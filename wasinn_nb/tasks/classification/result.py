"""The result of a classification: a probability for every class."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NotRequired, Self, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb import render
from wasinn_nb.arrays import AsArray
from wasinn_nb.cards import ModelCard, restored_assumptions
from wasinn_nb.errors import InvalidArgumentError, TensorError, WasiNnError
from wasinn_nb.files import expanded
from wasinn_nb.imaging import ImageSource, kept_image, rgb_image
from wasinn_nb.json_files import checked_json
from wasinn_nb.origin import Origin
from wasinn_nb.pickling import pickled_fields
from wasinn_nb.tasks.display import assumed_blocks, assumed_text, details, remark_blocks
from wasinn_nb.tasks.fields import how_read, read_only
from wasinn_nb.tasks.saving import checked_stem, read_saved, read_saved_tensor, write_facts
from wasinn_nb.tensor import Tensor, tensor_files
from wasinn_nb.wording import counted, inert, percent

__all__ = ["CLASSIFICATION_FORMAT", "ClassificationResult", "SavedScores", "TopClass"]

CLASSIFICATION_FORMAT: Final = "wasinn_nb.classification/1"
"""The ``format`` of the JSON file that `ClassificationResult.save` writes."""
_MOST_CLASSES: Final = 5
_PREVIEW_SIDE: Final = 320
"""The longest side of the image beside the bars, in pixels."""


class TopClass(NamedTuple):
    """One class of a result."""

    index: int  # type: ignore[assignment]  # tuples have a method of that name
    name: str
    probability: float


class SavedScores(NamedTuple):
    """The paths of the files of a classification."""

    tensor: Path
    """The probabilities; its sidecar is in the same folder."""
    facts: Path
    """The JSON file that names the tensor."""


class _SavedModel(TypedDict):
    name: str
    files: dict[str, str]
    classes: tuple[str, ...]


class _SavedTensor(TypedDict):
    tensor: str


class _SavedFacts(TypedDict):
    """What the JSON file states beside the fields of `Origin`."""

    model: _SavedModel
    files: _SavedTensor
    scores: list[float] | None
    softmax: bool
    assumed: tuple[str, ...]
    remarks: NotRequired[tuple[str, ...]]
    timings: dict[str, float]


@dataclass(frozen=True, eq=False, repr=False)
class ClassificationResult(AsArray, render.Showing):
    """The probabilities of all classes for one image, and what made them; an array of them.

    Parameters
    ----------
    probabilities : (N,) float32 array
        In the order of the card's classes.  Copied unless it is read-only.
    card : ModelCard
        The model's name and classes.
    origin : Origin
        What made it.
    scores : (N,) float32 array, optional
        The values as the model gave them: logits, or the integers of a quantized output.
        Default: the probabilities.
    image : path, bytes, binary file, PIL.Image or array, optional
        Encoded ones are kept as their bytes, all others as an array.
    timings : mapping
        Step → seconds.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    softmax : bool
        Whether the probabilities were made of logits.
    remarks : tuple of str
        What a reader of them should know, such as that the scores are saturated.

    Raises
    ------
    TensorError
        If there is not one finite number for each class.

    Examples
    --------
    >>> from wasinn_nb.origin import Origin
    >>> card = wn.ModelCard("toy", "classification", classes=("cat", "dog", "owl"))
    >>> values = np.array([0.2, 0.7, 0.1], np.float32)
    >>> result = wn.ClassificationResult(values, card, Origin("toy"))
    >>> result
    ClassificationResult(toy, 3 classes, f32 on CPU)
    1.) [1](0.7000) dog
    2.) [0](0.2000) cat
    3.) [2](0.1000) owl
    >>> result.top(1)
    (TopClass(index=1, name='dog', probability=0.699999988079071),)
    """

    probabilities: NDArray[np.float32]
    card: ModelCard
    origin: Origin
    scores: NDArray[np.float32] | None = None
    image: ImageSource | None = None
    timings: Mapping[str, float] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    softmax: bool = False
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        classes = len(self.card.classes)
        for name in ("probabilities", "scores"):
            given = getattr(self, name)
            values = self.probabilities if given is None else np.asarray(given)
            if values.shape != (classes,) or values.dtype != np.float32 or not classes:
                raise TensorError(
                    f"expected {name} as a ({classes},) float32 array, a number for each class of "
                    f"{self.card.name}, got {values.shape} {values.dtype}"
                )
            # Logits may be infinite: a class that is ruled out has -inf.
            if np.isnan(values).any() or (name == "probabilities" and np.isinf(values).any()):
                raise TensorError(
                    f"expected {name} that are numbers, got NaN or infinite values; check the "
                    f"model's input (range, mean, scale) and its precision"
                )
            object.__setattr__(self, name, read_only(values))
        if self.image is not None:
            kept = kept_image(self.image, **how_read(self.origin.recipe))
            object.__setattr__(self, "image", kept)
        object.__setattr__(self, "timings", MappingProxyType(dict(self.timings)))
        for name in ("assumed", "remarks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def target(self) -> str:
        """The device that ran."""
        return self.origin.target

    @property
    def precision(self) -> str:
        """In which it ran."""
        return self.origin.precision

    def top(self, k: int = 5) -> tuple[TopClass, ...]:
        """Return the most probable classes; of equal ones the lower index comes first.

        Parameters
        ----------
        k : int
            How many; all where there are fewer.

        Returns
        -------
        tuple of (index, name, probability)

        Raises
        ------
        InvalidArgumentError
            If *k* is not a positive number.
        """
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
            raise InvalidArgumentError(f"expected how many classes, 1 or more, got {k!r:.80}")
        order = np.argsort(-self.probabilities, kind="stable")[: int(k)]
        return tuple(
            TopClass(index, self.card.classes[index], float(self.probabilities[index]))
            for index in order.tolist()
        )

    def digest(self) -> str:
        """Return the result as a few lines of stable text: the top 5, in hundredths of a percent.

        Examples
        --------
        >>> from wasinn_nb.origin import Origin
        >>> card = wn.ModelCard("toy", "classification", classes=("cat", "dog"))
        >>> values = np.array([0.25, 0.75], np.float32)
        >>> print(wn.ClassificationResult(values, card, Origin("toy")).digest())
        toy, 2 classes, f32
        1  dog  75.00 %
        0  cat  25.00 %
        """
        head = f"{self._counted()}, {self.precision}"
        top = self.top(_MOST_CLASSES)
        wide = max(len(str(one.index)) for one in top)
        long = max(len(one.name) for one in top)
        lines = (
            f"{one.index:<{wide}}  {one.name:<{long}}  {percent(one.probability)}" for one in top
        )
        assumed = inert(assumed_text(self.assumed))
        return "\n".join([head, *lines, *filter(None, [assumed])])

    def to_dict(self, k: int = 5) -> dict[str, Any]:
        """Return the top *k* and what is known of the result as plain JSON values."""
        return {
            "model": self.card.name,
            "target": self.target,
            "precision": self.precision,
            "runtime": self.origin.runtime,
            "classes": len(self.card.classes),
            "top": [one._asdict() for one in self.top(k)],
            "softmax": self.softmax,
            "assumed": list(self.assumed),
            "remarks": list(self.remarks),
            "seconds": dict(self.timings),
            "origin": self.origin.to_dict(),
        }

    def save(self, directory: str | os.PathLike[str], stem: str | None = None) -> SavedScores:
        """Write the probabilities and what made them into a folder.

        ============================  ==========================================================
        ``STEM-1xNxf32.tensor``       the probabilities
        ``STEM-1xNxf32.tensor.json``  its sidecar: recipe, model, target, precision, versions
        ``STEM.json``                 classes, top 5, timings, all of the sidecar; written last
        ============================  ==========================================================

        Parameters
        ----------
        directory : path-like
            Made when it is missing.
        stem : str, optional
            How the files' names begin.  Default: the model's name.

        Returns
        -------
        SavedScores
            The paths.

        Raises
        ------
        InvalidArgumentError
            If *stem* is not a plain file name.
        OSError
            If the folder cannot be written to.
        """
        stem = checked_stem(self.card.name if stem is None else stem)
        folder = expanded(directory)
        tensor = Tensor.adopt((1, len(self.probabilities)), "f32", self.probabilities)
        saved = SavedScores(folder / f"{stem}-{tensor.signature}.tensor", folder / f"{stem}.json")
        origin = self.origin.to_dict()
        model = {"name": origin.pop("model"), "files": origin.pop("files")}
        scores = None if self.scores is self.probabilities else np.asarray(self.scores).tolist()
        write_facts(
            saved.facts,
            {
                "format": CLASSIFICATION_FORMAT,
                "model": model | {"classes": list(self.card.classes)},
                **origin,
                "top": [one._asdict() for one in self.top(_MOST_CLASSES)],
                "scores": scores,
                "softmax": self.softmax,
                "assumed": list(self.assumed),
                "remarks": list(self.remarks),
                "timings": dict(self.timings),
                "files": {"tensor": saved.tensor.name},
            },
            tensor_files(saved.tensor.name, tensor, {"model": model, **origin}),
        )
        return saved

    def _as_array(self) -> NDArray[np.float32]:
        return self.probabilities

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read back what :meth:`save` wrote, without the image.

        Parameters
        ----------
        path : path-like
            The ``STEM.json``.

        Raises
        ------
        MissingFileError
            If a file is missing.
        InvalidArgumentError
            If the JSON does not say what :meth:`save` writes.
        TensorFileError
            If the tensor is broken.
        """
        return read_saved(Path(path), CLASSIFICATION_FORMAT, cls._of_saved)

    @classmethod
    def _of_saved(cls, found: Path, values: dict[str, Any]) -> Self:
        facts = checked_json(values, _SavedFacts, found.name, InvalidArgumentError)
        tensor = read_saved_tensor(found, values, facts["files"]["tensor"])
        model, scores = facts["model"], facts["scores"]
        try:
            origin = Origin.from_dict(values | {"model": model["name"], "files": model["files"]})
            return cls(
                tensor.to_array().reshape(-1),
                ModelCard(model["name"], "classification", classes=model["classes"]),
                origin,
                None if scores is None else np.array(scores, np.float32),
                None,
                facts["timings"],
                restored_assumptions(facts["assumed"], origin.recipe, len(model["classes"])),
                facts["softmax"],
                facts.get("remarks", ()),
            )
        except WasiNnError as error:
            raise InvalidArgumentError(f"{found}: not what `save` writes: {error}") from error

    @cached_property
    def photo(self) -> NDArray[np.uint8] | None:
        """The image as a read-only (h, w, 3) array in RGB order at its own size, or None."""
        if self.image is None:
            return None
        return read_only(np.asarray(rgb_image(self.image, **how_read(self.origin.recipe))))

    def document(self) -> render.Document:
        """Return what there is to see: the image beside bars; as text, the lines of guests."""
        top = self.top(_MOST_CLASSES)
        block = None
        if self.image is not None:
            alt = f"Image: {top[0].name} {percent(top[0].probability)}"
            block = render.ImageBlock(self._encoded_image, alt)
        bars = [render.Bar(one.name, one.probability, str(one.index)) for one in top]
        blocks: list[render.Block] = [
            render.Only(("notebook", "page"), [render.Bars(bars, block)]),
            render.Only(("text",), [render.Paragraph("\n".join(self.lines()))]),
        ]
        if self.softmax:
            blocks.append(render.Paragraph("probabilities by softmax"))
        blocks += remark_blocks(self.remarks)
        blocks += assumed_blocks(self.assumed, self.card, self.origin)
        blocks.append(render.Only(("notebook", "page"), [details(self.origin)]))
        return render.Document(f"{self._counted()}, {self.origin.ran}", blocks)

    def _encoded_image(self) -> tuple[str, bytes, int]:
        return render.encoded_image(Image.fromarray(np.asarray(self.photo)), _PREVIEW_SIDE)

    def _counted(self) -> str:
        return f"{self.card.name}, {counted(len(self.card.classes), 'class')}"

    def __repr__(self) -> str:
        more = "".join(f"; {one}" for one in (assumed_text(self.assumed), *self.remarks) if one)
        head = (
            f"ClassificationResult({inert(self._counted())}, {self.origin.ran}"
            f"{', softmax' if self.softmax else ''}{more})"
        )
        return "\n".join([head, *self.lines()])

    def lines(self, k: int = 5) -> list[str]:
        """Return the top *k* as the example guests of WASI-NN print theirs.

        ``1.) [166](198) Aix galericulata``: rank, index, value, name.  The value is the model's own
        where it gives integers or probabilities, and the probability where it gives logits.

        Parameters
        ----------
        k : int
        """
        scores = np.asarray(self.scores)
        integers = not self.softmax and scores.max() > 1 and bool((scores == np.rint(scores)).all())

        def value(one: TopClass) -> str:
            return f"{scores[one.index]:.0f}" if integers else f"{one.probability:.4f}"

        ranked = enumerate(self.top(k), 1)
        return [f"{rank}.) [{one.index}]({value(one)}) {inert(one.name)}" for rank, one in ranked]

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled_fields(self)
