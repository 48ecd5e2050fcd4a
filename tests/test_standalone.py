"""A viewer as a page of its own."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from viewed import LABELS, SCORES, laid_down, result

import wasinn_nb as wn
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import InvalidArgumentError


def saved(page):
    """The values of a page, with the bytes of each path."""
    text = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1]
    found = json.loads(text)
    data = {tuple(one["path"]): base64.b64decode(one["data"]) for one in found["bytes"]}
    return found["values"], data


def test_the_page_has_what_the_viewer_shows(tmp_path):
    segmented = result(scores=SCORES, image=np.full((4, 6, 3), 7, np.uint8))
    viewer = wn.MaskViewer(segmented, result(), mode="swipe", opacity=0.3, hidden=["curb"])
    page = viewer.write_html(tmp_path / "a.html").read_text("utf-8")
    values, data = saved(page)
    assert [values[name] for name in ("mode", "opacity", "hidden")] == ["swipe", 0.3, ["curb"]]
    assert [one["name"] for one in values["_masks"][1]["classes"]] == ["background", "road", "curb"]
    mask = values["_masks"][0] | {"labels": data["_masks", 0, "labels"]}
    assert np.array_equal(laid_down(mask), LABELS)
    assert data["_sent_image", "bytes"].startswith(b"\x89PNG")
    assert ("_confidence", 0, "planes") in data
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert page.count("<img ") == 2  # where scripts are off


def test_names_from_outside_end_no_script(tmp_path):
    name = "</script><script>alert(1)</script>"
    card = ModelCard("toy", "segmentation", classes=("background", name, "curb"))
    page = wn.MaskViewer(result(card=card)).write_html(tmp_path / "a.html").read_text("utf-8")
    assert page.count("<script") == page.count("</script>") == 2
    assert saved(page)[0]["_masks"][0]["classes"][1]["name"] == name


def test_nothing_shown_is_refused(tmp_path):
    with pytest.raises(InvalidArgumentError, match=r"no result to write: show\(result\)"):
        wn.MaskViewer().write_html(tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_a_program_that_ends_with_a_viewer_prints_nothing(tmp_path):
    code = (
        "import numpy as np, wasinn_nb as wn\nfrom viewed import result\n"
        "viewer = wn.MaskViewer(result())\nviewer.write_html('a.html')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
