"""Evaluation of classifiers: true classes from every source, figures, and their presentation."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked import CARD, COLORS, PETS, RESULTS, TRUTHS, made_folders, made_model, plain, result

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, WasiNnError
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.evaluation.ranking import ClassificationEvaluation
from wasinn_nb.evaluation.truths import class_truths


@pytest.fixture
def found():
    return evaluate(RESULTS, TRUTHS)


# ---------------------------------------------------------------------------------------- counting


def test_figures(found):
    assert isinstance(found, ClassificationEvaluation)
    assert [(rank.true, rank.predicted, rank.rank) for rank in found.ranks] == [
        (0, 0, 1),
        (1, 0, 2),
        (1, 1, 1),
        (1, 0, 2),  # of equal probabilities the lower index comes first
    ]
    assert (found.top1, found.top(2), found.top5) == (0.5, 1, 1)
    assert found.matrix.tolist() == [[1, 0, 0], [2, 1, 0], [0, 0, 0]]
    assert found.confusions() == ((1, 0, 2),)
    assert found.counts() == ((0, 1, 1), (1, 3, 1))
    assert found.ranks[1].probability == np.float32(0.3)
    assert [rank.name for rank, _ in found.samples] == ["b", "d", "c", "a"]


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5]), min_size=7, max_size=7),
    st.integers(0, 6),
    st.integers(1, 7),
)
def test_the_true_class_is_among_the_top_k_as_the_result_says(values, true, k):
    card = PETS.replace(classes=tuple("abcdefg"))
    one = result(*values, card=card)
    judged = evaluate(one, true)
    among = true in [top.index for top in one.top(k)]
    assert judged.top(k) == among
    assert judged.ranks[0].rank == [top.index for top in one.top(7)].index(true) + 1


def test_the_worst_images_are_those_whose_true_class_is_the_least_probable():
    found = evaluate(RESULTS, TRUTHS, worst=1)
    assert [(rank.name, one.card.name) for rank, one in found.samples] == [("b", "pets")]
    assert found.images().index.tolist() == ["b", "d", "c", "a"]


def test_many_classes_have_no_matrix_but_confusions():
    classes = tuple(f"thing {index}" for index in range(1000))
    card = wn.ModelCard("things", "classification", classes=classes)
    probabilities = np.zeros(1000, np.float32)
    probabilities[7] = 1
    results = [result(*probabilities, card=card)] * 6
    found = evaluate(results, [7, 8, 8, 8, 9, 10])
    assert found.matrix is None
    assert found.confusions() == ((8, 7, 3), (9, 7, 1), (10, 7, 1))
    assert found.top1 == 1 / 6
    assert found.to_dict()["matrix"] is None
    assert found.to_dict()["confusions"][0] == {
        "true": {"index": 8, "name": "thing 8"},
        "predicted": {"index": 7, "name": "thing 7"},
        "images": 3,
    }


@pytest.mark.parametrize("k", [0, -1, True, 1.5])
def test_the_number_of_classes_to_look_at_is_checked(found, k):
    with pytest.raises(InvalidArgumentError, match="how many classes"):
        found.top(k)


@pytest.mark.parametrize(("step", "way"), [(1, "higher"), (-1, "lower")])
def test_classes_that_are_counted_from_another_number_are_named(step, way):
    """1001 classes of which the first is a background, and truths that count from 0."""
    classes = tuple(f"class {index}" for index in range(12))
    card = wn.ModelCard("toy", "classification", classes=classes)
    results = [result(*np.eye(12)[index + step], card=card) for index in range(2, 8)]
    found = evaluate(results, list(range(2, 8)))
    assert found.top1 == 0
    assert found.policy()[1].startswith(
        f"6 of 6 images are taken for the class whose index is one {way}: check whether"
    )
    assert len(evaluate(RESULTS, TRUTHS).policy()) == 1


# ------------------------------------------------------------------------------------------ truths


def test_true_classes_by_name_index_or_a_number_in_text(found):
    for truths in (
        {"a.jpg": 0, "b.png": 1, "c": np.int64(1), "d": "1"},
        {"d": "dog", "c": "dog", "b": "dog", "a": "cat"},
    ):
        assert evaluate(RESULTS, truths).matrix.tolist() == found.matrix.tolist()
    by_order = evaluate(list(RESULTS.values()), list(TRUTHS.values()))
    assert by_order.matrix.tolist() == found.matrix.tolist()
    assert [rank.name for rank in by_order.ranks] == ["image 0", "image 1", "image 2", "image 3"]
    assert evaluate(RESULTS["a"], "cat").top1 == evaluate(RESULTS["a"], 0).top1 == 1


TABLES = {
    "comma": "image,class\na.jpg,cat\nb.jpg,dog\nc,1\nd,dog\n",
    "semicolon": "class;image\ncat;a\ndog;b\ndog;c\ndog;d",
    "tab, more columns": "id\timage\tclass\n1\ta\tcat\n2\tb\tdog\n3\tc\tdog\n4\td\tdog\n",
    "quoted, blank line": 'image,class\n"a","cat"\n\nb,dog\nc,dog\nd,dog\n',
    "byte order mark, CRLF": "\ufeffimage,class\r\na,cat\r\nb,dog\r\nc,dog\r\nd,dog\r\n",
    "blanks": " image , class \n a.jpg , cat \nb,dog\nc,dog\nd,dog\n",
    "folders": "image,class\nval/a.jpg,cat\nval/b.jpg,dog\nval/c.jpg,dog\nval/d.jpg,dog\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_true_classes_from_a_csv_file(tmp_path, found, name):
    path = tmp_path / "truths.csv"
    path.write_bytes(TABLES[name].encode())
    for given_path in (path, str(path)):
        assert evaluate(RESULTS, given_path).matrix.tolist() == found.matrix.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the columns image and class in the first line, got ''"),
        (b"name,label\na,cat\n", "image and class in the first line, got 'name, label'"),
        (b"image,image,class\na,a,cat\n", "image and class in the first line"),
        (b"image,class\na\n", "line 2: expected an image and its class"),
        (b"image,class\n,cat\n", "line 2: expected an image and its class"),
        (b"image,class\n", "expected at least one image, got no truths"),
        (b"\xff\xfe\x00", "not a CSV file in UTF-8"),
        (b'image,class\n"a,cat\n', "not a CSV file in UTF-8"),
        (b"image,class\na,cat\na.png,dog\n", "truths without prediction: a.png"),
        (b"image,class\na,cat\n", "predictions without truth: b, c, d"),
    ],
)
def test_files_that_hold_no_true_classes_are_refused(tmp_path, content, message):
    path = tmp_path / "truths.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(RESULTS, path)


@given(st.binary(max_size=200))
def test_any_bytes_give_classes_or_our_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    with suppress(WasiNnError):
        assert all(name and value for name, value in class_truths(path))


@pytest.mark.parametrize(
    ("truths", "error", "message"),
    [
        ({"a": "cot"}, InvalidArgumentError, "a: no class 'cot'; did you mean cat?"),
        ({"a": 3}, InvalidArgumentError, "a: expected one of the model's 3 classes.* got 3"),
        ({"a": "3"}, InvalidArgumentError, "index from 0 to 2, got '3'"),
        ({"a": -1}, InvalidArgumentError, "index from 0 to 2, got -1"),
        ({"a": True}, InvalidArgumentError, "got True"),
        ({"a": 1.0}, InvalidArgumentError, "got 1.0"),
        ({"a": None}, InvalidArgumentError, "got None"),
        ({"a": "9" * 5000}, InvalidArgumentError, "no class '9999"),
        ({}, InvalidArgumentError, "got no truths"),
        ([], InvalidArgumentError, "got no truths"),
        (1.5, InvalidArgumentError, "expected the true classes as"),
        (b"cat", InvalidArgumentError, "expected the true classes as"),
        ("no/such", MissingFileError, "no file or folder at"),
        ("no.csv", MissingFileError, "no file or folder at"),
        (["cat", "dog"], InvalidArgumentError, "1 prediction and 2 truths"),
        ({"b": "cat"}, InvalidArgumentError, "predictions without truth: a; 1 of 1 truths w"),
    ],
)
def test_truths_that_are_none_are_refused(truths, error, message):
    with pytest.raises(error, match=message):
        evaluate({"a": RESULTS["a"]}, truths)


def test_a_name_that_several_classes_have_is_refused_and_listed_with_its_index():
    card = wn.ModelCard("birds", "classification", classes=("crane", "owl", "crane"))
    one = result(0.6, 0.3, 0.1, card=card)
    with pytest.raises(InvalidArgumentError, match=r"are called 'crane' \(0, 2\); give the index"):
        evaluate(one, "crane")
    assert evaluate(one, 2).confusion_rows() == [("crane (2)", "crane (0)", "1")]


@pytest.mark.parametrize(
    "options", [{"mapping": {"cat": "dog"}}, {"ignore": "cat"}, {"classes": ("cat", "dog", "owl")}]
)
def test_options_of_masks_are_refused(options):
    with pytest.raises(InvalidArgumentError, match="mapping, ignore and classes are for masks"):
        evaluate(RESULTS, TRUTHS, **options)


def test_results_of_two_models_are_refused():
    other = result(0.5, 0.5, card=wn.ModelCard("other", "classification", classes=("x", "y")))
    with pytest.raises(InvalidArgumentError, match="image 1: its prediction has other classes"):
        evaluate([RESULTS["a"], other], ["cat", "cat"])


def test_a_card_names_the_classes_of_results():
    named = PETS.replace(classes=("Katze", "Hund", "Eule"))
    found = evaluate(RESULTS, {"a": "Katze", "b": "Hund", "c": "Hund", "d": 1}, card=named)
    assert (found.classes, found.top1) == (named.classes, 0.5)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A classifier whose class is the brightest channel of BGR, by logits."""
    return made_model(tmp_path_factory)


