"""JupyterLab, Voila and marimo as a person starts them, with folders and settings of their own."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from ipc_kernels import OPTION

TREE = Path(__file__).resolve().parents[2]
START = 90  # seconds; on an idle machine JupyterLab needs three


class Server:
    """A server in a process of its own, and the folder that it serves."""

    def __init__(
        self, command: list[str], folder: Path, ready: str, token: str = "", **environment: str
    ) -> None:
        """Start ``python -m command`` in *folder*; it is up when its log says *ready*."""
        self.token = token
        self.root = folder / "root"
        self.root.mkdir(exist_ok=True)
        self.log = folder / "log.txt"
        # Their paths stand in socket addresses, which hold a hundred characters.
        self._kernels = tempfile.TemporaryDirectory(prefix="kernels-")
        self.environment = _environment(folder) | {"JUPYTER_RUNTIME_DIR": self._kernels.name}
        self.environment |= environment
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.url = self._address(ready)
        except BaseException:
            self.stop()
            raise

    def _address(self, ready: str) -> str:
        end = time.monotonic() + START
        while time.monotonic() < end and self.process.poll() is None:
            if found := re.search(ready, self.log.read_text(errors="replace")):
                return found[1].rstrip("/")
            time.sleep(0.1)
        raise RuntimeError(f"no server within {START} s; it said:\n{self.log.read_text()[-4000:]}")

    def api(self, path: str, method: str = "GET") -> Any:
        """Call the server's REST API and return its JSON."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}", None, {"Authorization": f"token {self.token}"}, method=method
        )
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.loads(reply.read() or "null")

    def kernel_of(self, name: str) -> dict[str, Any]:
        """Return what the server says of the kernel of a notebook; {} where it has none."""
        kernels = [one["kernel"] for one in self.api("sessions") if one["path"] == name]
        return kernels[0] if kernels and kernels[0] else {}

    def is_idle(self, name: str) -> bool:
        """Return whether the kernel of a notebook has nothing to do, and its page is connected."""
        kernel = self.kernel_of(name)
        return kernel.get("execution_state") == "idle" and kernel["connections"] > 0

    def stop(self) -> None:
        """End the server and, through it, its kernels."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            # Kernels end by themselves when the server that started them is gone.
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._kernels.cleanup()

    def write(self, name: str, *cells: str) -> Path:
        """Write a notebook of these cells; those that begin with # and a blank are Markdown."""
        import nbformat  # takes seconds, which each worker would spend for nothing

        made = [
            nbformat.v4.new_markdown_cell(text, id=f"c{number}")
            if text.startswith("# ")
            else nbformat.v4.new_code_cell(text, id=f"c{number}")
            for number, text in enumerate(cells)
        ]
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        notebook = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
        nbformat.write(notebook, self.root / name)
        return self.root / name


def start_lab(folder: Path, **environment: str) -> Server:
    """Start JupyterLab without news and without a browser."""
    token = secrets.token_hex(16)
    settings = folder / "config/labconfig/page_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    return Server(
        [
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={free_port()}",
            "--ServerApp.port_retries=50",
            f"--IdentityProvider.token={token}",
            "--LabApp.extension_manager=readonly",
            OPTION,
        ],
        folder,
        r"(http://127\.0\.0\.1:\d+/)lab\?token=",
        token,
        **environment,
    )


def start_voila(folder: Path, **environment: str) -> Server:
    """Start Voila on a folder, as ``voila FOLDER`` does."""
    return Server(
        ["voila", ".", "--no-browser", "--Voila.ip=127.0.0.1", f"--port={free_port()}", OPTION],
        folder,
        r"(http://127\.0\.0\.1:\d+/)\n",
        **environment,
    )


def start_marimo(folder: Path, app: str, **environment: str) -> Server:
    """Start marimo on an app of these lines, as ``marimo run app.py`` does."""
    (folder / "root").mkdir()
    (folder / "root/app.py").write_text(app)
    return Server(
        ["marimo", "run", "app.py", "--headless", "--host=127.0.0.1", f"--port={free_port()}"],
        folder,
        r"URL: (http://localhost:\d+)",
        **environment,
    )


def free_port() -> int:
    """Return a port of the loopback that is free now; the servers take the next where it is not."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of the person's own is read or written."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WASINN_NB_", "JUPYTER", "JPY_", "IPYTHON", "PYTEST_"))
    }
    folders = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "WASINN_NB_CACHE": "cache",
    }
    return (
        kept
        | {name: str(folder / place) for name, place in folders.items()}
        | {
            "PYTHONPATH": str(TREE),
            "WASINN_NB_OFFLINE": "1",
        }
    )
