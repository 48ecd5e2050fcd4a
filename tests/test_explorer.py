"""`Explorer` and its parts, without a kernel."""

import functools
import hashlib
import json
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.errors import (
    BusyError,
    ImageError,
    InvalidArgumentError,
    NotFoundError,
    RuntimeFailure,
    WasiNnError,
)
from wasinn_nb.widgets.explorer.latest import Latest
from wasinn_nb.widgets.explorer.panel import Panel
from wasinn_nb.widgets.explorer.selection import Selection, code_of
from wasinn_nb.widgets.explorer.times import RunTimes

pytestmark = pytest.mark.full

# --------------------------------------------------------------------------------- the main way


@pytest.mark.full
def test_start_values_come_from_arguments_then_the_environment_then_defaults(
    explore, monkeypatch, toy, red
):
    assert explore().wait().card.name == "road-segmentation-synth-0001"
    monkeypatch.setenv("WASINN_NB_MODEL", toy)
    monkeypatch.setenv("WASINN_NB_IMAGE", red)
    monkeypatch.setenv("WASINN_NB_TARGET", "AUTO")
    monkeypatch.setenv("WASINN_NB_PRECISION", "bf16")
    explorer = explore()
    assert (explorer.models.value, explorer.images.value) == (toy, red)
    assert (explorer.targets.value, explorer.targets.precision) == ("AUTO", "bf16")
    assert explorer.wait().labels.shape == (4, 6)
    given = explore("road-segmentation-synth-0001", "country-road", "CPU", precision="f32")
    assert (given.models.value, given.images.value) == (
        "road-segmentation-synth-0001",
        "country-road",
    )
    same = wn.segment("country-road", given.models.value, "CPU", precision="f32")
    assert given.wait().digest() == same.digest()


def test_each_choice_changes_the_result_and_the_page(explore, toy, red):
    explorer = explore(toy, red)
    assert (explorer.wait().labels == 2).all(), "BGR: red is the third channel"
    assert explorer.viewer.serial == 1
    assert explorer.targets.ran == "CPU, f32"
    assert explorer.viewer.result is explorer.result
    explorer.runs[0].color.value = "RGB"
    assert (explorer.wait().labels == 0).all()
    assert explorer.result.recipe.color == "RGB"
    explorer.images.value = "city-crosswalk"
    assert explorer.wait().photo.shape == (720, 1280, 3)
    explorer.targets.value = "AUTO"
    assert explorer.wait().target == "CPU"
    assert explorer.targets.ran == "CPU, f32"
    explorer.runs[0].resize.value = "triangle"
    assert explorer.wait().recipe.resize == "triangle"
    assert explorer.viewer.serial == 5
    assert explorer.viewer.stale is False
    assert explorer.panel._status["state"] == "done"
    assert explorer.viewer._confidence[0]["serial"] == 5


def test_the_last_of_many_quick_choices_wins(explore, toy):
    explorer = explore(toy, "city-arrow")
    explorer.wait()
    before = explorer.viewer.serial
    for name in wn.images():
        explorer.images.value = name
    assert explorer.result is None, "what is shown is not of the present selection"
    assert explorer.wait().photo is not None
    assert explorer.viewer.result.image == wn.image(wn.images()[-1]).read_bytes()
    assert explorer.viewer.serial - before <= 2, "the first choice and the last"


def test_the_kernel_answers_while_a_model_is_compiled(explore, monkeypatch, toy, red):
    started, go_on = threading.Event(), threading.Event()
    pipeline = Selection.pipeline

    def slow(self, **options):
        started.set()
        assert go_on.wait(20)
        return pipeline(self, **options)

    monkeypatch.setattr(Selection, "pipeline", slow)
    explorer = explore(toy, red)
    assert started.wait(20)
    assert explorer.panel._status == {"state": "busy", "text": f"Running {toy} on CPU …"}
    assert explorer.result is None
    explorer.images.value = "city-arrow"  # a second click while it runs
    with pytest.raises(BusyError, match=r"still runs after 0.05 s"):
        explorer.wait(0.05)
    go_on.set()
    assert explorer.wait().image == wn.image("city-arrow").read_bytes()
    assert explorer.viewer.serial == 1, "the first choice is not shown: another came"


