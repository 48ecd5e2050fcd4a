"""`Diagnosis`: the answer, in a sentence, with what to change."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from PIL import Image

from wasinn_nb.diagnosis.candidates import Candidate
from wasinn_nb.diagnosis.output_alarms import Alarm
from wasinn_nb.diagnosis.remedies import Mistake
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.render import (
    Block,
    Code,
    Document,
    ImageBlock,
    ImageRow,
    Only,
    Paragraph,
    Report,
    Section,
    Table,
    encoded_image,
)

__all__ = ["MOST_CANDIDATES", "Diagnosis", "Remedy", "Verdict"]

Verdict = Literal["right", "mistake", "another image", "nothing fits", "alarm", "no alarm"]
MOST_CANDIDATES: Final = 12
"""How many candidates a diagnosis keeps."""
_FIRST: Final = 5  # in text and JSON


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about it.

    Attributes
    ----------
    recipe : PreprocessRecipe
        What the model takes.
    rust, python : tuple of str
        A line for each mistake.
    guest : tuple of str
        Lines of ``src/settings.rs`` in the project that :func:`wasinn_nb.guest_source` writes.
    """

    recipe: PreprocessRecipe
    rust: tuple[str, ...]
    python: tuple[str, ...]
    guest: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"use     {self.recipe}"]
        for name, code in (("Rust", self.rust), ("Python", self.python)):
            lines += [f"{name:7} {line}" for line in code]
        lines += [f"guest   {line}  // src/settings.rs of guest_source" for line in self.guest]
        return "\n".join(lines)

    def blocks(self) -> list[Block]:
        """Return the recipe and the lines of code for a document."""
        guest = "src/settings.rs of a guest that guest_source wrote"
        return [
            Code(repr(self.recipe), "The recipe to use"),
            Code("\n".join(self.rust), "Rust"),
            Code("\n".join(self.python), "Python"),
            *([Code("\n".join(self.guest), guest)] if self.guest else ()),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis(Report):
    """What :func:`diagnose` found.

    Parameters
    ----------
    subject : str
        What was examined.
    verdict : str
        ``"right"``; ``"mistake"``: named in `mistakes`; ``"another image"``: the tensor was not
        made from this image; ``"nothing fits"``; ``"alarm"`` or ``"no alarm"``: what an output
        shows without its image.
    sentence : str
        The cause.
    recipe : PreprocessRecipe or None
        What the model takes.
    candidates : tuple of Candidate
        The nearest first.  Where nothing fits they are for comparison, not causes.
    mistakes : tuple of Mistake
        What the program did differently from the model's recipe.
    alarms : tuple of Alarm
    notes : tuple of str
        Further remarks.
    pictures : tuple of (title, PIL.Image)
        For the page.
    assumed : tuple of str
        What of the recipe nothing states.

    Examples
    --------
    >>> fed = wn.PreprocessRecipe(512, 896)
    >>> diagnosis = wn.Diagnosis("a 1x3x512x896xf32 tensor", "right", "Right.", fed)
    >>> diagnosis
    Diagnosis of a 1x3x512x896xf32 tensor: right
    Right.
    """

    subject: str
    verdict: Verdict
    sentence: str
    recipe: PreprocessRecipe | None = None
    candidates: tuple[Candidate, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[tuple[str, Image.Image], ...] = field(default=())
    assumed: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether nothing is wrong, as far as is known."""
        return self.verdict in {"right", "no alarm"}

    @property
    def exact(self) -> bool:
        """Whether the cause explains every value."""
        named = self.verdict in {"right", "mistake"}
        return named and bool(self.candidates) and self.candidates[0].exact

    @property
    def remedy(self) -> Remedy | None:
        """What to change; None where no cause is known."""
        if self.recipe is None or not self.mistakes:
            return None
        rust = tuple(dict.fromkeys(mistake.rust for mistake in self.mistakes))
        python = tuple(dict.fromkeys(mistake.python for mistake in self.mistakes))
        guest = tuple(dict.fromkeys(one.guest for one in self.mistakes if one.guest))
        return Remedy(self.recipe, rust, python, guest)

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain JSON values."""
        remedy = self.remedy
        return {
            "subject": self.subject,
            "verdict": self.verdict,
            "right": self.right,
            "exact": self.exact,
            "sentence": self.sentence,
            "mistakes": [
                {"axis": m.axis, "found": m.found, "expected": m.expected} for m in self.mistakes
            ],
            "remedy": remedy
            and {
                "recipe": remedy.recipe.to_dict(),
                "rust": list(remedy.rust),
                "python": list(remedy.python),
                "guest": list(remedy.guest),
            },
            "candidates": [
                {
                    "name": c.name,
                    "distance": c.distance if math.isfinite(c.distance) else None,
                    "unit": c.unit,
                    "exact": c.exact,
                }
                for c in self.candidates[:_FIRST]
            ],
            "alarms": [{"name": a.name, "sentence": a.sentence} for a in self.alarms],
            "notes": list(self.notes),
            "assumed": list(self.assumed),
        }

    def document(self) -> Document:
        """Return what there is to see: the sentence, what to change, and the candidates."""
        remedy = self.remedy
        verdict = f"{self.verdict}{', exact' if self.exact else ''}"
        verdict += ", assumed recipe" if self.assumed else ""
        others = [f"also: {a.sentence}" for a in self.alarms if a.sentence != self.sentence]
        text: list[Block] = [
            *([] if remedy is None else [Code(str(remedy))]),
            *map(Paragraph, others),
            *_candidate_tables(self.candidates[:_FIRST]),
        ]
        html = [
            Section("What to change", [] if remedy is None else remedy.blocks()),
            Section("What was done differently", _mistake_tables(self.mistakes)),
            Section("Alarms", _alarm_tables(self.alarms)),
            Section("Candidates", _candidate_tables(self.candidates)),
        ]
        rows = [
            ImageBlock(functools.partial(encoded_image, image), title, title)
            for title, image in self.pictures
        ]
        images = [Section("Images", [ImageRow(rows)])] if rows else []
        return Document(
            f"Diagnosis of {self.subject}: {verdict}",
            [
                Paragraph(self.sentence, "good" if self.right else "bad"),
                *map(Paragraph, self.notes),
                Only(("text",), text),
                Only(("notebook", "page"), html),
                Only(("page",), images),
            ],
        )


def _mistake_tables(mistakes: Sequence[Mistake]) -> list[Table]:
    rows = [(mistake.axis, mistake.found, mistake.expected) for mistake in mistakes]
    return [Table(["what", "the program", "the model"], rows)] if rows else []


def _alarm_tables(alarms: Sequence[Alarm]) -> list[Table]:
    rows = [(alarm.name, alarm.sentence) for alarm in alarms]
    marked = [index for index, alarm in enumerate(alarms) if alarm.serious]
    return [Table(["alarm", "why"], rows, marked=marked)] if rows else []


def _candidate_tables(candidates: Sequence[Candidate]) -> list[Table]:
    rows = [(number, one.name, one.off) for number, one in enumerate(candidates, 1)]
    return [Table(["#", "candidate", "distance"], rows)] if rows else []
