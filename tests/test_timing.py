"""Timing pipelines in turn: what is counted, what is divided by what, what is compared."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import toys
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb import cli
from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.timing import PipelineTimes, Timings


def times(*infer, **changes):
    rounds = tuple({"read": 0.5, "preprocess": 0.25, "infer": one} for one in infer)
    values = {
        "model": "toy",
        "target": "CPU",
        "precision": "f32",
        "resize": "bilinear",
        "load_seconds": 2.0,
        "first": rounds[0],
        "rounds": rounds,
        "same_pixels": 1.0,
    }
    return PipelineTimes(**values | changes)


def loaded(model, precision):
    """Return a pipeline, which says by a warning where another precision runs than was asked for.

    Which ones a processor has differs: with AVX2 alone there is no bfloat16.
    """
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        made = wn.Pipeline(model, precision=precision)
    sentence = (
        f"precision {precision} was asked for, but openvino computes in {made.precision} on CPU "
        f"here: the device does not have {precision}"
    )
    assert [(one.category, str(one.message)) for one in warned] == (
        [] if made.precision == precision else [(WasiNnWarning, sentence)]
    )
    return made


def test_ratios_are_of_the_same_round():
    # The machine slows down to a fourth; every round the second takes twice as long.
    timings = Timings("a.png", [times(0.25, 1.25, 3.25), times(1.25, 3.25, 7.25)])
    assert timings.ratio(0) == (1, 1, 1)
    assert timings.ratio(1) == (2, 2, 2)


def test_quartiles():
    peer, other = times(*[0.25] * 7), times(*[0.25 + k for k in range(7)])
    assert Timings("a.png", [peer, other]).ratio(1) == (2, 4, 6)


def test_table_says_what_differs_only():
    rows = str(Timings("a.png", [times(1, 2, 4), times(1, 2, 4, same_pixels=0.5)])).splitlines()
    assert rows[0].startswith("a.png: 3 rounds in turn; medians in milliseconds")
    assert rows[1].split()[:4] == ["model", "ran", "on", "load"]
    assert rows[2].split()[3:] == ["2000.0", "500.0", "250.0", "2000.0", "2750.0", "1"]
    assert rows[3].endswith("1.00 (1.00-1.00)  50.00 %")
    other = times(1, 2, 4, resize="triangle", same_pixels=None)
    rows = str(Timings("a.png", [times(1, 2, 4), other])).splitlines()
    assert rows[1].split()[3] == "resize"
    assert rows[3].split()[3] == "triangle"
    assert rows[3].endswith("  -")


def test_pipelines_take_turns_on_one_image(tmp_path, monkeypatch):
    order = []
    ran = wn.Pipeline.__call__

    def note(self, image):
        order.append((self.model.name, self.precision))
        return ran(self, image)

    monkeypatch.setattr(wn.Pipeline, "__call__", note)
    model = toys.brightest_channel(tmp_path / "toy.xml", convolution=True)
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[:, :2, 2] = picture[:, 2:, 1] = 200
    pipelines = [wn.Pipeline(model), loaded(model, "bf16")]
    lower = pipelines[1].precision
    timings = wn.bench(pipelines, picture, rounds=3)
    assert order == [("toy", "f32"), ("toy", lower)] * 4
    assert [one.precision for one in timings] == ["f32", lower]
    assert [len(one.rounds) for one in timings] == [3, 3]
    assert [one.same_pixels for one in timings] == [1.0, 1.0]
    assert all(one.median("infer") > 0 for one in timings)
    assert "<table" in timings._repr_html_()
    assert "ndarray: 3 rounds" in timings._repr_html_()


def test_masks_are_compared_with_the_first(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    picture = np.zeros((4, 6, 3), np.uint8)
    picture[:, :2, 2] = picture[:, 2:, 1] = 200
    bgr = wn.Pipeline(model)
    rgb = wn.Pipeline(model, recipe=bgr.recipe.replace(color="RGB"))
    # Blue and red change places, green stays: two thirds are as they were.
    timings = wn.bench([bgr, rgb, wn.Pipeline()], picture, rounds=3)
    assert timings[1].same_pixels == pytest.approx(2 / 3)
    assert timings[2].same_pixels is None


def test_one_pipeline_needs_no_list_and_no_ratio():
    timings = wn.bench(wn.Pipeline(), rounds=3)
    assert [one.model for one in timings] == ["road-segmentation-synth-0001"]
    assert timings.ratio(0) == (1, 1, 1)
    caption, headers, row = str(timings).splitlines()
    assert caption == "city-crosswalk: 3 rounds; medians in milliseconds"
    assert headers.endswith("file to mask")  # with nothing to compare
    assert "same pixels" not in timings._repr_html_()
    assert row.startswith("road-segmentation-synth-0001  CPU, f32")


def test_rounds_are_shown_in_a_terminal_only(tmp_path, capsys, monkeypatch):
    pipeline = wn.Pipeline(toys.brightest_channel(tmp_path / "toy.xml"))
    picture = np.zeros((4, 6, 3), np.uint8)
    wn.bench(pipeline, picture, rounds=3)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    wn.bench(pipeline, picture, rounds=3, progress=False)
    assert capsys.readouterr() == ("", "")
    wn.bench(pipeline, picture, rounds=3)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "bench:   0%" in shown.err
    assert "0/3" in shown.err


def test_rounds_are_told_to_a_callable(tmp_path, capsys):
    pipeline = wn.Pipeline(toys.brightest_channel(tmp_path / "toy.xml"))
    told = []
    wn.bench(
        pipeline, np.zeros((4, 6, 3), np.uint8), rounds=3, progress=lambda *it: told.append(it)
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("pipelines", "rounds", "message"),
    [
        ([], 3, r"expected pipelines, got \[\]"),
        (["toy"], 3, "expected pipelines, got .*wasinn_nb.Pipeline makes one"),
        (3, 3, "expected pipelines, got .3.; wasinn_nb.Pipeline makes one"),
        ("toy.xml", 3, "expected pipelines, got"),
        (None, "many", "at least 3 rounds, for quartiles; got 'many'"),
        (None, 2, "at least 3 rounds, for quartiles; got 2"),
    ],
)
def test_wrong_arguments(pipelines, rounds, message):
    with pytest.raises(InvalidArgumentError, match=message):
        wn.bench([wn.Pipeline()] if pipelines is None else pipelines, rounds=rounds)


@pytest.mark.filterwarnings("ignore::wasinn_nb.errors.WasiNnWarning")
def test_command_runs_all_combinations(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml", convolution=True)
    ran = loaded(model, "bf16").precision
    arguments = ["bench", "-m", str(model), "-p", "f32", "-p", "bf16", "-n", "3", "--json"]
    arguments += ["--resize", "bilinear", "--resize", "triangle"]
    done = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    said = json.loads(done.stdout)
    assert [(one["precision"], one["resize"]) for one in said] == [
        ("f32", "bilinear"),
        ("f32", "triangle"),
        (ran, "bilinear"),
        (ran, "triangle"),
    ]
    assert said[0]["ratio"] == {"lower": 1, "median": 1, "upper": 1}
    assert said[3]["seconds"] == pytest.approx([sum(steps.values()) for steps in said[3]["rounds"]])
    done = CliRunner().invoke(cli.app, arguments[:-5], catch_exceptions=False)
    assert len(done.stdout.splitlines()) == 4