def test_two_runs_are_compared(explore, toy, red):
    explorer = explore(toy, red, compare=True)
    explorer.wait()
    assert str(explorer.comparison.verdict) == "identical"
    explorer.runs[1].color.value = "RGB"
    explorer.wait()
    assert str(explorer.comparison.verdict) == "different"
    assert explorer.panel._verdict["verdict"] == "different"
    assert (explorer.other.labels == 0).all()
    assert [mask["caption"] for mask in explorer.viewer._masks] == ["color BGR", "color RGB"]
    assert explorer.models.label == "Model A"
    explorer.panel.compare = False
    explorer.wait()
    assert explorer.comparison is None
    assert explorer.other is None
    assert explorer.panel._verdict == {}
    assert explorer.models.label == "Model"
    serial = explorer.viewer.serial
    explorer.runs[1].resize.value = "triangle"  # nobody sees it
    explorer.wait()
    assert explorer.viewer.serial == serial


def test_two_explorers_do_not_touch_each_other(explore, toy, red):
    one, two = explore(toy, red), explore(toy, "city-arrow")
    one.wait()
    two.wait()
    two.runs[0].color.value = "RGB"
    two.wait()
    assert (one.viewer.serial, two.viewer.serial) == (1, 2)
    assert one.result.recipe.color == "BGR"
    assert one.viewer.still.id != two.viewer.still.id


def test_a_model_that_is_only_known_is_downloaded(explore, monkeypatch, tmp_path, red):
    brightest_channel(tmp_path / "served/away.xml")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *args: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        files = [
            {
                "name": path.name,
                "bytes": path.stat().st_size,
                "sha384": hashlib.sha384(path.read_bytes()).hexdigest(),
                "url": f"http://127.0.0.1:{server.server_port}/{path.name}",
            }
            for path in (tmp_path / "served/away.xml", tmp_path / "served/away.bin")
        ]
        card = {"name": "away", "task": "segmentation", "precisions": {"FP32": files}}
        (tmp_path / "known/away").mkdir(parents=True)
        (tmp_path / "known/away/card.json").write_text(json.dumps(card))
        monkeypatch.setenv("WASINN_NB_PATH", str(tmp_path / "known"))
        monkeypatch.setenv("WASINN_NB_OFFLINE", "1")
        explorer = explore("away", red)
        assert "WASINN_NB_OFFLINE" in str(failing(explorer))
        monkeypatch.delenv("WASINN_NB_OFFLINE")
        texts = []
        explorer.panel.observe(lambda change: texts.append(change["new"]["text"]), "_status")
        explorer.runs[0].color.value = "BGR"
        assert (explorer.wait().labels == 2).all()
        server.shutdown()
    parts = [text for text in texts if text.startswith("Downloading the model: ")]
    assert parts
    assert parts[-1].startswith("Downloading the model: 100 % of ")


# ------------------------------------------------------------------------------------- failures


def failing(explorer):
    """Return the error of the present selection, which the panel shows too."""
    with pytest.raises(WasiNnError) as caught:
        explorer.wait()
    error = explorer.panel._error
    assert error["message"] == str(caught.value)
    assert error["kind"] == type(caught.value).__name__
    assert "Traceback" in error["details"]
    assert explorer.result is None
    assert explorer.viewer.stale
    return caught.value


def still_works(explorer, toy, red):
    explorer.models.value, explorer.images.value, explorer.targets.value = toy, red, "CPU"
    assert (explorer.wait().labels == 2).all()
    assert explorer.panel._error == {}
    assert not explorer.viewer.stale


