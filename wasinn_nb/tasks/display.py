"""What the documents of all results share: what was assumed, and what made them."""

from __future__ import annotations

from collections.abc import Sequence

from wasinn_nb import render
from wasinn_nb.cards import ModelCard, card_line
from wasinn_nb.origin import Origin

__all__ = ["assumed_blocks", "assumed_text", "details", "remark_blocks"]


def assumed_text(assumed: Sequence[str]) -> str:
    """Return what was assumed as one line; empty where nothing was.

    Examples
    --------
    >>> assumed_text(["BGR", "scores are logits, by their values"])
    'assumed: BGR; scores are logits, by their values'
    """
    return f"assumed: {'; '.join(assumed)}" if assumed else ""


def assumed_blocks(assumed: Sequence[str], card: ModelCard, origin: Origin) -> list[render.Block]:
    """Return what was assumed and, for notebooks and pages, the Python that states it."""
    code = card_line(origin.main_file, assumed, card, origin.recipe)
    stating = render.Code(code, "state what is assumed, corrected where it is not right")
    return [
        render.Paragraph(assumed_text(assumed)),
        render.Only(("notebook", "page"), [stating] if code else []),
    ]


def remark_blocks(remarks: Sequence[str]) -> list[render.Block]:
    """Return what a reader should know of a result, a paragraph each."""
    return [render.Paragraph(remark, "bad") for remark in remarks]


def details(origin: Origin) -> render.Section:
    """Return recipe, files and versions as a section that is folded away."""
    rows = [] if origin.recipe is None else [("recipe", repr(origin.recipe))]
    rows += [(f"SHA-384 of {name}", digest) for name, digest in origin.files.items()]
    rows += [("runtime", origin.runtime), *origin.versions.items()]
    return render.Section("Details", [render.Facts(rows)], folded=True, folded_on_page=True)
