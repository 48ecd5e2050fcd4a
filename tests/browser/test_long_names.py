"""Long names of classes, and names from right to left, in the list beside or below a mask."""

from __future__ import annotations

import numpy as np
import pytest

import wasinn_nb as wn
from browser.layout import CONTRASTS, STICKS_OUT
from browser.pages import opened_page

NAMES = (
    "sky",
    "a very long name of a class: a traffic light, upright, not lit, seen from behind",
    "أرصفة المشاة والطرق المعبدة",
    "רחוב",
    "x" * 60,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    labels = np.repeat(np.arange(20, dtype=np.uint8), 4)[None].repeat(40, 0)
    names = (*NAMES, *(f"{name} {number}" for name in NAMES for number in range(3)))
    card = wn.ModelCard("toy", "segmentation", classes=names)
    image = np.full((40, 80, 3), 128, np.uint8)
    viewer = wn.MaskViewer(wn.SegmentationResult(labels, card, image=image))
    return viewer.write_html(tmp_path_factory.mktemp("names") / "names.html")


@pytest.mark.parametrize("width", [1280, 620])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_long_name_goes_on_beside_its_color(browser, path, width, scheme):
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    with opened_page(browser, path.as_uri(), **options) as page:
        page.locator(".wnb-viewer[data-painted]").wait_for()
        page.screenshot(path=path.with_name(f"names-{scheme}-{width}.png"))
        rows = page.locator(".wnb-class")
        assert rows.count() == 20
        for row in rows.all():
            color, name, share, area = (
                row.locator(one).bounding_box()
                for one in (".wnb-swatch", ".wnb-name", ".wnb-share", ".wnb-area")
            )
            line = share["height"]
            assert color["x"] + color["width"] < name["x"]
            assert color["y"] - name["y"] < line  # beside its first line
            assert name["height"] <= 3 * line + 2
            assert name["x"] + name["width"] <= share["x"] or share["y"] >= name["y"] + line
            assert area["y"] >= max(one["y"] + one["height"] for one in (name, share)) - 1
        viewer = page.locator(".wnb-viewer")
        assert viewer.evaluate(STICKS_OUT) == []
        assert viewer.evaluate(CONTRASTS) == []
