"""`Explorer` with models of other kinds: cards, recipes, one class, classifiers, other runtimes."""

from __future__ import annotations

import numpy as np
import pytest
from explored_models import made_engines, run
from PIL import Image
from toys import brightest_channel, brightest_of_image, brightness

import wasinn_nb as wn
from wasinn_nb import catalog
from wasinn_nb.errors import InvalidArgumentError

pytestmark = pytest.mark.full

COLORS = wn.ModelCard("colors", "segmentation", classes=("blue", "green", "red"))
BGR = wn.PreprocessRecipe(4, 6, resize="bilinear")
ASSUMED = "assumed: BGR, values 0 to 255, bilinear"


def texts(widget):
    return [one["text"] for one in widget._notes]


@pytest.fixture
def ramp(tmp_path):
    """An image whose columns have a brightness of 0, 51, 102, 153, 204 and 255."""
    path = tmp_path / "ramp.png"
    row = np.arange(0, 256, 51, dtype=np.uint8)
    Image.fromarray(np.tile(row, (4, 1))).convert("RGB").save(path)
    return str(path)


@pytest.fixture
def engines(tmp_path):
    """The brightest channel again, as a model that OpenVINO and ONNX Runtime read."""
    return made_engines(tmp_path)


# ------------------------------------------------------------------------------- cards and recipes


def test_a_card_is_honored_and_stands_in_the_code(explore, toy, red):
    explorer = explore(toy, red, card=COLORS)
    assert explorer.wait().card.classes == ("blue", "green", "red")
    (option,) = (one for one in explorer.models._options if one["key"] == toy)
    assert option["detail"] == "segmentation"
    made = run(explorer.code)["result"]
    assert made.card == explorer.result.card
    assert made.areas() == {"blue": 0, "green": 0, "red": 24}


def test_a_model_with_a_card_of_its_own_is_honored(explore, toy, red):
    found = wn.model(toy)
    explorer = explore(catalog.Model(COLORS, found.precision, found.files, "here"), red)
    assert explorer.wait().card.classes == ("blue", "green", "red")
    assert run(explorer.code)["result"].card.classes == ("blue", "green", "red")
    explorer.models.value = "road-segmentation-synth-0001"
    assert explorer.wait().card.classes == ("background", "road", "curb", "mark")
    assert "card=" not in explorer.code, "another model has its own card"
    explorer.models.value = toy
    assert explorer.wait().card.classes == ("blue", "green", "red")
    assert "card=" not in explore(found, red).code, "the card that is found there"


def test_a_card_beside_the_model_and_the_path_of_a_card(explore, toy, red, tmp_path):
    apart = COLORS.write(toy).rename(tmp_path / "apart.json")
    assert explore(toy, red).wait().card.classes == ("class 0", "class 1", "class 2")
    explorer = explore(toy, red, card=apart)
    assert explorer.wait().card.classes == ("blue", "green", "red")
    assert f'card="{apart}"' in explorer.code
    assert run(explorer.code)["result"].card.classes == ("blue", "green", "red")
    COLORS.write(toy)
    explorer = explore(toy, red)
    assert explorer.wait().card.classes == ("blue", "green", "red")
    assert "card=" not in explorer.code


def test_a_recipe_belongs_to_the_model_that_it_was_given_with(explore, toy, red, tmp_path):
    explorer = explore(toy, red, recipe=BGR.replace(color="RGB"))
    assert (explorer.wait().labels == 0).all()
    assert texts(explorer.viewer) == []
    assert run(explorer.code)["result"].recipe == explorer.result.recipe
    other = brightest_channel(tmp_path / "other.xml", height=8, width=8)
    explorer.models.value = str(other)
    assert explorer.wait().labels.shape == (8, 8)
    assert texts(explorer.viewer) == [ASSUMED]


def test_what_is_assumed_is_said_with_the_line_that_states_it(explore, toy, red):
    explorer = explore(toy, red)
    explorer.wait()
    (note,) = explorer.viewer._notes
    assert note["text"] == ASSUMED
    assert '"color": "BGR", "range": (0, 255)' in note["code"]
    run("import wasinn_nb as wn\n" + note["code"].replace("BGR", "RGB"))
    explorer.runs[0].resize.value = "bilinear"  # any other choice runs it again
    assert (explorer.wait().labels == 0).all(), "the card that was written is used"
    assert explorer.viewer._notes == []


def test_what_is_assumed_besides_a_card_that_was_given(explore, toy, red):
    explorer = explore(toy, red, card=COLORS)
    explorer.wait()
    (note,) = explorer.viewer._notes
    assert note["text"] == ASSUMED
    run("import wasinn_nb as wn\n" + note["code"].replace("BGR", "RGB"))
    found = wn.model(toy).card
    assert (found.classes, found.recipe.color) == (COLORS.classes, "RGB")


def test_some_fields_of_a_recipe_are_enough(explore, toy, red):
    explorer = explore(toy, red, recipe={"color": "RGB", "range": (0, 255)})
    assert (explorer.wait().labels == 0).all()
    assert texts(explorer.viewer) == []
    assert 'recipe={"color": "RGB", "range": (0, 255)}' in explorer.code
    explorer.runs[0].color.value = "BGR"
    assert (explorer.wait().labels == 2).all()
    assert run(explorer.code)["result"].recipe == explorer.result.recipe


