"""`Diagnosis`: the answer, in a sentence, with what to change."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final, Literal

from PIL import Image

from wasinn_nb.diagnosis.alarms import Alarm
from wasinn_nb.diagnosis.candidates import Candidate
from wasinn_nb.diagnosis.remedies import Mistake
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.render import html_table, image_html, text_table, write_page

__all__ = ["MOST_CANDIDATES", "Diagnosis", "Remedy", "Verdict"]

Verdict = Literal["right", "mistake", "another image", "nothing fits", "alarm", "no alarm"]
MOST_CANDIDATES: Final = 12
"""How many candidates a diagnosis keeps."""
_SHOWN: Final = 5
_HEADINGS: Final = ("#", "candidate", "distance")


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about it.

    Attributes
    ----------
    recipe : PreprocessRecipe
        What the model takes.
    rust, python : tuple of str
        A line for each mistake.
    """

    recipe: PreprocessRecipe
    rust: tuple[str, ...]
    python: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"use     {self.recipe}"]
        for name, said in (("Rust", self.rust), ("Python", self.python)):
            lines += [f"{name:7} {line}" for line in said]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis:
    """What :func:`diagnose` found.

    Parameters
    ----------
    subject : str
        What was looked at.
    verdict : str
        ``"right"``; ``"mistake"``: named in `mistakes`; ``"another image"``: the tensor was not
        made from this image; ``"nothing fits"``; ``"alarm"`` or ``"no alarm"``: what an output
        shows without its image.
    sentence : str
        The cause.
    recipe : PreprocessRecipe or None
        What the model takes.
    candidates : tuple of Candidate
        The nearest first.  Where nothing fits they are told for comparison, not as causes.
    mistakes : tuple of Mistake
        What the program did otherwise than the model's recipe.
    alarms : tuple of Alarm
    notes : tuple of str
        What there is to know besides.
    pictures : tuple of (title, PIL.Image)
        For the page.
    assumed : tuple of str
        What of the recipe nothing states.

    Examples
    --------
    >>> fed = PreprocessRecipe(512, 896)
    >>> diagnosis = Diagnosis("a 1x3x512x896xf32 tensor", "right", "Right.", fed)
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
        """Whether nothing is wrong, as far as can be seen."""
        return self.verdict in {"right", "no alarm"}

    @property
    def exact(self) -> bool:
        """Whether the cause explains every value."""
        named = self.verdict in {"right", "mistake"}
        return named and bool(self.candidates) and self.candidates[0].exact

    @property
    def remedy(self) -> Remedy | None:
        """What to change; None where no cause is shown."""
        if self.recipe is None or not self.mistakes:
            return None
        rust = tuple(dict.fromkeys(mistake.rust for mistake in self.mistakes))
        python = tuple(dict.fromkeys(mistake.python for mistake in self.mistakes))
        return Remedy(self.recipe, rust, python)

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
            },
            "candidates": [
                {
                    "name": c.name,
                    "distance": c.distance if math.isfinite(c.distance) else None,
                    "unit": c.unit,
                    "exact": c.exact,
                }
                for c in self.candidates[:_SHOWN]
            ],
            "alarms": [{"name": a.name, "sentence": a.sentence} for a in self.alarms],
            "notes": list(self.notes),
            "assumed": list(self.assumed),
        }

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write one self-contained page: sentence, remedy, candidates, pictures.

        Parameters
        ----------
        path : path-like
            The page appears whole or not at all.

        Returns
        -------
        Path
        """
        return write_page(path, f"Diagnosis of {self.subject}", self._sections())

    def _sections(self) -> list[tuple[str, str]]:
        colour = "#1a7f37" if self.right else "#d1242f"
        head = (
            f'<p style="color:{colour};font-weight:600">{escape(self._verdict_line())}</p>'
            f"<p>{escape(self.sentence)}</p>" + "".join(f"<p>{escape(n)}</p>" for n in self.notes)
        )
        sections = [("", head)]
        remedy = self.remedy
        if remedy is not None:
            code = "".join(
                f"<p>{name}</p><pre><code>{escape(chr(10).join(lines))}</code></pre>"
                for name, lines in (("Rust", remedy.rust), ("Python", remedy.python))
            )
            recipe = f"<p>The recipe to use: <code>{escape(repr(remedy.recipe))}</code></p>"
            sections.append(("What to change", recipe + code))
        if self.mistakes:
            rows = [(m.axis, m.found, m.expected) for m in self.mistakes]
            table = html_table(("what", "the program", "the model"), rows)
            sections.append(("What was done otherwise", table))
        if self.alarms:
            cells = [(a.name, a.sentence) for a in self.alarms]
            marked = [i for i, a in enumerate(self.alarms) if a.serious]
            sections.append(("Alarms", html_table(("alarm", "why"), cells, marked=marked)))
        if self.candidates:
            sections.append(("Candidates", html_table(_HEADINGS, self._rows(self.candidates))))
        for title, picture in self.pictures:
            sections.append((title, image_html(picture, title)))
        return sections

    def _verdict_line(self) -> str:
        exact = ", exact" if self.exact else ""
        return f"{self.verdict}{exact}{', assumed recipe' if self.assumed else ''}"

    def _rows(self, candidates: Sequence[Candidate]) -> list[tuple[str, str, str]]:
        return [
            (str(number), candidate.name, candidate.off)
            for number, candidate in enumerate(candidates, 1)
        ]

    def __repr__(self) -> str:
        lines = [f"Diagnosis of {self.subject}: {self._verdict_line()}", self.sentence, *self.notes]
        if self.remedy is not None:
            lines.append(str(self.remedy))
        lines += [f"also: {a.sentence}" for a in self.alarms if a.sentence != self.sentence]
        if self.candidates:
            lines.append(text_table(_HEADINGS, self._rows(self.candidates[:_SHOWN])))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [
            f"<p><strong>Diagnosis of {escape(self.subject)}</strong></p>",
            *(
                (f"<p><strong>{escape(title)}</strong></p>" if title else "") + html
                for title, html in self._sections()
                if not html.startswith("<img")
            ),
        ]
        return "<div>" + "".join(parts) + "</div>"
