"""Compiled models that OpenVINO keeps in a folder: sooner, with the same values."""

from __future__ import annotations

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.errors import UnwritableError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that the setting names."""
    path = tmp_path / "kept" / "compiled"
    monkeypatch.setenv("WASINN_NB_MODEL_CACHE", str(path))
    return path


def test_no_folder_keeps_nothing(monkeypatch, tmp_path, toy):
    monkeypatch.delenv("WASINN_NB_MODEL_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert wn.Pipeline(toy).model_cache is None
    assert list(tmp_path.glob("**/*.blob")) == []


def test_the_second_time_it_is_loaded_with_the_same_values(folder, toy, red):
    first = wn.Pipeline(toy, scores=True)
    assert first.model_cache is None
    assert len(list(folder.glob("*.blob"))) == 1
    second = wn.Pipeline(toy, scores=True)
    assert second.model_cache == folder
    one, other = first(red), second(red)
    assert np.array_equal(one.labels, other.labels)
    assert np.array_equal(one.scores, other.scores)
    assert (second.target, second.precision) == (first.target, first.precision)


@pytest.mark.full
def test_models_between_do_not_matter(folder, toy, red):
    wn.Pipeline(toy)
    assert wn.Pipeline(None).model_cache is None  # numbers the nodes of the next anew
    assert wn.Pipeline(toy).model_cache == folder
    assert wn.Pipeline(toy, scores=True).model_cache is None  # another graph
    assert len(list(folder.glob("*.blob"))) == 3


@pytest.mark.full
def test_a_model_that_is_written_anew_is_compiled_anew(folder, tmp_path):
    shipped = wn.model()
    model, weights = (tmp_path / path.name for path in shipped.files)
    for path in shipped.files:
        (tmp_path / path.name).write_bytes(path.read_bytes())

    def scores():
        pipeline = wn.Pipeline(model, card=shipped.card, scores=True)
        return pipeline.model_cache, pipeline("city-arrow").scores

    _, before = scores()
    assert scores()[0] == folder
    content = weights.read_bytes()
    half = np.frombuffer(content[500_000:600_000], np.float16) * np.float16(0.5)
    weights.write_bytes(content[:500_000] + half.tobytes() + content[600_000:])
    cache, after = scores()
    assert cache is None
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("length", [0, 10, 100, 0.5])
def test_what_was_cut_is_compiled_again(folder, toy, red, length):
    expected = wn.Pipeline(toy, scores=True)(red).scores
    (blob,) = folder.glob("*.blob")
    content = blob.read_bytes()
    blob.write_bytes(content[: length if isinstance(length, int) else len(content) // 2])
    pipeline = wn.Pipeline(toy, scores=True)
    assert pipeline.model_cache is None
    assert np.array_equal(pipeline(red).scores, expected)


def test_bench_names_the_folder(folder, toy, red):
    pipelines = [wn.Pipeline(toy), wn.Pipeline(toy)]
    text = str(wn.bench(pipelines, red, rounds=3, progress=False))
    assert f"loaded as compiled before, from {folder}: {wn.model(toy).name}" in " ".join(
        text.split()
    ).replace(" /", "/").replace("from/", "from /")


def test_a_folder_that_cannot_be_made(monkeypatch, tmp_path, toy):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WASINN_NB_MODEL_CACHE", str(tmp_path / "file" / "compiled"))
    with pytest.raises(UnwritableError, match="set it to another folder"):
        wn.Pipeline(toy)
