"""`ImagePicker` without a kernel: start values, folders, and what comes from the page."""

from __future__ import annotations

import io
import os
import struct
import threading
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, InvalidArgumentError, MissingFileError, NotFoundError
from wasinn_nb.imaging import rgb_pixels
from wasinn_nb.widgets.pickers import images
from wasinn_nb.widgets.pickers.images import ImagePicker
from wasinn_nb.widgets.pickers.uploads import CHUNK_BYTES, MOST_BYTES, Uploads


def encoded(pixels=None, kind="PNG", **options):
    out = io.BytesIO()
    pixels = np.full((2, 3, 3), 200, np.uint8) if pixels is None else pixels
    Image.fromarray(pixels).save(out, kind, **options)
    return out.getvalue()


def announcing(width, height):
    """Return a PNG of one pixel whose header says another size."""
    raw = bytearray(encoded(np.zeros((1, 1, 3), np.uint8)))
    raw[16:24] = struct.pack(">II", width, height)
    raw[29:33] = struct.pack(">I", zlib.crc32(raw[12:29]))
    return bytes(raw)


PNG = encoded()
NOISE = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
CUT = encoded(NOISE)[:3000]
GOOD = {
    "1x1": encoded(np.zeros((1, 1, 3), np.uint8)),
    "1x5000": encoded(np.zeros((5000, 1), np.uint8)),
    "transparent": encoded(np.zeros((4, 4, 4), np.uint8)),
    "gray": encoded(np.zeros((4, 4), np.uint8)),
    "16 bit": encoded(np.full((4, 4), 40_000, np.uint16)),
    "jpeg": encoded(NOISE, "JPEG"),
    "webp": encoded(NOISE, "WEBP"),
}
BAD = {
    "empty": (b"", "x.png: empty; expected an encoded image such as JPEG or PNG"),
    "text": (
        b"hello",
        "x.png: not an image that Pillow can read; the first bytes are ",
    ),
    "cut": (CUT, "x.png: begins like a PNG, cannot be read to its end: "),
    "bomb": (announcing(60_000, 60_000), "x.png: the 69 bytes cannot be opened as an image: "),
    "long": (announcing(70_000, 1), "x.png: 70000x1 pixels; expected sides of 1 to 65535"),
    "float": (
        encoded(np.zeros((2, 2), np.float32), "TIFF"),
        "x.png: a floating-point image does not state its range",
    ),
}


def option_of(picker):
    """Return the option that is picked."""
    [found] = [option for option in picker._options if option["key"] == picker.value]
    return found


def small(option):
    """Return the thumbnail of an option."""
    with Image.open(io.BytesIO(option["thumbnail"])) as image:
        assert image.format == "JPEG"
        image.load()
        return image


@pytest.fixture
def messages(monkeypatch):
    """Collect what is sent to the page."""
    sent = []
    monkeypatch.setattr(ImagePicker, "send", lambda self, content: sent.append(content))
    return sent


# ---------------------------------------------------------------------------------- start values


def test_shipped_images():
    picker = ImagePicker()
    assert [option["key"] for option in picker._options] == list(wn.images())
    assert (picker.value, picker.title) == ("city-crosswalk", "city-crosswalk")
    assert picker.image == wn.image("city-crosswalk")
    for option in picker._options:
        assert option["enabled"]
        assert small(option).size == (144, 81)
        assert len(option["thumbnail"]) < 4000
        assert option["detail"] == "1280x720"
    again = {option["key"]: option["thumbnail"] for option in ImagePicker()._options}
    assert all(option["thumbnail"] is again[option["key"]] for option in picker._options)


def test_start_image_is_a_file(tmp_path, monkeypatch):
    path = tmp_path / "mine.png"
    path.write_bytes(PNG)
    for value in (path, str(path)):
        picker = ImagePicker(value)
        assert (picker.value, picker.image, picker.title) == (str(path), path, "mine.png")
        assert option_of(picker)["enabled"]
        assert small(option_of(picker)).size == (3, 2)
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
    assert picker.wait(30)
    listed = picker._options[: -len(wn.images())]
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


def test_sixty_of_a_folder(tmp_path):
    for index in range(70):
        (tmp_path / f"{index:03}.png").write_bytes(PNG)
    picker = ImagePicker(folder=tmp_path)
    assert picker._message == "the first 60 of 70 images are shown"
    assert picker._options[59]["title"] == "059.png"
    assert picker._options[60]["title"] == wn.images()[0]
    assert picker.wait(30)
    assert all("thumbnail" in option for option in picker._options)


