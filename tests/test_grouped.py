"""Numbers of pixels and images are grouped for people, and plain in JSON and tables of pandas."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from comparisons import CARD

import wasinn_nb as wn
from wasinn_nb.evaluation import ClassificationEvaluation, Rank
from wasinn_nb.render import Report
from wasinn_nb.render.text import document_text
from wasinn_nb.tasks.segmentation import SegmentationResult

LABELS = np.zeros((1024, 1200), np.uint8)
LABELS[:, 700:] = 1
LABELS[:20] = 2
OTHER = np.minimum(LABELS, 1)
ONE, TWO = SegmentationResult(LABELS, CARD), SegmentationResult(OTHER, CARD)
MANY = ClassificationEvaluation(
    "toy", ("cat", "dog"), tuple(Rank(f"{n:x}.jpg", n % 2, 0, 1 + n % 2, 0.5) for n in range(3000))
)
SEEN = {
    "segmentation": (ONE, ["702,800", "502,000", "24,000"]),
    "comparison": (wn.compare(ONE, TWO), ["702,800", "526,000", "24,000"]),
    "evaluation": (
        wn.evaluate({"a": TWO}, {"a": LABELS}, classes=CARD.classes),
        ["702,800", "24,000"],
    ),
    "ranks": (MANY, ["1,500"]),
}


@pytest.mark.full
@pytest.mark.parametrize("name", SEEN)
def test_people_read_groups_and_programs_plain_numbers(name, tmp_path):
    value, groups = SEEN[name]
    text, page = document_text(value.document()), ""
    if isinstance(value, Report):
        page = value.write_html(tmp_path / "page.html").read_text()
        page = re.sub(r"<(style|script).*?</\1>|<[^>]*>", "", page, flags=re.DOTALL)
    for group in groups:
        plain = group.replace(",", "")
        assert group in text + page
        assert plain not in text + page
        assert group not in json.dumps(value.to_dict(), default=list)
    plain = {group.replace(",", "") for group in groups}
    assert any(number in json.dumps(value.to_dict(), default=list) for number in plain)


def test_tables_of_pandas_have_numbers():
    judged, _ = SEEN["evaluation"]
    assert judged.table()["pixels"].tolist() == [702_800, 502_000, 24_000]
