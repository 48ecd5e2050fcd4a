"""`Explorer` in JupyterLab: what is clicked runs, and what ran is painted."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image

import wasinn_nb as wn
from browser.explorers import SHIPPED, flat_image
from browser.pages import PATIENCE, expect


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
    before = explorer.wait_until_painted().pixels()
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
    assert "Ran on CPU, f32" in explorer.open("Target").inner_text()
    explorer.pick("Target", "AUTO")
    ran = explorer.ask("(lambda r: f'{r.target}, {r.precision}')(it.wait())")
    target = explorer.open("Target")
    expect(target).to_contain_text(f"Ran on {ran}")
    explorer.close()
    explorer.check_painted()
    explorer.pick("Precision", "bf16")
    ran = explorer.ask("(lambda r: f'{r.target}, {r.precision}')(it.wait())")
    expect(explorer.open("Precision")).to_contain_text(f"Ran on {ran}")
    expect(explorer.button("Precision")).to_contain_text("bf16")
    explorer.close()
    target = explorer.open("Target")
    expect(target.get_by_role("radio", name="GPU")).to_be_disabled()  # and why is readable
    why = target.locator("label", has_text="GPU").locator(".wnb-why")
    expect(why.locator("span")).to_be_hidden()
    # Playwright takes what stands in the label of a disabled button for disabled: a real click.
    why.scroll_into_view_if_needed()
    box = why.get_by_text("why?").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.notebook.page.mouse.click(*middle)
    expect(why.locator("span")).to_have_text(explorer.ask("wn.devices()[1].reason"))
    why.locator("summary").press("Enter")
    expect(why.locator("span")).to_be_hidden()
    explorer.close()


def test_the_last_of_several_clicks_counts(explorer):
    explorer.pick("Model", "sluggish")
    assert explorer.ask("it.result is None")  # the kernel answers while it runs
    expect(explorer.root.get_by_role("progressbar", name="Running")).to_be_visible()
    for image in ("country-road", "city-island", "shops-bend"):
        radio = explorer.strip.get_by_role("radio", name=image, exact=True)
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


def test_code_runs_as_pasted(explorer):
    explorer.pick("Image", "hill-crosswalk")
    explorer.wait_until_painted()
    explorer.more().get_by_role("button", name="Copy code").click()
    expect(explorer.root.get_by_role("button", name="Copied")).to_be_visible()
    code = explorer.notebook.page.evaluate("navigator.clipboard.readText()")
    assert code == explorer.ask("it.code")
    printed = explorer.notebook.kernel.run(
        f"pasted = {{}}\nexec({code!r}, pasted)\n"
        "print(str(pasted['result'].digest()) == str(explorer.result.digest()), "
        "'hill-crosswalk' in " + repr(code) + ")"
    )
    assert printed == "True True\n"


def test_saving(explorer):
    explorer.more()
    explorer.root.get_by_role("textbox", name="Folder to save to").fill("kept")
    explorer.root.get_by_role("button", name="Save", exact=True).click()
    saved = explorer.root.locator(".wnb-saved")
    expect(saved).to_contain_text("city-crosswalk-mask.png", timeout=PATIENCE)
    folder = explorer.notebook.server.root / "kept"
    labels = np.asarray(Image.open(folder / "city-crosswalk-mask.png"))
    counts = np.bincount(labels.ravel(), minlength=4).tolist()
    assert counts == list(explorer.ask("it.result.areas()").values())
    assert wn.SegmentationResult.load(folder / "city-crosswalk.json").labels.shape == labels.shape
    # A folder that cannot be made is said, and the widget goes on.
    explorer.root.get_by_role("textbox", name="Folder to save to").fill("explorer.ipynb/no")
    explorer.root.get_by_role("button", name="Save", exact=True).click()
    expect(saved).to_contain_text("Not saved", timeout=PATIENCE)


def test_times(explorer):
    times = explorer.more().locator(".wnb-times")
    times.locator("summary").click()
    explorer.root.get_by_role("button", name="Time 10 runs").click()
    expect(times.locator("caption")).to_contain_text(SHIPPED)
    for step in ("read", "preprocess", "infer", "argmax"):
        row = times.get_by_role("row", name=re.compile(step))
        expect(row).to_contain_text(re.compile(r"\d"), timeout=PATIENCE)
    times.locator("summary").click()


def test_compare_mode(explorer):
    expect(explorer.row("B")).to_be_hidden()
    explorer.root.get_by_role("checkbox", name="Compare two runs").check()
    explorer.pick("Precision", "device", "B")
    explorer.pick("Model", "channels", "B")
    explorer.notebook.until(
        lambda: explorer.ask("it.wait() and it.other and it.other.card.name") == "channels", "B"
    )
    assert explorer.ask("it.runs[1].targets.precision") == "device"
    viewer = explorer.wait_until_painted()
    verdict = explorer.root.locator(".wnb-verdict")
    expect(verdict).to_be_visible(timeout=PATIENCE)
    word = explorer.ask("str(it.comparison.verdict)")
    assert word in verdict.inner_text() or verdict.get_attribute("data-verdict") == word
    viewer.mode("Difference")
    expect(explorer.root.locator(".wnb-class").first).to_contain_text("→")
    explorer.root.get_by_role("checkbox", name="Compare two runs").uncheck()
    expect(explorer.row("B")).to_be_hidden()
    explorer.notebook.until(lambda: explorer.ask("it.wait() and it.other is None"), "one again")
    explorer.check_painted()


def test_a_target_that_is_not_here(explorer):
    explorer.notebook.kernel.run("explorer.targets.value = 'GPU'")
    expect(explorer.error).to_contain_text("GPU", timeout=PATIENCE)
    expect(explorer.button("Target")).to_have_class(re.compile("wnb-bad"))
    radio = explorer.open("Target").get_by_role("radio", name="GPU")
    expect(radio).to_be_checked()
    expect(radio).to_be_disabled()
    explorer.pick("Target", "CPU")
    expect(explorer.error).to_be_hidden(timeout=PATIENCE)
    explorer.check_painted()


def test_many_classes(explorer):
    explorer.pick("Model", "crowd")
    explorer.upload("crowd.png", flat_image())
    explorer.wait_image("upload:crowd.png")
    explorer.check_painted(least=3)
    # Only those that are seen are listed.
    expect(explorer.root.locator(".wnb-class")).to_have_count(3)
    expect(explorer.root.locator(".wnb-legend")).to_contain_text("253 further classes")
