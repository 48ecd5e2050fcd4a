"""Write the reference of the command line, from the program's own help."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parent / "reference" / "cli.md"
COMMAND: Final = ["typer", "wasinn_nb.cli.program", "utils", "docs", "--name", "wasinn-nb"]


def with_whole_summaries(text: str) -> str:
    r"""Return the page with the whole first sentence of each verb in its list.

    Parameters
    ----------
    text : str
        Typer's Markdown, which cuts them.

    Examples
    --------
    >>> with_whole_summaries("* `run`: Run a...\n\n## `wasinn-nb run`\n\nRun a guest.\n")
    '* `run`: Run a guest.\n\n## `wasinn-nb run`\n\nRun a guest.\n'
    """
    summaries = dict(re.findall(r"^## `wasinn-nb (\S+)`\n\n(.+)$", text, re.MULTILINE))

    def whole(found: re.Match[str]) -> str:
        return f"* `{found[1]}`: {summaries.get(found[1], found[2])}"

    return re.sub(r"^\* `([a-z]+)`: (.+)$", whole, text, flags=re.MULTILINE)


def write() -> None:
    """Write the page."""
    command = [sys.executable, "-m", *COMMAND, "--title", "Command line", "--output", str(PAGE)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed words
    PAGE.write_text(with_whole_summaries(PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    write()