@pytest.fixture
def folders(tmp_path):
    """Images in folders that are called as their classes; one of blue lies in that of red."""
    return made_folders(tmp_path)


def test_files_that_are_passed_over_are_named(model, folders):
    (folders / "red/3.xcf").write_bytes(b"gimp")
    found = evaluate(folders, folders, model=model, card=CARD)
    assert found.remarks.passed_over == ("notes.txt", "red/3.xcf")
    assert "passed over, as not named like images: notes.txt, red/3.xcf (2 files)" in repr(found)


def test_folders_that_are_named_after_classes(model, folders):
    found = evaluate(folders, folders, model=model, card=CARD)
    assert found.matrix.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert found.images().index[0] == "red/2"
    assert found.ranks[0].probability == pytest.approx(1 / (1 + 2 * np.exp(-4)))
    assert found.samples[0][1].photo.tolist() == plain("blue").tolist()


def test_images_of_one_folder_with_a_table(model, folders):
    (folders / "truths.csv").write_text("image,class\nred/1.png,red\nred/2.png,blue\n")
    for card, classes in ((CARD, COLORS), (None, ("class 0", "class 1", "class 2"))):
        table = folders / "truths.csv"
        if card is None:
            table.write_text("image,class\n1,2\n2,0\n")
        found = evaluate(folders / "red", table, model=model, card=card)
        assert (found.classes, found.top1) == (classes, 1)


