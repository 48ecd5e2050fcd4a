"""Classes whose label is missing: "class 7" wherever they are shown."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from commands import run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards.conventions import class_names, named_classes

NAMES = ("cat", "class 1", "dog", "class 3")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cat\n\ndog\nNone", NAMES),
        ('["cat", null, "dog", ""]', ()),  # neither Python nor a list of texts
        ("['cat', None, 'dog', 'nan']", NAMES),
        ("{0: 'cat', 1: None, 2: 'dog', 3: 'null'}", NAMES),
        ("cat,None,dog,null", NAMES),
        ("cat,dog,", ()),  # one comma too many
        ("None\nNone", ()),
        ("['cat', 7]", ()),
    ],
)
def test_names_of_files(text, names):
    assert named_classes(text) == names


def test_a_name_that_only_contains_one_of_the_words_is_a_name():
    names = ("none", "Nona", "None of these", "nano")
    assert class_names(names) == names


@pytest.fixture
def pets(tmp_path, monkeypatch):
    """A classifier that takes the images for its class 1, which its file does not name."""
    import openvino as ov
    from openvino import opset13 as op

    def build(data):
        means = op.reduce_mean(data, np.array([1, 2, 3]), keep_dims=False)
        scores = op.unsqueeze(means, np.array([1])) * np.float32([[0, 9, 1, 0]])
        return op.softmax(scores, 1)

    monkeypatch.chdir(tmp_path)
    model = toys.graph(build, (1, 3, 4, 6))
    model.set_rt_info("cat None dog null", ["model_info", "labels"])
    model.set_rt_info("classification", ["model_info", "model_type"])
    ov.save_model(model, tmp_path / "pets.xml", compress_to_fp16=False)
    Image.fromarray(np.full((4, 6, 3), 200, np.uint8)).save("image.png")
    return tmp_path / "pets.xml"


@pytest.mark.full
def test_results_show_it_in_every_form(pets):
    found = wn.classify("image.png", pets)
    assert found.card.classes == NAMES
    assert found.top(1)[0].name == "class 1"
    for text in (str(found), found._repr_html_(), json.dumps(found.to_dict())):
        assert "class 1" in text
        assert "None" not in text
    out = run("classify", "image.png", "-m", pets)
    assert out.splitlines()[0].endswith(" class 1")
    assert json.loads(run("classify", "image.png", "-m", pets, "--json"))["top"][0]["name"] == (
        "class 1"
    )


@pytest.mark.full
def test_tables_and_galleries_show_it(pets):
    rows = wn.predict("image.png", pets, "store", progress=False)
    assert rows.table()["label"].tolist() == ["class 1"]
    assert [one["name"] for one in rows.row(0)["top"]][:2] == ["class 1", "cat"]
    assert "\nclass 1 " in str(rows)
    assert "class 1" in run("predictions", "store", "-q", "label == 'class 1'")
    assert wn.Gallery(rows).selection["label"].tolist() == ["class 1"]
    page = wn.Gallery(rows).write_html("page.html").read_text("utf-8")
    assert '"class 1"' in page
    judged = wn.evaluate(rows, {"image": 1}, progress=False)
    assert judged.top1 == 1
    assert "class 1" in str(judged)


@pytest.mark.full
def test_the_description_says_which_classes_have_no_name(pets):
    assert wn.describe(pets).to_dict()["stated"]["metadata"]["2 classes without a name"] == "1, 3"
    assert "2 classes without a name: 1, 3" in run("inspect", pets)


@pytest.mark.full
def test_the_birds_model(shared):
    path = shared / "models" / "lite-model_aiy_vision_classifier_birds_V1_3.tflite"
    found = wn.classify(shared / "images" / "grace_hopper.jpg", path)
    assert found.top(1)[0][:2] == (964, "class 964")
