"""Images that the recipe does not turn upright: said where their results are seen."""

from __future__ import annotations

import io

import numpy as np
import pytest
import toys
from commands import run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.imaging import open_image
from wasinn_nb.imaging.reading import open_reduced

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 36, 3), np.uint8)
CARD = wn.ModelCard("toy", "segmentation", wn.PreprocessRecipe(64, 96), ("a", "b", "c", "d"))


def sentence(orientation):
    return (
        f"the image as it is stored, not turned by its EXIF orientation {orientation} (recipe "
        f"exif=apply turns it)"
    )


def turned(path, orientation, form="JPEG"):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(path, form, exif=exif)
    return path


@pytest.fixture
def model(tmp_path):
    """Return the path of a toy model that has a card."""
    path = toys.textures(tmp_path / "scores.xml", gives="scores")
    CARD.write(path)
    return path


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 2, 6])
@pytest.mark.parametrize("arrays", [False, True])
def test_an_opened_image_says_which_orientation_is_ignored(form, orientation, arrays):
    file = turned(io.BytesIO(), orientation, form)
    opened = open_reduced(file.getvalue(), arrays=arrays)
    assert opened.ignored == orientation
    assert (opened.height, opened.width) == PIXELS.shape[:2]
    assert open_reduced(file.getvalue(), "apply", arrays=arrays).ignored == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_a_broken_exif_does_not_make_an_image_unreadable():
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" * 3)
    assert open_reduced(file.getvalue()).ignored == 1
    assert open_image(file.getvalue()).size == (36, 24)


def test_a_result_says_it_unless_the_call_says_what_to_do(model, tmp_path):
    image = turned(tmp_path / "sideways.jpg", 6)
    found = wn.segment(image, model)
    assert found.assumed == (sentence(6),)
    for text in (repr(found), str(found), found._repr_html_()):
        assert "not turned by its EXIF orientation 6" in text
    upright = wn.segment(image, model, recipe={"exif": "apply"})
    assert upright.assumed == ()
    assert upright.photo.shape[0] > upright.photo.shape[1] * 1.4
    assert wn.segment(image, model, recipe={"exif": "ignore"}).assumed == ()
    assert wn.segment(turned(tmp_path / "upright.jpg", 1), model).assumed == ()


def test_the_command_line_says_it_with_the_option(model, tmp_path):
    image = turned(tmp_path / "sideways.jpg", 8)
    words = ["segment", image, "-m", model, "-o", tmp_path / "out"]
    assert f"assumed: {sentence(8)}" in run(*words)
    assert "EXIF" not in run(*words, "--recipe", "exif=apply")


@pytest.mark.full
def test_predictions_count_the_images_that_are_not_turned(model, tmp_path):
    for n, orientation in enumerate([1, 6, 3]):
        turned(tmp_path / f"{n}.jpg", orientation)
    images = sorted(tmp_path.glob("*.jpg"))
    found = wn.predict(images, model, tmp_path / "store", progress=False)
    remark = (
        "2 of 3 images were read as they are stored, not turned by their EXIF orientation; recipe "
        "exif=apply turns them; they are those of exif_ignored > 1"
    )
    assert found.remarks == (remark,)
    assert remark in str(found)
    assert sorted(found.table(["exif_ignored"])["exif_ignored"]) == [1, 3, 6]
    one = found.query("exif_ignored == 6")
    assert one.result(0).assumed == (sentence(6),)
    quiet = wn.predict(images, model, tmp_path / "q", recipe={"exif": "ignore"}, progress=False)
    upright = wn.predict(images, model, tmp_path / "u", recipe={"exif": "apply"}, progress=False)
    assert quiet.remarks == upright.remarks == ()


@pytest.mark.full
def test_an_evaluation_names_the_images_instead(model, tmp_path):
    image = turned(tmp_path / "sideways.jpg", 6)
    labels = np.zeros(PIXELS.shape[:2], np.uint8)
    found = wn.evaluate([image], [labels], model=model, classes=CARD.classes, progress=False)
    assert found.assumed == ()
    assert found.remarks.exif_ignored == ("sideways",)