def test_a_classifier_says_what_it_assumed(model, folders):
    found = evaluate(folders, {"blue/1": 0, "green/1": 1, "red/1": 2, "red/2": 2}, model=model)
    assert found.assumed == ("BGR, values 0 to 255, bilinear",)
    assert repr(found).count("assumed: BGR, values 0 to 255, bilinear") == 1
    assert found.to_dict()["assumed"] == ["BGR, values 0 to 255, bilinear"]


def test_cards_recipes_and_pipelines_are_honored(model, folders):
    turned = wn.PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
    swapped = {"blue/1": "red", "green/1": "green", "red/1": "blue", "red/2": "red"}
    for options in (
        {"model": model, "card": CARD, "recipe": turned},
        {"model": model, "card": CARD.replace(recipe=turned), "runtime": "openvino"},
        {"model": wn.Pipeline(model, card=CARD.replace(recipe=turned))},
    ):
        assert evaluate(folders, swapped, **options).top1 == 1


def test_folders_without_images_are_refused(model, tmp_path):
    (tmp_path / "cat").mkdir()
    with pytest.raises(MissingFileError, match="no images in the folder"):
        evaluate(tmp_path, {"a": "blue"}, model=model, card=CARD)
    with pytest.raises(MissingFileError, match="folders that are named after classes"):
        evaluate(plain("blue"), tmp_path, model=model, card=CARD)


def test_a_folder_that_is_no_class_is_named(model, folders):
    (folders / "red").rename(folders / "rot")
    with pytest.raises(InvalidArgumentError, match="rot/1: no class 'rot'"):
        evaluate(folders, folders, model=model, card=CARD)


def test_a_result_in_place_of_an_image_is_refused(model):
    with pytest.raises(InvalidArgumentError, match="expected an image for the model, got a re"):
        evaluate(RESULTS["a"], 0, model=model)


def test_progress_is_reported_to_a_callable(model):
    calls = []
    evaluate(plain("blue"), 0, model=model, progress=lambda *numbers: calls.append(numbers))
    assert calls == [(0, 1), (1, 1)]
