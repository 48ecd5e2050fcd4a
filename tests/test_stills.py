"""What a saved notebook keeps of results and widgets: HTML, and a PNG for PDF and LaTeX."""

import base64
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.comparison import Change, Difference, change_colors
from wasinn_nb.imaging import Coverage
from wasinn_nb.origin import Origin
from wasinn_nb.render import (
    Bar,
    Bars,
    Document,
    ImageBlock,
    Legend,
    LegendEntry,
    Paragraph,
    document_png,
    documents_png,
    encoded_image,
    report_png,
)
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.still import Still

pytestmark = pytest.mark.full

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
LABELS = np.array([[0, 1, 1], [2, 1, 0]], np.uint8)
ROAD = 0, 114, 178


def opened(png):
    return Image.open(io.BytesIO(png)).convert("RGB")


def flat(color, size=(40, 30)):
    image = Image.new("RGB", size, color).quantize(2)
    return ImageBlock(lambda: encoded_image(image), "flat")


def test_the_image_of_a_result_shows_the_overlay_and_names_its_colors():
    made = wn.segment("city-crosswalk")
    png = made._repr_png_()
    assert len(png) <= 300_000
    sheet = np.asarray(opened(png)).astype(int)
    photo = Image.fromarray(made.photo).resize((640, 360))
    overlay = np.asarray(made.overlay(photo)).astype(int)
    tops = [np.abs(sheet[top : top + 360] - overlay).mean() for top in range(10, 60)]
    assert min(tops) < 8, "few colors"
    below = sheet[10 + int(np.argmin(tops)) + 360 + 4 :]
    assert set(made.card.palette) <= {tuple(pixel) for pixel in below.reshape(-1, 3).tolist()}


def test_a_mask_without_an_image_is_enlarged():
    sheet = np.asarray(opened(SegmentationResult(LABELS, CARD)._repr_png_()))
    road = np.abs(sheet.astype(int) - ROAD).max(2) <= 6
    assert road.sum() > 3 * 50 * 50


def test_noise_stays_small():
    wild = np.random.default_rng(0).integers(0, 256, (900, 1600, 3), dtype=np.uint8)
    result = SegmentationResult(LABELS, CARD, image=wild)
    assert len(result._repr_png_()) <= 300_000


def test_the_image_of_a_classification_has_bars_as_long_as_the_probabilities(toy_classes):
    sheet = np.asarray(opened(toy_classes._repr_png_())).astype(int)
    filled = np.abs(sheet - ROAD).max(2) <= 6
    lengths = sorted({int(row.sum()) for row in filled if row[:3].all()}, reverse=True)
    shares = [one.probability for one in toy_classes.top(3)]
    for share in shares:
        assert any(abs(length / sheet.shape[1] - share) < 0.01 for length in lengths), share


@pytest.fixture
def toy_classes():
    card = ModelCard("kinds", "classification", classes=("blue", "green", "red"))
    scores = np.array([0.5, 0.3, 0.2], np.float32)
    return wn.ClassificationResult(scores, card, Origin("kinds"))


def test_two_documents_stand_side_by_side():
    png = documents_png([Document("a", [flat((200, 0, 0))]), Document("b", [flat((0, 0, 200))])])
    sheet = np.asarray(opened(png)).astype(int)
    red, blue = (np.abs(sheet - one).max(2) <= 6 for one in ((200, 0, 0), (0, 0, 200)))
    assert red.sum() == blue.sum() == 40 * 30
    assert red.nonzero()[1].max() < blue.nonzero()[1].min()


def test_documents_without_an_image_have_none():
    assert document_png(Document("toy", [Paragraph("words")])) is None
    assert documents_png([]) is None
    assert documents_png([Document("a", [flat((9, 9, 9))]), Document("b", [])]) is None


def test_names_of_every_kind_are_drawn():
    names = ["ünïcode", "вода", "שלום", "建物", "road\u202e", "x" * 400]
    entries = [LegendEntry(name, (200, 30, 30), "1.00 %") for name in names]
    bars = Bars([Bar(name, 1.5) for name in names])
    png = document_png(Document("建" * 300, [flat((0, 90, 0)), Legend(entries), bars]))
    assert opened(png).width == 640
    many = Legend([LegendEntry(f"class {n}", (n, n, n), "") for n in range(256)])
    assert opened(document_png(Document("m", [flat((0, 0, 0)), many]))).height < 1000


def test_a_report_is_text_above_its_images():
    lines = Document("Report", [Paragraph("\n".join(f"line {n}" for n in range(200)))])
    sheet = np.asarray(opened(report_png(lines, [flat((200, 0, 0))]))).astype(int)
    red = np.abs(sheet - (200, 0, 0)).max(2) <= 6
    assert red.sum() == 40 * 30
    ink = (sheet.max(2) < 100) & ~red
    assert ink.any()
    assert ink.nonzero()[0].max() < red.nonzero()[0].min()
    assert report_png(lines, [Paragraph("none")]) is None


@pytest.mark.full
def test_every_kind_of_report_that_plots_has_an_image(tmp_path):
    one = wn.segment("city-crosswalk", scores=True)
    other = wn.segment("city-crosswalk", precision="bf16", scores=True)
    compared = wn.compare(one, other)
    judged = wn.evaluate(
        "data/images", "data/masks", model="road-segmentation-synth-0001", progress=False
    )
    tensor = wn.image_to_tensor(wn.image("city-crosswalk"), one.recipe)
    diagnosed = wn.diagnose(tensor.to_array()[:, ::-1], wn.image("city-crosswalk"), one.recipe)
    for report in (compared, judged, diagnosed):
        sheet = opened(report._repr_png_())
        assert sheet.width >= 640
        sheet.save(tmp_path / f"{type(report).__name__}.png")
    assert type(compared)._repr_png_ is type(judged)._repr_png_


