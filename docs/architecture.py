"""Draw the packages and the order of their imports, from the contract that import-linter keeps."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
CONTRACT: Final = "Floors: imports only downward"

WIDTH, ROW, GAP, MARGIN = 760, 34, 8, 12
"""Pixels: the figure's width, the height of a layer, the space between two, the border."""

STYLE: Final = (
    "text{font:13px system-ui,sans-serif;text-anchor:middle;fill:#1f2328}"
    ".box{fill:#eef2f7;stroke:#5b7083}.arrow{stroke:#5b7083;fill:none;stroke-width:1.5}"
)


def layers() -> list[list[str]]:
    """Return the layers from top to bottom, each with its packages.

    Examples
    --------
    >>> layers()[-1]
    ['abi', 'wording']
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (found,) = (contract for contract in contracts if contract["name"] == CONTRACT)
    return [re.split(r"\s*\|\s*", layer) for layer in found["layers"]]


def draw(rows: Sequence[Sequence[str]]) -> str:
    """Return an SVG figure of layers; each may import from those below it.

    Parameters
    ----------
    rows : sequence of sequences of str
        The layers from top to bottom, each with its packages.

    Returns
    -------
    str
        The SVG document.
    """
    height = 2 * MARGIN + len(rows) * (ROW + GAP) - GAP
    end = height - MARGIN - 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            "<title>The packages; each imports from those below it only</title>",
            f"<style>{STYLE}</style>",
            *(part for number, row in enumerate(rows) for part in _row(number, row)),
            f'<path class="arrow" d="M {WIDTH - 24} {MARGIN} V {end} m -5 -8 l 5 8 l 5 -8"/>',
            "</svg>",
        ]
    )


def _row(number: int, names: Sequence[str]) -> Iterator[str]:
    top = MARGIN + number * (ROW + GAP)
    space = WIDTH - 48 - MARGIN
    wide = (space - GAP * (len(names) - 1)) / len(names)
    for place, name in enumerate(names):
        left = MARGIN + place * (wide + GAP)
        box = f'x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{ROW}"'
        yield f'<rect class="box" {box} rx="4"/>'
        yield f'<text x="{left + wide / 2:.1f}" y="{top + ROW / 2 + 4.5}">{escape(name)}</text>'


def write(path: Path) -> None:
    """Write the figure of the package's layers.

    Parameters
    ----------
    path : Path
        The SVG file.
    """
    path.write_text(draw(layers()), "utf-8")


if __name__ == "__main__":
    write(ROOT / "docs" / "explanation" / "architecture.svg")
