"""A notebook in a page of JupyterLab, and what a person does with it; other pages."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from browser.kernels import Kernel
from browser.servers import Server

try:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        Error,
        Locator,
        Page,
        WebSocket,
        expect,
        sync_playwright,
    )
except ModuleNotFoundError:  # the fixture `browser` says so
    Error = expect = sync_playwright = None

SHOTS = Path(__file__).resolve().parents[2] / "out/browser"
PATIENCE = 60_000  # milliseconds; the machine may be busy
# Of Notebook 7 itself: the announcements that are switched off here, and a command that one of its
# plugins calls before another one has it.
NOT_OURS = "(reading 'schema')", "Command 'filebrowser:open-path' not registered"


class Notebook:
    """A notebook that is open in JupyterLab."""

    def __init__(self, context: BrowserContext, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.sent: list[bytes | str] = []  # frames from the page to the kernel
        self.errors: list[str] = []  # uncaught exceptions of the page
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE / 2)
        self.page.on("websocket", self._listen)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._kernel: Kernel | None = None
        workspace = f"{server.url}/lab/workspaces/{Path(name).stem}"
        self.page.goto(f"{workspace}/tree/{name}?reset&token={server.token}")
        self.wait_open()

    def _listen(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framesent", self._keep)

    def _keep(self, frame: bytes | str) -> None:  # Playwright takes no built-in as a listener
        self.sent.append(frame)

    def wait_open(self) -> None:
        """Wait until the notebook is on screen and its kernel answers."""
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible(timeout=PATIENCE)
        self.wait_idle()

    def output(self, cell: int) -> Locator:
        """Return what stands below a code cell."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputWrapper")

    def wait_idle(self) -> None:
        """Wait until the kernel is idle, says the server, and then the page."""
        self.until(lambda: self.server.is_idle(self.name), "the kernel is idle")
        indicator = self.page.locator(".jp-Notebook-ExecutionIndicator")
        expect(indicator).to_have_attribute("data-status", "idle", timeout=PATIENCE)

    @property
    def kernel(self) -> Kernel:
        """The kernel, asked from here."""
        if self._kernel is None:
            runtime = Path(self.server.environment["JUPYTER_RUNTIME_DIR"])
            found = self.server.kernel_of(self.name)
            self._kernel = Kernel(runtime / f"kernel-{found['id']}.json")
        return self._kernel

    def menu(self, *path: str) -> None:
        """Choose from the main menu: ``menu("Run", "Run All Cells")``."""
        bar, *items = path
        self.page.get_by_role("menubar").get_by_role("menuitem", name=bar, exact=True).click()
        for item in items:
            self.page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()

    @contextmanager
    def theme(self, name: str) -> Iterator[None]:
        """Show JupyterLab in its theme of that name inside, ``"Light"`` or ``"Dark"``."""
        self._choose_theme(name)
        try:
            yield
        finally:
            self._choose_theme("Light")

    def _choose_theme(self, name: str) -> None:
        self.menu("Settings", "Theme", f"JupyterLab {name}")
        light = "true" if name == "Light" else "false"
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-light", light)

    def run_all(self) -> None:
        """Run all cells through the menu and wait for the last to end."""
        with self.running():
            self.menu("Run", "Run All Cells")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Wait until all cells, which what is done inside runs, have ended, and none has failed."""
        before = len(self.sent)
        yield
        prompts = self.page.locator(".jp-CodeCell .jp-InputArea-prompt")
        cells = prompts.count()

        def sent() -> bool:
            frames = [one if isinstance(one, bytes) else one.encode() for one in self.sent[before:]]
            return sum(b"execute_request" in one for one in frames) >= cells

        self.until(sent, f"the {cells} cells are on their way")
        expect(prompts).to_have_text([re.compile(r"\[\d+\]")] * cells, timeout=PATIENCE)
        failed = self.page.locator('[data-mime-type="application/vnd.jupyter.error"]')
        assert failed.count() == 0, failed.first.inner_text()

    def run_cell(self, cell: int) -> None:
        """Run one code cell, as Ctrl+Enter does, and wait for its end."""
        one = self.page.locator(".jp-CodeCell").nth(cell)
        prompt = one.locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        one.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.until(
            lambda: re.fullmatch(r"\[\d+\]:?", now := prompt.inner_text()) and now != before,
            f"cell {cell} has run",
        )
        self.wait_idle()

    def restart(self) -> None:
        """Restart the kernel, through the menu."""
        self._let_go()
        self.menu("Kernel", "Restart Kernel…")
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()

    def restart_and_run_all(self) -> None:
        """Restart the kernel and run all cells, through the menu."""
        self._let_go()
        with self.running():
            self.menu("Kernel", "Restart Kernel and Run All Cells…")
            self.page.get_by_role("button", name="Confirm Kernel Restart").click()

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until *condition* holds; the page goes on meanwhile."""
        wait_until(self.page, condition, what)

    def save(self) -> dict:
        """Save through the menu and return the notebook from the disk."""
        path = self.server.root / self.name
        before = path.stat().st_mtime_ns
        self.menu("File", "Save Notebook")
        saved: dict = {}

        def written() -> dict:
            if path.stat().st_mtime_ns != before:
                with suppress(json.JSONDecodeError):  # half of it is there
                    saved.update(json.loads(path.read_text()))
            return saved

        self.until(written, "the notebook is saved")
        return saved

    def keep(self, name: str) -> None:
        """Keep what is on screen in the middle of a test."""
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def shut_down(self) -> None:
        """Shut the kernel down, through the menu."""
        self.menu("Kernel", "Shut Down Kernel")
        self.until(lambda: not self.server.kernel_of(self.name), "the kernel is gone")
        self._let_go()

    def _let_go(self) -> None:
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def reload(self) -> None:
        """Load the page again, as F5 does."""
        self.page.reload()
        self.wait_open()

    def close(self) -> None:
        """Close the page and end its kernel."""
        self._let_go()
        self.page.close()
        if kernel := self.server.kernel_of(self.name):  # its memory is the next one's
            self.server.api(f"kernels/{kernel['id']}", "DELETE")


@contextmanager
def opened_page(where: Browser | BrowserContext, url: str, **options: object) -> Iterator[Page]:
    """Open a page with Playwright's *options*; it must not have had an uncaught exception."""
    page = where.new_page(**options)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        yield page
        own = [one for one in errors if not any(part in one for part in NOT_OURS)]
        assert not own, "; ".join(own)
    finally:
        page.close()


@contextmanager
def notebook_seven(
    where: Browser | BrowserContext, server: Server, name: str, cell: str, **options: object
) -> Iterator[Page]:
    """Write a notebook of one cell, open it in Notebook 7, and run the cell."""
    server.write(name, cell)
    url = f"{server.url}/notebooks/{name}?token={server.token}"
    with opened_page(where, url, **options) as page:
        expect(page.locator(".jp-NotebookKernelLogo")).to_be_visible()
        wait_until(page, lambda: server.is_idle(name), "the kernel is idle")
        page.locator(".jp-CodeCell .cm-content").click()
        page.keyboard.press("Shift+Enter")
        yield page


def wait_until(page: Page, condition: Callable[[], object], what: str) -> None:
    """Wait until *condition* holds; the page goes on meanwhile."""
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < end, f"not within {PATIENCE} ms: {what}"
        page.wait_for_timeout(50)