def test_the_order_of_the_channels_that_was_picked_leaves_the_rest_assumed(explore, toy, red):
    explorer = explore(toy, red)
    explorer.runs[0].color.value = "RGB"
    explorer.wait()
    assert texts(explorer.viewer) == ["assumed: values 0 to 255, bilinear"]


def test_two_runs_say_what_is_assumed_of_which(explore, toy, red):
    explorer = explore(toy, red, compare=True)
    explorer.wait()
    assert texts(explorer.viewer) == [ASSUMED]
    explorer.runs[1].models.value = "road-segmentation-synth-0001"
    explorer.wait()
    assert texts(explorer.viewer) == [f"A: {ASSUMED}"]


@pytest.mark.filterwarnings("ignore::wasinn_nb.errors.WasiNnWarning")
def test_a_precision_that_the_device_does_not_have_is_said(explore, engines, red):
    explorer = explore(engines, red, recipe=BGR, runtime="onnxruntime", precision="bf16")
    assert explorer.wait().precision == "f32"
    remark, saturated = texts(explorer.viewer)  # the toy's scores are the image's bytes
    assert saturated.startswith("confidence is saturated at 100.00 % of the pixels")
    assert remark.startswith("precision bf16 was asked for, but onnxruntime computes in f32 on CPU")
    assert explorer.viewer._notes[0]["badge"] == "ran in f32, not bf16"
    assert explorer.targets.ran == "CPU, f32, onnxruntime"
    explorer.targets.precision = "device"
    explorer.wait()
    assert texts(explorer.viewer) == [saturated]


def test_a_card_that_describes_no_model_is_named(explore, tmp_path, red):
    model = brightest_channel(tmp_path / "own/model.xml")
    explorer = explore(str(model), red, recipe=BGR)
    explorer.wait()
    (tmp_path / "own/modle.card.json").write_text('{"name": "model"}')
    with pytest.warns(wn.errors.WasiNnWarning, match="modle.card.json is not used"):
        remarks = list(explorer.runs[0].selection.remarks(wn.Pipeline(str(model))))
    (remark,) = remarks
    assert "modle.card.json is not used" in remark["text"]
    assert remark["badge"] == "a card is not used"


# ---------------------------------------------------------------------------------- one class


def test_the_result_follows_the_threshold_of_one_class(explore, tmp_path, ramp):
    model = str(brightness(tmp_path / "model.xml"))
    explorer = explore(model, ramp, recipe=BGR)
    assert explorer.wait().areas() == {"background": 12, "foreground": 12}
    scores = "assumed: scores are probabilities, by their values"
    assert texts(explorer.viewer) == [f"{scores}; threshold 0.5"]
    code = explorer.viewer._notes[0]["code"]
    assert code.split("\n")[2:4] == ["    logits=False,", "    threshold=0.5,"]
    assert code.split("\n")[4:] == [f').write("{model}")']
    assert "threshold" not in explorer.code
    explorer.viewer.threshold = 0.3
    assert explorer.result.areas() == {"background": 8, "foreground": 16}
    assert "threshold=0.3" in explorer.panel.code
    made = run(explorer.code)["result"]
    assert made.threshold == 0.3
    assert (made.labels == explorer.result.labels).all()
    explorer.save(tmp_path / "kept")
    kept = wn.SegmentationResult.load(tmp_path / "kept/ramp.json")
    assert (kept.threshold, kept.areas()["foreground"]) == (0.3, 16)
    explorer.runs[0].color.value = "RGB"  # the same model again: the threshold stays
    assert explorer.wait().threshold == 0.3
    explorer.models.value = "road-segmentation-synth-0001"
    assert explorer.wait().threshold is None
    assert explorer.viewer.threshold == 0.0


def test_the_verdict_on_two_runs_follows_the_threshold(explore, tmp_path, ramp):
    model = str(brightness(tmp_path / "model.xml"))
    card = wn.ModelCard("model", classes=("person",), recipe=BGR, logits=False)
    explorer = explore(model, ramp, card=card, compare=True)
    explorer.wait()
    assert str(explorer.comparison.verdict) == "identical"
    before = explorer.panel._verdict
    explorer.viewer.threshold = 0.7
    assert explorer.result.areas() == explorer.other.areas() == {"background": 16, "person": 8}
    assert explorer.panel._verdict["verdict"] == before["verdict"]
    assert explorer.code.count("threshold=0.7") == 2


def test_without_scores_the_threshold_cannot_be_moved(explore, tmp_path, ramp):
    explorer = explore(str(brightness(tmp_path / "model.xml")), ramp, scores=False)
    assert explorer.wait().threshold == 0.5
    assert explorer.viewer._confidence == [{}]
    with pytest.raises(InvalidArgumentError, match="keeps no scores"):
        explorer.viewer.threshold = 0.3


# --------------------------------------------------------------------------------- classification


