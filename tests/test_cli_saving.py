"""Several results in one folder, from the command line."""

import numpy as np
import pytest
import toys
from commands import both, pasted, run, shell
from PIL import Image

import wasinn_nb as wn


@pytest.fixture
def toy(tmp_path):
    return toys.brightest_channel(tmp_path / "toy.xml")


@pytest.fixture
def images(tmp_path):
    """Two images: the left third of one is blue, the other is green."""
    green = np.zeros((4, 6, 3), np.uint8)
    green[..., 1] = 255
    Image.fromarray(green).save(tmp_path / "b 1.png")
    return toys.third_blue(tmp_path / "a.png"), tmp_path / "b 1.png"


def test_a_result_that_replaces_that_of_another_image_says_so(toy, images, tmp_path):
    first, second = images
    folder = tmp_path / "out"
    assert both("segment", first, "-m", toy, "-o", folder)[1] == ""
    assert both("segment", first, "-m", toy, "-o", folder)[1] == ""
    _, notes = both("segment", second, "-m", toy, "-o", folder)
    assert f"{folder / 'toy.json'} replaced a result of another image" in notes
    assert notes.rstrip().endswith("--stem 'b 1'")
    stem = notes.rstrip().partition("name each: ")[2]
    _, notes = pasted(f"wasinn-nb segment '{second}' -m {toy} -o {folder} {stem}")
    assert notes == ""
    assert wn.SegmentationResult.load(folder / "b 1.json").areas()["class 1"] == 24


def test_several_results_in_a_folder_are_a_gallery(toy, images, tmp_path):
    folder = tmp_path / "out"
    for image in images:
        run("segment", image, "-m", toy, "-o", folder, "--stem", image.stem)
    assert wn.gather_results(folder).table()["name"].tolist() == ["a", "b 1"]


@pytest.mark.full
@pytest.mark.parametrize("verb", ["segment", "classify"])
def test_a_stem_needs_a_folder(toy, images, verb):
    done = shell(verb, images[0], "-m", toy, "--stem", "a")
    assert done.returncode == 2
    assert "expected --output FOLDER with --stem" in done.stderr
