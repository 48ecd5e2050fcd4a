"""What a model takes, gives and states, what is assumed, and the Python that runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import ModelCard, Port, Stated, clean_text
from wasinn_nb.errors import WasiNnError
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.literals import literal
from wasinn_nb.render import Code, Document, Facts, Section, Showing
from wasinn_nb.wasi_nn import port_bytes, rust_declaration
from wasinn_nb.wording import counted

__all__ = ["ModelDescription", "listed"]

_MOST_NAMES: Final = 20
_MOST_METADATA: Final = 12
_MOST_NAME: Final = 60
# Of a card, what has a row of its own, or none.
_NOT_LISTED: Final = frozenset({"name", "encoding", "classes", "recipe", "palette"})


@dataclass(frozen=True, slots=True, repr=False)
class ModelDescription(Showing):
    """What is known of a model before it runs, and what is not.

    Parameters
    ----------
    name : str
        On the card.
    path : str
        Of the model's main file, as it was given.
    encoding : GraphEncoding
    runtime : str
        The engine that read it; nothing was compiled.
    inputs, outputs : tuple of Port
    stated : Stated
        By the model's file.
    card : ModelCard
    card_source : str
        Where the card comes from; empty where there is none.
    task : str
        The task that reads the model; empty where none can.
    recipe : PreprocessRecipe or None
        Of the model's image; None where it does not take one image.
    reading : mapping
        How the output is read, in words.
    assumed : tuple of str
        What nothing states, in words; the ``assumed`` of results is the same.
    assumed_fields : mapping
        The fields of a card that state what is assumed, with the values that are assumed; and
        ``classes`` where they have no names.
    refusal : str
        Why no task can read the model; empty where one can.
    card_line : str
        The Python that writes a card which states what is assumed; empty where nothing is.
    python : str
        The Python that runs the model: in one call, or by the five calls where no task reads it.
    error : WasiNnError or None
        What `refusal` is the message of, with its remedy as values.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> description = wn.describe()
    >>> description.task, description.assumed, description.refusal
    ('segmentation', (), '')
    >>> print(description.python)
    import wasinn_nb as wn
    <BLANKLINE>
    result = wn.segment(wn.image())
    """

    name: str
    path: str
    encoding: GraphEncoding
    runtime: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    stated: Stated
    card: ModelCard
    card_source: str
    task: str
    recipe: PreprocessRecipe | None
    reading: Mapping[str, str]
    assumed: tuple[str, ...]
    assumed_fields: Mapping[str, Any]
    refusal: str
    card_line: str
    python: str
    error: WasiNnError | None = field(default=None, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the description as plain JSON values."""
        stated = self.stated
        return {
            "model": self.name,
            "path": self.path,
            "encoding": self.encoding.name.lower(),
            "runtime": self.runtime,
            "task": self.task or None,
            "inputs": [_port_dict(port, "input") for port in self.inputs],
            "outputs": [_port_dict(port, "output") for port in self.outputs],
            "stated": {
                "task": stated.task,
                "classes": list(stated.classes),
                "recipe": _plain(stated.recipe),
                "producer": stated.producer,
                "version": stated.version,
                "metadata": dict(stated.facts),
            },
            "card": self.card.to_dict() if self.card_source else None,
            "card_source": self.card_source or None,
            "recipe": None if self.recipe is None else self.recipe.to_dict(),
            "reading": dict(self.reading),
            "assumed": list(self.assumed),
            "assumed_fields": _plain(self.assumed_fields),
            "refusal": self.refusal or None,
            "card_line": self.card_line or None,
            "python": self.python or None,
        }

    def document(self) -> Document:
        """Return what there is to see: facts under headings, and code that can be pasted."""
        card = f"stated by the card ({clean_text(self.card_source)})"
        run = "runs it" if self.task else "runs it by the five calls"
        keep = f"card.write({literal(self.path)})" if self.card_line else ""
        if keep:
            run += "; change what is assumed where it is not right"
        sections = {
            "file": self._file_rows(),
            "inputs": [_port_row(i, p, "input") for i, p in enumerate(self.inputs)],
            "outputs": [_port_row(i, p, "output") for i, p in enumerate(self.outputs)],
            "stated by the file": _stated_rows(self.stated),
            card if self.card_source else "stated by a card": _card_rows(self.card)
            if self.card_source
            else [("", "nothing: the model has none")],
            "read as": self._reading_rows(),
            "assumed, because nothing states it": [("", text) for text in self.assumed],
            "why no task reads it": [("", self.refusal)] if self.refusal else [],
        }
        codes = {
            run: self.python,
            "keeps the card beside the model, where every call finds it": keep,
        }
        return Document(
            f"{self.name}: {self.task or 'no task reads it'}",
            [
                *(Section(heading, [Facts(rows)]) for heading, rows in sections.items() if rows),
                *(Section("", [Code(code, heading)]) for heading, code in codes.items() if code),
            ],
        )

    def _file_rows(self) -> list[tuple[str, str]]:
        stated = self.stated
        rows = [
            ("path", self.path),
            ("format", ", ".join(filter(None, [self.encoding.name.lower(), stated.version]))),
            ("written by", stated.producer),
            ("weights in", listed([path.name for path in stated.weights])),
            ("read by", self.runtime),
        ]
        return [(label, text) for label, text in rows if text]

    def _reading_rows(self) -> list[tuple[str, str]]:
        rows = [] if self.recipe is None else [("recipe", _recipe_words(self.recipe))]
        return [*rows, *((name, clean_text(text, 2000)) for name, text in self.reading.items())]