def test_a_comparison_is_drawn_without_matplotlib(monkeypatch):
    labels = np.array([[0, 1, 1], [2, 2, 0]], np.uint8)
    a, b = SegmentationResult(LABELS, CARD), SegmentationResult(labels, CARD)
    compared = wn.compare(a, b)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    sheet = np.asarray(opened(compared._repr_png_())).astype(int)
    for color in (ROAD, (213, 94, 0), change_colors(CARD.palette)[0]):
        assert (np.abs(sheet - color).max(2) == 0).sum() > 100, color
    same = wn.compare(np.zeros(4, np.float32), np.zeros(4, np.float32))
    assert same._repr_png_() is None, "no masks"


# -------------------------------------------------------------------------------- the difference


def masks(*rows):
    card = ModelCard("toy", "segmentation", classes=("tree", "building", "sky"))
    return [SegmentationResult(np.array([row], np.uint8), card) for row in rows]


def test_a_difference_has_a_direction():
    a, b = masks([0, 0, 1, 1], [1, 1, 1, 1])
    there, back = Difference(a, b), Difference(b, a)
    assert there.changes == (Change("tree", "building", 2),)
    assert back.changes == (Change("building", "tree", 2),)
    assert "tree → building" in there._repr_html_()
    assert "building → tree" not in there._repr_html_()
    assert "building → tree" in back._repr_html_()
    both = Difference(*masks([0, 1, 1, 2], [1, 0, 0, 2]))
    assert [(one.before, one.after) for one in both.changes] == [
        ("building", "tree"),
        ("tree", "building"),
    ]
    entries = next(block for block in both.document().blocks if isinstance(block, Legend)).entries
    assert entries[0].color != entries[1].color
    sheet = np.asarray(opened(both._repr_png_()))
    for entry in entries:
        assert (sheet == entry.color).all(2).sum() > 100, entry


def test_differences_of_other_sizes_names_and_parts_of_the_image():
    fine = SegmentationResult(np.zeros((4, 8), np.uint8), CARD)
    coarse = SegmentationResult(np.ones((2, 4), np.uint8), CARD)
    assert Difference(fine, coarse).changes == (Change("background", "road", 32),)
    other = ModelCard("other", "segmentation", classes=("road", "background"))
    turned = SegmentationResult(np.ones((4, 8), np.uint8), other)
    assert Difference(fine, turned).changes == ()
    assert "no pixel differs" in str(Difference(fine, turned))
    half = SegmentationResult(np.ones((4, 4), np.uint8), CARD, covers=Coverage(0, 0, 1, 0.5))
    assert Difference(fine, half).changes == (Change("background", "road", 16),)


def test_many_changes_are_listed_as_others():
    card = ModelCard("many", "segmentation", classes=[f"c{n}" for n in range(150)])
    a = SegmentationResult(np.arange(150, dtype=np.uint8).reshape(10, 15), card)
    b = SegmentationResult(np.arange(150, dtype=np.uint8)[::-1].reshape(10, 15).copy(), card)
    found = Difference(a, b)
    entries = next(block for block in found.document().blocks if isinstance(block, Legend)).entries
    assert [entry.name for entry in entries][-1] == "other changes"
    assert len({entry.color for entry in entries}) == len(entries)
    assert "144 more" in str(found)


def test_the_difference_mode_saves_one_figure():
    a, b = masks([0, 0, 1, 1], [1, 1, 1, 1])
    viewer = wn.MaskViewer(a, b, mode="difference")
    viewer.still.prepare()
    html = viewer.still.bundle()["text/html"]
    assert html.count("<img") == 1
    assert "tree → building" in html
    viewer.mode = "swipe"
    assert viewer.still.bundle()["text/html"].count("<img") == 2
    viewer.mode = "difference"
    viewer.show(b, a)
    assert "building → tree" in viewer.still.bundle()["text/html"]


def test_the_bundle_for_the_notebook():
    result = SegmentationResult(LABELS, CARD)
    still = Still()
    assert still.bundle()["text/plain"] == "no result yet"
    assert "data-wnb-still" in still.bundle()["text/html"]
    still.update(result)
    bundle = still.bundle()
    assert bundle["image/png"] == result._repr_png_()
    assert f'data-wnb-still="{still.id}"' in bundle["text/html"]
    assert bundle["text/plain"] == repr(result)
    json.dumps({name: value for name, value in bundle.items() if name != "image/png"})


def test_an_image_that_takes_over_has_the_place_of_the_other():
    old, new = Still(), Still()
    old.displayed = True
    name = old.id
    new.take_over(old)
    assert (new.id, new.displayed, old.displayed) == (name, True, False)
    assert old.id != name


@pytest.mark.full
def test_a_result_has_its_image_in_latex(toy_classes):
    nbformat = pytest.importorskip("nbformat")
    exporters = pytest.importorskip("nbconvert.exporters")
    formatter = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    cells, images = [], []
    for value in (SegmentationResult(LABELS, CARD), toy_classes):
        data, metadata = formatter.format(value)
        images.append(data["image/png"])
        data["image/png"] = base64.b64encode(data["image/png"]).decode()
        output = nbformat.v4.new_output("display_data", data, metadata=metadata)
        cells.append(nbformat.v4.new_code_cell("result", outputs=[output]))
    notebook = nbformat.v4.new_notebook(cells=cells)
    text, resources = exporters.LatexExporter().from_notebook_node(notebook)
    assert list(resources["outputs"].values()) == images
    assert all(name in text for name in resources["outputs"])
