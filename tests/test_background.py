"""Which class is background is said by the card, by its name; every other class has a color."""

import itertools
import math

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.comparison import compare
from wasinn_nb.render import class_palette, distinct_palette
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.viewer import MaskViewer
from wasinn_nb.widgets.viewer.payload import mask_payload

BLACK = (0, 0, 0)
GRAY = np.full((4, 6, 3), 100, np.uint8)
LABELS = np.zeros((4, 6), np.uint8)
LABELS[:, 3:] = 1
STREET = wn.ModelCard("street", "segmentation", classes=("road", "sky", "car"))


def result_of(card, labels=LABELS):
    return SegmentationResult(labels, card, image=GRAY)


@pytest.mark.parametrize(
    ("classes", "background"),
    [
        (("background", "road"), 0),
        (("__background__", "road"), 0),
        (("BG", "road"), 0),
        (("road", "sky", "Background"), 2),
        (("void", "background"), 1),
        (("unlabeled", "road"), 0),
        (("road", "sky"), None),
        (("class 0", "class 1"), None),
        (("playground", "wall"), None),
        (("person",), 0),
        ((), None),
    ],
)
def test_the_background_is_the_class_of_that_name(classes, background):
    card = wn.ModelCard("toy", "segmentation", classes=classes)
    assert card.background == background
    assert "background" not in card.to_dict()
    again = wn.ModelCard.from_dict(card.to_dict())
    assert again == card


def test_what_is_stated_counts_and_is_kept():
    for background in (0, 1, None):
        card = STREET.replace(background=background)
        assert card.background == background
        assert wn.ModelCard.from_dict(card.to_dict()) == card
        assert card.replace(threshold=None).background == background
    named = wn.ModelCard("toy", "segmentation", classes=("background", "road"), background=None)
    assert named.to_dict()["background"] is None
    assert wn.ModelCard.from_dict(named.to_dict()).background is None


def test_the_background_and_the_colors_follow_new_classes():
    card = STREET.replace(classes=("sky", "background"))
    assert card.background == 1
    assert card.palette[1] == BLACK
    assert STREET.replace(background=0).palette == distinct_palette(3)
    assert STREET.replace(background=0).replace(classes=("a", "b")).background == 0
    own = STREET.replace(palette=[(1, 1, 1), (2, 2, 2), (3, 3, 3)])
    assert own.replace(background=0).palette == own.palette


@pytest.mark.parametrize("classes", [1, 2, 3, 8, 9, 256])
def test_only_the_background_is_black(classes):
    for background in (None, *range(min(classes, 4))):
        colors = class_palette(classes, background)
        assert len(set(colors)) == classes
        assert [index for index, color in enumerate(colors) if color == BLACK] == (
            [] if background is None else [background]
        )


@pytest.mark.parametrize("classes", [8, 9, 16, 21, 150])
def test_the_first_of_many_classes_is_as_far_from_each_other_as_the_others_are(classes):
    first, *others = class_palette(classes, None)
    pairs = itertools.combinations(others, 2)
    assert min(math.dist(first, one) for one in others) >= min(math.dist(*pair) for pair in pairs)


def test_a_class_0_that_is_no_background_is_tinted():
    result = result_of(STREET)
    overlay = np.asarray(result.overlay(opacity=0.5))
    assert (overlay[:, :3] != 100).any(axis=-1).all()  # the road
    assert STREET.palette[0] != BLACK
    expected = np.rint(0.5 * 100 + 0.5 * np.array(STREET.palette[0]))
    assert np.abs(overlay[0, 0] - expected).max() <= 1
    with_background = np.asarray(result_of(STREET.replace(background=0)).overlay())
    assert (with_background[:, :3] == 100).all()


def test_figures_legends_and_pages_have_its_color():
    result = result_of(STREET)
    color = "#{:02x}{:02x}{:02x}".format(*STREET.palette[0])
    assert color in result._repr_html_()
    mask = np.asarray(result.mask_image().convert("RGB"))
    assert tuple(mask[0, 0]) == STREET.palette[0]
    figure = result.plot()
    tinted = figure.axes[2].get_images()[0].get_array()
    assert (np.asarray(tinted)[:, :3] != 100).any()


def test_the_viewer_shows_it_and_hides_the_background():
    assert MaskViewer(result_of(STREET)).hidden == []
    named = STREET.replace(classes=("road", "background", "car"))
    assert MaskViewer(result_of(named)).hidden == ["background"]
    sent = mask_payload(result_of(STREET), 1)["classes"]
    assert "#000000" not in {one["color"] for one in sent}


def test_models_without_names_have_no_background_but_those_of_one_class_do(tmp_path):
    import toys

    two = wn.segment(GRAY, toys.textures(tmp_path / "scores.xml", gives="scores"))
    assert (two.card.background, BLACK in two.card.palette) == (None, False)
    one = wn.segment(GRAY, toys.textures(tmp_path / "one.xml", gives="probability"))
    assert (one.card.classes, one.card.background) == (("background", "foreground"), 0)


def test_masks_that_are_compared_without_a_card_show_class_0():
    other = np.where(LABELS == 0, 2, LABELS).astype(np.uint8)
    figure = compare(LABELS, other).plot()
    mask = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert tuple(mask[0, 0]) != BLACK


def test_a_saved_result_keeps_its_background(tmp_path):
    for background in (None, 0, 2):
        saved = result_of(STREET.replace(background=background)).save(tmp_path / str(background))
        assert SegmentationResult.load(saved.facts).card.background == background
