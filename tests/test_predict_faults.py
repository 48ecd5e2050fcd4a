"""`predict` where disks, files and networks fail: nothing is lost that was finished."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import contextmanager

import pytest
from PIL import Image
from prediction_help import whole_table, write_images
from s3_server import s3_server

import wasinn_nb as wn
from wasinn_nb.errors import MissingFileError, UnwritableError
from wasinn_nb.prediction import parts, remote
from wasinn_nb.prediction.sources import listing

pytestmark = pytest.mark.full


@pytest.fixture
def images(tmp_path):
    write_images(tmp_path / "images", 60)
    return tmp_path / "images"


@pytest.fixture
def disk(tmp_path):
    """A file system of its own; yields its folder and what gives it so many bytes of room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")

    def remount(options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)

    yield folder, remount
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk(images, toy, disk, monkeypatch):
    folder, _ = disk
    monkeypatch.setattr(parts, "_MOST_ROWS", 10)
    wn.predict(sorted(images.iterdir())[:20], toy, folder / "store", progress=False)
    (folder / "filler").write_bytes(
        b"x" * (os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize - 30_000)
    )
    with pytest.raises(UnwritableError, match=r"No space left on device.*Make room"):
        wn.predict(images, toy, folder / "store", progress=False)
    kept = len(wn.read_predictions(folder / "store"))
    assert 20 <= kept < 60
    (folder / "filler").unlink()
    found = wn.predict(images, toy, folder / "store", progress=False)
    assert len(found) == 60
    assert found.facts["sessions"][-1]["unchanged"] == kept
    names = [row["name"] for row in whole_table(found)]
    assert names == [f"{n:04}.png" for n in range(60)]


def test_a_store_that_is_read_only(images, toy, disk):
    folder, remount = disk
    wn.predict(sorted(images.iterdir())[:5], toy, folder / "store", progress=False)
    remount("ro")
    with pytest.raises(UnwritableError, match=r"Read-only file system.*name another store"):
        wn.predict(images, toy, folder / "store", progress=False)
    with pytest.raises(UnwritableError, match=r"Read-only file system.*"):
        wn.predict(images, toy, folder / "new", progress=False)
    found = wn.read_predictions(folder / "store")  # looking needs no writing
    assert len(found.query("status == 'done'")) == 5
    assert found.result(0).labels.shape == (4, 6)


def test_images_that_vanish_and_change_while_others_are_run(tmp_path, toy):
    images = tmp_path / "images"
    write_images(images, 400)

    def disturb():
        for n in range(300, 400, 2):
            (images / f"{n:04}.png").unlink()
            Image.new("RGB", (5, 5), (n % 256, 1, 2)).save(images / f"{n + 1:04}.png")
            time.sleep(0.001)

    thread = threading.Thread(target=disturb)
    given = sorted(images.iterdir())
    thread.start()
    found = wn.predict(given, toy, tmp_path / "store", progress=False, failures=1)
    thread.join()
    assert len(found) == 400
    rows = {row["name"]: row for row in found.rows()}
    assert {rows[f"{n:04}.png"]["status"] for n in range(300)} == {"done"}
    # What is gone is a row that says so, and nothing is half of an image.
    failed = {row["error_kind"] for row in rows.values() if row["status"] == "error"}
    assert failed <= {"FileNotFoundError", "ImageError"}
    again = wn.predict(images, toy, tmp_path / "store", progress=False)
    for n in range(301, 400, 2):
        row = again.row(f"{n:04}.png")
        assert (row["status"], row["width"], row["height"]) == ("done", 5, 5)


