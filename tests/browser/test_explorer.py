"""`Explorer` in JupyterLab: what is clicked runs, and what ran is painted."""

from __future__ import annotations

import hashlib
import io
import re
import time

import numpy as np
import pytest
from PIL import Image

import wasinn_nb as wn
from browser.explorers import ExplorerPage
from browser.pages import PATIENCE, expect
from browser.viewers import mixed, near

SHIPPED = "road-segmentation-synth-0001"


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook(
        "explorer", "import wasinn_nb as wn\nexplorer = wn.Explorer()\nexplorer"
    ) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def explorer(notebook, browser):
    """The explorer with its first choices."""
    page = ExplorerPage(notebook)
    notebook.kernel.run(
        "explorer.panel.compare = False\n"
        f"explorer.models.value = {SHIPPED!r}\n"
        "explorer.images.value = 'city-crosswalk'\n"
        "explorer.targets.value, explorer.targets.precision = 'CPU', 'f32'\n"
        "explorer.viewer.mode, explorer.viewer.opacity = 'overlay', 0.5\n"
    )
    page.wait_shown()
    return page


def flat_picture(mode="RGB", size=(160, 120), kind="PNG") -> bytes:
    """Return a picture of three upright stripes: blue, green, red."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    third = size[0] // 3
    pixels[:, :third], pixels[:, third : 2 * third] = (30, 40, 200), (20, 190, 50)
    pixels[:, 2 * third :] = 210, 60, 30
    out = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture = picture.quantize(8) if mode == "P" else picture.convert(mode)
    picture.save(out, kind)
    return out.getvalue()


def upload(explorer, name: str, content: bytes) -> None:
    explorer.group("Image").locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "image/png", "buffer": content}
    )


def digest(explorer) -> list[str]:
    return explorer.ask("str(it.wait().digest()).splitlines()")


def test_the_mask_is_painted_as_python_paints_it(explorer):
    seen = explorer.check_painted(least=3)
    assert {0, 1} <= seen
    expect(explorer.status).to_contain_text("ms from file to mask")
    assert digest(explorer) == str(wn.segment("city-crosswalk").digest()).splitlines()
    buttons = explorer.root.locator(".wnb-class")
    assert buttons.evaluate_all("all => all.map((one) => one.dataset.name)") == [
        "background", "road", "curb", "mark",
    ]  # fmt: skip


def test_another_image(explorer):
    before = explorer.wait_shown().pixels()
    explorer.pick("Image", "country-road")
    assert digest(explorer) == str(wn.segment("country-road").digest()).splitlines()
    explorer.check_painted()
    assert (explorer.viewer.pixels() != before).any(2).mean() > 0.5


def test_another_model(explorer):
    explorer.pick("Model", "channels")
    assert explorer.ask("it.wait().card.name") == "channels"
    explorer.check_painted()
    expect(explorer.root.locator('.wnb-class[aria-label^="class 2,"]')).to_be_visible()
    shares = explorer.ask("list(it.result.fractions().values())")
    for label, share in enumerate(shares):
        button = explorer.root.locator(f'.wnb-class[aria-label^="class {label},"]')
        expect(button).to_contain_text(f"{100 * share:.2f} %")


def test_another_target_and_precision(explorer):
    target = explorer.group("Execution target")
    assert "Ran on CPU, f32" in target.inner_text()
    explorer.pick("Execution target", "AUTO")
    ran = explorer.ask("(lambda r: f'{r.target}, {r.precision}')(it.wait())")
    expect(target).to_contain_text(f"Ran on {ran}")
    explorer.check_painted()
    target.get_by_label("Precision").select_option("bf16")
    explorer.notebook.until(lambda: explorer.ask("it.targets.precision") == "bf16", "it is told")
    ran = explorer.ask("(lambda r: f'{r.target}, {r.precision}')(it.wait())")
    expect(target).to_contain_text(f"Ran on {ran}")
    expect(target.get_by_role("radio", name="GPU")).to_be_disabled()  # and why is readable
    assert len(target.locator("label", has_text="GPU").inner_text()) > 10


def test_the_last_of_several_clicks_counts(explorer):
    explorer.pick("Model", "sluggish")
    start = time.monotonic()
    assert explorer.ask("it.result is None")  # the kernel answers while it runs
    assert time.monotonic() - start < 1
    expect(explorer.root.get_by_role("progressbar", name="Running")).to_be_visible()
    for image in ("country-road", "city-island", "shops-bend"):
        radio = explorer.group("Image").get_by_role("radio", name=image, exact=True)
        radio.locator("xpath=..").click()
    explorer.notebook.until(lambda: explorer.ask("it.images.value") == "shops-bend", "the last")
    explorer.check_painted()
    assert digest(explorer) == explorer.notebook.kernel.ask(
        "str(wn.segment('shops-bend', 'sluggish').digest()).splitlines()"
    )
    expect(explorer.root.get_by_role("progressbar", name="Running")).to_be_hidden()


def test_a_model_that_does_not_load(explorer):
    explorer.pick("Model", "broken")
    expect(explorer.error).to_be_visible(timeout=PATIENCE)
    expect(explorer.error).to_have_attribute("role", "alert")
    message = explorer.notebook.kernel.run(
        "try: explorer.wait()\nexcept Exception as error: print(error)"
    ).strip()
    assert message
    expect(explorer.error).to_contain_text(message.splitlines()[0])
    details = explorer.error.locator("details")
    expect(details.locator("pre")).to_be_hidden()
    details.locator("summary").click()
    expect(details.locator("pre")).to_contain_text("Traceback")
    explorer.pick("Model", "channels")
    expect(explorer.error).to_be_hidden(timeout=PATIENCE)
    explorer.check_painted()


def test_an_upload(explorer):
    explorer.pick("Model", "channels")
    content = flat_picture()
    upload(explorer, "stripes.png", content)
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value") == "upload:stripes.png", "it is picked"
    )
    assert (
        explorer.notebook.kernel.ask(
            "__import__('hashlib').sha256(explorer.images.image).hexdigest()"
        )
        == hashlib.sha256(content).hexdigest()
    )
    viewer = explorer.wait_shown()
    palette = explorer.ask("[tuple(map(int, c)) for c in it.result.card.palette]")
    stripes = [(30, 40, 200), (20, 190, 50), (210, 60, 30)]
    for label, (colour, x) in enumerate(zip(stripes, (26, 80, 133), strict=True)):
        painted = viewer.colour(x, 60)
        assert near(painted, mixed(colour, palette[label], 0.5) if label else colour)
        assert f"class {label}" in viewer.hover(x, 60)
    assert explorer.ask("it.result.areas()") == {
        "class 0": 53 * 120, "class 1": 53 * 120, "class 2": 54 * 120,
    }  # fmt: skip


BAD = {
    "empty.png": b"",
    "broken.png": flat_picture()[:200],
    "text.png": b"this is no picture",
    # Says that it has 60000 x 60000 pixels.
    "huge.png": b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d494844520000ea600000ea600802000000")
    + bytes.fromhex("9d1a1c0a") + b"\x00\x00\x00\x00IEND\xaeB`\x82",
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_an_upload_that_is_no_picture(explorer, name):
    picked = explorer.ask("it.images.value")
    upload(explorer, name, BAD[name])
    message = explorer.group("Image").get_by_role("alert")
    expect(message).to_contain_text(name, timeout=PATIENCE)
    assert len(message.inner_text()) > len(name) + 10
    assert explorer.ask("it.images.value") == picked
    explorer.check_painted()
    upload(explorer, "good.png", flat_picture())
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value").startswith("upload:good"), "it still works"
    )
    expect(message).to_be_hidden()
    explorer.wait_shown()


ODD = {
    "dot.png": flat_picture(size=(3, 1)),
    "one.png": flat_picture(size=(1, 1)),
    "grey.png": flat_picture("L"),
    "palette.gif": flat_picture("P", kind="GIF"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pictures(explorer, name):
    upload(explorer, name, ODD[name])
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value") == f"upload:{name}", "it is picked"
    )
    viewer = explorer.wait_shown()
    x, y = viewer.size[0] // 2, viewer.size[1] // 2
    expected = explorer.ask(f"tuple(map(int, it.result.overlay().getpixel(({x}, {y}))))")
    assert near(viewer.colour(x, y), expected)


def test_a_transparent_picture(explorer):
    clear = np.zeros((60, 80, 4), np.uint8)
    clear[:, 40:] = 210, 60, 30, 255
    out = io.BytesIO()
    Image.fromarray(clear).save(out, "PNG")
    upload(explorer, "clear.png", out.getvalue())
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value") == "upload:clear.png", "it is picked"
    )
    viewer = explorer.wait_shown()
    for x in (20, 60):
        expected = explorer.ask(f"tuple(map(int, it.result.overlay().getpixel(({x}, 30))))")
        assert near(viewer.colour(x, 30), expected, 6)


def test_a_folder_of_pictures(explorer, notebook):
    folder = notebook.server.root / "photos"
    folder.mkdir(exist_ok=True)
    (folder / "fine.png").write_bytes(flat_picture())
    (folder / "bad.png").write_bytes(b"no picture")
    images = explorer.group("Image")
    images.get_by_role("textbox", name="Folder").fill("photos")
    images.get_by_role("button", name="Open").click()
    good = images.get_by_role("radio", name="fine.png", exact=True)
    expect(good).to_be_visible(timeout=PATIENCE)
    expect(images.get_by_role("radio", name="bad.png", exact=True)).to_be_disabled()
    good.locator("xpath=..").click()
    notebook.until(lambda: explorer.ask("it.images.value").endswith("photos/fine.png"), "picked")
    explorer.wait_shown()
    images.get_by_role("textbox", name="Folder").fill("nowhere")
    images.get_by_role("textbox", name="Folder").press("Enter")
    expect(images.get_by_role("alert")).to_contain_text("nowhere")


def test_code_runs_as_pasted(explorer, notebook):
    explorer.pick("Image", "hill-crosswalk")
    explorer.wait_shown()
    explorer.root.get_by_role("button", name="Copy code").click()
    expect(explorer.root.get_by_role("button", name="Copied")).to_be_visible()
    code = notebook.page.evaluate("navigator.clipboard.readText()")
    assert code == explorer.ask("it.code")
    said = notebook.kernel.run(
        f"pasted = {{}}\nexec({code!r}, pasted)\n"
        "print(str(pasted['result'].digest()) == str(explorer.result.digest()), "
        "'hill-crosswalk' in " + repr(code) + ")"
    )
    assert said == "True True\n"


def test_saving(explorer, notebook):
    explorer.root.get_by_role("textbox", name="Folder to save to").fill("kept")
    explorer.root.get_by_role("button", name="Save", exact=True).click()
    saved = explorer.root.locator(".wnb-saved")
    expect(saved).to_contain_text("city-crosswalk-mask.png", timeout=PATIENCE)
    folder = notebook.server.root / "kept"
    labels = np.asarray(Image.open(folder / "city-crosswalk-mask.png"))
    counts = np.bincount(labels.ravel(), minlength=4).tolist()
    assert counts == list(explorer.ask("it.result.areas()").values())
    assert wn.SegmentationResult.load(folder / "city-crosswalk.json").labels.shape == labels.shape
    # A folder that cannot be made is said, and the widget goes on.
    explorer.root.get_by_role("textbox", name="Folder to save to").fill("explorer.ipynb/no")
    explorer.root.get_by_role("button", name="Save", exact=True).click()
    expect(saved).to_contain_text("Not saved", timeout=PATIENCE)


def test_times(explorer):
    times = explorer.root.locator(".wnb-times")
    times.locator("summary").click()
    explorer.root.get_by_role("button", name="Time 10 runs").click()
    expect(times.locator("caption")).to_contain_text(SHIPPED)
    for step in ("read", "preprocess", "infer", "argmax"):
        row = times.get_by_role("row", name=re.compile(step))
        expect(row).to_contain_text(re.compile(r"\d"), timeout=PATIENCE)
    times.locator("summary").click()


def test_compare_mode(explorer, notebook):
    explorer.root.get_by_role("checkbox", name="Compare two runs").check()
    second = explorer.group("Execution target B")
    expect(second).to_be_visible()
    second.get_by_label("Precision").select_option("bf16")
    notebook.until(lambda: explorer.ask("it.runs[1].targets.precision") == "bf16", "it is told")
    model = explorer.group("Model B").get_by_role("radio", name="channels")
    model.locator("xpath=..").click()
    notebook.until(
        lambda: explorer.ask("it.wait() and it.other and it.other.card.name") == "channels", "B"
    )
    viewer = explorer.wait_shown()
    verdict = explorer.root.locator(".wnb-verdict")
    expect(verdict).to_be_visible(timeout=PATIENCE)
    word = explorer.ask("str(it.comparison.verdict)")
    assert word in verdict.inner_text() or verdict.get_attribute("data-verdict") == word
    viewer.mode("Difference")
    expect(explorer.root.locator(".wnb-class").first).to_contain_text("→")
    explorer.root.get_by_role("checkbox", name="Compare two runs").uncheck()
    expect(second).to_be_hidden()
    notebook.until(lambda: explorer.ask("it.wait() and it.other is None"), "one again")
    explorer.check_painted()


def test_a_target_that_is_not_here(explorer, notebook):
    notebook.kernel.run("explorer.targets.value = 'GPU'")
    expect(explorer.error).to_contain_text("GPU", timeout=PATIENCE)
    radio = explorer.group("Execution target").get_by_role("radio", name="GPU")
    expect(radio).to_be_checked()
    expect(radio).to_be_disabled()
    explorer.pick("Execution target", "CPU")
    expect(explorer.error).to_be_hidden(timeout=PATIENCE)
    explorer.check_painted()


def test_many_classes(explorer):
    explorer.pick("Model", "crowd")
    upload(explorer, "crowd.png", flat_picture())
    explorer.notebook.until(
        lambda: explorer.ask("it.images.value") == "upload:crowd.png", "it is picked"
    )
    explorer.check_painted(least=3)
    # Only those that are seen are listed.
    expect(explorer.root.locator(".wnb-class")).to_have_count(3)
    expect(explorer.root.locator(".wnb-legend")).to_contain_text("253 further classes")
