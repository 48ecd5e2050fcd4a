"""`predict`: every image gets one row, whatever it is and whatever happens; again does little."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from prediction_help import whole_table, write_images

import wasinn_nb as wn
from wasinn_nb.errors import (
    BusyError,
    ImageError,
    InvalidArgumentError,
    TooManyFailuresError,
    WasiNnWarning,
)
from wasinn_nb.prediction.store import runs_in

pytestmark = pytest.mark.full


@pytest.fixture
def images(tmp_path):
    write_images(tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def run(toy, tmp_path):
    """Predict into one store."""

    def predict(images, model=toy, **options):
        return wn.predict(images, model, tmp_path / "store", progress=False, **options)

    return predict


def session(predictions):
    last = predictions.facts["sessions"][-1]
    return last["finished"], last["errors"], last["unchanged"], last["repeated"]


def test_each_image_gets_a_row_with_the_mask_that_segment_gives(images, toy, run):
    found = run(images)
    assert len(found) == 6
    assert session(found) == (6, 0, 0, 0)
    for n in range(6):
        row = found.row(f"{n:04}.png")
        alone = wn.segment(images / f"{n:04}.png", toy, scores=True)
        result = found.result(f"{n:04}.png")
        assert (result.labels == alone.labels).all()
        assert str(result.digest()) == str(alone.digest()) == row["digest"]
        assert result.areas() == alone.areas()
        assert (row["width"], row["height"]) == (12, 8)
        assert (row["mask_width"], row["mask_height"]) == (6, 4)
        assert row["pixels"] == [*alone.areas().values()]
        assert [row[f"class {k}"] for k in range(3)] == [*alone.fractions().values()]
        assert row["size"] == (images / f"{n:04}.png").stat().st_size
        best = np.sort(alone.scores, axis=0)
        assert row["mean_confidence"] == pytest.approx(best[-1].mean(), abs=1 / 255)
        assert row["lowest_confidence"] == pytest.approx(best[-1].min(), abs=1 / 255)
        assert row["near_tie"] == pytest.approx((best[-1] - best[-2] < 0.1).mean(), abs=0.05)
        assert result.photo.shape == (8, 12, 3)


def test_other_programs_read_the_rows(images, run):
    import pandas as pd

    found = run(images)
    frame = pd.read_parquet(found.folder / "rows")
    assert sorted(frame["name"]) == [f"{n:04}.png" for n in range(6)]
    assert frame["mask"].iloc[0][:4] == b"\x89PNG"


def test_a_second_run_does_what_is_missing_or_changed(images, run):
    before = whole_table(run(images))
    assert session(run(images)) == (0, 0, 6, 0)
    shutil.copy(images / "0000.png", images / "0006.png")
    Image.new("RGB", (12, 8), (1, 2, 3)).save(images / "0001.png")
    found = run(images)
    assert session(found) == (2, 0, 5, 0)
    assert len(found) == 7
    after = whole_table(found)
    changed = [row["name"] for row in after if row not in before]
    assert changed == ["0001.png", "0006.png"]


def test_a_touched_file_is_read_but_not_run(images, run):
    run(images)
    os.utime(images / "0000.png", (1, 1))
    assert session(run(images)) == (0, 0, 6, 0)


def test_verify_finds_a_change_that_left_time_and_size(images, run):
    path = images / "0000.bmp"
    Image.new("RGB", (12, 8), (1, 2, 3)).save(path)
    run(images)
    status = path.stat()
    with path.open("r+b") as file:  # the inode stays
        file.seek(-1, os.SEEK_END)
        file.write(b"\x77")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert session(run(images)) == (0, 0, 7, 0)
    assert session(run(images, verify=True)) == (1, 0, 6, 0)


def test_an_image_that_is_listed_twice_has_one_row(images, run):
    path = images / "0000.png"
    found = run([path, str(path), path])
    assert (len(found), session(found)) == (1, (1, 0, 0, 2))


def test_another_recipe_is_a_run_of_its_own(images, run, tmp_path):
    one = run(images)
    other = run(images, recipe={"color": "RGB"})
    assert one.folder != other.folder
    assert (len(one), len(other)) == (6, 6)
    assert [run.folder for run in runs_in(tmp_path / "store")] == [one.folder, other.folder]
    assert wn.read_predictions(tmp_path / "store").folder == other.folder
    assert wn.read_predictions(tmp_path / "store", one.folder.name[:6]).folder == one.folder
    assert session(run(images)) == (0, 0, 6, 0)


def test_bad_images_are_rows(images, run):
    (images / "empty.png").touch()
    (images / "text.png").write_text("no image")
    (images / "cut.png").write_bytes((images / "0000.png").read_bytes()[:60])
    os.mkfifo(images / "pipe.png")
    found = run([*sorted(images.iterdir()), images / "gone.png"])
    assert session(found) == (11, 5, 0, 0)
    errors = found.query("status == 'error'").table().set_index("name")
    assert errors["error_kind"].to_dict() == {
        "empty.png": "ImageError",
        "text.png": "ImageError",
        "cut.png": "ImageError",
        "pipe.png": "ImageError",
        "gone.png": "FileNotFoundError",
    }
    with pytest.raises(InvalidArgumentError, match=r"empty.png: there is no result: ImageError"):
        found.result("empty.png")
    # What could be read and failed stays; what could not be read is tried again.
    write_images(images, 1)
    shutil.copy(images / "0000.png", images / "gone.png")
    again = run([*sorted(images.iterdir()), images / "gone.png"])
    assert session(again) == (2, 1, 9, 1)
    assert len(again) == 11


def test_the_first_error_can_end_the_run(images, run):
    (images / "text.png").write_text("no image")
    with pytest.raises(ImageError, match="not an image"):
        run([images / "text.png", *sorted(images.glob("0*"))], on_error="raise")
    found = run(sorted(images.iterdir()))
    assert len(found) == 7


def test_a_run_most_of_whose_images_fail_ends(tmp_path, run):
    folder = tmp_path / "bad"
    folder.mkdir()
    for n in range(130):
        (folder / f"{n}.png").write_text("no image")
    with pytest.raises(TooManyFailuresError, match=r"100 of the first 100 images failed"):
        run(folder)
    assert len(run(folder, failures=1)) == 130


def test_a_generator_that_fails_raises_and_keeps_what_is_done(images, run):
    def given():
        yield images / "0000.png"
        yield images / "0001.png"
        raise ZeroDivisionError("the list ends early")

    with pytest.raises(ZeroDivisionError, match="the list ends early"):
        run(given())
    assert session(run([images / "0000.png", images / "0001.png"])) == (0, 0, 2, 0)


def test_images_in_memory(run):
    pixels = {name: np.full((4, 6, 3), value, np.uint8) for name, value in (("a", 3), ("b", 9))}
    found = run(pixels)
    assert sorted(found.table()["name"]) == ["a", "b"]
    assert session(run(pixels)) == (0, 0, 2, 0)
    pixels["b"][0] = 77
    assert session(run(pixels)) == (1, 0, 1, 0)
    assert found.result("a").photo is None


def test_two_drivers(images, run, tmp_path):
    found = run(images)
    (stored,) = runs_in(tmp_path / "store")
    with (
        stored.locked(),
        pytest.raises(BusyError, match=rf"process {os.getpid()}\b.*another store"),
    ):
        run(images)
    assert len(found) == len(run(images))


def test_what_is_no_store_is_refused(images, toy, tmp_path):
    with pytest.raises(InvalidArgumentError, match=r"a folder with other files \(0000.png"):
        wn.predict(images, toy, images, progress=False)
    with pytest.raises(InvalidArgumentError, match="expected a folder as the store, got the file"):
        wn.predict(images, toy, images / "0000.png", progress=False)
    assert sorted(path.name for path in images.iterdir()) == [f"{n:04}.png" for n in range(6)]


def test_a_newer_store_and_a_newer_part(images, run, tmp_path):
    found = run(images)
    (part,) = (found.folder / "rows").iterdir()
    table = pq.read_table(part)
    metadata = {
        key: value.replace(b"predictions/1", b"predictions/2")
        for key, value in table.schema.metadata.items()
    }
    pq.write_table(table.replace_schema_metadata(metadata), part.with_name("part-9.parquet"))
    with pytest.warns(WasiNnWarning, match=r"part-9.parquet: written in version 2"):
        assert len(wn.read_predictions(tmp_path / "store")) == 6
    (tmp_path / "store/store.json").write_text('{"format": "wasinn_nb.predictions/2"}')
    for call in (lambda: wn.read_predictions(tmp_path / "store"), lambda: run(images)):
        with pytest.raises(InvalidArgumentError, match=r"version 2 of the format.*pip install"):
            call()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_broken_part_is_named_and_its_images_run_again(images, run, damage):
    run(images)
    write_images(images, 8, first=6)
    found = run(images)
    before = whole_table(found)
    first, _ = sorted((found.folder / "rows").iterdir())
    content = {"truncated": first.read_bytes()[:-100], "garbage": b"x" * 5000, "empty": b""}
    first.write_bytes(content[damage])
    with pytest.warns(WasiNnWarning, match=rf"{first.name} cannot be read"):
        rest = wn.read_predictions(found.folder)
    assert len(rest) == 2
    with pytest.warns(WasiNnWarning, match=rf"{first.name} cannot be read.*run again"):
        again = run(images)
    assert session(again) == (6, 0, 2, 0)
    assert whole_table(again) == before


def test_what_a_killed_driver_left_twice_counts_once(images, run):
    found = run(images)
    before = whole_table(found)
    (part,) = (found.folder / "rows").iterdir()
    shutil.copy(part, part.with_name("part-9.parquet"))
    (found.folder / ".driver.json").write_text("{}")
    assert len(wn.read_predictions(found.folder)) == 6
    again = run(images)
    assert whole_table(again) == before
    assert session(again) == (0, 0, 6, 0)


def test_progress_is_told(images, toy, tmp_path):
    calls = []
    wn.predict(images, toy, tmp_path / "calls", progress=lambda *now: calls.append(now))
    assert calls[0][0] == 0
    assert calls[-1] == (6, 6)


def test_options_are_checked(images, run):
    for options, message in (
        ({"on_error": "skip"}, "on_error as 'keep' or 'raise'"),
        ({"failures": 2}, "failures as a part of 1"),
        ({"column": "path"}, "has no columns"),
    ):
        with pytest.raises(InvalidArgumentError, match=message):
            run(images, **options)
    with pytest.raises(InvalidArgumentError, match="has its precision already"):
        run(images, wn.Pipeline(), precision="f32")


@pytest.mark.slow
def test_the_masks_of_camvid_are_those_of_segment(shared, tmp_path):
    model = shared / "models/road-segmentation-adas-0001.xml"
    found = wn.predict(shared / "camvid/images", model, tmp_path / "store", progress=False)
    names = found.table()["name"].tolist()
    assert len(names) == 26
    for name in names[::5]:
        alone = wn.segment(shared / "camvid/images" / name, model)
        assert (found.result(name).labels != alone.labels).sum() == 0
