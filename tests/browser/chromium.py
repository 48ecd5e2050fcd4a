"""Chromium without a window: which program, and how it is started."""

from __future__ import annotations

import shutil

PROGRAMS = ["chromium", "chromium-browser", "google-chrome"]
FLAGS = [
    "--no-sandbox",  # root has none, and neither have most containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = f"none of {', '.join(PROGRAMS)} is installed (apt-get install chromium)"


def program() -> str | None:
    """Return the path of the first one that is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launch(playwright):
    """Return a browser for a script of its own; it ends with a word where there is none."""
    path = program()
    if path is None:
        raise SystemExit(MISSING)
    return playwright.chromium.launch(executable_path=path, args=FLAGS)
