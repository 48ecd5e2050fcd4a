"""Model cards: what a model is for, its classes and colors, its recipe, its files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Self, Unpack

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.checks import (
    BY_NAME,
    card_background,
    card_classes,
    card_figures,
    card_output,
    card_palette,
    card_precisions,
    card_threshold,
    json_fields,
    named_background,
    unexpected,
)
from wasinn_nb.cards.fields import CardFields, card_text
from wasinn_nb.cards.modelfile import MODEL_NAME, ModelFile, is_text
from wasinn_nb.cards.modelpath import card_path, check_whole, existing_model, model_files
from wasinn_nb.errors import InvalidArgumentError, RecipeError
from wasinn_nb.files import existing_file, is_folder
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.json_files import read_json
from wasinn_nb.render import RGB, class_palette
from wasinn_nb.transaction import atomic

__all__ = ["ModelCard"]

_MOST_BYTES: Final = 1 << 24  # 100,000 long class names, and room


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the toolkit knows of a model before it loads it.

    Parameters
    ----------
    name : str
        Letters, digits, ``.``, ``_`` and ``-``.
    task : str
        ``"segmentation"``, ``"classification"`` or ``"unknown"``.
    recipe : PreprocessRecipe or None
        What the model takes.
    classes : tuple of str
        Names in the order of the output's channels.  A model of one class names it alone,
        ``("person",)``, or after what is not of it, ``("background", "person")``.  For the tasks
        ``"segmentation"`` and ``"unknown"`` at most 256 names, all different; else at most 100,000.
    palette : tuple of (red, green, blue)
        One color per class, 0 to 255 each.  Default: distinct ones, black for the background alone.
    encoding : GraphEncoding
        The format of its files.  A `Model` takes it from their suffix, whatever the card states.
    precisions : mapping
        Precision (``"FP16"``) → its files, for OpenVINO IR xml and bin in this order.
    description, license, source : str
        Free text; `source` is an address or a place.
    figures : mapping
        Measured figures, name → finite number.
    output : str or int, optional
        The output that the task reads, by name or index; None: the one that fits.
    threshold : float, optional
        Of a model of one class: the probability, above 0 and below 1, above which a pixel belongs
        to the class; None: 0.5.
    channels_last : bool, optional
        Whether the classes are the last axis of the scores; None: as the shapes tell.
    logits : bool, optional
        Of one class: whether its scores are logits; None: as the graph, else as the values tell.
    background : int or None
        The index of the class that is not tinted; None: every class is.  Default: the class that
        is called background, bg, unlabeled or void; of one class what is not of it; else None.

    Raises
    ------
    RecipeError
        If a field holds what it cannot.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> card = wn.ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> card.palette
    ((0, 0, 0), (0, 114, 178))
    >>> card.to_dict()
    {'name': 'toy', 'task': 'segmentation', 'classes': ['background', 'road']}
    """

    name: str
    task: str = "unknown"
    recipe: PreprocessRecipe | None = None
    classes: tuple[str, ...] = ()
    palette: tuple[RGB, ...] = ()
    encoding: GraphEncoding = GraphEncoding.OPENVINO
    precisions: Mapping[str, tuple[ModelFile, ...]] = field(default_factory=dict)
    description: str = ""
    license: str = ""
    source: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    output: str | int | None = None
    threshold: float | None = None
    channels_last: bool | None = None
    logits: bool | None = None
    background: int | None = BY_NAME

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not MODEL_NAME.fullmatch(self.name):
            raise RecipeError(
                f"expected a model name of letters, digits, '.', '_' and '-', got {self.name!r:.80}"
            )
        for name in ("task", "description", "license", "source"):
            if not is_text(getattr(self, name)):
                raise unexpected(self.name, f"{name} as text", getattr(self, name))
        if not isinstance(self.recipe, PreprocessRecipe | None):
            raise unexpected(self.name, "recipe as a PreprocessRecipe", self.recipe)
        if not isinstance(self.encoding, GraphEncoding):
            raise unexpected(self.name, "encoding as a GraphEncoding", self.encoding)
        for name in ("channels_last", "logits"):
            if getattr(self, name) is not None and type(getattr(self, name)) is not bool:
                raise unexpected(self.name, f"{name} as True, False or None", getattr(self, name))
        classes = card_classes(self.name, self.task, self.classes)
        background = card_background(self.name, self.task, classes, self.background)
        checked = {
            "classes": classes,
            "palette": card_palette(self.name, len(classes), self.palette, background),
            "precisions": card_precisions(self.name, self.precisions),
            "figures": card_figures(self.name, self.figures),
            "output": card_output(self.name, self.output),
            "threshold": card_threshold(self.name, self.threshold),
            "background": background,
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        # Without the two mappings, which have no hash.
        hashed = (f.name for f in fields(self) if f.name not in {"precisions", "figures"})
        return hash(tuple(getattr(self, name) for name in hashed))

    def replace(self, **changes: Unpack[CardFields]) -> Self:
        """Return a card with some fields changed, checked as a new one is.

        A default palette and a background that its name tells follow new classes.

        Parameters
        ----------
        **changes
            Any parameters of the class: name, task, recipe, classes and so on.

        Raises
        ------
        RecipeError
            If there is no such field, or it cannot hold the value.

        Examples
        --------
        >>> import wasinn_nb as wn
        >>> card = wn.ModelCard("toy", classes=("background", "road"))
        >>> card.replace(classes=("background", "road", "mark")).palette
        ((0, 0, 0), (0, 114, 178), (213, 94, 0))
        """
        self._check_names(changes)
        if changes.keys() & {"classes", "background"} and "palette" in self._following:
            changes.setdefault("palette", ())
        if "classes" in changes and "background" in self._following:
            changes.setdefault("background", BY_NAME)
        values: Any = changes  # the class takes them, whatever the types of its fields
        return replace(self, **values)

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain JSON values, without the fields that have their default."""
        bare = ModelCard(self.name)
        left_out = {f.name for f in fields(self) if getattr(self, f.name) == getattr(bare, f.name)}
        left_out = left_out - {"background"} | self._following
        precisions = {p: [file.to_dict() for file in files] for p, files in self.precisions.items()}
        plain = {
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "classes": list(self.classes),
            "palette": [list(color) for color in self.palette],
            "encoding": self.encoding.name.lower(),
            "precisions": precisions,
            "figures": dict(self.figures),
        }
        names = [f.name for f in fields(self) if f.name == "name" or f.name not in left_out]
        return {name: plain.get(name, getattr(self, name)) for name in names}

    @property
    def _following(self) -> set[str]:
        """The fields that hold what follows from the classes."""
        followed = {"background"} if self.background == named_background(self.classes) else set()
        default = self.palette == class_palette(len(self.classes), self.background)
        return followed | {"palette"} if default else followed

    @classmethod
    def _check_names(cls, values: Iterable[Any]) -> None:
        known = {f.name for f in fields(cls)}
        if unknown := sorted(set(map(str, values)) - known):
            raise RecipeError(
                f"a model card has no {', '.join(unknown)}; it has {', '.join(sorted(known))}"
            )

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Make a card from the object in a ``card.json``, or from what :meth:`to_dict` returned.

        Parameters
        ----------
        values : mapping

        Raises
        ------
        RecipeError
            If it is not what such a file holds.
        """
        if not isinstance(values, Mapping):
            raise RecipeError(f"expected a model card as a JSON object, got {values!r:.80}")
        cls._check_names(values)
        if "name" not in values:
            raise RecipeError("the model card lacks a name")
        given = json_fields(values)
        if given.get("recipe") is not None:
            given["recipe"] = PreprocessRecipe.from_dict(given["recipe"])
        return cls(**given)

    @classmethod
    def from_model(
        cls,
        path: str | os.PathLike[str],
        *,
        task: str | None = None,
        classes: Sequence[str] | None = None,
        recipe: PreprocessRecipe | Mapping[str, Any] | None = None,
        palette: Sequence[RGB] | None = None,
        background: int | None = BY_NAME,
        output: str | int | None = None,
        threshold: float | None = None,
        channels_last: bool | None = None,
        logits: bool | None = None,
        name: str | None = None,
        description: str | None = None,
        license: str | None = None,  # noqa: A002 - the card's word
        source: str | None = None,
        figures: Mapping[str, float] | None = None,
        precisions: Mapping[str, Sequence[ModelFile]] | None = None,
        **others: Any,
    ) -> Self:
        """Make a card from what a model's file states, completed by what the user knows.

        OpenVINO IR, ONNX and TensorFlow Lite state their inputs; many files also state classes,
        task and preprocessing: what OpenVINO's Model API, Ultralytics or TensorFlow's metadata
        writers put there.  No inference runtime is loaded.  What nobody states stays empty.

        Parameters
        ----------
        path : str or path-like
            The model's main file, its weights, or the folder of a TensorFlow SavedModel.
        task : str, optional
            ``"segmentation"`` or ``"classification"``.
        classes : sequence of str, optional
            Names in the order of the output's channels; of a model of one class its name alone.
        recipe : PreprocessRecipe or mapping, optional
            What the model takes, or a mapping of those of its fields that are known, such as
            ``{"color": "RGB", "range": (0, 1)}``.  Where it does not name the filter, that is
            Pillow's ``bilinear``, which is quicker than the default of `PreprocessRecipe`.
        palette : sequence of (red, green, blue), optional
            One color per class, 0 to 255 each.
        background : int or None
            The index of the class that is not tinted; None for none.  Default: as its name tells.
        output : str or int, optional
            The name or index of the output that the task reads.
        threshold : float, optional
            Of a model of one class: the probability above which a pixel belongs to it.
        channels_last : bool, optional
            Whether the classes are the output's last axis.
        logits : bool, optional
            Whether the scores are logits, not probabilities.
        name : str, optional
            Default: the stem of the file.
        description, license, source : str, optional
        figures, precisions : mapping, optional
            As for the class.
        **others
            Refused: a card has no other field, and the suffix says the encoding.

        Returns
        -------
        ModelCard
            Its name is the stem of the file.  It has a recipe where color and value range (`range`,
            `mean` or `scale`; that of a u8 input is 0 to 255) are stated; size, type and order of
            the axes come from the model's input.  Where more than 256 classes are stated without a
            task, that is ``"classification"``.

        Raises
        ------
        MissingFileError, InvalidArgumentError, RuntimeFailure
            If there is no model, or one that cannot be read; or if it could be read for a task but
            for *classes*, *output* or *channels_last*, as where its output has another number.
        RecipeError
            If there is no such field, if one cannot hold the value, or if the recipe still lacks
            something, such as the size where the input leaves it open.

        Examples
        --------
        >>> import wasinn_nb as wn
        >>> wn.ModelCard.from_model(wn.model().path, recipe=dict(color="BGR", range=(0, 1))).recipe
        PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 1, bilinear)
        """
        from wasinn_nb.cards.from_file import card_from_file

        cls._check_names(others)
        known = others | {
            "name": name,
            "description": description,
            "license": license,
            "source": source,
            "figures": figures,
            "precisions": precisions,
            "task": task,
            "classes": classes,
            "recipe": recipe,
            "palette": palette,
            "output": output,
            "threshold": threshold,
            "channels_last": channels_last,
            "logits": logits,
        }
        given = {name: value for name, value in known.items() if value is not None}
        return card_from_file(cls, path, given | {"background": background})

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read the card in the JSON file at *path*.

        Raises
        ------
        MissingFileError
            If no file lies there, or it cannot be read.
        RecipeError
            If it does not hold a model card.
        """
        found = existing_file(path, "model card")
        values = read_json(found, "model card", most_bytes=_MOST_BYTES, error=RecipeError)
        try:
            return cls.from_dict(values)
        except RecipeError as error:
            raise RecipeError(f"{found}: {error.problem}", remedy=error.remedy) from error

    def write(self, model_path: str | os.PathLike[str]) -> Path:
        """Save the card beside a model, where everything finds it from then on.

        The file is ``STEM.card.json`` beside the model's file, or ``card.json`` inside the folder
        of a TensorFlow SavedModel.  It is whole or not there; one that was there is replaced.  The
        card keeps its name, also where the file is called otherwise.

        Parameters
        ----------
        model_path : str or path-like
            The model's main file, its weights, or the folder of a SavedModel; a leading ``~`` is
            expanded.

        Returns
        -------
        Path
            Of the card.

        Raises
        ------
        MissingFileError
            If no model lies there.
        InvalidArgumentError
            If it is not the path of a model.
        RecipeError
            If the card is larger than 16 MiB, which is the most that is read.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import pathlib, tempfile, wasinn_nb as wn
        >>> model = pathlib.Path(tempfile.mkdtemp(), "toy.onnx")
        >>> _ = model.write_bytes(b"")
        >>> wn.ModelCard("toy").write(model).name
        'toy.card.json'
        """
        main = existing_model(model_path)
        check_whole(model_files(main))
        path = card_path(main)
        if is_folder(path):
            raise InvalidArgumentError(f"the card is written to {path}; move that folder away")
        content = card_text(self.to_dict()).encode()
        if len(content) > _MOST_BYTES:
            raise RecipeError(f"{self.name}: the card is larger than {_MOST_BYTES} bytes")
        with atomic(path) as temporary:
            temporary.write_bytes(content)
        return path
