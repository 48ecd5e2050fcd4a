"""`MaskViewer` in JupyterLab: what is painted, for masks whose every pixel is known."""

from __future__ import annotations

import re

import numpy as np
import pytest

from browser import axe
from browser.conftest import absent
from browser.pages import expect
from browser.viewers import Viewer, mixed, near

# Three classes over an image of two plain halves; the kernel and this file both run this.
SCENE = """
import re

import numpy as np
import wasinn_nb as wn
from wasinn_nb.cards import ModelCard

labels = np.zeros((40, 64), np.uint8)
labels[:, 20:44] = 1
labels[:, 44:] = 2
labels[30:, :10] = 2
sure = np.where(np.arange(64) < 32, 0.9, 0.6) * np.ones((40, 1))
scores = np.zeros((3, 40, 64), np.float32)
for step, part in enumerate([sure, (1 - sure) * 0.75, (1 - sure) * 0.25]):
    np.put_along_axis(scores, (labels[None] + step) % 3, part[None].astype(np.float32), 0)
image = np.empty((400, 640, 3), np.uint8)
image[:200] = 200, 180, 160
image[200:] = 60, 80, 100
names = "background", "road", "car"
colors = (0, 0, 0), (240, 40, 20), (20, 60, 240)
card = ModelCard("toy", "segmentation", classes=names, palette=colors)
result = wn.SegmentationResult(labels, card, scores, image)
moved = labels.copy()
moved[:, 36:44] = 2
other = wn.SegmentationResult(moved, card, None, image, precision="bf16")
"""
SIZE = 640, 400
UP, DOWN = (200, 180, 160), (60, 80, 100)  # the image's halves
ROAD, CAR = (240, 40, 20), (20, 60, 240)
# A pixel of the image well inside each area.
IN_SKY, IN_ROAD, IN_LOW_ROAD, IN_CAR, IN_CORNER = (
    (100, 100), (250, 100), (250, 300), (550, 100), (50, 350),
)  # fmt: skip
UNSURE_ROAD = (400, 100)


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook(
        "viewer",
        SCENE,
        "one = wn.MaskViewer(result)\none",
        "two = wn.MaskViewer(result, other)\ntwo",
        "odd = wn.MaskViewer(result)\nodd",
    ) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def one(notebook, browser):
    """The viewer of one mask, as it is at first."""
    notebook.kernel.run(
        "one.mode, one.opacity, one.outline, one.threshold, one.hidden = "
        "'overlay', 0.5, False, 0.0, ['background']"
    )
    viewer = Viewer(notebook.output(1), SIZE)
    viewer.wait_painted()
    viewer.button("Fit").click()
    return viewer


@pytest.fixture
def two(notebook, browser):
    notebook.kernel.run("two.mode, two.opacity, two.hidden = 'overlay', 0.5, ['background']")
    viewer = Viewer(notebook.output(2), SIZE)
    viewer.wait_painted()
    return viewer


def test_the_scene_is_what_python_paints():
    scene = {}
    exec(SCENE, scene)
    overlay = np.asarray(scene["result"].overlay())
    for (x, y), image, color in [
        (IN_SKY, UP, None),
        (IN_ROAD, UP, ROAD),
        (IN_LOW_ROAD, DOWN, ROAD),
        (IN_CAR, UP, CAR),
        (IN_CORNER, DOWN, CAR),
    ]:
        assert near(overlay[y, x], mixed(image, color or image, 0.5), 1)


def test_the_page_paints_the_same(one):
    seen = one.colors([IN_SKY, IN_ROAD, IN_LOW_ROAD, IN_CAR, IN_CORNER])
    assert near(seen[0], UP)
    assert near(seen[1], mixed(UP, ROAD, 0.5))
    assert near(seen[2], mixed(DOWN, ROAD, 0.5))
    assert near(seen[3], mixed(UP, CAR, 0.5))
    assert near(seen[4], mixed(DOWN, CAR, 0.5))


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_serious(notebook, two, theme):
    if not axe.SCRIPT.exists():
        absent("axe-core is not installed (tests/javascript/run.sh install)")
    with notebook.theme(theme):
        for mode in ("Overlay", "Difference"):
            two.mode(mode)
            assert axe.violations(two.root) == [], mode


