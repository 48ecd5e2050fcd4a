"""`ImagePicker` without a kernel: start values, folders, and what comes from the page."""

from __future__ import annotations

import io
import json
import os
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from picked import CUT, NOISE, PNG, encoded, looked_at, option_of, small
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, MissingFileError, NotFoundError
from wasinn_nb.imaging import rgb_pixels
from wasinn_nb.widgets.pickers import images
from wasinn_nb.widgets.pickers.images import ImagePicker

# ---------------------------------------------------------------------------------- start values


def test_shipped_images():
    picker = ImagePicker()
    assert [option["key"] for option in picker._options] == list(wn.images())
    assert (picker.value, picker.title) == ("city-crosswalk", "city-crosswalk")
    assert picker.image == wn.image("city-crosswalk")
    assert all("thumbnail" not in option for option in picker._options), "until it is asked for"
    options = looked_at(picker)
    for option in options:
        assert option["enabled"]
        assert small(option).size == (144, 81)
        assert len(option["thumbnail"]) < 4000
        assert option["detail"] == "1280x720"
    again = {option["key"]: option["thumbnail"] for option in looked_at(ImagePicker())}
    assert all(option["thumbnail"] is again[option["key"]] for option in options), "made once"


def test_start_image_is_a_file(tmp_path, monkeypatch):
    path = tmp_path / "mine.png"
    path.write_bytes(PNG)
    for value in (path, str(path)):
        picker = ImagePicker(value)
        assert (picker.value, picker.image, picker.title) == (str(path), path, "mine.png")
        assert option_of(picker)["enabled"]
        assert option_of(picker)["detail"] == "3x2"
        assert small(looked_at(picker)[0]).size == (3, 2)
    monkeypatch.setenv("WASINN_NB_IMAGE", str(path))
    assert ImagePicker().image == path
    assert ImagePicker("city-arrow").value == "city-arrow"


@pytest.mark.parametrize(
    "value", ["no-such-name", "no/such.png", "/", "\0.png", "x" * 9000 + ".png"]
)
def test_start_image_that_is_none(value, monkeypatch):
    picker = ImagePicker(value)
    assert picker.value == value
    assert not option_of(picker)["enabled"]
    assert option_of(picker)["reason"]
    with pytest.raises((NotFoundError, MissingFileError)):
        _ = picker.image
    picker.value = "city-arrow"
    assert picker.image == wn.image("city-arrow")


def test_start_image_is_bytes():
    picker = ImagePicker(PNG)
    assert (picker.value, picker.image, picker.title) == ("upload:image", PNG, "image")
    assert ImagePicker(io.BytesIO(PNG)).image == PNG
    broken = ImagePicker(b"hello")
    assert broken.image == b"hello", "whoever runs it shows the error"
    assert not option_of(broken)["enabled"]
    assert "not an image that Pillow can read" in option_of(broken)["reason"]


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "CMYK", "1", "I;16", "LA", "YCbCr"])
def test_start_image_is_an_image(mode):
    image = Image.fromarray(NOISE).convert("L" if mode == "I;16" else mode)
    image = Image.fromarray(np.asarray(image).astype(np.uint16) * 200) if mode == "I;16" else image
    picker = ImagePicker(image)
    assert (picker.value, picker.title) == ("upload:image.png", "image.png")
    np.testing.assert_array_equal(rgb_pixels(picker.image), rgb_pixels(image))


def test_start_image_is_an_array_or_has_a_name(tmp_path):
    picker = ImagePicker(NOISE)
    assert picker.value == "upload:array.png"
    np.testing.assert_array_equal(rgb_pixels(picker.image), NOISE)
    (tmp_path / "named.png").write_bytes(PNG)
    with Image.open(tmp_path / "named.png") as image:
        assert ImagePicker(image).value == "upload:named.png"


def test_orientation_of_an_image_is_kept():
    image = Image.fromarray(NOISE)
    image.getexif()[0x0112] = 6
    np.testing.assert_array_equal(
        rgb_pixels(ImagePicker(image).image, "apply"), np.rot90(NOISE, axes=(1, 0))
    )


@pytest.mark.parametrize(
    "value", [7, [], np.zeros(3), np.zeros((2, 2, 3)), Image.new("RGB", (0, 1))]
)
def test_start_image_of_a_wrong_type(value):
    with pytest.raises(ImageError):
        ImagePicker(value)


# --------------------------------------------------------------------------------------- folders


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "images"
    (home / "folder.png").mkdir(parents=True)
    (home / "b.png").write_bytes(PNG)
    (home / "A.JPG").write_bytes(encoded(NOISE, "JPEG"))
    (home / "c.png").write_bytes(CUT)
    (home / "d.gif").write_bytes(b"")
    (home / "notes.txt").write_bytes(b"")
    (home / "gone.png").symlink_to("nowhere")
    os.mkfifo(home / "pipe.png")
    return home