# -- rows ------------------------------------------------------------------------------------------


def _stated_rows(stated: Stated) -> list[tuple[str, str]]:
    rows = []
    if stated.task:
        rows.append(("task", clean_text(stated.task)))
    if stated.classes:
        rows.append(("classes", listed(stated.classes)))
    if stated.recipe:
        fields = (f"{name} {literal(value)}" for name, value in stated.recipe.items())
        rows.append(("recipe", ", ".join(fields)))
    facts = list(stated.facts.items())
    rows += [("metadata", f"{name}: {text}") for name, text in facts[:_MOST_METADATA]]
    if (more := len(facts) - _MOST_METADATA) > 0:
        rows.append(("metadata", f"and {more} more"))
    return rows or [("", "nothing but its inputs and outputs")]


def _card_rows(card: ModelCard) -> list[tuple[str, str]]:
    rows = [("name", card.name)]
    if card.recipe is not None:
        rows.append(("recipe", _recipe_words(card.recipe)))
    if card.classes:
        rows.append(("classes", listed(card.classes)))
    for name, value in card.to_dict().items():
        if name == "precisions":
            rows.append((name, listed(list(value))))
        elif name == "figures":
            rows.append((name, listed([f"{key} {number:g}" for key, number in value.items()])))
        elif name not in _NOT_LISTED:
            rows.append((name, clean_text(value)))
    return rows


def _port_row(index: int, port: Port, kind: str) -> tuple[str, str]:
    name = clean_text(port.name, _MOST_NAME)
    words = [f"{name} {port.signature}".strip()]
    size = port_bytes(port)
    if port.type is None:
        words.append("a type that WASI-NN does not have")
    elif size is None:
        words.append("a size is open")
    else:
        words.append(counted(size, "byte"))
    if port.type is not None and not port.type.in_wasi_nn:
        words.append("a type that WASI-NN does not have: in Python only")
    if port.layout:
        words.append(f"layout {port.layout}")
    lines = [", ".join(words)]
    if port.quantization is not None:
        scale, zero_point = port.quantization
        lines.append(f"quantized: {scale:g} * (value - {zero_point})")
    if rust := rust_declaration(port, kind):
        lines.append(rust)
    return str(index), "\n".join(lines)


def _port_dict(port: Port, kind: str) -> dict[str, Any]:
    return {
        "name": port.name,
        "dimensions": list(port.dimensions),
        "type": port.type_name,
        "bytes": port_bytes(port),
        "rust": rust_declaration(port, kind) or None,
        "layout": port.layout or None,
        "operation": port.operation or None,
        "quantization": None if port.quantization is None else list(port.quantization),
    }


def _recipe_words(recipe: PreprocessRecipe) -> str:
    return repr(recipe).removeprefix("PreprocessRecipe(").removesuffix(")")


def listed(names: Sequence[str]) -> str:
    """Return names in one line; of many, the first ones and how many there are.

    Examples
    --------
    >>> listed(["road", "sky"]), listed(["tench, Tinca tinca", "cock"])
    ('road, sky', 'tench, Tinca tinca; cock')
    """
    cleaned = [clean_text(name, _MOST_NAME) for name in names[:_MOST_NAMES]]
    between = "; " if any("," in name for name in cleaned) else ", "
    text = between.join(cleaned)
    return text if len(names) <= _MOST_NAMES else f"{text}{between}... ({len(names)} in all)"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: mappings as objects, tuples as lists."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return list(value) if isinstance(value, tuple) else value
