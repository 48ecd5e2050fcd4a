"""`Bundle`: a folder that :func:`wasinn_nb.bundle` wrote, and what a device made of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np

from wasinn_nb.cards import ModelCard, restored_assumptions
from wasinn_nb.comparison import Chain, Comparison, compare
from wasinn_nb.deployment.facts import RECIPE, OutputFacts, VectorFacts, read_facts
from wasinn_nb.deployment.scripts import RUNTIMES, script_name
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError, WasiNnError
from wasinn_nb.files import existing_file, expanded, is_folder
from wasinn_nb.imaging import PreprocessRecipe, image_to_tensor, open_image
from wasinn_nb.json_files import read_json
from wasinn_nb.pickling import pickled_fields
from wasinn_nb.render import Document, Facts, Paragraph, Showing
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor
from wasinn_nb.wording import inert, listed

__all__ = ["Bundle"]

_MOST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Bundle(Showing):
    """A folder that runs a model on a device, and the output that is expected there.

    Attributes
    ----------
    folder : Path
    card : ModelCard
    recipe : PreprocessRecipe
        How the guest makes its input.
    task : str
    encoding : str
    output : mapping
        The output that the guest reads: index, dimensions, type, and what its values are.
    vector : mapping
        The hashes of the bundle's own image, input and output, and the tolerance.
    image : Path
        The bundle's own image.
    model : tuple of Path
        The model's files.
    runtimes : mapping
        Runtime → why the bundle does not run there; None where it does.
    notes, assumed : tuple of str
        What is not as the model's card says, and what nothing states.

    Examples
    --------
    >>> import tempfile
    >>> import wasinn_nb as wn
    >>> bundle = wn.bundle(wn.model(), tempfile.mkdtemp(), image="city-arrow")
    >>> bundle.task, bundle.output["dimensions"], bundle.vector["tolerance"]
    ('segmentation', [1, 4, 512, 896], 0.01)
    """

    folder: Path
    card: ModelCard
    recipe: PreprocessRecipe
    task: str
    encoding: str
    output: OutputFacts
    vector: VectorFacts
    image: Path
    model: tuple[Path, ...]
    runtimes: Mapping[str, str | None]
    notes: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Self:
        """Read the bundle in a folder.

        Raises
        ------
        MissingFileError
            If there is none, or a file of it is missing.
        InvalidArgumentError, RecipeError
            If its files are not what :func:`wasinn_nb.bundle` writes.
        """
        path = expanded(folder, "a folder")
        facts = read_facts(path)
        recipe = read_json(path / RECIPE, "recipe", most_bytes=_MOST_BYTES, error=RecipeError)
        card, made = ModelCard.read(path / facts["card"]), PreprocessRecipe.from_dict(recipe)
        return cls(
            path,
            card,
            made,
            facts["task"],
            facts["encoding"],
            facts["output"],
            facts["vector"],
            path / facts["image"],
            tuple(path / name for name in facts["model"]),
            MappingProxyType(facts["runtimes"]),
            tuple(facts["notes"]),
            restored_assumptions(facts["assumed"], made, len(card.classes)),
        )

    @property
    def expected(self) -> Tensor | None:
        """The expected output of the image; None where it is too large to be kept whole.

        Raises
        ------
        TensorFileError
            If its file was changed.
        """
        name = self.vector["tensor"]
        return None if name is None else read_tensor(self.folder / name)

    def compare(
        self, output: Tensor | str | os.PathLike[str], *, tolerance: float | None = None
    ) -> Comparison:
        """Compare what a device made of the bundle's image with what is expected.

        Parameters
        ----------
        output : Tensor or path
            The output tensor, its file, or the folder to which the guest wrote it.  Where the
            guest's input tensor lies beside it, that is compared first.
        tolerance : float, optional
            As for :func:`wasinn_nb.compare`.  Default: the bundle's.

        Returns
        -------
        Comparison
            *identical*, *same within precision* or *different*, and where first.

        Raises
        ------
        InvalidArgumentError
            If the output is of another image.
        MissingFileError, TensorFileError
            If a file is missing or broken.
        """
        made = image_to_tensor(self.image, self.recipe)
        theirs = self._device_side(output, made)
        expected, labels = self.expected, None
        if expected is None and theirs.output is not None:
            if theirs.output.sha256() == self.vector["output_sha256"]:
                expected = theirs.output
            elif (name := self.vector["labels"]) is not None:
                labels = np.asarray(open_image(existing_file(self.folder / name, "mask")))
        ours = Chain(
            f"bundle {self.card.name}",
            made,
            expected,
            labels=labels,
            card=self._card,
            recipe=self.recipe,
        )
        allowed = self.vector["tolerance"] if tolerance is None else tolerance
        return compare(ours, theirs, tolerance=allowed)

    @property
    def _card(self) -> ModelCard:
        """The card as it reads the one output that is kept."""
        card = self.card.replace(task=self.task, output=None)
        if self.output["values"] == "class scores" and card.channels_last is None:
            return card.replace(channels_last=self.output["channels_last"])
        return card

    def _device_side(self, output: Tensor | str | os.PathLike[str], made: Tensor) -> Chain:
        if isinstance(output, Tensor):
            return Chain(f"Tensor {output.signature}", None, output, card=self._card)
        path = self._output_path(expanded(output, "the path of an output"))
        dimensions, type_ = self.output["dimensions"], self.output["type"]
        tensor = read_tensor(path, dimensions, type_)
        stated = read_sidecar(path) or {}
        image = stated.get("image_sha256")
        if image not in {None, self.vector["image_sha256"]}:
            raise InvalidArgumentError(
                f"{path.name} was made of another image than the bundle's; run the bundle's script "
                f"without arguments, and compare what that writes"
            )
        fed: Tensor | None = None
        notes: tuple[str, ...] = ()
        beside = path.with_name(f"input-{made.signature}.tensor")
        if image is not None and beside.is_file():
            try:
                fed = read_tensor(beside)
            except WasiNnError as error:
                notes = (f"the input tensor cannot be read: {error}",)
        return Chain(
            f"{path.name}: Tensor {tensor.signature}", fed, tensor, card=self._card, notes=notes
        )

    def _output_path(self, path: Path) -> Path:
        if not is_folder(path):
            return existing_file(path, "output tensor")
        signature = "x".join([*map(str, self.output["dimensions"]), self.output["type"]])
        found = path / f"output-{signature}.tensor"
        if found.is_file():
            return found
        there = sorted(entry.name for entry in path.glob("*.tensor"))
        raise MissingFileError(
            f"no {found.name} in {path}; there {'are' if there else 'is'} "
            f"{listed(there) if there else 'no .tensor file'}: run the bundle's script without "
            f"arguments, or name the file"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled_fields(self)

    # -- showing -----------------------------------------------------------------------------------

    @property
    def _nowhere(self) -> str:
        names = [RUNTIMES.get(name, name) for name in self.runtimes]
        where = f"runs on neither {' nor '.join(names)}"
        if len(names) == 1:
            where = f"does not run on {names[0]}"
        return f"this bundle has no script: it {where}"

    @property
    def runs_nowhere(self) -> bool:
        """Whether every runtime that a script was asked for is known not to run it."""
        return None not in self.runtimes.values()

    def to_dict(self) -> dict[str, object]:
        """Return the bundle as plain JSON values."""
        return {
            "folder": str(self.folder),
            "model": self.card.name,
            "task": self.task,
            "encoding": self.encoding,
            "recipe": self.recipe.to_dict(),
            "output": dict(self.output),
            "vector": dict(self.vector),
            "runtimes": dict(self.runtimes),
            "notes": list(self.notes),
            "assumed": list(self.assumed),
        }

    def document(self) -> Document:
        """Return what there is to see: what is in the bundle, and where it runs."""
        signature = "x".join([*map(str, self.output["dimensions"]), self.output["type"]])
        facts = {
            "task": self.task,
            "input": repr(self.recipe).removeprefix("PreprocessRecipe(").removesuffix(")"),
            "output": f"{signature}, {self.output['values']}",
        }
        for runtime, reason in self.runtimes.items():
            where = f"./{script_name(runtime)}" if reason is None else f"no: {reason}"
            facts[RUNTIMES.get(runtime, runtime)] = where
        title = f"Bundle({self.card.name}, {self.encoding})"
        return Document(
            title,
            [
                Paragraph(title),
                *([Paragraph(self._nowhere, "strong")] if self.runs_nowhere else []),
                Facts(list(facts.items())),
                *(Paragraph(f"assumed: {inert(text)}") for text in self.assumed),
                *(Paragraph(f"note: {inert(text)}") for text in self.notes),
            ],
            show_title=False,
        )