def test_folder(folder):
    picker = ImagePicker(folder=folder)
    listed = looked_at(picker)[: -len(wn.images())]
    assert [(o["title"], o["enabled"], o["detail"], o["reason"][:20]) for o in listed] == [
        ("A.JPG", True, "60x40", ""),
        ("b.png", True, "3x2", ""),
        ("c.png", False, "", "begins like a PNG, c"),
        ("d.gif", False, "", "empty; expected an e"),
        ("gone.png", False, "", "no image at " + str(folder)[:8]),
        ("pipe.png", False, "", "expected a regular f"),
    ]
    assert [o["key"] for o in listed] == [str(folder / o["title"]) for o in listed]
    assert (picker._message, picker.value) == ("", "city-crosswalk")
    assert picker._folder == str(folder)
    picker.value = str(folder / "b.png")
    assert (picker.image, picker.title) == (folder / "b.png", "b.png")
    picker.open_folder(folder / "folder.png")
    assert picker._message.startswith(f"no images in {folder}/folder.png; expected .apng, .avif, ")
    assert [o["title"] for o in picker._options][:2] == ["b.png", "city-arrow"], "the pick stays"


def test_all_images_of_a_folder_are_listed(tmp_path):
    for index in range(300):
        (tmp_path / f"{index:03}.png").write_bytes(PNG)
    picker = ImagePicker(folder=tmp_path)
    assert picker._message == ""
    titles = [option["title"] for option in picker._options]
    assert titles == [f"{index:03}.png" for index in range(300)] + list(wn.images())
    packed = picker.get_state("_options")["_options"]
    assert packed["count"] == 300 + len(wn.images())
    assert json.loads(zlib.decompress(packed["deflated"])) == picker._options
    assert len(packed["deflated"]) < 0.1 * len(json.dumps(picker._options))
    picker.value = str(tmp_path / "299.png")
    assert picker.image == tmp_path / "299.png"


def test_thumbnails_are_made_of_what_was_offered_alone(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("in/fine.png", "secret.png"):
        (tmp_path / name).write_bytes(PNG)
    picker = ImagePicker(folder=tmp_path / "in")
    sent = []
    picker.send = lambda content, buffers: sent.append((content, buffers))
    keys = [str(tmp_path / "secret.png"), 7, None, str(tmp_path / "in/fine.png"), ["x"]]
    picker._handle_custom_msg({"type": "thumbnails", "keys": keys}, [])
    assert picker.wait(30)
    [(content, [thumbnail])] = sent
    assert content == {
        "type": "thumbnails",
        "options": [{"key": str(tmp_path / "in/fine.png"), "detail": "3x2"}],
    }
    assert small({"thumbnail": thumbnail}).size == (3, 2)


@pytest.fixture
def go_on(monkeypatch):
    """An event that thumbnails in the background wait for."""
    event, original = threading.Event(), images.described

    def slow(source):
        assert threading.current_thread() is threading.main_thread() or event.wait(30)
        return original(source)

    monkeypatch.setattr(images, "described", slow)
    return event


def test_the_last_that_were_asked_for_come_first(tmp_path, go_on):
    for index in range(500):
        (tmp_path / f"{index:03}.png").write_bytes(PNG)
    picker = ImagePicker(folder=tmp_path)
    sent = []
    picker.send = lambda content, buffers: sent.extend(content["options"])
    for start in (0, 100, 200, 300, 400):  # as where someone scrolls through it
        keys = [str(tmp_path / f"{index:03}.png") for index in range(start, start + 100)]
        picker._handle_custom_msg({"type": "thumbnails", "keys": keys}, [])
    dropped = [Path(one["key"]).stem for one in sent if one.get("dropped")]
    assert len(dropped) in {99, 100}, "the first one may be in the making already"
    assert set(dropped) <= {f"{index:03}" for index in range(100)}
    go_on.set()
    assert picker.wait(30)
    made = [Path(one["key"]).stem for one in sent if not one.get("dropped")]
    assert made[1:3] == ["400", "401"]
    assert len(made) in {400, 401}


def test_closed_while_thumbnails_are_made(folder, go_on):
    picker = ImagePicker(folder=folder)
    keys = [option["key"] for option in picker._options]
    picker._handle_custom_msg({"type": "thumbnails", "keys": keys}, [])
    picker.close()
    go_on.set()
    assert picker.wait(30)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("no/such", "No such file or directory"),
        (__file__, "Not a directory"),
        ("\0", "embedded null byte"),
        ("x" * 10_000, "File name too long"),
    ],
)
def test_no_folder(path, why):
    picker = ImagePicker(folder=path)
    words = f" cannot be opened as a folder: {why}; looked from {Path.cwd()}"
    assert picker._message.endswith(words)
    assert picker.value == "city-crosswalk"
    picker._message = ""
    picker._handle_custom_msg({"type": "folder", "path": path}, [])
    assert picker._message.endswith(words)
    with pytest.raises(MissingFileError, match="cannot be opened as a folder"):
        picker.open_folder(path)


def test_folder_of_a_user_who_is_not_here():
    picker = ImagePicker(folder="~nobody-of-that-name/x")
    words = "~nobody-of-that-name/x: Could not determine home directory. Check the name after the ~"
    assert picker._message == words


def test_names_that_are_no_text(tmp_path):
    for name in (
        b"\xff.png",
        b"line\nbreak.png",
        b"<b>&amp;.png",
        "é\u202f.png".encode(),
    ):
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(PNG)
    picker = ImagePicker(folder=tmp_path)
    entries = [(option["title"], option["enabled"]) for option in picker._options[:4]]
    assert entries == [
        ("<b>&amp;.png", True),
        (r"line\nbreak.png", True),
        ("é .png", True),
        (r"\udcff.png", False),
    ]
    assert picker._options[3]["reason"] == "its name is not UTF-8; rename it"
    str(picker._options).encode()