@pytest.fixture
def classifier(tmp_path):
    return str(brightest_of_image(tmp_path / "classifier.xml"))


def test_a_classifier_shows_bars_in_place_of_a_mask(explore, classifier, red):
    card = wn.ModelCard("kinds", "classification", classes=("blue", "green", "red"), recipe=BGR)
    explorer = explore(classifier, red, card=card)
    result = explorer.wait()
    assert isinstance(result, wn.ClassificationResult)
    assert result.top(1)[0].name == "red"
    assert explorer._visible == ["bars"]
    (entry,) = explorer.bars._results
    # Means of the image: 20 blue, 10 green, 250 red; softmax of mean / 50.
    powers = np.exp(np.array([20, 10, 250]) / 50)
    parts = (powers / powers.sum())[[2, 0, 1]]
    assert [bar["index"] for bar in entry["bars"]] == [2, 0, 1]
    assert [bar["name"] for bar in entry["bars"]] == ["red", "blue", "green"]
    assert [bar["part"] for bar in entry["bars"]] == pytest.approx(parts.tolist(), abs=1e-5)
    assert entry["bars"][0]["share"] == f"{100 * parts[0]:.2f} %"
    assert (entry["title"], entry["facts"]) == ("kinds", "the 3 most probable of 3 classes")
    assert explorer.bars._sent_image["width"] == 6
    assert texts(explorer.bars) == []
    made = run(explorer.code)["result"]
    assert made.top() == result.top()
    (times,) = explorer.panel._times
    assert [row[0] for row in times["rows"][3:5]] == ["infer", "file to result"]
    assert explorer.panel._status["text"].endswith("from file to result (first run)")


def test_a_classifier_without_a_card_is_told_by_its_output(explore, classifier, red, toy):
    explorer = explore(toy, red)
    explorer.wait()
    assert explorer._visible == ["masks"]
    explorer.models.value = classifier
    assert explorer.wait().top(1)[0].name == "class 2"
    assert texts(explorer.bars) == [ASSUMED]
    assert "result = wn.classify(" in explorer.code
    explorer.models.value = toy
    assert explorer.wait().labels.shape == (4, 6)
    assert explorer._visible == ["masks"]


def test_saving_classes(explore, classifier, red, tmp_path):
    explorer = explore(classifier, red)
    result = explorer.wait()
    explorer.panel.folder = str(tmp_path / "kept")
    explorer.panel._received(explorer.panel, {"action": "save"}, [])
    assert explorer.panel._saved["names"] == ["red-1x3xf32.tensor", "red.json"]
    kept = wn.ClassificationResult.load(tmp_path / "kept/red.json")
    assert kept.top() == result.top()


def test_two_classifiers_stand_side_by_side(explore, classifier, red):
    explorer = explore(classifier, red, compare=True)
    explorer.runs[1].color.value = "RGB"
    explorer.wait()
    one, other = explorer.bars._results
    assert (one["title"], other["title"]) == ("A: color BGR", "B: color RGB")
    assert [entry["bars"][0]["name"] for entry in (one, other)] == ["class 2", "class 0"]
    assert explorer.other.top(1)[0].index == 0
    assert explorer.panel._verdict["verdict"] == "different"
    assert str(explorer.comparison.verdict) == "different"
    assert texts(explorer.bars) == [f"A: {ASSUMED}", "B: assumed: values 0 to 255, bilinear"]
    space = run(explorer.code)
    assert [space[name].top(1)[0].index for name in "ab"] == [2, 0]


def test_a_mask_beside_classes(explore, classifier, toy, red, tmp_path):
    explorer = explore(toy, red, compare=True)
    explorer.runs[1].models.value = classifier
    explorer.wait()
    assert explorer._visible == ["masks", "bars"]
    assert [one["title"] for one in explorer.bars._results] == ["B: classifier"]
    assert explorer.viewer._notes == []
    assert texts(explorer.bars) == [f"A: {ASSUMED}", f"B: {ASSUMED}"], "each with its own line"
    space = run(explorer.code)
    assert space["b"].top() == explorer.other.top()
    names = [path.name for files in explorer.save(tmp_path / "kept") for path in files if path]
    assert [name for name in names if name.endswith(".json")] == ["red-a.json", "red-b.json"]


def test_models_of_other_tasks_stay_grayed(explore, own, red):
    for name, task in (("kinds", "classification"), ("far", "depth")):
        brightest_of_image(own / name / f"{name}.xml")
        (own / name / "card.json").write_text(f'{{"name": "{name}", "task": "{task}"}}')
    explorer = explore("kinds", red)
    options = {one["key"]: one for one in explorer.models._options}
    assert options["kinds"]["enabled"]
    assert options["far"]["reason"] == "depth model; this needs segmentation or classification"
    assert not options["far"]["enabled"]
    assert explorer.wait().card.task == "classification"


def test_the_saved_notebook_keeps_bars_as_html(explore, classifier, red):
    explorer = explore(classifier, red)
    result = explorer.wait()
    bundle = explorer.viewer.still.bundle()
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["text/plain"] == repr(result)
    assert "class 2" in bundle["text/html"]
