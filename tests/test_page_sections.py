"""The parts of a page have headings: what comes after the first heading is in a section."""

from __future__ import annotations

import numpy as np
import pytest
from comparisons import result
from quantized import layer_comparison, quantization
from toys import brightest_channel, third_blue

import wasinn_nb as wn
from wasinn_nb.diagnosis.output_answer import answer_of_alarms
from wasinn_nb.evaluation import ClassificationEvaluation, Rank
from wasinn_nb.prediction import RunComparison
from wasinn_nb.render import Report, Section

MASK = result()
RUNS = RunComparison(
    ("a", "b"),
    ("road", "curb"),
    np.array([[3, 1], [0, 4]]),
    ("x.png",),
    np.array([0.9]),
    np.array([[0.75, 0.8]]),
    (1, 0),
    remarks=("run abc is not finished",),
)
RANKS = ClassificationEvaluation("toy", ("cat", "dog"), (Rank("a.jpg", 0, 1, 2, 0.25),))
REPORTS = {
    "comparison": wn.compare(MASK, MASK),
    "runs": RUNS,
    "layers": layer_comparison(),
    "evaluation": wn.evaluate({"a": MASK}, {"a": MASK.labels}, classes=MASK.card.classes),
    "ranks": RANKS,
    "diagnosis": answer_of_alarms(np.zeros((2, 4, 4), np.float32), None, None),
}
HEADINGS = {
    "runs": ["Classes", "Images", "How they were compared"],
    "layers": ["Every layer", "How they were compared"],
    "quantization": ["Classes", "Images", "Time", "How it was measured"],
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quantized")
    model, image = brightest_channel(folder / "toy.xml"), third_blue(folder / "a.png")
    return REPORTS | {"quantization": quantization(model, image)}


@pytest.mark.full
def test_all_kinds_of_reports_are_here(reports):
    public = [getattr(wn, name) for name in wn.__all__]
    kinds = {one for one in public if isinstance(one, type) and issubclass(one, Report)}
    assert wn.Comparison in kinds
    assert kinds - {type(one) for one in reports.values()} <= {wn.Predictions, wn.Portability}


@pytest.mark.parametrize("name", [*REPORTS, "quantization"])
@pytest.mark.parametrize("medium", ["page", "notebook"])
def test_what_follows_a_heading_has_one(name, medium, reports):
    blocks = reports[name].document().blocks_in(medium)
    sections = [n for n, block in enumerate(blocks) if isinstance(block, Section)]
    assert sections or medium == "notebook"
    first = min(sections, default=len(blocks))
    later = [block for block in blocks[first:] if not isinstance(block, Section)]
    assert later == []


@pytest.mark.full
@pytest.mark.parametrize("name", HEADINGS)
def test_headings_are_on_the_page_in_this_order(name, reports, tmp_path):
    page = reports[name].write_html(tmp_path / "page.html").read_text()
    places = [page.index(f">{heading}<") for heading in HEADINGS[name]]
    assert places == sorted(places)
    text = repr(reports[name])
    assert "How" not in text