def test_a_model_that_is_not_known(explore, toy, red):
    explorer = explore("no-such-model", red)
    assert isinstance(failing(explorer), NotFoundError)
    still_works(explorer, toy, red)


def test_a_model_that_fails_to_load(explore, tmp_path, toy, red):
    broken = tmp_path / "broken.xml"
    broken.write_bytes(b"<net broken")
    broken.with_suffix(".bin").write_bytes(b"")
    explorer = explore(str(broken), red)
    assert isinstance(failing(explorer), RuntimeFailure)
    still_works(explorer, toy, red)


def test_a_target_that_is_not_here_or_vanishes(explore, monkeypatch, toy, red):
    monkeypatch.setenv("WASINN_NB_TARGET", "GPU")
    explorer = explore(toy, red)
    error = failing(explorer)
    assert isinstance(error, InvalidArgumentError)
    assert "no GPU on this machine" in str(error)
    still_works(explorer, toy, red)
    explorer.targets.value = "NPU"
    assert "no NPU on this machine" in str(failing(explorer))
    still_works(explorer, toy, red)


def test_images_that_cannot_be_read(explore, tmp_path, toy, red):
    whole = wn.image("city-arrow").read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole[: len(whole) // 2])
    explorer = explore(toy, cut)
    assert isinstance(failing(explorer), ImageError)
    explorer.images.value = red
    explorer.wait()
    explorer.images.value = str(cut)
    assert isinstance(failing(explorer), ImageError)
    assert explorer.viewer._sent_image["number"] == explorer.viewer._masks[0]["image"]
    assert explorer.viewer._sent_image["width"] == 6, "the image that is shown, not the broken one"
    still_works(explorer, toy, red)
    gone = tmp_path / "gone.png"
    Image.new("RGB", (3, 3)).save(gone)
    explorer.images.value = str(gone)
    explorer.wait()
    gone.unlink()
    explorer.targets.precision = "bf16"
    assert "gone.png" in str(failing(explorer))
    still_works(explorer, toy, red)


@pytest.mark.full
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "P", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (70, 2)])
def test_odd_images(explore, tmp_path, toy, mode, size):
    path = tmp_path / "odd.png"
    Image.new(mode, size).save(path)
    assert explore(toy, path).wait().labels.shape == (4, 6)


@pytest.mark.parametrize("classes", [2, 21, 256])
def test_models_with_any_number_of_classes(explore, tmp_path, red, classes):
    model = brightest_channel(tmp_path / "many.xml", classes=max(3, classes))
    if classes == 2:
        import openvino as ov
        from openvino import opset13 as op
        from toys import graph, save

        def two(data):
            return op.strided_slice(data, [0, 0], [0, 2], [1, 1], [1, 0], [1, 0])

        model = save(graph(two, (1, 3, 4, 6)), tmp_path / "two.xml")
        assert ov.Core().read_model(model).output(0).shape[1] == 2
    explorer = explore(str(model), red)
    assert len(explorer.wait().card.classes) == max(2, classes)
    assert len(explorer.viewer._masks[0]["classes"]) == max(2, classes)


def test_wrong_arguments_are_refused_before_anything_is_shown():
    with pytest.raises(InvalidArgumentError, match=r"resize as one of triangle, .* got 'cubic'"):
        wn.Explorer(resize="cubic")


def test_mode_for_tests_raises_where_the_choice_was_made(explore, monkeypatch, toy, red):
    monkeypatch.setenv("WASINN_NB_RAISE", "1")
    explorer = explore(toy, red)
    assert explorer.result is not None, "it has run already"
    with pytest.raises(InvalidArgumentError, match="no GPU on this machine"):
        explorer.targets.value = "GPU"
    with pytest.raises(NotFoundError):
        wn.Explorer("no-such-model", red)


# ------------------------------------------------------------------------------ code, saving, end


