"""How sure a model is of its masks: the same from the graph as from the scores."""

from __future__ import annotations

import numpy as np
import pytest
from toys import brightest_channel, textures

import wasinn_nb as wn
from wasinn_nb.runtimes import Concurrency, Head, confidence_maps
from wasinn_nb.runtimes.concurrency import _quota
from wasinn_nb.tasks.segmentation import Confidence
from wasinn_nb.tensor import Tensor

RNG = np.random.default_rng(5)


def _image(height=64, width=96):
    return RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.full
@pytest.mark.parametrize(
    ("gives", "kind", "steps"),
    [
        ("scores", "logits", 1),
        ("channels last", "logits", 1),
        ("probability", "probabilities", 0),
        ("logit", "probabilities", 1),
    ],
)
def test_the_graph_gives_what_the_scores_mean(tmp_path, gives, kind, steps):
    model, image = textures(tmp_path / "toy.xml", gives=gives), _image()
    scores = wn.Pipeline(model, scores=True)(image).scores  # of one class, probabilities
    expected = confidence_maps(scores, kind)
    measured = wn.Pipeline(model, confidence=True, concurrency=Concurrency(2, 2))
    found = measured(image)
    assert found.scores is None
    assert measured(image).labels.shape == expected.shape[1:]
    lowest = expected[0].min() / 255
    assert found.confidence.lowest == pytest.approx(lowest, abs=steps / 255 + 1e-9)
    assert found.confidence.mean == pytest.approx(Confidence.of_maps(expected).mean, abs=1e-3)
    assert found.confidence.near_tie == pytest.approx(
        Confidence.of_maps(expected).near_tie, abs=5e-3
    )


@pytest.mark.full
def test_probabilities_give_the_same_bits(tmp_path):
    model, image = brightest_channel(tmp_path / "toy.xml", height=40, width=60), _image(40, 60)
    scores = wn.Pipeline(model, scores=True)(image // 25).scores
    found = wn.Pipeline(model, confidence=True)(image // 25).confidence
    assert found == Confidence.of_maps(confidence_maps(scores, "probabilities"))
    assert 0 < found.near_tie < 1
    best = np.sort(scores, axis=0)
    assert found.mean == pytest.approx(best[-1].mean(), abs=1 / 255)
    assert found.near_tie == pytest.approx((best[-1] - best[-2] < 0.1).mean(), abs=0.02)


@pytest.mark.full
def test_labels_have_no_confidence(tmp_path):
    model = textures(tmp_path / "toy.xml", gives="labels")
    assert wn.Pipeline(model, confidence=True)(_image()).confidence is None


@pytest.mark.full
def test_the_parts_that_a_crop_cuts_off_do_not_count(tmp_path):
    model = brightest_channel(tmp_path / "toy.xml", height=32, width=32)
    image = np.zeros((32, 64, 3), np.uint8)
    image[:, :, 0] = 9
    boxed = {"fit": "letterbox", "pad_value": 0}
    found = wn.Pipeline(model, recipe=boxed, confidence=True)(image)
    assert found.labels.shape == (16, 32)
    assert (found.confidence.lowest, found.confidence.near_tie) == (254 / 255, 0)


def test_a_head_in_numpy():
    scores = np.array([[[[0.5, 0.75]], [[0.25, 0.25]], [[0.25, 0.0]]]], np.float32)
    head = Head(0, (3, 1, 2), keep=True, confidence="probabilities")
    labels, kept, maps = head.apply(Tensor.from_array(scores))
    assert labels.to_array().tolist() == [[[0, 0]]]
    assert (kept.to_array() == scores).all()
    assert maps.to_array().tolist() == [[[[127, 191]], [[63, 127]]]]


@pytest.mark.parametrize(
    ("files", "lines", "quota"),
    [
        ({"cpu.max": "max 100000"}, "0::/", None),
        ({"cpu.max": "150000 100000"}, "0::/", 1.5),
        ({"a/cpu.max": "max 100000", "cpu.max": "200000 100000"}, "0::/a", 2),
        ({"a/cpu.max": "50000 100000", "cpu.max": "200000 100000"}, "0::/a", 0.5),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu:/no", 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "3:cpu:/", None),
        ({"cpu.max": "garbage"}, "0::/", None),
        ({}, "7:memory:/a", None),
    ],
)
def test_processors_that_control_groups_leave(tmp_path, files, lines, quota):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    own = tmp_path / "own"
    own.write_text(lines + "\n")
    assert _quota(tmp_path, own) == quota
    assert _quota(tmp_path, tmp_path / "missing") is None
