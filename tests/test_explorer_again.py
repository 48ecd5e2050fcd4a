"""One image after another in the Explorer, with the pipeline of the last time while it counts."""

import pytest
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.errors import WasiNnError
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.widgets.explorer import explorer as module

pytestmark = pytest.mark.full


@pytest.fixture
def ran(monkeypatch):
    """Keep each pipeline that runs, and how many images it ran."""
    calls = []
    run = Pipeline.__call__

    def keep(self, image=None):
        calls.append(self)
        return run(self, image)

    monkeypatch.setattr(Pipeline, "__call__", keep)
    return calls


def test_another_image_runs_once_with_the_same_pipeline(explore, toy, red, ran):
    explorer = explore(toy, red)
    assert (explorer.wait().labels == 2).all()
    explorer.images.value = "city-arrow"
    result = explorer.wait()
    assert result.photo.shape == (720, 1280, 3)
    assert len(ran) == 2
    assert ran[0] is ran[1]
    assert set(result.timings) == {"read", "preprocess", "infer"}


def test_a_model_that_was_written_anew_is_the_one_that_counts(explore, tmp_path, red, ran):
    path = brightest_channel(tmp_path / "model.xml", height=4, width=6)
    explorer = explore(path, red)
    assert explorer.wait().labels.shape == (4, 6)
    brightest_channel(path, height=8, width=10)
    explorer.images.value = "city-arrow"
    assert explorer.wait().labels.shape == (8, 10)
    assert explorer.viewer.result.labels.shape == (8, 10)
    assert explorer.viewer.serial == 2  # what the old one made was never shown
    assert ran[-1] is not ran[0]


def test_a_model_that_is_gone_is_an_error_and_its_last_pipeline_is_not_shown(
    explore, tmp_path, red
):
    path = brightest_channel(tmp_path / "model.xml", height=4, width=6)
    explorer = explore(path, red)
    explorer.wait()
    for file in tmp_path.glob("model.*"):
        file.unlink()
    explorer.images.value = "city-arrow"
    with pytest.raises(WasiNnError, match=r"model\.xml"):
        explorer.wait()
    assert explorer.result is None
    assert explorer.viewer.serial == 1


def test_two_runs_keep_their_own_pipelines(explore, toy, red, ran):
    explorer = explore(toy, red, compare=True)
    explorer.runs[1].color.value = "RGB"
    explorer.wait()
    ran.clear()
    explorer.images.value = "city-arrow"
    explorer.wait()
    assert len(ran) == 2
    assert [one.recipe.color for one in ran] == ["BGR", "RGB"]
    assert (explorer.result.recipe.color, explorer.other.recipe.color) == ("BGR", "RGB")


def test_times_and_code_follow_the_mask_and_are_not_those_of_an_older_choice(
    explore, monkeypatch, toy, red
):
    explorer = explore(toy, red)
    explorer.wait()
    codes = []
    explorer.panel.observe(lambda change: codes.append(change["new"]), "code")
    pause = module.time.sleep

    def chosen_meanwhile(seconds):
        if explorer.images.value == "city-arrow":
            explorer.images.value = "city-island"
        pause(seconds)

    monkeypatch.setattr(module.time, "sleep", chosen_meanwhile)
    explorer.images.value = "city-arrow"
    explorer.wait()
    assert explorer.panel.code == explorer.code
    assert [text for text in codes if "city-arrow" in text] == []
    assert explorer.panel._status["state"] == "done"
    assert wn.image("city-island").read_bytes() == explorer.result.image
