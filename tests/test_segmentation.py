import copy
import hashlib
import io
import json
import pickle
from dataclasses import FrozenInstanceError, replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import (
    ImageError,
    InvalidArgumentError,
    MissingFileError,
    TensorError,
    TensorFileError,
    WasiNnError,
)
from wasinn_nb.imaging.coverage import Coverage
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.runtimes import argmax_labels
from wasinn_nb.tasks.segmentation.masks import blend, resize_labels, resize_scores
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
LABELS = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
SHA384 = "0123456789abcdef" * 6


def pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def scores(height=4, width=6, seed=0):
    return np.random.default_rng(seed).random((3, height, width), np.float32)


def full_result(**changes):
    values = {
        "image": pixels(8, 12),
        "recipe": PreprocessRecipe(4, 6),
        "precision": "bf16",
        "timings": {"compute": 0.01234},
        "model_sha384": SHA384,
        "versions": {"openvino": "2026.4.1"},
    }
    return SegmentationResult.from_scores(scores(), CARD, **values | changes)


PERSON = ModelCard("toy", "segmentation", classes=("background", "person"))


def test_one_class_at_another_threshold():
    probabilities = np.array([[[0.2, 0.5, 0.7], [0.3, 0.9, 0.1]]], np.float32)
    result = SegmentationResult.from_scores(probabilities, PERSON, threshold=0.5)
    other = result.with_threshold(0.3)  # which float32 rounds up
    assert other.labels.tolist() == [[0, 1, 1], [0, 1, 0]]
    assert (other.threshold, result.threshold) == (0.3, 0.5)
    assert result.with_threshold(0.5) is result
    with pytest.raises(InvalidArgumentError, match="a threshold between 0 and 1, got 1"):
        result.with_threshold(1.0)
    bare = replace(result, scores=None)
    with pytest.raises(InvalidArgumentError, match=r"keeps no scores .* scores=True"):
        bare.with_threshold(0.3)
    with pytest.raises(InvalidArgumentError, match="this one of toy has 3 classes"):
        SegmentationResult(LABELS, CARD).with_threshold(0.3)


def test_what_a_mask_does_not_cover_is_not_tinted_whatever_the_background():
    card = CARD.replace(palette=((200, 0, 0), (0, 200, 0), (0, 0, 200)), background=None)
    gray = np.full((2, 4, 3), 100, np.uint8)
    result = SegmentationResult(
        np.array([[0, 1]], np.uint8), card, image=gray, covers=Coverage(0, 0.25, 1, 0.75)
    )
    plain, red, green = [100, 100, 100], [150, 50, 50], [50, 150, 50]
    assert np.asarray(result.overlay()).tolist() == [[plain, red, green, plain]] * 2


def test_areas_and_fractions_have_every_class():
    result = SegmentationResult(LABELS, CARD)
    assert result.areas() == {"background": 3, "road": 3, "curb": 0}
    assert result.fractions() == {"background": 0.5, "road": 0.5, "curb": 0}
    assert (result.height, result.width) == (2, 3)