def test_hostile_names_and_what_is_no_image(tmp_path, toy):
    images = tmp_path / "images"
    images.mkdir()
    names = ["two\nlines.png", os.fsdecode(b"\xff\xfe.png"), "\u202egnp.png", "\x1b[31mred.png"]
    for n, name in enumerate(names):
        Image.new("RGB", (6, 4), (n, 200, 3)).save(images / name)
    (images / "one").mkdir()
    Image.new("RGB", (6, 4), (9, 200, 3)).save(images / "one" / "\u202egnp.png")
    os.mkfifo(images / "pipe.png")
    (images / "empty.png").touch()
    (images / "loop.png").symlink_to(images / "loop.png")
    (images / "up").symlink_to(images)
    found = wn.predict(images, toy, tmp_path / "store", progress=False)
    assert len(found) == 8
    assert len(found.query("status == 'done'")) == 5
    assert {row["name"] for row in found.query("status == 'error'").rows(["name"])} == {
        "pipe.png",
        "empty.png",
        "loop.png",
    }
    for n in range(8):
        if found.row(n)["status"] == "done":
            assert found.result(n).photo.shape == (4, 6, 3)
    text = repr(found) + found._repr_html_() + str(found.to_dict())
    assert "\x1b" not in text
    again = wn.predict(images, toy, tmp_path / "store", progress=False)
    assert len(again) == 8
    # What could not be read at all is tried again: a pipe, and a link that leads nowhere.
    assert again.facts["sessions"][-1]["unchanged"] == 6


def test_the_first_of_many_files_comes_at_once(tmp_path, monkeypatch):
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(100_000):
        os.close(os.open(folder / f"{n:06}.png", os.O_CREAT | os.O_WRONLY))
    real, seen = os.scandir, []

    @contextmanager
    def scandir(path):
        with real(path) as entries:
            yield (seen.append(None) or entry for entry in entries)

    monkeypatch.setattr(os, "scandir", scandir)
    items = iter(listing(folder))
    assert next(items).name.endswith(".png")
    assert len(seen) <= 20_000
    assert 1 + sum(1 for _ in items) == len(seen) == 100_000


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    write_images(tmp_path / "local", 6)
    content = {f"photos/{n}.png": (tmp_path / f"local/{n:04}.png").read_bytes() for n in range(4)}
    content["photos/in/4.png"] = (tmp_path / "local/0004.png").read_bytes()
    content["photos/notes.txt"] = b"no image"
    for how in ("stall", "refuse", "cut", "flaky"):
        content[f"bad/{how}.png"] = (tmp_path / "local/0005.png").read_bytes()
    with s3_server(content) as server:
        settings = {
            "anon": True,
            "endpoint_url": f"http://127.0.0.1:{server.server_port}",
            "config_kwargs": {"retries": {"max_attempts": 1}},
        }
        monkeypatch.setitem(fsspec.config.conf, "s3", settings)
        monkeypatch.setattr(remote, "_SECONDS", 2.0)
        remote._of_scheme.cache_clear()
        yield server
        remote._of_scheme.cache_clear()


def test_images_in_a_bucket(bucket, toy, tmp_path):
    found = wn.predict("s3://bucket/photos", toy, tmp_path / "store", progress=False)
    assert sorted(found.table()["name"]) == ["0.png", "1.png", "2.png", "3.png", "in/4.png"]
    assert found.row("in/4.png")["source"] == "s3://bucket/photos/in/4.png"
    alone = wn.segment(tmp_path / "local/0004.png", toy)
    assert (found.result("in/4.png").labels == alone.labels).all()
    assert found.result("in/4.png").photo.shape == (8, 12, 3)
    before = bucket.asked["photos/0.png"]
    again = wn.predict("s3://bucket/photos", toy, tmp_path / "store", progress=False)
    assert again.facts["sessions"][-1]["unchanged"] == 5
    assert bucket.asked["photos/0.png"] == before  # its size and ETag are as they were
    bucket.objects["photos/0.png"] = (tmp_path / "local/0005.png").read_bytes()
    assert len(wn.predict("s3://bucket/photos/*.png", toy, tmp_path / "store", progress=False)) == 5


def test_a_server_that_stalls_and_refuses_and_cuts(bucket, toy, tmp_path):
    found = wn.predict("s3://bucket/bad", toy, tmp_path / "store", progress=False)
    rows = {row["name"]: row for row in found.rows()}
    assert {name: row["status"] for name, row in rows.items()} == {
        "cut.png": "error",
        "flaky.png": "done",
        "refuse.png": "error",
        "stall.png": "error",
    }
    for name in ("refuse.png", "stall.png", "cut.png"):
        assert "asked 3 times" in rows[name]["error"], rows[name]["error"]
    with pytest.raises(MissingFileError, match="nothing can be listed at s3://nothing"):
        wn.predict("s3://nothing/bad", toy, tmp_path / "store", progress=False)
