"""What the tests of downloads share."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from wasinn_nb import catalog, settings
from wasinn_nb.catalog.finding import shipped
from wasinn_nb.errors import DownloadError

XML = b"<net name='toy'>" + random.Random(1).randbytes(20_000)
BIN = random.Random(2).randbytes(200_000)
HALF = 12 * 8192
BODIES = {"toy.xml": XML, "toy.bin": BIN}


class Server(ThreadingHTTPServer):
    """Serves `BODIES` below any folder; ``tricks[name]`` says what goes wrong with a file."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.tricks: dict[str, tuple] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.release = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        body, range_ = BODIES[name], self.headers["Range"]
        self.server.asked.append((name, range_))
        trick, *values = self.server.tricks.get(name, ("fine",))
        if trick == "once":
            trick, *values = self.server.tricks.pop(name)[1:]
        start = int(range_.removeprefix("bytes=").removesuffix("-")) if range_ else 0
        status, headers = (206 if range_ else 200), {}
        if range_:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        send = body[start:]
        length = len(send)
        if trick == "status":
            status, send, headers, length = values[0], b"", {}, 0
        elif trick == "redirect":
            status, send, length = 302, b"", 0
            headers = {"Location": f"/elsewhere/{values[0]}"}
        elif trick == "corrupt":
            send = bytes([send[0] ^ 1]) + send[1:]
        elif trick == "other body":
            send = values[0]
            length = len(send)
        elif trick == "no range":
            status, headers, send = 200, {}, body
            length = len(send)
        elif trick == "wrong range" and range_:
            headers["Content-Range"] = f"bytes 0-{len(body) - 1}/{len(body)}"
        elif trick == "unsatisfiable" and range_:
            status, headers, send, length = 416, {}, b"", 0
        elif trick in {"truncate", "stall", "drip", "unannounced"}:
            send = send[: values[0]]
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if trick != "unannounced":
            self.send_header("Content-Length", values[0] if trick == "length" else str(length))
        self.end_headers()
        self.wfile.write(send)
        self.wfile.flush()
        if trick == "stall":
            self.server.release.wait(20)
        try:
            while trick == "drip" and not self.server.release.wait(0.05):
                self.wfile.write(b".")
        except OSError:
            pass  # the client has had enough


def made_server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.release.set()
        running.shutdown()
        thread.join()


def described(name, url):
    body = BODIES[name]
    return {
        "name": name,
        "bytes": len(body),
        "sha384": hashlib.sha384(body).hexdigest(),
        "url": f"{url}/{name}",
    }


def made_toy(server, monkeypatch, tmp_path):
    """Put a card of a model "toy", to be fetched from `server`, into the shipped data."""
    home = tmp_path / "data/models/toy"
    home.mkdir(parents=True)
    precisions = {
        precision: [described(name, f"{server.url}/{precision}") for name in BODIES]
        for precision in ("FP16", "FP32")
    }
    card = {"name": "toy", "task": "segmentation", "precisions": precisions}
    (home / "card.json").write_text(json.dumps(card))
    monkeypatch.setattr(shipped, "data_dir", lambda: tmp_path / "data")
    return server


def cached(precision="FP16"):
    return settings.cache_dir() / "models/toy" / precision


def partial():
    """What is half done: name → size."""
    folder = settings.cache_dir() / "partial"
    files = folder.rglob("toy.*") if folder.is_dir() else ()
    return {path.name: path.stat().st_size for path in files}


def fetch_fails(error=DownloadError, **options):
    with pytest.raises(error) as caught:
        catalog.fetch("toy", timeout=options.pop("timeout", 5), **options)
    assert type(caught.value) is error
    assert isinstance(caught.value, OSError)
    assert not cached().exists(), "a pair is visible as a whole or not at all"
    return str(caught.value)