def test_next_folder_before_the_last_is_done(folder, tmp_path, monkeypatch):
    go_on, original = threading.Event(), images._described

    def slow(entry, source):
        assert threading.current_thread() is threading.main_thread() or go_on.wait(30)
        return original(entry, source)

    monkeypatch.setattr(images, "_described", slow)
    picker = ImagePicker(folder=folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/z.png").write_bytes(PNG)
    picker.open_folder(tmp_path / "other")
    go_on.set()
    assert picker.wait(30)
    assert [option["title"] for option in picker._options][:2] == ["z.png", "city-arrow"]
    assert small(picker._options[0]).size == (3, 2)


def test_closed_while_thumbnails_are_made(folder, monkeypatch):
    go_on, original = threading.Event(), images._described

    def slow(entry, source):
        assert threading.current_thread() is threading.main_thread() or go_on.wait(30)
        return original(entry, source)

    monkeypatch.setattr(images, "_described", slow)
    picker = ImagePicker(folder=folder)
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
    assert picker.wait(30)
    entries = [(option["title"], option["enabled"]) for option in picker._options[:4]]
    assert entries == [
        ("<b>&amp;.png", True),
        (r"line\nbreak.png", True),
        ("é .png", True),
        (r"\udcff.png", False),
    ]
    assert picker._options[3]["reason"] == "its name is not UTF-8; rename it"
    str(picker._options).encode()


# --------------------------------------------------------------------------------------- uploads


@pytest.mark.parametrize("kind", GOOD)
def test_add(kind):
    picker = ImagePicker()
    picker._message = "old"
    picker.add(GOOD[kind], "mine.png")
    assert (picker.value, picker.image, picker.title) == ("upload:mine.png", GOOD[kind], "mine.png")
    assert picker._options[0] == option_of(picker)
    assert small(option_of(picker))
    assert picker._message == ""


@pytest.mark.parametrize("kind", BAD)
def test_add_what_is_no_image(kind):
    content, words = BAD[kind]
    picker = ImagePicker()
    picker.add(PNG, "mine.png")
    with pytest.raises(ImageError) as caught:
        picker.add(content, "x.png")
    assert str(caught.value).startswith(words)
    assert picker._message == str(caught.value)
    assert (picker.value, picker.image) == ("upload:mine.png", PNG)


@pytest.mark.parametrize("content", ["x.png", Path("x.png"), None, NOISE])
def test_add_takes_bytes_alone(content):
    with pytest.raises(ImageError, match="expected the bytes of an image, got "):
        ImagePicker().add(content, "x.png")


def test_same_name_again():
    picker = ImagePicker()
    for _ in range(3):
        picker.add(PNG, "a.b.png")
    picker.add(PNG, "none")
    picker.add(PNG, "none")
    assert [option["title"] for option in picker._options[:5]] == [
        "none (2)", "none", "a.b (3).png", "a.b (2).png", "a.b.png",
    ]  # fmt: skip
    assert picker.value == "upload:none (2)"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\images\\road.png", "road.png"),
        ("", "image"),
        ("..", "image"),
        ("/", "image"),
        (" . ", "image"),
        (".png", "png"),
        ("a\0b\n\x1b[31m.png", "ab[31m.png"),
        ("gnp\u202e.exe", "gnp.exe"),
        ("\udcff.png", "png"),
        ("x" * 10_000 + ".png", "x" * 96 + ".png"),
        ("x." + "y" * 10_000, "x." + "y" * 9),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("städtisch 道路.jpg", "städtisch 道路.jpg"),
    ],
)
def test_hostile_names(name, title):
    picker = ImagePicker()
    picker.add(PNG, name)
    assert (picker.title, picker.value) == (title, f"upload:{title}")
    with pytest.raises(ImageError) as caught:
        picker.add(b"", name)
    assert str(caught.value).startswith(f"{title}: empty")


SIZE = len(PNG)


def chunk(offset=0, size=SIZE, id_="a", name="x.png"):
    return {"type": "upload", "id": id_, "name": name, "size": size, "offset": offset}


def test_upload_in_chunks(messages):
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(), [memoryview(PNG[:40])])
    assert messages == [{"type": "upload", "id": "a", "received": 40}]
    assert picker.value == "city-crosswalk"
    picker._handle_custom_msg(chunk(40), [memoryview(PNG[40:])])
    assert messages[1:] == [{"type": "upload", "id": "a", "received": len(PNG)}]
    assert (picker.image, picker.title, picker._message) == (PNG, "x.png", "")