def test_copied_code_runs_as_pasted(explore, tmp_path, toy, red):
    explorer = explore(toy, red)
    explorer.runs[0].color.value = "RGB"
    explorer.runs[0].resize.value = "triangle-0.23"
    result = explorer.wait()
    assert explorer.panel.code == explorer.code
    space = {}
    exec(explorer.code, space)
    assert (space["result"].labels == result.labels).all()
    assert space["result"].recipe == result.recipe
    assert space["result"].scores.shape == result.scores.shape


def test_copied_code_of_a_comparison_and_of_an_upload(explore, monkeypatch, tmp_path, toy, red):
    monkeypatch.chdir(tmp_path)
    explorer = explore(toy, red, compare=True)
    content = wn.image("city-arrow").read_bytes()
    explorer.images.add(content, 'my "photo" ünd.jpg')
    explorer.runs[1].targets.precision = "bf16"
    explorer.wait()
    explorer.panel._received(explorer.panel, {"action": "copy"}, [])
    (written,) = (tmp_path / "out/explorer").iterdir()
    assert written.read_bytes() == content
    space = {}
    exec(explorer.code, space)
    assert (space["a"].labels == explorer.result.labels).all()
    assert space["b"].precision == explorer.other.precision


class Recorder:
    """Stands for the package: keeps what the code passes."""

    PreprocessRecipe = wn.PreprocessRecipe

    def segment(self, *args, **options):
        self.passed = args, options


def test_names_and_recipes_come_through_code_as_they_are():
    recipe = wn.PreprocessRecipe(
        5, 7, "NHWC", range=(0, 1), mean=(0.1, 0.2, 0.3), resize="bilinear", exif="apply"
    )
    model = 'C:\\models\\"odd"\n\u00fc\U0001f6e3.xml'
    selection = Selection(model, "AUTO:GPU,CPU", "f32", "triangle", "RGB", recipe)
    wn_ = Recorder()
    exec(selection.code("a'b.png", scores=True), {"wn": wn_})
    assert wn_.passed == (
        ("a'b.png", model, "AUTO:GPU,CPU"),
        {
            "precision": "f32",
            "recipe": recipe.replace(color="RGB"),
            "resize": "triangle",
            "scores": True,
        },
    )
    u8 = Selection("m", "CPU", "f32", recipe=wn.PreprocessRecipe(5, 7, "HWC", "BGR", "u8"))
    exec(u8.code("a.png"), {"wn": wn_})
    assert wn_.passed[1]["recipe"] == u8.recipe


def test_code_of_two_runs_compares_them():
    lines = code_of(
        "a.png", [Selection("m", "CPU", "f32"), Selection("n", "CPU", "f32")], scores=False
    )
    assert lines.splitlines()[-2:] == [
        "print(wn.compare(a, b))",
        'wn.MaskViewer(a, b, mode="difference")',
    ]


def press(explorer, action):
    explorer.panel._received(explorer.panel, {"action": action}, [])


def test_save_writes_what_can_be_read_back(explore, tmp_path, toy):
    explorer = explore(toy, "city-arrow")
    result = explorer.wait()
    explorer.panel.folder = str(tmp_path / "kept")
    press(explorer, "save")
    names = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert names == [
        "city-arrow-1x3x4x6xf32.tensor",
        "city-arrow-1x3x4x6xf32.tensor.json",
        "city-arrow-mask.png",
        "city-arrow-overlay.jpg",
        "city-arrow.json",
    ]
    assert explorer.panel._saved["folder"] == str(tmp_path / "kept")
    assert set(explorer.panel._saved["names"]) <= set(names)
    again = wn.SegmentationResult.load(tmp_path / "kept/city-arrow.json")
    assert (again.labels == result.labels).all()
    assert again.recipe == result.recipe


