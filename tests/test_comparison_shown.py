"""What is shown of a comparison, and comparisons of the real model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from comparisons import PIXELS, RECIPE, result, scores

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.comparison.agreement import percent
from wasinn_nb.comparison.changes import draw_changes, faded
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import (
    InvalidArgumentError,
)

# -- text and pages ----------------------------------------------------------------------------


def different():
    values = scores()
    other = values.copy()
    other[:, :3] = np.roll(other[:, :3], 1, axis=0)
    return compare(result(values, image=PIXELS, recipe=RECIPE), result(other))


def test_text_is_stable_and_says_it_all():
    found = different()
    assert repr(found) == repr(different())
    lines = repr(found).splitlines()
    assert lines[0].startswith("different: first at the output tensor: values differ by up to 0.")
    assert lines[1] == "a: SegmentationResult toy, f32 on CPU"
    assert "36 pixels changed, 0 of them near a tie" in repr(found)
    assert "most changed pixels: rows 0 to 0, columns 1 to 2" in repr(found)


def test_html_is_escaped():
    card = ModelCard("toy", classes=("<b>", "road"))
    a, b = np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    html = compare(a, b, card=card)._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "#d1242f" in html


@pytest.mark.full
def test_a_page_is_self_contained(tmp_path):
    page = different().write_html(tmp_path / "new" / "page.html").read_text()
    assert "<h1>Comparison</h1>" in page
    assert "data:image/png;base64," in page
    assert 'src="http' not in page
    only = compare(np.zeros(3), np.ones(3)).write_html(tmp_path / "tensors.html").read_text()
    assert "<img" not in only


def test_json():
    values = json.loads(json.dumps(different().to_dict()))
    assert (values["verdict"], values["same"]) == ("different", False)
    assert values["first_difference"] == "output tensor"
    assert values["changed"] == 36


def test_it_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        different().verdict = Verdict.SAME
    with pytest.raises(TypeError):
        different().iou["road"] = 1.0


@pytest.mark.full
def test_the_figure_shows_masks_changes_and_leads():
    figure = different().plot()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "Image",
        "Mask of a",
        "Mask of b",
        "Changed pixels",
        "Lead of the highest probability over the next",
    ]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[:3] == ["background", "road", "curb"]
    assert sum(int(text.split()[-2]) for text in texts[3:]) == 36
    figure._repr_png_()
    with pytest.raises(InvalidArgumentError, match="neither side has labels"):
        compare(np.zeros(3), np.zeros(3)).plot()


def test_changes_are_widened_until_a_screen_shows_them():
    a = np.zeros((900, 1000), np.uint8)
    b = a.copy()
    b[500, 500] = 1
    drawn, widened = draw_changes(a, b, {(0, 1): (255, 0, 0)}, (9, 9, 9), faded(a, None))
    assert widened
    red = np.argwhere((drawn == (255, 0, 0)).all(axis=2))
    assert (red.min(), red.max(), len(red)) == (498, 502, 25)
    assert set(np.unique(drawn[400])) == {245}


@pytest.mark.parametrize(("share", "text"), [(0, "0.00 %"), (1, "100.00 %"), (1e-9, "<0.01 %")])
def test_percent(share, text):
    assert percent(share) == text


@pytest.mark.full
def test_importing_it_loads_neither_host_nor_runtime():
    code = "import sys, wasinn_nb.comparison; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"wasmtime", "openvino", "matplotlib", "wasinn_nb.host"}


# -- the real model ----------------------------------------------------------------------------

REAL = "road-segmentation-adas-0001"


@pytest.fixture(scope="module")
def road(shared):
    """Segment the image with the real model in some way."""
    from wasinn_nb.shortcuts import segment

    model = shared / "models" / f"{REAL}.xml"
    image = shared / "images" / "empty_road_mapillary.jpg"

    def run(*, scores=True, **options):
        color = options.pop("color", None)
        if color:
            options["recipe"] = segment(image, model).recipe.replace(color=color)
        return segment(image, model, scores=scores, **options)

    return run


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:precision bf16 was asked for")  # a processor without it says so
@pytest.mark.parametrize("scores", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_bfloat16_is_the_same_within_precision(road, scores):
    a, b = road(scores=scores), road(scores=scores, precision="bf16")
    found = compare(a, b)
    assert found.same
    if b.precision == "bf16":
        assert found.verdict is Verdict.SAME
        assert str(found).startswith("same within precision: f32 against bf16; 99.9")
        assert found.near_ties is None or found.near_ties >= 0.9 * found.changed
    assert not compare(a, b, tolerance=1e-5).same or found.verdict is Verdict.IDENTICAL


@pytest.mark.full
@pytest.mark.parametrize("scores", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_rgb_for_bgr_is_different(road, scores):
    a, b = road(scores=scores), road(scores=scores, color="RGB")
    found = compare(a, b)
    assert found.verdict is Verdict.DIFFERENT
    assert found.first_difference == "input tensor"
    assert "BGR against RGB" in found.why
    assert found.agreement == pytest.approx(0.9847, abs=0.0005)
    assert found.worst_class == "curb"
    assert found.iou["curb"] == pytest.approx(0.876, abs=0.005)
    # From the masks alone, too.
    alone = compare(a.labels, b.labels, card=a.card)
    assert (alone.first_difference, alone.worst_class) == ("labels", "curb")
    if scores:
        outputs = compare(a.scores, b.scores, card=a.card)
        assert (outputs.first_difference, outputs.worst_class) == ("output tensor", "curb")


@pytest.mark.full
def test_another_filter_is_the_same_within_precision(road):
    found = compare(road(), road(resize="triangle-0.23"))
    assert found.verdict is Verdict.SAME
    assert found.step("input tensor").detail.largest == 1
    assert found.recipes == {"resize": (road().recipe.resize, "triangle-0.23")}


def test_a_guest_and_the_native_run(road, shared, tmp_path):
    from wasinn_nb.catalog.shipped import guest
    from wasinn_nb.host.guest import run_guest

    run = run_guest(
        guest("roadseg"),
        [f"models/{REAL}.xml", f"models/{REAL}.bin", "images/empty_road_mapillary.jpg", "out"],
        {"models": shared / "models", "images": shared / "images", "out": tmp_path},
        writable="out",
        stream=False,
    )
    found = compare(run, road())
    assert found.same, repr(found)
    assert [step.name for step in found.steps] == ["input tensor", "output tensor", "labels"]
    assert found.step("input tensor").detail.largest <= 2  # two JPEG decoders
    (dumped,) = run.files
    assert compare(dumped, run).verdict is Verdict.IDENTICAL
    assert compare(run, road(color="RGB")).first_difference == "input tensor"
    reference = "empty_road_mapillary.jpg.image-0.24.3.bgr-512x896x3xu8.tensor"
    given = compare(shared / "reference" / reference, run)
    assert str(given) == (
        "same within precision: input tensor: type u8 against f32; "
        "layout 512x896x3 against 1x3x512x896; equal values"
    )