@pytest.mark.parametrize(
    ("header", "buffers", "words"),
    [
        (chunk(size=0), [b""], "x.png: empty; expected an encoded image"),
        (chunk(size=5), [b"hello"], "x.png: not an image that Pillow can read"),
        (chunk(offset=3), [b"abc"], "expected the bytes from 0 on, got those from 3 on"),
        (chunk(offset=-1), [b"abc"], "expected the bytes from 0 on, got those from -1 on"),
        (chunk(offset="0"), [b"abc"], "expected the bytes from 0 on, got those from '0' on"),
        (chunk(size=-1), [b"abc"], "expected a number of bytes as its size, got -1"),
        (chunk(size=True), [b"a"], "expected a number of bytes as its size, got True"),
        (chunk(size=1e3), [b"a"], "expected a number of bytes as its size, got 1000.0"),
        (chunk(size=MOST_BYTES + 1), [b"a"], "x.png has 67.1 MB; at most 64 MiB can be uploaded"),
        (chunk(size=3), [b"abcd"], "expected one chunk of 1 to 3 bytes, got [4]"),
        (chunk(), [b""], "expected one chunk of 1 to "),
        (chunk(), [], "got []"),
        (chunk(), [b"a", b"b"], "got [1, 1]"),
        (chunk(size=9 << 20), [bytes(CHUNK_BYTES + 1)], "one chunk of 1 to 1048576 bytes"),
        (chunk(name=None), [b"a"], "expected an upload with an id and a name as text"),
        (chunk(id_=7), [b"a"], "expected an upload with an id and a name as text"),
        (chunk(name="x" * 99_999, size=-1), [b"a"], "x" * 59 + "…" + "x" * 59 + ": expected"),
    ],
)
def test_bad_uploads(header, buffers, words, messages):
    picker = ImagePicker("city-arrow")
    options = picker._options
    picker._handle_custom_msg(header, buffers)
    assert words in picker._message
    assert messages == [{"type": "upload", "id": header["id"], "failed": True}]
    assert (picker.value, picker._options) == ("city-arrow", options)
    picker._handle_custom_msg(chunk(), [PNG])
    assert picker.image == PNG, "it goes on working"


def test_remarks_on_several_files_stand_together(messages):
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(size=5, name="a.png"), [b"hello"])
    picker._handle_custom_msg(chunk(name="b.png"), [PNG])
    picker._handle_custom_msg(chunk(size=0, name="c.png"), [b""])
    first, second = picker._message.split("\n")
    assert first.startswith("a.png: ")
    assert second.startswith("c.png: ")
    for _ in range(100):
        picker._handle_custom_msg(chunk(size=0, name="c.png"), [b""])
    assert len(picker._message) <= 2000


@given(data=st.binary(min_size=1, max_size=300), cuts=st.lists(st.integers(1, 299)))
def test_any_split_gives_the_same_bytes(data, cuts):
    uploads = Uploads()
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    for start, end in pairwise(edges):
        upload = uploads.take(chunk(start, len(data)), [memoryview(data)[start:end]])
        assert upload.complete == (end == len(data))
    assert bytes(upload.content) == data


@given(
    first=st.binary(min_size=1, max_size=40),
    second=st.binary(min_size=1, max_size=40),
    turns=st.lists(st.sampled_from("ab")),
)
def test_interleaved_uploads_do_not_mix(first, second, turns):
    uploads, expected, sent, whole = Uploads(), {"a": first, "b": second}, {"a": 0, "b": 0}, {}
    for id_ in [*turns, *"ab" * 40]:
        start = sent[id_]
        if start < len(expected[id_]):
            sent[id_] += 1
            header = chunk(start, len(expected[id_]), id_)
            whole[id_] = uploads.take(header, [expected[id_][start : start + 1]]).content
    assert whole == expected


def test_abandoned_uploads():
    uploads = Uploads()
    uploads.take(chunk(0, 4), [b"ab"])
    uploads.take(chunk(0, 4), [b"cd"])  # begun anew
    assert uploads.take(chunk(2, 4), [b"ef"]).content == b"cdef"
    uploads.take(chunk(0, 4), [b"ab"])
    with pytest.raises(InvalidArgumentError, match="from 2 on, got those from 3 on"):
        uploads.take(chunk(3, 4), [b"x"])
    with pytest.raises(InvalidArgumentError, match="from 0 on, got those from 2 on"):
        uploads.take(chunk(2, 4), [b"cd"])
    for id_ in "vwxyz":
        uploads.take(chunk(0, 4, id_), [b"ab"])
    assert uploads.take(chunk(2, 4, "z"), [b"cd"]).complete
    with pytest.raises(InvalidArgumentError):
        uploads.take(chunk(2, 4, "v"), [b"cd"])  # only so many are kept


def test_upload_is_dropped():
    picker = ImagePicker()
    picker._handle_custom_msg(chunk(), [PNG[:10]])
    picker._handle_custom_msg({"type": "drop upload", "id": "a"}, [])
    picker._handle_custom_msg({"type": "drop upload", "id": ["never"]}, [])
    picker._handle_custom_msg(chunk(10), [PNG[10:]])
    assert "expected the bytes from 0 on, got those from 10 on" in picker._message


@pytest.mark.full
def test_segments_what_is_picked():
    picker = ImagePicker()
    picker.add(wn.image("city-arrow").read_bytes(), "road.jpg")
    same = wn.segment(wn.image("city-arrow")).digest()
    assert wn.segment(picker.image).digest() == same
