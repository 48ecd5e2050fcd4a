"""What is shown of a segmentation, and what is saved."""

import hashlib
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from segmentations import CARD, LABELS, SHA384, full_result, pixels, scores

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import (
    ImageError,
    InvalidArgumentError,
    MissingFileError,
    TensorFileError,
    WasiNnError,
)
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor, read_sidecar, read_tensor


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
