"""`Explorer` and its parts, without a kernel."""

import functools
import hashlib
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from explorer_fakes import failing
from PIL import Image
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.errors import (
    BusyError,
    ImageError,
    InvalidArgumentError,
    NotFoundError,
    RuntimeFailure,
)
from wasinn_nb.widgets.explorer.selection import Selection

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
