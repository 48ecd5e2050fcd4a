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
from wasinn_nb.benchmark import PipelineTimes, Timings
from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning

pytestmark = pytest.mark.full

# Where the processor has no bfloat16, a pipeline says that f32 ran.
no_bf16 = pytest.mark.filterwarnings("ignore:precision bf16 was asked for")


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
    assert rows[2].split()[3:] == ["2000.0", "500.0", "250.0", "2000.0", "2750.0", "1.00"]
    assert rows[3].endswith("1.00  1.00-1.00      50.00 %")
    other = times(1, 2, 4, resize="triangle", same_pixels=None)
    rows = str(Timings("a.png", [times(1, 2, 4), other])).splitlines()
    assert rows[1].split()[3] == "resize"
    assert rows[3].split()[3] == "triangle"
    assert rows[3].endswith("  -")


def test_table_names_the_runtime_where_more_than_one_runs():
    rows = str(Timings("a.png", [times(1, 2, 4), times(1, 2, 4, runtime="litert")])).splitlines()
    assert rows[1].split()[:5] == ["model", "ran", "on", "runtime", "load"]
    assert [row.split()[3] for row in rows[2:]] == ["openvino", "litert"]
    alone = str(Timings("a.png", [times(1, 2, 4, runtime="litert")]))
    assert "litert" not in alone


def test_what_is_assumed_stands_below_the_table_once_for_each_pipeline():
    assumed = ("BGR, values 0 to 255", "scores are logits, by their <values>")
    timings = Timings(
        "a.png",
        [
            times(1, 2, 4, assumed=assumed),
            times(1, 2, 4),
            times(1, 2, 4, precision="bf16", assumed=assumed[:1]),
        ],
    )
    assert str(timings).splitlines()[5:] == [
        "assumed for toy, CPU, f32: BGR, values 0 to 255; scores are logits, by their <values>",
        "assumed for toy, CPU, bf16: BGR, values 0 to 255",
    ]
    html = timings._repr_html_()
    assert html.count("scores are logits, by their &lt;values&gt;</p>") == 1
    assert "assumed for toy, CPU, bf16: BGR, values 0 to 255</p>" in html
    both = [times(1, 2, 4, runtime=name, assumed=assumed[:1]) for name in ("openvino", "litert")]
    assert str(Timings("a.png", both)).splitlines()[-1] == (
        "assumed for toy, CPU, f32, litert: BGR, values 0 to 255"
    )


def classified(*infer, **changes):
    about = {"task": "classification", "same_pixels": None, "same_top_class": True}
    return times(*infer, **about | changes)


def test_table_of_classifications():
    timings = Timings(
        "a.png",
        [
            classified(1, 2, 4),
            classified(1, 2, 4, same_top_class=False),
            classified(1, 2, 4),
            classified(1, 2, 4, same_top_class=None),
        ],
    )
    _, headers, *rows = str(timings).splitlines()
    assert headers.split("  ")[-1].strip() == "same top class"
    assert [h.strip() for h in headers.split("  ") if h.strip()][4:7] == [
        "preprocess",
        "infer",
        "file to result",
    ]
    assert [row.split()[-1] for row in rows] == ["1.00", "no", "yes", "-"]
    assert "mask" not in headers
    assert "pixels" not in headers


def test_table_of_both_tasks():
    timings = Timings(
        "a.png",
        [times(1, 2, 4), times(1, 2, 4, same_pixels=0.5), classified(1, 2, 4, same_top_class=None)],
    )
    _, headers, first, mask, classes = str(timings).splitlines()
    assert headers.endswith("file to result  ratio  quartiles  same pixels  same top class")
    assert first.endswith("  1.00")
    assert mask.endswith("  50.00 %")
    assert classes.endswith("  -")


