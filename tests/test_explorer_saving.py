"""The Explorer's code, saving, end and parts."""

import json
import threading
import time

import pytest
from explorer_fakes import failing
from viewed import laid_down

import wasinn_nb as wn
from wasinn_nb.errors import (
    BusyError,
)
from wasinn_nb.widgets.explorer.latest import Latest
from wasinn_nb.widgets.explorer.panel import Panel
from wasinn_nb.widgets.explorer.selection import Selection, code_of
from wasinn_nb.widgets.explorer.times import RunTimes

pytestmark = pytest.mark.full


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


def press(explorer, action, **traits):
    explorer.panel._handle_custom_msg({"action": action, "traits": traits}, [])


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


def test_a_button_pressed_right_after_typing(explore, tmp_path, toy, red):
    # The page holds the change of the folder back while an earlier change is on its way.
    explorer = explore(toy, red)
    explorer.images.add(wn.image("city-arrow").read_bytes(), "up.jpg")
    explorer.wait()
    for name in ("here", "there"):
        press(explorer, "save", folder=str(tmp_path / name))
        assert explorer.panel._saved["folder"] == str(tmp_path / name)
        assert (tmp_path / name / "up-mask.png").is_file()
    # The code that was copied names the folder before: the upload goes where that code reads it.
    copied, read = explorer.panel.code, tmp_path / "there" / "up.jpg"
    assert str(read) in copied
    read.unlink()
    explorer.panel.set_state({"folder": str(tmp_path / "later")})
    press(explorer, "copy", code_folder=str(tmp_path / "there"))
    assert read.is_file()
    assert not (tmp_path / "later").exists()


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
    explorer = explore(toy, red)
    explorer.wait()
    assert laid_down(explorer.viewer._masks[0]).tolist() == [[2] * 6] * 4
