"""Truths for some rows of a store, and masks whose classes or sizes are not those of the truths."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import both, run
from pasting import mask, pasted, refused, use

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.class_maps import class_map
from wasinn_nb.evaluation.labels import label_set
from wasinn_nb.evaluation.stored import query_of

pytestmark = pytest.mark.full

COMMANDS = {
    "evaluate": ["evaluate", "store", "some"],
    "gallery": ["gallery", "store", "--truths", "some", "--html", "page.html"],
}


@pytest.fixture
def masks(toy_store):
    """True masks of all six images; the toy, which reads BGR, is right."""
    for n in range(len(toy_store)):
        mask(f"masks/{n:04}.png", np.full((8, 12), 2 - n % 3))
    Path("some").mkdir()


def some(*numbers):
    for n in numbers:
        shutil.copy(f"masks/{n:04}.png", "some")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    ("numbers", "query"),
    [
        ((0, 1, 2), 'name <= "0002.png"'),
        ((4, 5), 'name >= "0004.png"'),
        ((1, 2), '"0001.png" <= name <= "0002.png"'),
        ((0, 4), 'name in ["0000.png", "0004.png"]'),
        ((0, 1, 2, 3, 5), 'name not in ["0004.png"]'),
    ],
)
def test_the_proposed_query_judges_what_has_a_truth(masks, name, numbers, query):
    some(*numbers)
    message = refused(*COMMANDS[name])
    assert message.startswith(f"{6 - len(numbers)} of 6 predictions without truth: ")
    (command,) = use(message)
    assert command.endswith(f"--query '{query}'")
    assert f"{len(numbers)} images" in pasted(command)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_query_that_chooses_too_many_is_replaced(masks, name):
    some(0, 1, 2)
    (command,) = use(refused(*COMMANDS[name], "-q", "name > '0000.png'"))
    assert "-q" not in command.split()
    assert command.endswith("""--query '"0001.png" <= name <= "0002.png"'""")
    assert "2 images" in pasted(command)


def test_truths_of_rows_that_were_not_chosen_are_left_out(masks):
    mask("masks/0000.png", np.full((8, 12), 0))  # wrong
    query = "name in ['0000.png', '0004.png']"
    found = json.loads(run("evaluate", "store", "masks", "-q", query, "--json"))
    assert sorted(one["name"] for one in found["images"]) == ["0000", "0004"]
    assert found["pixel_accuracy"] == 0.5
    gallery = wn.Gallery(wn.read_predictions("store").query(query), "masks", progress=False)
    assert gallery.evaluation.pixel_accuracy == 0.5


def test_a_query_over_figures_of_the_gallery_judges_all(masks):
    mask("masks/0000.png", np.full((8, 12), 0))  # wrong
    words = ["gallery", "store", "--truths", "masks", "--html", "page.html", "--json", "-q"]
    assert json.loads(run(*words, "accuracy < 1"))["selected"] == 1
    some(0, 1)
    words[3] = "some"
    assert "4 of 6 predictions without truth" in refused(*words, "accuracy < 1")
    assert "no image of 6 passes" in refused(
        *[*words[:3], "masks", *words[4:]], "mean_confidence<0"
    )


def test_truths_of_other_rows_alone(masks):
    some(0, 1)
    message = refused("evaluate", "store", "some", "-q", "name > '0001.png'")
    assert message.endswith("the truths are of other rows of the run: choose those with --query")


def test_a_query_is_for_a_store():
    _, text = both("evaluate", "images", "masks", "-q", "road < 1", ends=ExitCode.ERROR)
    assert "images is none" in " ".join(text.split())


def test_long_lists_are_not_written():
    names = [f"{n:060}" for n in range(100)]
    assert query_of(names, names[::2]) == ""
    assert query_of(names, names[::10]).count(",") == 9


def test_images_of_a_folder_are_taken_out(masks):
    some(0, 1)
    assert refused("evaluate", "images", "some", "-m", "toy.xml") == (
        "4 of 6 predictions without truth: 0002, 0003, 0004 and 1 more; add their truths, or take "
        "them out"
    )


# -- rows with an error ----------------------------------------------------------------------------


def test_rows_with_an_error_need_no_truth(masks):
    Path("images/0007.png").write_text("no image")
    found = wn.predict("images", "toy.xml", "store", progress=False)
    judged = wn.evaluate(found, "masks", progress=False)
    assert [name for name, _ in judged.remarks.failed] == ["0007"]
    assert len(judged.counts) == 6
    assert judged.pixel_accuracy == 1
    gallery = wn.Gallery(judged)
    gallery.layer = "truth"
    assert len(gallery.rows) == 7
    some(0, 1, 2)
    (command,) = use(refused("evaluate", "store", "some"))
    assert command.endswith("""--query 'name <= "0002.png"'""")


def test_rows_of_a_classifier_with_an_error_need_no_class(toy_place):
    import toys
    from openvino import opset13 as op

    def build(data):
        return op.softmax(op.reduce_mean(data, np.array([2, 3]), keep_dims=False), 1)

    toys.save(toys.graph(build, (1, 3, 8, 12)), Path("pets.xml"))
    Path("images/0007.png").write_text("no image")
    found = wn.predict("images", "pets.xml", "pets", progress=False)
    truths = {f"val/{n:04}": 2 - n % 3 for n in range(6)}
    judged = wn.evaluate(found, truths, progress=False)
    assert [name for name, _ in judged.remarks.failed] == ["0007"]
    assert judged.matrix.sum() == 6
    part = wn.evaluate(found.query("name <= '0003.png'"), truths, progress=False)
    assert part.matrix.sum() == 4
    with pytest.raises(InvalidArgumentError) as caught:
        wn.evaluate(found, {name: truths[name] for name in [*truths][:2]}, progress=False)
    assert str(caught.value) == (
        "4 of 7 predictions without truth: 0002, 0003, 0004 and 1 more; judge the others alone: "
        "predictions.query('name <= \"0001.png\"')"
    )


# -- masks that were exported ----------------------------------------------------------------------


def test_masks_without_their_classes_ask_for_the_model(masks):
    run("predictions", "store", "--export", "out")
    words = ["evaluate", "--masks-only", "out", "masks", "--classes", "a,b,c"]
    words += ["--map", "a=class 0", "--map", "b,c=class 1,class 2"]
    message = refused(*words)
    assert message == (
        "no model class 'class 0': nothing says which classes the predicted masks have; add "
        "--model MODEL or --card CARD, of a model with these classes"
    )
    assert refused(*words, "--model", "toy.xml") == message  # its card names none
    card = ModelCard("toy", "segmentation", classes=("class 0", "class 1", "class 2"))
    card.write("toy.xml")
    assert "pixel accuracy 1.0000" in run(*words, "--model", "toy.xml")
    message = refused(*words, "--model", "toy.xml", "--map", "c=class 9")
    assert "no model class 'class 9'" in message
    assert "--card" not in message


def test_masks_of_another_shape_point_to_the_store(masks):
    run("predictions", "store", "--export", "out")
    shutil.rmtree("masks")
    for n in range(6):
        mask(f"masks/{n:04}.png", np.full((12, 12), 2 - n % 3))
    message = refused("evaluate", "--masks-only", "out", "masks", "--classes", "3")
    assert "another aspect ratio; check the pair" in message
    assert message.endswith("judge the store itself, by wasinn-nb evaluate STORE TRUTHS")


# -- ignored classes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "ignore", "names"),
    [
        ({"road": ("road", "mark"), "sky": "background"}, "void", ("road", "sky")),
        ({"road": ("road", "mark"), "sky": "background"}, 2, ("road", "sky")),
        ({"road": ("road", "mark"), "sky": "background"}, None, ("road", "sky", "other")),
        ({"road": "road", "sky": "background"}, "void", ("road", "sky", "other")),
        ({"road": ("road", "mark")}, ("void", "sky"), ("road", "other")),
        ({"road": ("road", "mark"), "void": "background"}, ("void", "sky"), ("road", "void")),
    ],
)
def test_ignored_classes_make_no_other(mapping, ignore, names):
    card = ModelCard("toy", "segmentation", classes=("background", "road", "mark"))
    found = class_map(label_set(("sky", "road", "void"), ignore), card, mapping)
    assert found.names == names
    ignored = {"void": 2, "sky": 0} if ignore == ("void", "sky") else {"void": 2}
    for line in found.lines():
        assert not line.startswith("other: ") or ignore is None or "void" not in line
    if ignore is not None and "void" not in mapping:
        assert all(found.from_truth[place] == 255 for place in ignored.values())


def test_ignored_classes_need_no_mapping():
    card = ModelCard("toy", "segmentation", classes=("sky", "road"))
    truth, predicted = np.array([[0, 1, 2, 2]]), np.array([[0, 1, 1, 0]])
    found = wn.evaluate(predicted, truth, card=card, classes=("sky", "road", "void"), ignore="void")
    assert found.classes == ("sky", "road")
    assert found.matrix.tolist() == [[1, 0], [0, 1]]
    with pytest.raises(InvalidArgumentError, match=r"the data's classes .sky, road, void. are not"):
        wn.evaluate(predicted, truth, card=card, classes=("sky", "road", "void"))
