"""The pickers in JupyterLab: uploads, drops and pastes, folders, downloads, the keyboard."""

from __future__ import annotations

import base64
import hashlib
import http.server
import io
import re
import struct
import threading
import time
import zlib

import numpy as np
import pytest
from PIL import Image
from tables import all_slow_but

from browser.explorers import flat_image
from browser.pages import PATIENCE, expect
from browser.viewers import mixed, near


def kept_hash(explorer) -> str:
    """Return the SHA-256 of the picked image's bytes in the kernel."""
    return explorer.ask("__import__('hashlib').sha256(it.images.image).hexdigest()")


def test_an_upload(explorer):
    explorer.pick("Model", "channels")
    content = flat_image()
    explorer.upload("stripes.png", content)
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value") == "upload:stripes.png", "it is picked"
    )
    assert kept_hash(explorer) == hashlib.sha256(content).hexdigest()
    viewer = explorer.wait_until_painted()
    palette = explorer.ask("[tuple(map(int, c)) for c in it.result.card.palette]")
    stripes = [(30, 40, 200), (20, 190, 50), (210, 60, 30)]
    for label, (color, x) in enumerate(zip(stripes, (26, 80, 133), strict=True)):
        painted = viewer.color(x, 60)
        assert near(painted, mixed(color, palette[label], 0.5))
        assert f"class {label}" in viewer.hover(x, 60)
    assert explorer.ask("it.result.areas()") == {
        "class 0": 53 * 120, "class 1": 53 * 120, "class 2": 54 * 120,
    }  # fmt: skip


