"""Cards that a model's outputs contradict are refused when they are made."""

import pytest
import toys
from commands import run

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError


@pytest.fixture
def scores(tmp_path):
    return toys.brightest_channel(tmp_path / "scores.xml")


@pytest.fixture
def means(tmp_path):
    return toys.brightest_of_image(tmp_path / "means.xml")


@pytest.mark.parametrize("task", [None, "segmentation"])
def test_more_or_fewer_classes_than_the_mask_has(scores, task):
    for classes in ("road", "sky"), ("road", "sky", "car", "curb"):
        number = f"names {len(classes)} classes, the model's output has 3"
        with pytest.raises(InvalidArgumentError, match=number):
            wn.ModelCard.from_model(scores, task=task, classes=classes)
        with pytest.raises(InvalidArgumentError, match=number):
            run("card", scores, "--classes", ",".join(classes))
    assert not scores.with_name("scores.card.json").exists()
    assert wn.ModelCard.from_model(scores, task=task, classes=["a", "b", "c"]).classes[2] == "c"


def test_more_classes_than_the_scores_of_an_image(means):
    with pytest.raises(InvalidArgumentError, match="names 2 classes, the model's output has 3"):
        wn.ModelCard.from_model(means, classes=("road", "sky"))
    assert len(wn.ModelCard.from_model(means, classes=("road", "sky", "car")).classes) == 3


def test_an_output_that_is_not_there(scores):
    with pytest.raises(InvalidArgumentError, match=r"names the output 'low'; .*3x4x6"):
        wn.ModelCard.from_model(scores, output="low")
    assert wn.ModelCard.from_model(scores, output=0).output == 0


def test_classes_in_an_axis_that_has_none(scores):
    with pytest.raises(InvalidArgumentError, match="not a segmentation model"):
        wn.ModelCard.from_model(scores, channels_last=True)


def test_labels_may_have_any_number_of_classes(tmp_path):
    path = toys.textures(tmp_path / "labels.xml", gives="labels")
    assert len(wn.ModelCard.from_model(path, classes=["a", "b", "c", "d", "e"]).classes) == 5


def test_a_model_that_no_task_reads_keeps_its_classes(tmp_path):
    path = tmp_path / "other.onnx"
    path.write_bytes(toys.onnx_relu((1, 2)))
    assert wn.ModelCard.from_model(path, classes=["a"]).classes == ("a",)