def test_edges_lie_where_the_labels_change(one):
    # Column 20 of the mask begins at 200 of the image, row 30 at 300.
    sky, road = UP, mixed(UP, ROAD, 0.5)
    assert [near(one.color(x, 100), sky) for x in (196, 203)] == [True, False]
    assert [near(one.color(x, 100), road) for x in (196, 203)] == [False, True]
    corner = mixed(DOWN, CAR, 0.5)
    assert [near(one.color(50, y), corner) for y in (296, 303)] == [False, True]


def test_opacity_is_drawn_without_the_kernel(notebook, one):
    box = one.opacity.bounding_box()
    middle = box["y"] + box["height"] / 2
    mouse = notebook.page.mouse
    mouse.move(box["x"] + box["width"] / 2, middle)
    mouse.down()
    notebook.sent.clear()
    seen = []
    for part in (0.6, 0.7, 0.8):
        mouse.move(box["x"] + box["width"] * part, middle, steps=5)
        opacity = int(one.opacity.input_value()) / 100
        assert abs(opacity - part) < 0.1  # the thumb has a width
        assert near(one.color(*IN_ROAD), mixed(UP, ROAD, opacity))
        seen.append(opacity)
    assert len(set(seen)) == 3
    assert notebook.sent == []  # not one message while it moves
    mouse.up()
    notebook.until(lambda: notebook.kernel.ask("one.opacity") == seen[-1], "the kernel knows")
    notebook.until(lambda: notebook.sent, "the message is seen")


def test_python_moves_the_sliders(notebook, one):
    notebook.kernel.run("one.opacity = 0.25")
    expect(one.opacity).to_have_value("25")
    assert near(one.color(*IN_CAR), mixed(UP, CAR, 0.25))


def test_classes_are_switched_by_click_and_by_key(notebook, one):
    expect(one.named("road")).to_have_attribute("aria-pressed", "true")
    one.named("road").click()
    expect(one.named("road")).to_have_attribute("aria-pressed", "false")
    assert near(one.color(*IN_ROAD), UP)
    assert near(one.color(*IN_CAR), mixed(UP, CAR, 0.5))
    notebook.until(
        lambda: sorted(notebook.kernel.ask("one.hidden")) == ["background", "road"],
        "the kernel has it",
    )
    one.canvas.focus()
    one.canvas.press("2")
    expect(one.named("road")).to_have_attribute("aria-pressed", "true")
    assert near(one.color(*IN_ROAD), mixed(UP, ROAD, 0.5))
    one.canvas.press("3")
    assert near(one.color(*IN_CORNER), DOWN)
    one.canvas.press("1")  # class 0 has a color, too
    assert near(one.color(*IN_SKY), mixed(UP, (0, 0, 0), 0.5))


def test_the_probe_reads_the_pixel_under_the_mouse(one):
    for spot, text in [
        (IN_SKY, "background 90 %, then road 8 %, margin 8"),
        (IN_ROAD, "road 90 %, then car 8 %, margin 8"),
        (UNSURE_ROAD, "road 60 %, then car 30 %, margin 30"),
        (IN_CAR, "car 60 %, then background 30 %, margin 30"),
    ]:
        expect(one.probe).not_to_contain_text(text)
        x, y = (int(word) for word in re.findall(r"\d+", one.hover(*spot))[:2])
        assert abs(x - spot[0]) <= 1
        assert abs(y - spot[1]) <= 1
        expect(one.probe).to_contain_text(text)
    one.page.mouse.move(5, 5)
    expect(one.probe).to_have_text("")