def header_only(width: int, height: int) -> bytes:
    """Return a PNG that says how large it is, and has no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    framed = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + framed


BAD = {
    "empty.png": b"",
    "broken.png": flat_image()[:200],
    "text.png": b"this is not an image",
    "huge.png": header_only(60_000, 60_000),
}


@pytest.mark.parametrize("name", all_slow_but(BAD, "broken.png"))
def test_an_upload_that_is_no_image(explorer, name):
    picked = explorer.ask("it.images.value")
    explorer.upload(name, BAD[name])
    expect(explorer.button("Image")).to_have_class(re.compile("wnb-bad"))
    message = explorer.open("Image").get_by_role("alert")
    expect(message).to_contain_text(name, timeout=PATIENCE)
    assert len(message.inner_text()) > len(name) + 10
    assert explorer.ask("it.images.value") == picked
    explorer.close()
    explorer.check_painted()
    explorer.upload("good.png", flat_image())
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value").startswith("upload:good"), "it still works"
    )
    expect(explorer.root.locator(".wnb-images .wnb-message")).to_have_text("")
    expect(explorer.button("Image")).not_to_have_class(re.compile("wnb-bad"))
    explorer.wait_until_painted()


ODD = {
    "dot.png": flat_image(size=(3, 1)),
    "one.png": flat_image(size=(1, 1)),
    "gray.png": flat_image("L"),
    "palette.gif": flat_image("P", kind="GIF"),
}


@pytest.mark.parametrize("name", all_slow_but(ODD, "dot.png", "gray.png"))
def test_odd_images(explorer, name):
    explorer.upload(name, ODD[name])
    viewer = explorer.wait_image(f"upload:{name}")
    x, y = viewer.size[0] // 2, viewer.size[1] // 2
    expected = explorer.ask(f"tuple(map(int, it.result.overlay().getpixel(({x}, {y}))))")
    assert near(viewer.color(x, y), expected)


def test_a_transparent_image(explorer):
    clear = np.zeros((60, 80, 4), np.uint8)
    clear[:, 40:] = 210, 60, 30, 255
    out = io.BytesIO()
    Image.fromarray(clear).save(out, "PNG")
    explorer.upload("clear.png", out.getvalue())
    viewer = explorer.wait_image("upload:clear.png")
    for x in (20, 60):
        expected = explorer.ask(f"tuple(map(int, it.result.overlay().getpixel(({x}, 30))))")
        assert near(viewer.color(x, 30), expected, 6)


def test_a_folder_of_images(explorer):
    folder = explorer.notebook.server.root / "images"
    folder.mkdir(exist_ok=True)
    (folder / "fine.png").write_bytes(flat_image())
    (folder / "bad.png").write_bytes(b"not an image")
    images = explorer.open("Image")
    images.get_by_role("textbox", name="Folder").fill("images")
    images.get_by_role("button", name="Open").click()
    good = images.get_by_role("radio", name="fine.png", exact=True)
    expect(good).to_be_visible(timeout=PATIENCE)
    expect(images.get_by_role("radio", name="bad.png", exact=True)).to_be_disabled()
    expect(good.locator("xpath=..").locator("img")).to_have_attribute("src", re.compile("^blob:"))
    good.locator("xpath=..").click()
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value").endswith("images/fine.png"), "picked"
    )
    explorer.wait_until_painted()
    images = explorer.open("Image")
    images.get_by_role("textbox", name="Folder").fill("nowhere")
    images.get_by_role("textbox", name="Folder").press("Enter")
    expect(images.get_by_role("alert")).to_contain_text("nowhere")
    explorer.close()


@pytest.mark.slow
def test_an_upload_of_several_messages(explorer):
    noise = np.random.default_rng(0).integers(0, 256, (900, 1000, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    content = out.getvalue()
    assert len(content) > 2.5 * 2**20  # Jupyter's websocket takes no message over 10 MiB
    explorer.pick("Model", "channels")
    explorer.upload("noise.png", content)
    explorer.wait_image("upload:noise.png")
    assert kept_hash(explorer) == hashlib.sha256(content).hexdigest()


def test_an_upload_that_is_too_large(explorer, tmp_path):
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(65 * 2**20)
    explorer.notebook.sent.clear()
    explorer.upload("large.png", path)
    message = explorer.open("Image").get_by_role("alert")
    expect(message).to_contain_text("large.png has 68.2 MB; at most 64 MiB")
    assert sum(map(len, explorer.notebook.sent)) < 100_000  # refused before it travels
    explorer.close()
    explorer.upload("small.png", flat_image())
    explorer.wait_image("upload:small.png")


def test_large_images_travel_small(explorer):
    explorer.pick("Model", "channels")
    explorer.upload("wide.png", flat_image(size=(4000, 3000)))
    viewer = explorer.wait_image("upload:wide.png")
    assert viewer.size == (4000, 3000)
    tint = explorer.ask("tuple(map(int, it.result.card.palette[0]))")
    assert near(viewer.color(600, 1500), mixed((30, 40, 200), tint, 0.5))
    assert explorer.ask("len(it.viewer._sent_image['bytes'])") < 600_000


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_dropped_and_pasted(explorer, way):
    """The event is made by hand: a browser without a window has neither desktop nor clipboard."""
    content = flat_image()
    explorer.root.locator(".wnb-picker.wnb-images").evaluate(
        """(root, [way, base64]) => {
            const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
            const moved = new DataTransfer();
            moved.items.add(new File([bytes], `${way}.png`, { type: "image/png" }));
            const about = { bubbles: true, cancelable: true };
            root.querySelector(".wnb-tiles").dispatchEvent(way === "drop"
                ? new DragEvent("drop", { ...about, dataTransfer: moved })
                : new ClipboardEvent("paste", { ...about, clipboardData: moved }));
        }""",
        [way, base64.b64encode(content).decode()],
    )
    explorer.wait_image(f"upload:{way}.png")
    assert kept_hash(explorer) == hashlib.sha256(content).hexdigest()


def test_arrow_keys_pick(explorer):
    cells = explorer.notebook.page.locator(".jp-Cell")
    before = cells.count()
    picked = explorer.strip.get_by_role("radio", name="city-crosswalk", exact=True)
    picked.focus()
    picked.press("ArrowRight")
    explorer.wait_image("city-cyclist")
    explorer.check_painted()
    page = explorer.notebook.page
    # Letters that insert, cut and delete cells where JupyterLab has the focus.
    for choice in ("Model", "Image", "Target", "Precision"):
        explorer.open(choice).locator("input:checked").focus()
        for key in ("a", "b", "x", "d", "d"):
            page.keyboard.press(key)
        explorer.close()
    expect(cells).to_have_count(before)


@pytest.fixture
def mirror():
    """A server of models that sends half of a file, and the rest when it is let go."""
    let_go = threading.Event()
    files: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if not body:
                return
            half = len(body) // 2
            for start in range(0, half, half // 8):  # as a slow line does
                self.wfile.write(body[start : min(start + half // 8, half)])
                self.wfile.flush()
                time.sleep(0.04)
            if self.path.endswith(".bin"):
                let_go.wait(20)
            self.wfile.write(body[half:])

        def log_message(self, *_args) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.files, server.let_go = files, let_go
    server.address = f"http://127.0.0.1:{server.server_port}"
    yield server
    let_go.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_downloads(explorer, mirror, write_card):
    bodies = write_card("fetched", mirror.address)
    write_card("lost", mirror.address)
    mirror.files.update({f"/fetched/{name}": body for name, body in bodies.items()})
    explorer.notebook.kernel.run(
        "import os\nos.environ['WASINN_NB_OFFLINE'] = '0'\nexplorer.models.refresh()"
    )
    models = explorer.open("Model")
    fetched = models.get_by_role("radio", name="fetched", exact=True)
    expect(fetched).to_be_disabled()
    models.get_by_role("button", name="Download fetched").click()
    bar = models.get_by_role("progressbar", name="Downloading fetched")
    expect(bar).to_be_visible(timeout=PATIENCE)
    explorer.notebook.until(lambda: 0.2 < bar.evaluate("(one) => one.value") < 0.9, "half of it")
    explorer.close()
    explorer.pick("Image", "country-road")  # meanwhile all else works
    explorer.check_painted()
    models = explorer.open("Model")
    mirror.let_go.set()
    expect(fetched).to_be_checked(timeout=PATIENCE)
    expect(bar).to_be_hidden()
    explorer.close()
    explorer.notebook.until(lambda: explorer.ask("it.models.value") == "fetched", "it is picked")
    explorer.check_painted()
    assert explorer.ask("it.result.card.name") == "fetched"

    models = explorer.open("Model")
    models.get_by_role("button", name="Download lost").click()
    expect(models.get_by_role("alert")).to_contain_text("404", timeout=PATIENCE)
    expect(models.get_by_role("radio", name="lost", exact=True)).to_be_disabled()
    assert explorer.ask("it.models.value") == "fetched"
    models.get_by_role("radio", name="road-segmentation-synth-0001", exact=True).check()
    expect(models.get_by_role("alert")).to_be_hidden()
