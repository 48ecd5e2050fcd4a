"""One Chromium, one JupyterLab and one Voila for all browser tests.

What each test leaves on screen is kept in ``out/browser``, what a failed one left as ``FAILED-…``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from browser.chromium import FLAGS, MISSING, program
from browser.explorers import SHIPPED, ExplorerPage
from browser.models import write_known, write_models
from browser.pages import PATIENCE, SHOTS, Error, Notebook, expect, sync_playwright
from browser.servers import Server, start_lab, start_voila

VIEWPORT = {"width": 1280, "height": 1000}


def absent(reason: str) -> NoReturn:
    """Skip, or fail where a skip would hide that nothing was tested."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; in CI that is a failure", pytrace=False)
    pytest.skip(f"BROWSER TESTS ARE SKIPPED: {reason}")


@pytest.fixture(scope="package")
def browser(tmp_path_factory):
    """Chromium without a window; its event loop ends with the last test of this folder."""
    if sync_playwright is None:
        absent("playwright is not installed (pip install playwright)")
    path = program()
    if path is None:
        absent(MISSING)
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir(parents=True)
    expect.set_options(timeout=PATIENCE / 2)
    home = tmp_path_factory.mktemp("chromium")
    playwright = sync_playwright().start()
    try:
        made = playwright.chromium.launch(
            executable_path=path, args=FLAGS, env=os.environ | {"HOME": str(home)}
        )
        yield made
        made.close()
    finally:
        playwright.stop()


@pytest.fixture(scope="package")
def context(browser):
    """A profile; its cache makes all pages but the first load fast."""
    made = browser.new_context(viewport=VIEWPORT)
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    yield made
    made.close()


@pytest.fixture(scope="package")
def models(tmp_path_factory):
    """The folder of ``WASINN_NB_PATH``."""
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
def write_card(models):
    """Write the card of a model that can be fetched; take it away after the test."""
    written = []

    def write(name: str, address: str) -> dict[str, bytes]:
        written.append(models / name)
        return write_known(models, name, address)

    yield write
    for folder in written:
        shutil.rmtree(folder)


@pytest.fixture(scope="package")
def lab(browser, models, tmp_path_factory):
    server = start_lab(tmp_path_factory.mktemp("lab"), WASINN_NB_PATH=str(models))
    yield server
    server.stop()


@pytest.fixture(scope="package")
def voila(browser, tmp_path_factory):
    server = start_voila(
        tmp_path_factory.mktemp("voila"),
        WASINN_NB_IMAGE="city-island",
        WASINN_NB_TARGET="AUTO",
    )
    yield server
    server.stop()


@pytest.fixture(scope="package")
def open_notebook(context, lab):
    """Write a notebook and open it in JupyterLab: ``with open_notebook("a", "1 + 1") as a:``."""

    @contextmanager
    def opened(name: str, *cells: str) -> Iterator[Notebook]:
        lab.write(f"{name}.ipynb", *cells)
        notebook = Notebook(context, lab, f"{name}.ipynb")
        try:
            yield notebook
        finally:
            notebook.close()

    return opened


@pytest.fixture(scope="module")
def explorer_notebook(open_notebook):
    """A notebook with an explorer that has run."""
    with open_notebook(
        "explorer", "import wasinn_nb as wn", "explorer = wn.Explorer()\nexplorer"
    ) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def explorer(explorer_notebook, browser):
    """The explorer with its first choices."""
    page = ExplorerPage(explorer_notebook)
    explorer_notebook.kernel.run(
        "explorer.panel.compare = False\n"
        f"explorer.models.value = {SHIPPED!r}\n"
        "explorer.images.value = 'city-crosswalk'\n"
        "explorer.targets.value, explorer.targets.precision = 'CPU', 'f32'\n"
        "explorer.viewer.mode, explorer.viewer.opacity = 'overlay', 0.5\n"
    )
    page.wait_until_painted()
    return page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep what is on screen at the end of every test, and wherever one fails."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if browser and (report.failed or report.when == "call"):
        mark = f"FAILED-{report.when}-" if report.failed else ""
        name = re.sub(r"\W+", "-", f"{item.path.stem}-{item.name}").strip("-")[:100]
        pages = [page for context in browser.contexts for page in context.pages]
        for number, page in enumerate(pages):
            try:
                page.screenshot(path=SHOTS / f"{mark}{name}-{number}.png")
            except Error as error:  # a page that hangs; the report is what matters
                report.sections.append(("screenshot", str(error)))
    if report.failed:
        for name, made in getattr(item, "funcargs", {}).items():
            if isinstance(made, Server):
                printed = made.log.read_text(errors="replace")
                report.sections.append((f"the end of what {name} printed", printed[-4000:]))
    return report