def test_what_can_change_is_copied():
    labels, image, kept = LABELS.copy(), pixels(2, 3), scores(2, 3)
    result = SegmentationResult(labels, CARD, kept, image)
    labels[:], image[:], kept[:] = 2, 0, 0
    assert np.array_equal(result.labels, LABELS)
    assert np.array_equal(result.image, pixels(2, 3))
    assert np.array_equal(result.scores, scores(2, 3))
    for array in (result.labels, result.image, result.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_what_cannot_change_is_not_copied():
    kept = scores(2, 3)
    kept.flags.writeable = False
    assert SegmentationResult(LABELS, CARD, kept).scores is kept


def test_a_result_is_frozen():
    result = full_result()
    with pytest.raises(FrozenInstanceError):
        result.precision = "f32"
    with pytest.raises(TypeError):
        result.timings["compute"] = 0


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
def test_a_result_can_be_copied_and_pickled(clone):
    result = full_result()
    again = clone(result)
    assert again.digest() == result.digest()
    assert dict(again.timings) == dict(result.timings)
    assert np.array_equal(again.scores, result.scores)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"labels": LABELS.astype(np.int64)}, TensorError, r"\(H, W\) uint8"),
        ({"labels": LABELS[None]}, TensorError, r"\(H, W\) uint8"),
        ({"labels": LABELS[:0]}, TensorError, r"\(H, W\) uint8"),
        ({"labels": LABELS * 3}, TensorError, r"from 0 to 2, got 3 \(3 pixels\)$"),
        ({"scores": scores(3, 2)}, TensorError, r"expected scores as a \(3, 2, 3\) float32"),
        ({"scores": scores(2, 3)[:2]}, TensorError, r"got \(2, 2, 3\) float32"),
        ({"scores": scores(2, 3).astype(float)}, TensorError, "float64"),
        ({"image": pixels(2, 3).astype(np.float32)}, ImageError, "uint8 array in RGB order"),
        ({"image": b"not an image"}, ImageError, "not an image that Pillow can read"),
        ({"card": ModelCard("toy")}, InvalidArgumentError, "names no classes"),
        ({"target": ""}, InvalidArgumentError, "target as text"),
        ({"precision": "32 bit"}, InvalidArgumentError, "precision such as f32"),
        ({"model_sha384": "abc"}, InvalidArgumentError, "96 hexadecimal digits"),
    ],
)
def test_fields_that_do_not_fit(changes, error, message):
    with pytest.raises(error, match=message):
        SegmentationResult(**{"labels": LABELS, "card": CARD} | changes)


def test_from_scores():
    kept = SegmentationResult.from_scores(scores()[None], CARD)
    assert np.array_equal(kept.labels, scores().argmax(axis=0))
    assert np.array_equal(kept.scores, scores())
    dropped = SegmentationResult.from_scores(scores(), CARD, keep_scores=False, target="NPU")
    assert dropped.scores is None
    assert dropped.target == "NPU"


def test_from_half_precision_scores():
    half = scores().astype(np.float16)
    result = SegmentationResult.from_scores(half, CARD)
    assert result.scores.dtype == np.float32
    assert np.array_equal(result.labels, half.argmax(axis=0))


def test_resize_takes_scores_where_they_are_kept():
    result = full_result()
    larger = result.resize(40, 50)
    assert np.array_equal(larger.scores, resize_scores(scores(), 40, 50))
    assert np.array_equal(larger.labels, argmax_labels(larger.scores))
    assert (larger.recipe, larger.precision) == (result.recipe, "bf16")
    assert result.labels.shape == (4, 6)


def test_resize_takes_the_nearest_label_otherwise():
    result = full_result()
    bare = replace(result, scores=None)
    larger = bare.resize(40, 50)
    assert larger.scores is None
    assert np.array_equal(larger.labels, resize_labels(bare.labels, 40, 50))
    assert not np.array_equal(larger.labels, result.resize(40, 50).labels)


def test_resize_to_the_same_size_is_the_same_result():
    result = full_result()
    assert result.resize(4, 6) is result


@pytest.mark.parametrize("size", [(0, 6), (4, 70_000), (4.0, 6)])
def test_resize_refuses_sizes_that_no_image_has(size):
    with pytest.raises(InvalidArgumentError, match="height and width"):
        full_result().resize(*size)


@pytest.mark.parametrize("keep", [True, False])
def test_overlay_resizes_labels_and_colors_last(keep):
    result = full_result() if keep else replace(full_result(), scores=None)
    labels = result.resize(8, 12).labels
    expected = blend(pixels(8, 12), labels, CARD.palette, 0.3)
    overlay = result.overlay(opacity=0.3)
    assert overlay.size == (12, 8)
    assert np.array_equal(np.asarray(overlay), expected)


def test_overlay_of_another_image():
    other = Image.fromarray(pixels(5, 7, seed=1))
    file = io.BytesIO()
    other.save(file, "PNG")
    overlay = full_result(image=None).overlay(file.getvalue(), opacity=0)
    assert np.array_equal(np.asarray(overlay), np.asarray(other))


def test_overlay_turns_an_image_as_the_recipe_says():
    sideways = Image.fromarray(pixels(5, 7))
    exif = sideways.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    sideways.save(file, "PNG", exif=exif)
    assert full_result().overlay(file.getvalue()).size == (7, 5)
    turned = full_result(recipe=PreprocessRecipe(4, 6, exif="apply"))
    assert turned.overlay(file.getvalue()).size == (5, 7)


