"""`Gallery` without a page: columns, expressions, what the page asks, and what it may not."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
import traitlets
from gallery_help import Asked, make_place
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.widgets.gallery.tiles import pooled

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def judged(place):
    found = wn.read_predictions(place / "store").query("status == 'done'")
    return wn.Gallery(found, place / "masks", place / "other", progress=False)


@pytest.fixture
def gallery(judged):
    judged.query = ""
    judged.sort_by, judged.descending = "mean IoU", False
    return judged


def test_columns_of_truths_are_those_of_the_evaluation(place, gallery):
    found = wn.evaluate(gallery.predictions, place / "masks", progress=False)
    images = found.images()
    frame = gallery.selection.set_index(gallery.selection["name"].str.removesuffix(".png"))
    assert list(frame.index) == list(images.index)  # the worst first
    for column in ("mean IoU", "accuracy", "IoU sky", "IoU grass land"):
        assert frame[column].to_numpy() == pytest.approx(images[column].to_numpy(), nan_ok=True)
    assert list(frame["worst class"]) == list(images["worst class"])
    assert gallery.evaluation.matrix.tolist() == found.matrix.tolist()


def test_the_other_run_by_content(gallery):
    # The other run swaps red and blue, and has green alike.
    by_name = gallery.selection.set_index("name")["disagreement"]
    assert by_name["0001.png"] == 0
    assert by_name["0000.png"] == 1


def test_expressions_filters_and_their_text(gallery):
    gallery.query = "sky == 1 or `grass land` > 0.5"
    assert sorted(gallery.selection["name"]) == [f"{n:04}.png" for n in (0, 2, 3, 5, 6)]
    gallery._filters = [{"column": "accuracy", "low": 0.5, "high": None}]
    assert gallery.query == "(sky == 1 or `grass land` > 0.5) and accuracy >= 0.5"
    before = sorted(gallery.selection["name"])
    gallery.query = gallery.query
    assert sorted(gallery.selection["name"]) == before
    assert gallery._filters == []
    gallery.query = ""
    gallery._filters = [{"column": "worst class", "texts": ["it's", "sky"]}]
    assert gallery.query == "`worst class` in [\"it's\", 'sky']"
    assert set(gallery.selection["worst class"]) == {"sky"}


@pytest.mark.parametrize(
    "text",
    [
        "name.map(print)",
        "@gallery",
        "__import__('os').system('true')",
        "sky.__class__",
        "(lambda: 1)()",
        "[x for x in sky]",
        "sky ** 9 ** 9",
        "'x' * 1000000000 == name",
        "'`' == name and __import__('os') and name == '`'",
        "skye > 1",
        "`sky",
        "sky",
        "not " * 3000 + "sky > 1",
    ],
)
def test_expressions_of_a_page_reach_nothing_but_columns(gallery, text):
    with pytest.raises(InvalidArgumentError):
        gallery.query = text
    assert gallery.query == ""


def test_expressions_have_what_queries_have(place, gallery):
    for text in (
        "0.1 < sky < 2",
        "not sky > 0.5",
        "name in ['0001.png', '0002.png'] and sky + `grass land` >= 0",
        "sky > 0.5 & width == 12",
        '`class:width`.isna() or status != "done"',
    ):
        gallery.query = text
        assert sorted(gallery.selection["name"]) == sorted(
            gallery.predictions.query(text).table()["name"]
        )


def test_a_cell_of_the_confusion_matrix(gallery):
    cells = {(t, p): n for t, p, n in gallery._table.judged.matrix.tolist()}
    (true, predicted), pixels = next((c, n) for c, n in cells.items() if c[0] != c[1])
    gallery._cell = [true, predicted]
    names = gallery.evaluation.classes
    column = f"{names[true]} as {names[predicted]}"
    assert gallery.query == f"`{column}` >= 1"
    frame = gallery._table.frame(["name", column])
    assert frame[column].sum() == pixels
    assert set(gallery.selection["name"]) == set(frame[frame[column] > 0]["name"])
    asked = Asked(gallery)
    row = int(gallery.rows[0])
    tile = asked("tiles", rows=[row], layer=f"cell:{true}:{predicted}", side=160)["tiles"][0]
    marks = np.frombuffer(zlib.decompress(tile["labels"]), np.uint8)
    assert set(marks) <= {0, 1}
    assert marks.sum() == frame[column][row]  # thumbnails of these images have all their pixels


def test_pixels_of_a_cell_stay_visible_in_small_tiles():
    marks = np.zeros((300, 400), bool)
    marks[299, 399] = marks[7, 3] = True
    small = pooled(marks, 60, 80)
    assert (small.shape, small.sum(), small[59, 79], small[1, 0]) == ((60, 80), 2, 1, 1)


def test_what_the_page_asks(gallery):
    asked = Asked(gallery)
    facet = asked("facet", name="sky")
    assert facet["edges"][0] == 0.0
    assert "bins" not in facet
    bins = np.frombuffer(zlib.decompress(asked("bins", name="sky")["bins"]), np.uint8)
    assert len(bins) == len(gallery.predictions)
    values = gallery._table.values("sky")
    edges = facet["edges"]
    assert all(edges[b] <= v for b, v in zip(bins, values, strict=True))
    assert facet["counts"] == np.bincount(bins, minlength=len(edges) - 1).tolist()

    def order_to(most):
        planes = asked("order", name="sky", descending=True, most=most)["order"]
        planes = np.frombuffer(zlib.decompress(planes), np.uint8)
        return planes.reshape(4, -1).T.copy().view("<u4")[:, 0]

    rows = order_to(len(values))
    assert sorted(rows.tolist()) == list(range(len(values)))
    assert order_to(3).tolist() == rows[:3].tolist()
    assert (np.diff(values[rows]) <= 0).all()
    holds = zlib.decompress(asked("holds", text="sky > 0.5")["bits"])
    bits = np.unpackbits(np.frombuffer(holds, np.uint8), bitorder="little")
    assert bits[: len(values)].tolist() == (values > 0.5).astype(int).tolist()
    tile = asked("tiles", rows=[0], layer="prediction", side=160)["tiles"][0]
    assert tile["thumbnail"][:2] == b"\xff\xd8"
    labels = np.frombuffer(zlib.decompress(tile["labels"]), np.uint8)
    result = gallery.predictions.result(0)
    assert (labels.reshape(tile["height"], tile["width"]) == result.labels).all()
    assert asked("values", name="sky", rows=[0])["values"] == [f"{values[0]:.0f}"]
    opened = asked("open", row=0, against="truth")["viewer"]
    assert [mask["caption"] for mask in opened["_masks"]] == ["toy", "truth"]
    assert "read_predictions" in asked("code")["code"]


def test_the_code_is_of_what_the_page_shows(gallery):
    # The page holds a change of the text back while an earlier change is on its way.
    answer = Asked(gallery)("code", traits={"text": "sky > 0.25", "predictions": None})
    assert answer["query"] == gallery.text == "sky > 0.25"
    assert "sky > 0.25" in answer["code"]


def test_what_the_page_may_not_ask(gallery):
    asked = Asked(gallery)
    assert (
        "expected rows from 0 to"
        in asked("tiles", rows=[10**9], layer="prediction", side=9)["failed"]
    )
    many = list(range(5)) * 100
    assert "expected rows" in asked("tiles", rows=many, layer="truth", side=9)["failed"]
    assert "the layer 'nothing'" in asked("tiles", rows=[0], layer="nothing", side=9)["failed"]
    for side in (None, 0, -1, 64.5, True, "64"):
        failed = asked("tiles", rows=[0], layer="prediction", side=side)["failed"]
        assert f"expected side as a number from 1, got {side!r}" in failed
    assert "expected most" in asked("order", name="sky")["failed"]
    assert "no column" in asked("bins", name="nothing")["failed"]
    assert "no column" in asked("facet", name="nothing")["failed"]
    assert "as text" in asked("facet", name=["sky"])["failed"]
    assert "a cell of the confusion" in asked("holds", cell=[99, 99])["failed"]
    assert asked("write_html", path="/tmp/x") is None
    gallery.set_state({"predictions": 1, "_about": {}, "opacity": 0.25})
    assert gallery._about["rows"] == len(gallery.predictions)
    assert gallery.opacity == 0.25
    for bad in ([{"column": "sky"}], [{"column": "x", "low": 1}], [{"column": "sky", "low": "1"}]):
        with pytest.raises(InvalidArgumentError):
            gallery._filters = bad
    with pytest.raises(traitlets.TraitError):
        gallery.tile_size = 10_000


def test_errors_are_a_facet_and_have_no_result(place):
    found = wn.Gallery(place / "store")
    facets = {facet["name"]: facet for facet in found._about["facets"]}
    assert facets["error_kind"]["kind"] == "text"
    asked = Asked(found)
    assert asked("facet", name="error_kind")["texts"] == ["ImageError"]
    found._filters = [{"column": "status", "texts": ["error"]}]
    row = int(found.rows[0])
    tile = asked("tiles", rows=[row], layer="prediction", side=160)["tiles"][0]
    assert tile["error"].startswith("ImageError: text.png: not an image")
    assert "not an image" in asked("open", row=row, against="")["error"]
    assert found.sort_by == "mean_confidence"


def test_the_code_makes_the_same_selection(place, monkeypatch):
    monkeypatch.chdir(place)
    found = wn.Gallery(place / "store", place / "masks_of_all", progress=False)
    for query in ("sky > 0.5", "`mean IoU` < 0.9 and sky >= 0", ""):
        found.query = query
        names: dict[str, object] = {}
        exec(found.code, names)
        assert list(names["selection"]["name"]) == list(found.selection["name"])


def test_thumbnails_that_are_shown_when_images_are_gone(place, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    Image.open(place / "images/0001.png").save(images / "a.png")
    store = tmp_path / "store"
    wn.predict(images, place / "toy.xml", store, progress=False)
    (images / "a.png").unlink()
    opened = Asked(wn.Gallery(store))("open", row=0, against="")["viewer"]
    assert opened["_sent_image"]["bytes"][:2] == b"\xff\xd8"
    notes = [note["text"] for note in opened["_notes"]]
    assert any("the thumbnail of the image" in note for note in notes)
    assert any("cannot be read" in note for note in notes)


def test_what_a_gallery_refuses(place, gallery):
    with pytest.raises(InvalidArgumentError, match="expected Predictions, results, or the folder"):
        wn.Gallery(["a"])
    with pytest.raises(MissingFileError):
        wn.Gallery(place / "nothing")
    with pytest.raises(InvalidArgumentError, match="say how truths are read"):
        wn.Gallery(gallery.predictions, suffix="_mask")
    with pytest.raises(InvalidArgumentError, match="how many images, 1 to 500"):
        gallery.write_html(place / "x.html", most=501)


def test_an_evaluation_in_place_of_truths(place, gallery):
    found = wn.Gallery(gallery.predictions, gallery.evaluation)
    assert found.sort_by == "mean IoU"
    assert found._about["layers"] == ["prediction", "truth", "wrong"]
    assert list(found.selection["name"]) == list(gallery.selection["name"])
    others = wn.read_predictions(place / "hostile").query("name.str.startswith('<')")
    with pytest.raises(InvalidArgumentError, match="has none of these predictions"):
        wn.Gallery(others, gallery.evaluation)


def test_classifications(place):
    truths = {f"{n:04}": "red" for n in range(7)}
    found = wn.Gallery(place / "classes", truths, progress=False)
    assert (found.sort_by, found._about["layers"]) == ("true probability", [])
    assert set(found.selection["true class"]) == {"red"}
    cells = found._about["matrix"]["cells"]
    assert sum(count for _, _, count in cells) == 7
    opened = Asked(found)("open", row=0, against="")
    assert opened["bars"]["_results"][0]["bars"][0]["name"] in {"red", "green", "blue"}
    (tile,) = Asked(found)("tiles", rows=[0], layer="prediction", side=160)["tiles"]
    row = found.predictions.table(["label", "probability"]).iloc[0]
    assert tile["detail"] == f"{100 * row['probability']:.0f} % {row['label']}"


def test_the_static_picture(gallery):
    gallery.query = "sky == 1"
    gallery._update_still()
    bundle = gallery.still.bundle()
    assert "sorted by mean IoU, the lowest first, where sky == 1" in bundle["text/html"]
    assert bundle["text/html"].count("<img") == 3
    assert bundle["image/png"][:4] == b"\x89PNG"