def test_arrows_read_pixels_without_a_mouse(one):
    one.canvas.focus()
    one.canvas.press("ArrowLeft")
    expect(one.probe).to_contain_text("road 9")
    x = int(re.findall(r"x (\d+)", one.probe.inner_text())[0])
    one.canvas.press("Shift+ArrowLeft")
    expect(one.probe).to_contain_text(f"x {x - 1}, y 200")


def test_threshold_leaves_out_what_is_unsure(notebook, one):
    one.threshold.focus()
    notebook.sent.clear()
    one.threshold.fill("59")
    assert near(one.color(*UNSURE_ROAD), mixed(UP, ROAD, 0.5))
    one.threshold.fill("61")
    seen = one.colors([UNSURE_ROAD, IN_CAR, IN_ROAD])
    assert near(seen[0], UP)
    assert near(seen[1], UP)
    assert near(seen[2], mixed(UP, ROAD, 0.5))
    notebook.until(lambda: notebook.kernel.ask("one.threshold") == 0.61, "the kernel knows")


def test_outlines_run_along_the_edges(one):
    one.outline.check()
    assert near(one.color(*IN_ROAD), UP)
    row = [one.color(x, 100) for x in range(195, 206)]
    assert any(near(color, ROAD) for color in row)  # lines are not mixed
    one.outline.uncheck()
    assert near(one.color(*IN_ROAD), mixed(UP, ROAD, 0.5))


def test_zoom_drag_and_fit(one):
    assert one.hover(*IN_ROAD).startswith("x 25")
    for _ in range(3):
        one.button("Zoom in").click()
    # What was in the middle stays there; what was at the left edge is gone.
    expect(one.probe).to_have_text("")
    middle = one.hover(320, 200)
    assert re.match(r"x (319|320|321), y (199|200|201)", middle), middle
    zoom = 1.5**3
    mouse = one.page.mouse
    start = one.point(320, 200)
    mouse.down()
    mouse.move(start[0] + 60, start[1], steps=4)
    mouse.up()
    scale = (one.point(321, 200)[0] - start[0]) * zoom  # of the page, for one pixel
    moved = 320 - 60 / scale
    mouse.move(*start)
    x = int(re.findall(r"x (\d+)", one.probe.inner_text())[0])
    assert abs(x - moved) <= 1
    one.button("Fit").click()
    assert one.hover(*IN_ROAD).startswith("x 25")
    assert near(one.color(*IN_SKY), UP)


def test_views(one):
    one.mode("Image")
    assert near(one.color(*IN_ROAD), UP)
    one.mode("Mask")
    assert one.color(*IN_ROAD) == list(ROAD)
    assert one.color(*IN_CORNER) == list(CAR)
    one.mode("Overlay")
    assert near(one.color(*IN_ROAD), mixed(UP, ROAD, 0.5))
    one.mode("Blink")
    tinted, plain = mixed(UP, ROAD, 0.5), list(UP)
    seen = set()
    for _ in range(100):
        color = one.color(*IN_ROAD)
        seen |= {name for name, known in [("on", tinted), ("off", plain)] if near(color, known)}
        if seen == {"on", "off"}:
            break
    assert seen == {"on", "off"}


