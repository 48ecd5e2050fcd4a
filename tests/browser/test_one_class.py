"""`MaskViewer` in JupyterLab: the threshold of one class, masks of a part of the image, background.

What is painted is compared with what `SegmentationResult.overlay` paints, at every kind of place.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from tables import all_slow_but

import wasinn_nb as wn
from browser.explorers import check_result
from browser.pages import expect
from browser.viewers import Viewer, mixed, near

# The probability grows from left to right; the kernel and this file both run this.
SCENE = """
import numpy as np
import wasinn_nb as wn
from wasinn_nb.imaging import Coverage

rise = np.tile((np.arange(64, dtype=np.float32) + 0.5) / 64, (1, 40, 1))
image = np.empty((400, 640, 3), np.uint8)
image[:200] = 200, 180, 160
image[200:] = 60, 80, 100
colors = (0, 0, 0), (240, 40, 20)
person = wn.ModelCard("toy", "segmentation", classes=("background", "person"), palette=colors)
about = {"image": image, "threshold": 0.5}
one_class = wn.SegmentationResult.from_scores(rise, person, **about)
falling = wn.SegmentationResult.from_scores(rise[..., ::-1].copy(), person, **about)

names = "sky", "road", "car"
colors = (0, 160, 0), (240, 40, 20), (20, 60, 240)
card = wn.ModelCard("toy", "segmentation", classes=names, palette=colors, background=0)
labels = np.zeros((40, 64), np.uint8)
labels[:, 20:44] = 1
labels[:, 44:] = 2
middle = Coverage(0.0, 0.25, 1.0, 0.75)
cropped = wn.SegmentationResult(labels, card, image=image, covers=middle)
left = wn.SegmentationResult(labels * 0 + 1, card, image=image, covers=Coverage(0, 0, 1, 0.75))
right = wn.SegmentationResult(labels * 0 + 2, card, image=image, covers=Coverage(0, 0.25, 1, 1))
"""
SIZE = 640, 400
UP, DOWN = (200, 180, 160), (60, 80, 100)
ROAD, CAR = (240, 40, 20), (20, 60, 240)
PERSON = ROAD


@pytest.fixture(scope="module")
def scene():
    space = {}
    exec(SCENE, space)
    return space


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook(
        "one-class",
        SCENE,
        "one = wn.MaskViewer(one_class)\none",
        "part = wn.MaskViewer(cropped)\npart",
        "pair = wn.MaskViewer(left, right)\npair",
    ) as made:
        made.run_all()
        yield made
        assert made.errors == []


def viewer_of(notebook, cell, code):
    """Run *code* in the kernel and return the viewer below a cell when it has painted."""
    notebook.kernel.run(code)
    viewer = Viewer(notebook.output(cell), SIZE)
    viewer.wait_painted(notebook.kernel.ask(f"{code.split('.')[0]}.serial"))
    return viewer


@pytest.fixture
def one(notebook, browser):
    viewer = viewer_of(notebook, 1, "one.show(one_class); one.threshold = 0.5")
    expect(viewer.class_threshold).to_be_enabled()
    expect(viewer.class_threshold).to_have_value("50")
    return viewer


def column(x: int) -> tuple[int, int]:
    """Return a place in the upper half of the image, in the middle of a column of the mask."""
    return 10 * x + 5, 100


def share(viewer) -> str:
    return viewer.named("person").locator(".wnb-share").inner_text()


# ------------------------------------------------------------------------------------ the threshold


def test_it_starts_at_the_threshold_of_the_result(one, scene):
    assert share(one) == "50.00 %"
    seen = one.colors([column(31), column(32)])
    assert near(seen[0], UP)
    assert near(seen[1], mixed(UP, PERSON, 0.5))
    assert check_result(one, scene["one_class"]) == {0, 1}


def test_labels_and_areas_follow_the_slider_without_the_kernel(notebook, one):
    box = one.class_threshold.bounding_box()
    y = box["y"] + box["height"] / 2
    mouse = notebook.page.mouse
    mouse.move(box["x"] + box["width"] / 2, y)
    mouse.down()
    notebook.sent.clear()
    seen = []
    for part in (0.35, 0.2, 0.7, 0.9):
        mouse.move(box["x"] + box["width"] * part, y, steps=5)
        threshold = int(one.class_threshold.input_value())
        expect(one.root.locator(".wnb-slider output").nth(1)).to_have_text(f"{threshold} %")
        first = int(np.ceil(threshold / 100 * 64 - 0.5))  # the first column that is above it
        columns = one.colors([column(x) for x in range(64)])
        expected = [mixed(UP, PERSON, 0.5) if x >= first else UP for x in range(64)]
        assert all(map(near, columns, expected)), threshold
        assert share(one) == f"{100 * (64 - first) / 64:.2f} %"
        label = one.canvas.get_attribute("aria-label")
        assert f"person {100 * (64 - first) / 64:.2f} %" in label
        seen.append(threshold)
    assert notebook.sent == [], "not one message while it moves"
    assert len(set(seen)) == 4
    mouse.up()
    notebook.until(
        lambda: notebook.kernel.ask("one.threshold") == seen[-1] / 100, "the kernel has it"
    )
    first = int(np.ceil(seen[-1] / 100 * 64 - 0.5))
    assert notebook.kernel.ask("one.result.areas()['person']") == 40 * (64 - first)


def test_the_probe_says_the_probability(one):
    assert one.hover(*column(48)).endswith("person 76 %")  # 48.5 / 64
    assert one.hover(*column(16)).endswith("background, person 26 %")
    one.class_threshold.fill("80")
    assert one.hover(*column(48)).endswith("background, person 76 %")


def test_python_sets_a_threshold_between_the_steps(notebook, one, scene):
    notebook.kernel.run("one.threshold = 0.7421")  # column 47 is 0.7421875
    expect(one.class_threshold).to_have_value("74")
    expect(one.root).to_contain_text("74.2 %")
    expect(one.named("person")).to_contain_text("26.56 %")  # 17 of 64
    notebook.kernel.run("one.threshold = 0.7422")
    expect(one.named("person")).to_contain_text("25.00 %")
    assert check_result(one, scene["one_class"].with_threshold(0.7422)) == {0, 1}


def test_a_double_click_goes_back(notebook, one):
    notebook.kernel.run(
        "own = wn.SegmentationResult.from_scores(rise, person, image=image, threshold=0.375)\n"
        "one.show(own)"
    )
    expect(one.root).to_contain_text("37.5 %")
    expect(one.named("person")).to_contain_text("62.50 %")
    one.class_threshold.fill("90")
    expect(one.named("person")).to_contain_text("9.38 %")
    one.class_threshold.dblclick()
    expect(one.root).to_contain_text("37.5 %")
    expect(one.named("person")).to_contain_text("62.50 %")
    notebook.until(lambda: notebook.kernel.ask("one.threshold") == 0.375, "the kernel has it")


def test_the_outline_and_the_difference_follow_it_too(notebook, one):
    notebook.kernel.run("one.show(one_class, falling)")
    one.wait_painted(notebook.kernel.ask("one.serial"))
    one.mode("Difference")
    expect(one.root.locator(".wnb-legend")).to_contain_text("100.00 % of the pixels differ")
    one.class_threshold.fill("75")
    # The first 16 columns are of one alone, the last 16 of the other.
    expect(one.root.locator(".wnb-legend")).to_contain_text("50.00 % of the pixels differ (1,280)")
    seen = one.colors([column(x) for x in (20, 32, 44)])
    assert all(not near(color, PERSON, 20) for color in seen)
    one.mode("Overlay")
    notebook.kernel.run("one.show(one_class)")
    one.outline.check()
    edge = [one.color(x, 100) for x in range(475, 486)]
    assert any(near(color, PERSON) for color in edge)
    one.outline.uncheck()


def test_several_classes_have_no_class_threshold(notebook, one, scene):
    notebook.kernel.run("one.show(cropped)")
    one.wait_painted(notebook.kernel.ask("one.serial"))
    expect(one.class_threshold).to_have_count(0)
    expect(one.threshold).to_be_disabled()  # without scores
    expect(one.threshold).to_have_value("0")


def test_without_scores_the_threshold_stands_still(notebook, one):
    notebook.kernel.run(
        "one.show(wn.SegmentationResult.from_scores(rise, person, keep_scores=False, **about))"
    )
    one.wait_painted(notebook.kernel.ask("one.serial"))
    expect(one.class_threshold).to_be_disabled()
    assert share(one) == "50.00 %"


# -------------------------------------------------------------------------- a part of the image


@pytest.fixture
def part(notebook, browser):
    return viewer_of(notebook, 2, "part.show(cropped); part.mode = 'overlay'; part.outline = False")


def test_a_cropped_mask_lies_where_the_model_looked(part, scene):
    # Columns 20 and 44 of 64 begin at 160 + 100 and 160 + 220 of the image.
    spots = [(100, 100), (200, 100), (258, 100), (262, 100), (378, 100), (382, 300), (520, 100)]
    road, car = mixed(UP, ROAD, 0.5), mixed(DOWN, CAR, 0.5)
    expected = [UP, UP, UP, road, road, car, UP]
    for spot, seen, color in zip(spots, part.colors(spots), expected, strict=True):
        assert near(seen, color), spot
    assert check_result(part, scene["cropped"]) == {0, 1, 2}


def test_beside_it_the_probe_says_that_nothing_was_seen(part):
    assert part.hover(100, 100).endswith("not seen by the model")
    assert part.hover(600, 100).endswith("not seen by the model")
    assert part.hover(200, 100).endswith("sky")
    assert part.hover(400, 100).endswith("car")
    expect(part.root.locator(".wnb-note")).to_have_text("the model saw 50.00 % of the image")


def test_its_outline_and_swipe_lie_there_too(part):
    part.outline.check()
    edge = [part.color(x, 100) for x in range(255, 266)]
    assert any(near(color, ROAD) for color in edge)
    assert near(part.color(320, 100), UP)
    part.outline.uncheck()
    part.mode("Swipe")
    part.swipe.press("Home")
    assert near(part.color(300, 100), mixed(UP, ROAD, 0.5))
    part.swipe.press("End")
    assert near(part.color(300, 100), UP)
    part.mode("Mask")
    assert part.color(300, 100) == list(ROAD)


def test_without_an_image_the_mask_lies_in_its_frame(notebook, part):
    notebook.kernel.run(
        "part.show(wn.SegmentationResult(labels, card, covers=middle)); part.mode = 'overlay'"
    )
    viewer = Viewer(notebook.output(2), (128, 40))
    viewer.wait_painted(notebook.kernel.ask("part.serial"))
    assert viewer.color(60, 20) == list(ROAD)
    assert viewer.color(90, 20) == list(CAR)
    assert viewer.hover(10, 20).endswith("not seen by the model")


def test_masks_of_different_parts_are_compared_where_both_are(notebook, browser):
    viewer = viewer_of(notebook, 3, "pair.show(left, right)")
    viewer.mode("Difference")
    legend = viewer.root.locator(".wnb-legend")
    # 42 or 43 of 64 columns of the one lie on the other: those from 160 to 480 of the image.
    expect(legend).to_contain_text("100.00 % of the pixels differ")
    changed = int(re.search(r"\(([\d,]+)\)", legend.inner_text())[1].replace(",", ""))
    assert changed in {40 * 42, 40 * 43}
    inside = [viewer.color(x, 100) for x in range(170, 470, 7)]
    # Each change has a color of its own, which is no class's and is not mixed with the image.
    changes = {tuple(color) for color in inside}
    assert 1 <= len(changes) <= 6
    assert not changes & {UP, ROAD, CAR}
    assert not changes & {tuple(viewer.color(x, 100)) for x in (150, 490)}
    assert "A road" in viewer.hover(100, 100)
    assert "B not seen by the model" in viewer.hover(100, 100)
    viewer.mode("Overlay")


@pytest.mark.parametrize("fit", all_slow_but(["letterbox", "crop"], "letterbox"))
def test_what_a_pipeline_gives_is_painted_as_python_paints_it(notebook, part, fit):
    notebook.kernel.run(
        f"recipe = wn.PreprocessRecipe(512, 896, resize='bilinear', fit='{fit}')\n"
        "narrow = np.asarray(wn.segment('city-crosswalk').photo)[:, 300:980]\n"
        "part.show(wn.segment(narrow, recipe=recipe, scores=True))\n"
        "np.savez('narrow.npz', narrow)"
    )
    with np.load(notebook.server.root / "narrow.npz") as kept:
        (narrow,) = kept.values()
    recipe = wn.PreprocessRecipe(512, 896, resize="bilinear", fit=fit)
    made = wn.segment(narrow, recipe=recipe, scores=True)
    assert (made.covers.bottom < 1) == (fit == "crop")
    viewer = Viewer(notebook.output(2), (680, 720))
    viewer.wait_painted(notebook.kernel.ask("part.serial"))
    assert len(check_result(viewer, made)) >= 2


# -------------------------------------------------------------------------------- the background


@pytest.mark.parametrize("background", [None, 0, 2])
def test_the_background_is_the_card_s(notebook, part, scene, background):
    code = f"wn.SegmentationResult(labels, card.replace(background={background}), image=image)"
    viewer = viewer_of(notebook, 2, f"part.show({code})")
    made = eval(code, scene)
    assert check_result(viewer, made) == {0, 1, 2}
    for index, name in enumerate(scene["names"]):
        pressed = "false" if index == background else "true"
        expect(viewer.named(name)).to_have_attribute("aria-pressed", pressed)


def test_uncovered_pixels_are_not_tinted_where_no_class_is_background(notebook, part, scene):
    about = "image=image, covers=middle"
    code = f"wn.SegmentationResult(labels, card.replace(background=None), {about})"
    viewer = viewer_of(notebook, 2, f"part.show({code})")
    seen = viewer.colors([(100, 100), (200, 100)])
    assert near(seen[0], UP)
    assert near(seen[1], mixed(UP, (0, 160, 0), 0.5))
    overlay = np.asarray(eval(code, scene).overlay())
    assert [overlay[100, x].tolist() for x in (100, 200)] == [
        list(UP),
        mixed(UP, (0, 160, 0), 0.5),
    ]
