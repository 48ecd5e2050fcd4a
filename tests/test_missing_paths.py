"""Paths that lead nowhere, and folders without images: every command and its Python twin."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest
import toys
from pasting import mask, pasted, refused
from prediction_help import write_images

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, NotFoundError
from wasinn_nb.files import existing_file, nothing_at
from wasinn_nb.imaging import IMAGE_SUFFIXES
from wasinn_nb.prediction.remote import RemotePlace


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "images", 3)
    mask("masks/0000.png", np.zeros((4, 6)))
    Path("empty").mkdir()
    Path("texts").mkdir()
    Path("texts/notes.txt").write_text("none")


@pytest.fixture
def toy(tmp_path):
    return toys.brightest_channel(tmp_path / "toy.xml")


# -- what comes close ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "suggested"),
    [
        ("imags", "did you mean images?"),
        ("IMAGES", "did you mean images?"),
        ("imags/0001.png", "did you mean images/0001.png?"),
        ("images/0001.jpg", "did you mean images/0001.png?"),
        ("images/0001.png/deeper", "check the path and its spelling"),  # a file on the way
        ("imags/of/mine.png", "did you mean images?"),
        ("zzz", "check the path and its spelling"),
        ("zzz.png", "check the path and its spelling"),  # an equal suffix is not alike
        ("nowhere/at/all", "check the path and its spelling"),
        ("\0", "check the path and its spelling"),
    ],
)
def test_what_comes_close(path, suggested):
    assert nothing_at(Path(path), "file").rpartition("; ")[2] == suggested


def test_names_come_beside_paths():
    known = ["hill-road", "city"]
    assert nothing_at(Path("hill-rode"), "image", known, "shipped image") == (
        f"no image at hill-rode (looked from {Path.cwd()}), and no shipped image of that name; "
        f"did you mean hill-road?"
    )
    assert nothing_at(Path("zzz"), "image", known, "shipped image").endswith(
        "; check the path and its spelling; known names are hill-road, city"
    )


def test_hidden_files_and_names_of_terminals_stay_inert():
    Path(".secret").touch()
    Path("a\x1b[31mb.onnx").touch()
    assert ".secret" not in nothing_at(Path("secret"), "file")
    with pytest.raises(MissingFileError) as caught:
        existing_file("ab.onnx", "model")
    assert "\x1b" not in str(caught.value)


# -- every function --------------------------------------------------------------------------------

IMAGES = {
    "predict": lambda given: wn.predict(given, "toy.xml", "store", progress=False),
    "quantize": lambda given: wn.quantize("toy.xml", given, progress=False),
    "quantize, test": lambda given: wn.quantize(
        "toy.xml", "images", test_images=given, progress=False
    ),
    "evaluate": lambda given: wn.evaluate(given, "masks", model="toy.xml", progress=False),
    "evaluate, truths": lambda given: wn.evaluate("images", given, model="toy.xml", progress=False),
}


@pytest.mark.full
@pytest.mark.parametrize("call", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("imags", "no file or folder at imags (looked from "),
        (Path("imags"), "no file or folder at imags (looked from "),
        ("./imags", "no file or folder at imags (looked from "),
        ("empty", "no images in the folder empty, which is empty; name a folder with files"),
        (Path("texts"), "no images in the folder texts, which holds notes.txt; name a folder "),
    ],
)
def test_folders_that_are_not_there_and_folders_without_images(toy, call, given, problem):
    before = sorted(Path().rglob("*"))
    with pytest.raises(MissingFileError) as caught:
        call(given)
    assert str(caught.value).startswith(problem)
    if "imags" in str(given):
        assert str(caught.value).endswith("did you mean images?")
    else:
        assert str(caught.value).endswith(f"files that end in {', '.join(IMAGE_SUFFIXES)}")
    assert sorted(Path().rglob("*")) == before


@pytest.mark.full
@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "expected at least one image, got an empty list"),
        ({}, "expected at least one image, got an empty dict"),
        (iter(()), "expected at least one image, got an empty tuple_iterator"),
        ("images/*.gif", "no file matches images/*.gif (looked in "),
        ("imags/*.png", "no folder at imags (looked from "),
        ("ima*", "ima* matches only folders: images; name one of them, or what is in it: "),
        ("none.csv", "none.csv lists no images: no row has a path; "),
        ("blank.csv", "blank.csv: no column that is known to hold paths; it has none; "),
    ],
)
@pytest.mark.parametrize("name", ["predict", "quantize"])
def test_lists_globs_and_manifests_without_images(toy, given, problem, name):
    Path("none.csv").write_text("path\n\n")
    Path("blank.csv").write_text("")
    before = sorted(Path().rglob("*"))
    with pytest.raises((MissingFileError, InvalidArgumentError)) as caught:
        IMAGES[name](given)
    assert str(caught.value).startswith(problem)
    assert sorted(Path().rglob("*")) == before


@pytest.mark.full
def test_generators_lose_no_image_to_the_check(toy):
    given = (Path(f"images/{n:04}.png") for n in range(3))
    found = wn.predict(given, toy, "store", progress=False)
    assert found.table(["name"])["name"].tolist() == ["0000.png", "0001.png", "0002.png"]


@pytest.mark.full
def test_urls_without_images_and_those_that_are_listed_once(toy, monkeypatch):
    files = pytest.importorskip("fsspec").filesystem("memory")
    files.makedirs("/missing_paths/empty", exist_ok=True)
    files.pipe("/missing_paths/full/a.png", Path("images/0000.png").read_bytes())
    asked, entries = [], RemotePlace.entries
    monkeypatch.setattr(
        RemotePlace, "entries", lambda self, one: (asked.append(one), entries(self, one))[1]
    )
    with pytest.raises(MissingFileError, match=r"no images at memory://missing_paths/empty; name"):
        wn.predict("memory://missing_paths/empty", toy, "store", progress=False)
    assert not Path("store").exists()
    assert len(wn.predict("memory://missing_paths/full", toy, "store", progress=False)) == 1
    assert asked == ["/missing_paths/empty", "/missing_paths/full"]


def test_one_image():
    with pytest.raises(MissingFileError, match="expected one image, got the folder images; "):
        wn.image("images")
    with pytest.raises(NotFoundError, match=r"did you mean city-arrow\?$"):
        wn.image("city-arow")
    Path("scan").write_bytes(Path("images/0000.png").read_bytes())
    assert wn.image("scan") == Path("scan").absolute()


NOT_A_STORE = {
    wn.read_predictions: "{} is not a store of predictions: it has no store.json",
    wn.Gallery: "neither a store nor saved results at {}",  # it takes these, too
}


@pytest.mark.full
@pytest.mark.parametrize("call", NOT_A_STORE)
def test_stores(toy, call):
    found = wn.predict("images", toy, "runs/store", progress=False)
    problem, rows = NOT_A_STORE[call], found.folder / "rows"
    for given, message in (
        ("runs/stor", r"no store at runs/stor \(looked from .*\); did you mean runs/store\?"),
        ("runs", rf"{problem.format('runs')}; did you mean runs/store\?"),
        ("images", rf"{problem.format('images')}; .*predict"),
        ("toy.xml", r"expected the folder of a store, got the file toy\.xml; name the folder"),
        (rows, rf"{problem.format(rows)}; did you mean {found.folder} or runs/store\?"),
        (next(rows.iterdir()), rf"got the file .*; did you mean {found.folder}"),
    ):
        with pytest.raises(MissingFileError, match=message):
            call(given)


# -- every command ---------------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize(
    "words",
    [
        ["predict", "imags", "-m", "toy.xml", "-s", "store"],
        ["quantize", "toy.xml", "imags"],
        ["quantize", "toy.xml", "images", "--test", "imags"],
        ["quantize", "toy.xml", "images", "--masks", "imags"],
        ["evaluate", "imags", "masks", "-m", "toy.xml"],
        ["evaluate", "images", "imags", "-m", "toy.xml"],
        ["evaluate", "imags", "masks", "--masks-only", "--classes", "3"],
        ["predictions", "imags"],
        ["gallery", "imags", "--html", "page.html"],
        ["segment", "imags", "-m", "toy.xml"],
        ["diagnose", "imags", "--image", "images/0000.png", "-m", "toy.xml"],
        ["compare", "imags", "images/0000.png"],
        ["inspect", "imags/0000.png"],
    ],
    ids=" ".join,
)
def test_commands_name_what_comes_close(toy, words):
    message = refused(*words)
    assert message.startswith("no ")
    assert "; did you mean images" in message
    assert not {"store", "page.html", "toy-int8"} & {path.name for path in Path().iterdir()}


@pytest.mark.full
def test_the_remedy_for_a_folder_is_a_command(toy):
    message = refused("segment", "images", "-m", "toy.xml")
    command = message.partition("run a folder of images with: ")[2]
    assert command == "wasinn-nb predict images --store predictions"
    assert "3 images" in pasted(f"{command} -m toy.xml")
    Path("my images").symlink_to("images")
    command = refused("segment", "my images", "-m", "toy.xml").partition("with: ")[2]
    assert shlex.split(command)[2] == "my images"


@pytest.mark.full
def test_a_store_without_a_run_says_how_to_make_one(toy):
    wn.predict("images", toy, "a store", progress=False)
    for path in sorted(Path("a store").glob("*/**/*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    message = refused("predictions", "a store")
    command = message.partition("run a model into it with: ")[2]
    assert "3 images" in pasted(f"{command.replace('IMAGES', 'images')} -m toy.xml")


# -- names of models, guests and what inspect takes ------------------------------------------------


def test_models_that_lie_here_are_named(toy):
    with pytest.raises(NotFoundError, match=r"no model 'toi' in .*; did you mean toy\.xml\?"):
        wn.model("toi")
    Path("folder").mkdir()
    with pytest.raises(NotFoundError, match=r"under that name, write \./folder$"):
        wn.model("folder")
    with pytest.raises(NotFoundError) as caught:
        wn.model("zzz")
    assert "toy.xml" not in str(caught.value)


def test_guests():
    with pytest.raises(MissingFileError, match="no shipped guest of that name; did you mean roads"):
        wn.guest("roadsag")
    with pytest.raises(MissingFileError, match=r"no WebAssembly guest at gone\.wasm \(looked from"):
        wn.guest("gone.wasm")


@pytest.mark.full
def test_inspect_takes_names_of_models_and_images():
    assert refused("inspect", "imags") == (
        f"no file or folder at imags (looked from {Path.cwd()}), and no model or shipped image of "
        f"that name; did you mean images?"
    )
    assert refused("inspect", "city-arow").endswith("; did you mean city-arrow?")
    found = refused("inspect", "road-segmentation-synth-1")
    assert "; did you mean road-segmentation-synth-0001 or " in found


@pytest.mark.full
def test_stores_are_compared_by_another_verb(toy):
    wn.predict("images", toy, "one", progress=False)
    wn.predict("images", toy, "two", progress=False)
    command = refused("compare", "one", "two").partition("; compare stores with: ")[2]
    assert "the same class in both: 100.00 %" in pasted(command)