def test_side_by_side(one):
    one.mode("Side by side")
    pixels = one.pixels()
    height, width = pixels.shape[:2]
    # The same spot, in the middle of the upper half, in both halves of the canvas.
    left, right = (pixels[height // 4, int(width * part), :3] for part in (0.25, 0.75))
    assert near(left, UP)
    assert near(right, mixed(UP, ROAD, 0.5))


def test_swipe(one):
    one.mode("Swipe")
    assert near(one.color(*IN_ROAD), UP)  # left of the middle: the image
    assert near(one.color(*IN_CAR), mixed(UP, CAR, 0.5))
    box = one.swipe.bounding_box()
    mouse = one.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    mouse.move(one.point(220, 200)[0], box["y"] + box["height"] / 2, steps=6)
    mouse.up()
    assert near(one.color(*IN_ROAD), mixed(UP, ROAD, 0.5))
    expect(one.swipe).to_have_attribute("aria-valuenow", re.compile("3[3-6]"))
    one.swipe.press("End")
    assert near(one.color(*IN_CAR), UP)


def test_difference(two):
    two.mode("Difference")
    transition = two.root.locator(".wnb-class")
    swatch = transition.locator(".wnb-swatch")
    css = swatch.evaluate("(one) => getComputedStyle(one).backgroundColor")
    of_change = list(map(int, re.findall(r"\d+", css)))
    assert of_change not in (list(ROAD), list(CAR)), "a change is no class"
    # Its color is where the masks differ, and only there.
    assert two.colors([(370, 100), (400, 100), (430, 300)]) == [of_change] * 3
    assert of_change not in two.colors([IN_ROAD, IN_CAR, IN_CORNER, IN_SKY])
    expect(transition).to_have_count(1)
    expect(transition).to_contain_text("road → car")
    expect(transition).to_contain_text("12.50 %")  # 8 of 64 columns
    assert "B car" in two.hover(400, 100)
    assert "A road" in two.hover(400, 100)


def test_two_masks_swiped(two):
    two.mode("Swipe")
    two.swipe.press("Home")
    assert near(two.color(400, 100), mixed(UP, CAR, 0.5))
    two.swipe.press("End")
    assert near(two.color(400, 100), mixed(UP, ROAD, 0.5))
    expect(two.root).to_contain_text("B: bf16")


ODD = {
    "one class": ("np.zeros((4, 6), np.uint8)", 1, None),
    "two classes": ("np.arange(24, dtype=np.uint8).reshape(4, 6) % 2", 2, None),
    "21 classes": ("(np.arange(24, dtype=np.uint8) % 21).reshape(4, 6)", 21, None),
    "256 classes": ("np.arange(256, dtype=np.uint8).reshape(16, 16)", 256, None),
    "one pixel": ("np.ones((1, 1), np.uint8)", 2, None),
    "one pixel of both": ("np.ones((1, 1), np.uint8)", 2, (9, 200, 77)),
    "a line": ("np.arange(64, dtype=np.uint8).reshape(1, 64) % 2", 2, None),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_masks(notebook, browser, name):
    labels, classes, image = ODD[name]
    array = eval(labels, {"np": np})
    notebook.kernel.run(
        f"card = ModelCard('odd', 'segmentation', classes=[f'c{{n}}' for n in range({classes})])\n"
        f"image = {image} and np.full((1, 1, 3), {image}, np.uint8)\n"
        f"odd.show(wn.SegmentationResult({labels}, card, None, image))\n"
        "odd.hidden = []"
    )
    viewer = Viewer(notebook.output(3), array.shape[::-1])
    viewer.wait_painted(notebook.kernel.ask("odd.serial"))
    palette = notebook.kernel.ask("[tuple(map(int, c)) for c in odd.result.card.palette]")
    spots = [(x, y) for y in range(array.shape[0]) for x in range(array.shape[1])]
    expected = [palette[array[y, x]] for x, y in spots]
    if image:
        expected = [mixed(image, color, 0.5) for color in expected]
    for spot, seen, color in zip(spots, viewer.colors(spots), expected, strict=True):
        assert near(seen, color, 1), spot
    expect(viewer.root.locator(".wnb-class")).to_have_count(classes)
    assert viewer.hover(*spots[-1]).startswith(f"x {spots[-1][0]}, y {spots[-1][1]}")
    expect(viewer.probe).to_contain_text(f"c{array[-1, -1]}")


def test_keys_of_the_image_are_not_those_of_the_notebook(notebook, one):
    cells = notebook.page.locator(".jp-Cell")
    before = cells.count()
    one.canvas.focus()
    for key in ("a", "b", "x", "d", "d", "m"):  # insert, cut, delete, change a cell
        one.canvas.press(key)
    expect(cells).to_have_count(before)
    assert notebook.page.locator(".jp-MarkdownCell").count() == 0