@no_bf16
def test_pipelines_take_turns_on_one_image(tmp_path, monkeypatch):
    order = []
    ran = wn.Pipeline.__call__

    def note(self, image):
        order.append((self.model.name, self.precision))
        return ran(self, image)

    monkeypatch.setattr(wn.Pipeline, "__call__", note)
    model = toys.brightest_channel(tmp_path / "toy.xml", convolution=True)
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, :2, 2] = image[:, 2:, 1] = 200
    pipelines = [wn.Pipeline(model), loaded(model, "bf16")]
    lower = pipelines[1].precision
    timings = wn.bench(pipelines, image, rounds=3)
    assert order == [("toy", "f32"), ("toy", lower)] * 4
    assert [one.precision for one in timings] == ["f32", lower]
    assert [len(one.rounds) for one in timings] == [3, 3]
    assert [one.same_pixels for one in timings] == [1.0, 1.0]
    assert all(one.median("infer") > 0 for one in timings)
    assert "<table" in timings._repr_html_()
    assert "ndarray: 3 rounds" in timings._repr_html_()


@pytest.mark.full
def test_masks_are_compared_with_the_first(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, :2, 2] = image[:, 2:, 1] = 200
    bgr = wn.Pipeline(model)
    rgb = wn.Pipeline(model, recipe=bgr.recipe.replace(color="RGB"))
    # Blue and red change places, green stays: two thirds are as they were.
    timings = wn.bench([bgr, rgb, wn.Pipeline()], image, rounds=3)
    assert timings[1].same_pixels == pytest.approx(2 / 3)
    assert timings[2].same_pixels is None


@pytest.fixture
def classifier(tmp_path):
    """Return the files of a classifier: the score of a channel is twice its highest value."""
    from conformance import models
    from conformance.engines import OnnxWriter

    path = tmp_path / "classifier.onnx"
    path.write_bytes(models.brightest(OnnxWriter(), (1, 3, 4, 6), (2, 3))[0])
    return path


@pytest.mark.full
def test_classifiers_are_compared_by_their_top_class(classifier):
    image = np.zeros((4, 6, 3), np.uint8)
    image[:, :2, 2], image[:, 2:, 1] = 200, 100
    recipe = wn.PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
    pipelines = [
        wn.Pipeline(classifier, recipe=recipe),
        wn.Pipeline(classifier, recipe=recipe, runtime="onnxruntime"),
        wn.Pipeline(classifier, recipe=recipe.replace(color="BGR")),
        wn.Pipeline(),
    ]
    timings = wn.bench(pipelines, image, rounds=3)
    assert [one.same_top_class for one in timings] == [True, True, False, None]
    assert [one.same_pixels for one in timings] == [None] * 4
    assert [one.task for one in timings] == [*["classification"] * 3, "segmentation"]
    assert [one.runtime for one in timings] == ["openvino", "onnxruntime", "openvino", "openvino"]
    assert timings[0].assumed == ("scores are logits, by their values",)
    assert timings[3].assumed == ()
    lines = str(timings).splitlines()
    assert lines[6:] == [
        f"assumed for classifier, CPU, f32, {name}: scores are logits, by their values"
        for name in ("openvino", "onnxruntime", "openvino")
    ]


def test_other_classes_have_no_top_class_in_common(classifier):
    recipe = wn.PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
    named = wn.ModelCard("named", "classification", recipe, ("red", "green", "blue"))
    pipelines = [wn.Pipeline(classifier, recipe=recipe), wn.Pipeline(classifier, card=named)]
    timings = wn.bench(pipelines, np.full((4, 6, 3), 9, np.uint8), rounds=3)
    assert [one.same_top_class for one in timings] == [True, None]