def test_overlay_without_an_image():
    with pytest.raises(InvalidArgumentError, match="keeps no image"):
        full_result(image=None).overlay()
    with pytest.raises(InvalidArgumentError, match="opacity from 0 to 1"):
        full_result().overlay(opacity=2)


def test_mask_image():
    image = SegmentationResult(LABELS, CARD).mask_image()
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), LABELS)
    assert image.convert("RGB").getpixel((2, 0)) == CARD.palette[1]


def test_repr_is_stable_text():
    assert repr(full_result(timings={"compute": 9.9})) == repr(full_result())
    assert repr(SegmentationResult(LABELS, CARD, target="GPU")) == (
        "SegmentationResult(toy, 2x3, f32 on GPU: background 50.00 %, road 50.00 %, curb 0.00 %)"
    )


def test_repr_of_many_classes_is_short():
    card = ModelCard("many", classes=tuple(f"class {i}" for i in range(256)))
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    text = repr(SegmentationResult(labels, card))
    assert text.endswith("class 5 0.39 %, 250 more)")


class Markup(HTMLParser):
    """Collects tags, attributes and text, and checks that tags are closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.images, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag in {"figure", "img", "figcaption", "ul", "li", "span", "div", "p"} | {
            "details",
            "summary",
            "code",
        }
        if tag == "img":
            self.images.append(dict(attrs))
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


def embedded(image):
    import base64

    head, encoded = image["src"].split(",", 1)
    return head, Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_html_shows_image_legend_and_facts():
    result = full_result()
    markup = Markup(result._repr_html_())
    (image,) = markup.images
    head, opened = embedded(image)
    assert head == "data:image/jpeg;base64"
    assert opened.size == (12, 8)
    for name, share in result.fractions().items():
        assert f"{name} {100 * share:.2f} %" in markup.text
        assert f"{name} {100 * share:.2f} %" in image["alt"]
    assert markup.text.startswith("toy, 4 x 6 pixels (height x width), bf16 on CPU")
    assert SHA384 in markup.text
    assert "0.01234" not in markup.text


def test_html_without_an_image_shows_the_mask_enlarged():
    markup = Markup(SegmentationResult(LABELS, CARD)._repr_html_())
    head, opened = embedded(markup.images[0])
    assert head == "data:image/png;base64"
    assert np.array_equal(np.asarray(opened), LABELS)
    assert "max-width:318px" in markup.images[0]["style"]
    assert "pixelated" in markup.images[0]["style"]


def test_html_escapes_everything():
    bad = '<script>alert("1")</script>&amp;'
    card = ModelCard("toy", classes=(bad, "b"))
    result = SegmentationResult(
        np.zeros((1, 1), np.uint8), card, target=bad, versions={bad: bad, "n": "7"}
    )
    markup = Markup(result._repr_html_())  # refuses a <script> element
    assert markup.text.count(bad) == 4
    assert bad in markup.images[0]["alt"]


@pytest.mark.parametrize("shape", [(900, 900), (50, 4000), (4000, 50)])
def test_html_is_small_enough_even_for_noise(shape):
    card = ModelCard("many", classes=tuple(f"class {i}" for i in range(256)))
    labels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    bare = SegmentationResult(labels, card)
    for result in (bare, replace(bare, image=pixels(*shape))):
        html = result._repr_html_()
        _, opened = embedded(Markup(html).images[0])
        assert max(opened.size) <= 900
        assert len(Markup(html).images[0]["src"]) < 300_000


def test_html_lists_only_present_ones_of_many_classes():
    card = ModelCard("many", classes=tuple(f"class {i}" for i in range(30)))
    text = Markup(SegmentationResult(LABELS, card)._repr_html_()).text
    assert "28 further classes have no pixel" in text
    assert "class 2" not in text


def test_save_writes_all_that_is_known(tmp_path):
    result = full_result()
    saved = result.save(tmp_path / "new" / "folder", stem="Straße 1")
    names = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert names == {
        "Straße 1-mask.png",
        "Straße 1-overlay.jpg",
        "Straße 1-1x3x4x6xf32.tensor",
        "Straße 1-1x3x4x6xf32.tensor.json",
        "Straße 1.json",
    }
    with Image.open(saved.mask) as mask:
        assert mask.mode == "P"
        assert np.array_equal(np.asarray(mask), result.labels)
        assert mask.convert("RGB").getpixel((0, 0)) == CARD.palette[result.labels[0, 0]]
    with Image.open(saved.overlay) as overlay:
        assert (overlay.format, overlay.size) == ("JPEG", (12, 8))
    assert np.array_equal(read_tensor(saved.tensor).to_array(), scores()[None])
    sidecar = read_sidecar(saved.tensor)
    facts = json.loads(saved.facts.read_text())
    origin = {
        "model": {
            "name": "toy",
            "sha384": SHA384,
            "files": {"toy": SHA384},
            "classes": list(CARD.classes),
            "palette": [list(color) for color in CARD.palette],
        },
        "recipe": PreprocessRecipe(4, 6).to_dict(),
        "target": "CPU",
        "precision": "bf16",
        "runtime": "openvino",
        "versions": {"openvino": "2026.4.1"},
    }
    assert origin.items() <= sidecar.items()
    assert "timings" not in sidecar
    assert facts == origin | {
        "format": "wasinn_nb.result/1",
        "areas": result.areas(),
        "digest": str(result.digest()).splitlines(),
        "timings": {"compute": 0.01234},
        "files": {
            "mask": saved.mask.name,
            "overlay": saved.overlay.name,
            "tensor": saved.tensor.name,
        },
        "sha256": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in saved.facts.parent.iterdir()
            if path != saved.facts
        },
    }


def test_save_without_scores_and_image(tmp_path):
    saved = SegmentationResult(LABELS, CARD).save(tmp_path)
    assert saved.overlay is None
    assert saved.tensor.name == "toy-2x3xu8.tensor"
    assert np.array_equal(read_tensor(saved.tensor).to_array(), LABELS)


def test_save_replaces_what_was_there(tmp_path):
    full_result().save(tmp_path)
    other = full_result(image=pixels(8, 12, seed=2), precision="f32")
    saved = other.save(tmp_path)
    assert SegmentationResult.load(saved.facts).digest() == other.digest()
    assert len(list(tmp_path.iterdir())) == 5


@pytest.mark.parametrize("stem", ["", ".", "..", "a/b", "../a", "a\\b", "a\0b", "C:a", " "])
def test_save_refuses_stems_that_lead_elsewhere(tmp_path, stem):
    with pytest.raises(InvalidArgumentError, match="stem"):
        full_result().save(tmp_path / "folder", stem=stem)
    assert list(tmp_path.iterdir()) == []


def test_save_writes_nothing_where_the_facts_are_not_json(tmp_path):
    with pytest.raises(InvalidArgumentError, match="cannot be written as JSON"):
        full_result(timings={"compute": float("nan")}).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_save_leaves_the_old_result_where_writing_fails(tmp_path, monkeypatch):
    saved = full_result().save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(Image.Image, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(28)))
    with pytest.raises(OSError, match="28"):
        full_result().save(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert SegmentationResult.load(saved.facts)


@pytest.mark.full
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 256), st.data())
def test_every_mask_is_read_back(tmp_path, classes, data):
    shape = hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)
    labels = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, classes - 1)))
    card = ModelCard("many", "segmentation", classes=tuple(f"class {i}" for i in range(classes)))
    again = SegmentationResult.load(SegmentationResult(labels, card).save(tmp_path).facts)
    assert np.array_equal(again.labels, labels)
    assert again.card == card


def test_load_reads_all_but_the_image(tmp_path):
    result = full_result()
    again = SegmentationResult.load(result.save(tmp_path).facts)
    assert again.image is None
    assert np.array_equal(again.labels, result.labels)
    assert np.array_equal(again.scores, result.scores)
    for name in ("card", "recipe", "target", "precision", "model_sha384", "timings", "versions"):
        assert getattr(again, name) == getattr(result, name), name


def changed(**values):
    return lambda facts: facts | values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: [], "expected a result as a JSON object, got an array"),
        (changed(format="other/1"), 'with "format"'),
        (changed(files=None), r"expected `object`, got `null` at `\$\.files`"),
        (changed(files={"mask": "../toy-mask.png", "tensor": "a"}), "in the same folder"),
        (changed(files={"mask": "/etc/passwd", "tensor": "a"}), "in the same folder"),
        (changed(model=[1]), "not what `save` writes"),
        (changed(model={"name": "toy"}), "sha384"),
        (changed(recipe={"height": 4}), "lacks width"),
        (changed(precision=7), "precision such as"),
        (changed(timings=7), r"expected `object`, got `int` at `\$\.timings`"),
        (changed(digest=[1]), "not what `save` writes"),
        (changed(digest=["x"]), "not a digest"),
        (changed(precision="f16"), "is not that of the mask .*: precision bf16 here, f16 there"),
    ],
)
def test_load_refuses_other_json(tmp_path, change, message):
    path = full_result().save(tmp_path).facts
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(InvalidArgumentError, match=message):
        SegmentationResult.load(path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\ud800".encode("utf-8", "replace")])
def test_load_refuses_what_is_not_json(tmp_path, text):
    path = full_result().save(tmp_path).facts
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidArgumentError, match="not valid JSON"):
        SegmentationResult.load(path)


def _as_saved_by_version_0_1(path):
    """Leave out what results of version 0.1 do not state: the SHA-256 of each file."""
    facts = json.loads(path.read_text())
    del facts["sha256"]
    path.write_text(json.dumps(facts))


def _broken(mask):
    mask.write_bytes(mask.read_bytes()[:-30])


@pytest.mark.parametrize(
    "change",
    [
        _broken,
        lambda mask: full_result().overlay().save(mask),
        lambda mask: SegmentationResult(np.zeros((4, 6), np.uint8), CARD).mask_image().save(mask),
    ],
)
def test_load_finds_a_mask_that_was_changed(tmp_path, change):
    saved = full_result().save(tmp_path)
    change(saved.mask)
    with pytest.raises(
        InvalidArgumentError, match=r"toy-mask\.png was changed after toy\.json was saved"
    ):
        SegmentationResult.load(saved.facts)


def test_load_finds_a_changed_mask_by_its_digest(tmp_path):
    saved = full_result().save(tmp_path)
    _as_saved_by_version_0_1(saved.facts)
    labels = full_result().labels.copy()
    labels[0] = 2
    SegmentationResult(labels, CARD).mask_image().save(saved.mask)
    with pytest.raises(
        InvalidArgumentError, match=r"is not that of the mask .*changed after saving: background: "
    ):
        SegmentationResult.load(saved.facts)


def test_load_finds_a_tensor_of_another_result(tmp_path):
    saved = full_result().save(tmp_path)
    tensor = read_tensor(saved.tensor)
    Tensor.from_array(tensor.to_array() + 1).write(saved.tensor)
    with pytest.raises(InvalidArgumentError, match=r"f32\.tensor was changed after toy\.json"):
        SegmentationResult.load(saved.facts)


def test_load_finds_broken_files(tmp_path):
    saved = full_result().save(tmp_path)
    tensor = saved.tensor.read_bytes()
    saved.tensor.write_bytes(tensor[:-1])
    with pytest.raises(TensorFileError, match="288 bytes, the file has 287"):
        SegmentationResult.load(saved.facts)
    saved.tensor.write_bytes(tensor)
    _as_saved_by_version_0_1(saved.facts)
    _broken(saved.mask)
    with pytest.raises(ImageError, match="cannot be read"):
        SegmentationResult.load(saved.facts)
    full_result().overlay().save(saved.mask)
    with pytest.raises(ImageError, match="index image, got mode RGB"):
        SegmentationResult.load(saved.facts)
    saved.mask.unlink()
    with pytest.raises(MissingFileError, match="toy-mask"):
        SegmentationResult.load(saved.facts)


def test_load_of_nothing(tmp_path):
    with pytest.raises(MissingFileError, match="no result at"):
        SegmentationResult.load(tmp_path / "toy.json")
    with pytest.raises(WasiNnError, match="folder"):
        SegmentationResult.load(tmp_path)


def test_load_names_the_results_of_a_folder(tmp_path):
    full_result().save(tmp_path, "b")
    full_result().save(tmp_path, "a")
    with pytest.raises(MissingFileError, match=r"got the folder .*; it has a\.json, b\.json"):
        SegmentationResult.load(tmp_path)
