"""Follow the links of the built site to the answers of ``questions.md``: part of ``make docs``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

QUESTIONS: Final = Path(__file__).with_name("questions.md")
MOST_CLICKS: Final = 2


class Question(NamedTuple):
    """A question, the page that answers it, and words of the answer."""

    text: str
    page: str
    answer: str


def questions(path: Path = QUESTIONS) -> list[Question]:
    """Return the questions of a Markdown table.

    Parameters
    ----------
    path : Path
    """
    rows = re.findall(r"^\| (.+\?) \| (\S+) \| (.+) \|$", path.read_text("utf-8"), re.MULTILINE)
    return [Question(text, page, answer.replace("`", "")) for text, page, answer in rows]


def complaints(site: Path, asked: list[Question]) -> Iterator[str]:
    """Yield what a stranger would not find.

    Parameters
    ----------
    site : Path
        The folder of the built site.
    asked : list of Question

    Yields
    ------
    str
    """
    clicks = _clicks(site)
    for text, page, answer in asked:
        path = site / f"{page}.html"
        if path not in clicks:
            yield f"{text} {page} is more than {MOST_CLICKS} clicks from the start page"
        elif answer not in _text(path):
            yield f"{text} {page} does not say: {answer}"


def _clicks(site: Path) -> dict[Path, int]:
    """Return the pages within reach of the start page, by links in the text of the pages."""
    found = {site / "index.html": 0}
    edge = list(found)
    for click in range(1, MOST_CLICKS + 1):
        reached = dict.fromkeys(target for page in edge for target in _links(page))
        edge = [page for page in reached if page not in found and page.is_file()]
        found |= dict.fromkeys(edge, click)
    return found


def _links(page: Path) -> Iterator[Path]:
    for link in _article(page).find_all("a", href=True):
        parts = urlsplit(str(link["href"]))
        if not parts.scheme and parts.path:
            yield (page.parent / unquote(parts.path)).resolve()


def _text(page: Path) -> str:
    return " ".join(_article(page).get_text().split())


def _article(page: Path) -> BeautifulSoup:
    """Return the page's own text, without navigation bars."""
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    return soup.find("article") or soup


def main() -> int:
    """Check the site in the folder that is the first argument."""
    asked = questions()
    found = list(complaints(Path(sys.argv[1]).resolve(), asked))
    print("\n".join(found) or f"{len(asked)} questions are answered within {MOST_CLICKS} clicks")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