def test_save_keeps_both_runs_and_the_upload(explore, tmp_path, toy, red):
    explorer = explore(toy, red, compare=True)
    content = wn.image("city-arrow").read_bytes()
    explorer.images.add(content, "../../etc/passwd.jpg")
    explorer.wait()
    explorer.panel.folder = str(tmp_path / "kept")
    saved = explorer.save()
    assert len({files.mask for files in saved}) == 2
    assert all(files.mask.parent == tmp_path / "kept" for files in saved)
    kept = [p for p in (tmp_path / "kept").iterdir() if p.read_bytes() == content]
    assert len(kept) == 1, "in the folder, whatever it was called"


def test_saving_where_it_cannot_be(explore, tmp_path, toy, red):
    (tmp_path / "file").write_text("in the way")
    explorer = explore(toy, red)
    explorer.wait()
    explorer.panel.folder = str(tmp_path / "file")
    press(explorer, "save")
    assert "file" in explorer.panel._saved["error"]
    assert (tmp_path / "file").read_text() == "in the way"
    explorer.models.value = "no-such-model"
    failing(explorer)
    press(explorer, "save")
    assert explorer.panel._saved["error"].startswith("there is no result to save yet")


def test_ten_more_runs(explore, toy, red):
    explorer = explore(toy, red)
    explorer.wait()
    press(explorer, "time")
    explorer.wait()
    (table,) = explorer.panel._times
    assert table["rows"][0] == ["", "first run", "last run", "median of 10"]
    assert [row[0] for row in table["rows"][1:]] == [
        "read",
        "preprocess",
        "infer and argmax",
        "file to mask",
        "load and compile",
    ]
    assert explorer.viewer.serial == 1


def test_a_closed_explorer_is_quiet(explore, toy, red):
    explorer = wn.Explorer(toy, red)
    explorer.images.value = "city-arrow"
    explorer.close()
    with pytest.raises(BusyError, match="closed"):
        explorer.wait()
    again = explore(toy, red)
    assert again.wait() is not None


def test_unknown_messages_of_a_page_are_ignored():
    panel = Panel()
    for content in (None, [], {}, {"action": "erase"}, {"action": ["save"]}, {"action": "save"}):
        panel._received(panel, content, [])
    json.dumps(panel.get_state(["_status", "_error", "_times", "_verdict", "_saved"]))


# ------------------------------------------------------------------------------------- the parts


def test_latest_runs_one_at_a_time_and_tells_the_old_that_they_are_old():
    latest, seen, running = Latest(delay=0.02), [], []

    def job(name):
        def run(is_newest):
            running.append(name)
            assert len(running) == 1
            time.sleep(0.05)
            seen.append((name, is_newest()))
            running.remove(name)

        return run

    latest.submit(job("a"))
    time.sleep(0.02)
    assert not latest.wait(0)
    for name in "bcd":
        latest.submit(job(name))
    assert latest.wait(10)
    assert seen == [("a", False), ("d", True)]
    latest.submit(job("e"))
    latest.cancel()
    assert latest.wait(10)
    assert [name for name, _ in seen] in (["a", "d"], ["a", "d", "e"])
    assert latest.wait(0)


def test_latest_goes_on_after_a_job_that_raises(monkeypatch):
    failures = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failures.append(args.exc_type))
    latest = Latest(delay=0)
    latest.submit(lambda is_newest: 1 / 0)
    assert latest.wait(10)
    done = []
    latest.submit(lambda is_newest: done.append(is_newest()))
    assert latest.wait(10)
    assert done == [True]
    assert failures == [ZeroDivisionError]


def test_times_of_a_single_run():
    times = RunTimes(1.5)
    times.add({"read": 0.001, "preprocess": 0.002, "infer": 0.003})
    assert times.fresh
    assert times.rows()[4:] == [["file to mask", "6.0 ms"], ["load and compile", "1500.0 ms"]]
    assert times.last == pytest.approx(0.006)


def test_labels_of_the_result_are_the_page_s(explore, toy, red):
    import zlib

    explorer = explore(toy, red)
    sent = explorer.wait(), explorer.viewer._masks[0]
    assert zlib.decompress(sent[1]["labels"]) == np.full((4, 6), 2, np.uint8).tobytes()
