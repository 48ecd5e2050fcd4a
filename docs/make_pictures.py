"""Make the README's picture from what the package ships: ``make pictures``."""

from __future__ import annotations

from pathlib import Path

import wasinn_nb as wn

HERE = Path(__file__).parent


def main() -> None:
    """Draw photograph, mask and masked photograph of the shipped start picture."""
    figure = wn.segment(resize="triangle").plot()
    figure.savefig(HERE / "segment.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