def test_masks_of_other_parts_of_the_image_are_not_compared(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    recipe = wn.PreprocessRecipe(4, 6, resize="bilinear")
    pipelines = [wn.Pipeline(model, recipe=recipe.replace(fit=fit)) for fit in ("stretch", "crop")]
    timings = wn.bench(pipelines, np.zeros((8, 30, 3), np.uint8), rounds=3)
    assert [one.same_pixels for one in timings] == [1.0, None]


def test_a_precision_that_cannot_run_is_warned_of_and_not_named(classifier):
    recipe = wn.PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
    with pytest.warns(WasiNnWarning, match="precision bf16 was asked for, but onnxruntime"):
        pipeline = wn.Pipeline(classifier, recipe=recipe, runtime="onnxruntime", precision="bf16")
    timings = wn.bench(pipeline, np.full((4, 6, 3), 9, np.uint8), rounds=3)
    assert [one.precision for one in timings] == ["f32"]


def test_warnings_of_a_run_pass_through(tmp_path, monkeypatch):
    import warnings

    pipeline = wn.Pipeline(toys.brightest_channel(tmp_path / "toy.xml"))
    ran = wn.Pipeline.__call__

    def warn(self, image):
        warnings.warn("ran in f32", WasiNnWarning, stacklevel=1)
        return ran(self, image)

    monkeypatch.setattr(wn.Pipeline, "__call__", warn)
    with pytest.warns(WasiNnWarning, match="ran in f32"):
        wn.bench(pipeline, np.zeros((4, 6, 3), np.uint8), rounds=3)


@pytest.mark.full
def test_one_pipeline_needs_no_list_and_no_ratio():
    timings = wn.bench(wn.Pipeline(), rounds=3)
    assert [one.model for one in timings] == ["road-segmentation-synth-0001"]
    assert timings.ratio(0) == (1, 1, 1)
    caption, headers, row = str(timings).splitlines()
    assert caption == "city-crosswalk: 3 rounds; medians in milliseconds"
    assert headers.endswith("file to mask")  # with nothing to compare
    assert "same pixels" not in timings._repr_html_()
    assert row.startswith("road-segmentation-synth-0001  CPU, f32")


def test_a_bar_appears_in_a_terminal_only(tmp_path, capsys, monkeypatch):
    pipeline = wn.Pipeline(toys.brightest_channel(tmp_path / "toy.xml"))
    image = np.zeros((4, 6, 3), np.uint8)
    wn.bench(pipeline, image, rounds=3)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    wn.bench(pipeline, image, rounds=3, progress=False)
    assert capsys.readouterr() == ("", "")
    wn.bench(pipeline, image, rounds=3)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "bench:   0%" in printed.err
    assert "0/3" in printed.err


def test_rounds_are_reported_to_a_callable(tmp_path, capsys):
    pipeline = wn.Pipeline(toys.brightest_channel(tmp_path / "toy.xml"))
    calls = []
    wn.bench(
        pipeline,
        np.zeros((4, 6, 3), np.uint8),
        rounds=3,
        progress=lambda *numbers: calls.append(numbers),
    )
    assert calls == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert capsys.readouterr() == ("", "")


@pytest.mark.full
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


@pytest.mark.full
@pytest.mark.filterwarnings("ignore::wasinn_nb.errors.WasiNnWarning")
def test_command_runs_all_combinations(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml", convolution=True)
    ran = loaded(model, "bf16").precision
    arguments = ["bench", "-m", str(model), "-p", "f32", "-p", "bf16", "-n", "3", "--json"]
    arguments += ["--resize", "bilinear", "--resize", "triangle"]
    done = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    values = json.loads(done.stdout)
    assert [(one["precision"], one["resize"]) for one in values] == [
        ("f32", "bilinear"),
        ("f32", "triangle"),
        (ran, "bilinear"),
        (ran, "triangle"),
    ]
    assert {one["runtime"] for one in values} == {"openvino"}
    assert {tuple(one["assumed"]) for one in values} == {("BGR, values 0 to 255",)}
    assert values[0]["ratio"] == {"lower": 1, "median": 1, "upper": 1}
    assert values[3]["seconds"] == pytest.approx(
        [sum(steps.values()) for steps in values[3]["rounds"]]
    )
    done = CliRunner().invoke(cli.app, arguments[:-5], catch_exceptions=False)
    assert done.stdout.splitlines()[4].startswith("assumed for toy, CPU, f32: BGR")
    recipe = wn.PreprocessRecipe(4, 6, resize="bilinear")
    wn.ModelCard("toy", "segmentation", recipe, ("a", "b", "c")).write(model)
    done = CliRunner().invoke(cli.app, arguments[:-5], catch_exceptions=False)
    assert len(done.stdout.splitlines()) == 4  # with nothing assumed
