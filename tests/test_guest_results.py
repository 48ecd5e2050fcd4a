"""What the general guest prints of an output is what Python reads from it."""

import json
import re

import numpy as np
import pytest
from bare_guest import bare_bundle, run_bare
from PIL import Image

from wasinn_nb import ModelCard, PreprocessRecipe, Tensor, read_sidecar, read_tensor
from wasinn_nb.cards import Port, Signature
from wasinn_nb.deployment.planning import output_facts
from wasinn_nb.origin import Origin
from wasinn_nb.tasks import reading_of

pytest.importorskip("wasmtime")
pytestmark = pytest.mark.full

random = np.random.default_rng(7)


def printed_by_both(
    folder, values, card, recipe, *, size=(30, 50), operation="", quantization=None
):
    """Return the last lines that the guest prints, and the result that Python makes."""
    tensor = Tensor.from_array(values)
    port = Port(
        "out", tensor.dimensions, tensor.type, tensor.type.suffix, "", operation, quantization
    )
    signature = Signature((), (port,))
    reading = reading_of(signature, card, recipe, scores=True)
    origin = Origin(card.name, recipe=recipe)
    result = reading.result(reading.head.apply(tensor), None, origin, {}, size=size)
    Image.new("RGB", size[::-1]).save(folder / "image.png")
    bare_bundle(
        folder, recipe, output=output_facts(reading, signature, "toy"), classes=card.classes
    )
    code, _, printed, _ = run_bare(folder, output=bytes(tensor.data))
    assert code == 0, printed
    return [line for line in printed.splitlines() if "SHA-256" not in line][1:], result


def pixel_lines(result):
    counts = np.bincount(result.labels.ravel(), minlength=len(result.card.classes))
    return [
        f"{name}: {count} pixel{'' if count == 1 else 's'}"
        for name, count in zip(result.card.classes, counts.tolist(), strict=True)
    ]


def seg(classes=(), **fields):
    return ModelCard("toy", "segmentation", classes=classes, **fields)


FITS = ["stretch", "letterbox", "crop"]
SCORES = random.normal(size=(1, 3, 32, 48)).astype(np.float32)
SCORES[0, 1] = SCORES[0, 2]  # equal scores: the first counts
MASKS = {
    "channels first": (SCORES, seg(("a", "b", "c")), {}),
    "channels last": (np.moveaxis(SCORES, 1, 3), seg(("a", "b", "c"), channels_last=True), {}),
    "without names": (SCORES, seg(), {}),
    "f16": (SCORES.astype(np.float16), seg(("a", "b", "c")), {}),
    "half size": (SCORES[:, :, ::2, ::2], seg(("a", "b", "c")), {}),
    "labels": (random.integers(0, 3, (1, 32, 48)), seg(("a", "b", "c")), {"operation": "ArgMax"}),
    "labels without names": (random.integers(0, 3, (1, 32, 48)), seg(), {"operation": "ArgMax"}),
    "one class": (random.random((1, 1, 32, 48)), seg(("person",), threshold=0.7), {}),
    "one class, logits": (SCORES[:, :1], seg(("person",)), {"operation": "Convolution"}),
    "one class, by the values": (SCORES[:, :1], seg(("person",), threshold=0.8), {}),
    "one class, flat": (random.random((1, 32 * 48)).astype(np.float32), seg(("person",)), {}),
    "one class, u8": (
        random.integers(0, 256, (1, 32, 48, 1), np.uint8),
        seg(("person",)),
        {"operation": "Sigmoid", "quantization": (1 / 256, 3)},
    ),
}


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("name", MASKS)
def test_pixels_of_each_class(tmp_path, name, fit):
    values, card, more = MASKS[name]
    lines, result = printed_by_both(
        tmp_path, values, card, PreprocessRecipe(32, 48, fit=fit), **more
    )
    expected = pixel_lines(result)
    assert lines == expected
    assert sum(" 0 pixels" not in line for line in lines) >= 2


def test_a_stride_and_a_letterbox(tmp_path):
    """The rows of a mask of 33 of 257 that lie on the image are those that Python keeps."""
    scores = random.normal(size=(1, 2, 33, 33)).astype(np.float32)
    for size in ((100, 300), (301, 77), (257, 256)):
        lines, result = printed_by_both(
            tmp_path,
            scores,
            seg(("a", "b")),
            PreprocessRecipe(257, 257, fit="letterbox"),
            size=size,
        )
        assert lines == pixel_lines(result)


def classifier(classes=10, **fields):
    names = tuple(f"name {index}" for index in range(classes))
    return ModelCard("toy", "classification", classes=names, **fields)


LOGITS = random.normal(size=(1, 10)).astype(np.float32) * 3
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum()
RANKS = {
    "probabilities": (PROBABILITIES, {"operation": "Softmax"}),
    "logits": (LOGITS, {"operation": "MatMul"}),
    "logits by the values": (LOGITS, {}),
    "probabilities by the values": (PROBABILITIES, {}),
    "f16": (PROBABILITIES.astype(np.float16), {"operation": "Softmax"}),
    "u8, quantized": (
        random.integers(0, 200, (1, 10)).astype(np.uint8),
        {"operation": "Softmax", "quantization": (1 / 256, 0)},
    ),
    "four dimensions": (LOGITS.reshape(1, 10, 1, 1), {}),
    "equal": (np.full((1, 10), 0.1, np.float32), {"operation": "Softmax"}),
    "infinite": (np.where(LOGITS < 0, -np.inf, LOGITS), {"operation": "MatMul"}),
}


@pytest.mark.parametrize("name", RANKS)
def test_most_probable_classes(tmp_path, name):
    values, more = RANKS[name]
    lines, result = printed_by_both(
        tmp_path, values, classifier(), PreprocessRecipe(32, 48), **more
    )
    assert lines == result.lines(5)


def test_what_is_not_a_number_is_an_error(tmp_path):
    recipe = PreprocessRecipe(4, 4)
    Image.new("RGB", (4, 4)).save(tmp_path / "image.png")
    bare_bundle(tmp_path, recipe, output={"dimensions": [1, 2], "type": "f32"})
    code, _, printed, _ = run_bare(tmp_path, output=np.array([1, np.nan], np.float32).tobytes())
    assert code == 1
    assert "guest: the output holds values that are not numbers (NaN)" in printed
    # What came is written all the same: it is what has to be looked at.
    assert np.isnan(read_tensor(tmp_path / "out" / "output-1x2xf32.tensor").to_array()).any()


def test_an_output_of_another_size_is_an_error(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "image.png")
    bare_bundle(tmp_path, PreprocessRecipe(4, 4))
    code, _, printed, _ = run_bare(tmp_path, output=b"\1")
    assert code == 1
    assert "the model's output has 1 bytes where 1x2xu8 has 2" in printed


def test_class_names_are_inert(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "image.png")
    names = ["\x1b[31mred\n", "\u202egnp"]
    bare_bundle(tmp_path, PreprocessRecipe(4, 4), classes=names)
    code, _, printed, _ = run_bare(tmp_path, output=b"\x02\x01")
    assert code == 0
    assert printed.isascii()
    assert printed.splitlines()[-2:] == [
        r"1.) [0](2) \u{1b}[31mred\u{a}",
        r"2.) [1](1) \u{202e}gnp",
    ]


def test_sidecars_state_what_made_the_tensors(tmp_path):
    recipe = PreprocessRecipe(4, 4, range=(0, 1), mean=(0.1, 0.2, 0.3))
    Image.new("RGB", (4, 4), (9, 8, 7)).save(tmp_path / "image.png")
    bare_bundle(tmp_path, recipe)
    code, given, _, _ = run_bare(tmp_path)
    out = tmp_path / "out"
    assert (code, read_tensor(out / "input-1x3x4x4xf32.tensor")) == (0, given)
    stated = read_sidecar(out / "output-1x2xu8.tensor")
    assert PreprocessRecipe.from_dict(stated["recipe"]) == recipe
    assert stated["model"] == {"name": "toy"}
    assert sorted(path.name for path in out.iterdir()) == [
        "input-1x3x4x4xf32.tensor",
        "input-1x3x4x4xf32.tensor.json",
        "output-1x2xu8.tensor",
        "output-1x2xu8.tensor.json",
    ]


def test_with_an_image_the_input_is_written_only_where_it_is_wanted(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "other.png")
    bare_bundle(tmp_path, PreprocessRecipe(4, 4))
    assert run_bare(tmp_path, ["other.png"])[0] == 0
    assert not (tmp_path / "out" / "input-1x3x4x4xf32.tensor").exists()
    assert run_bare(tmp_path, ["--input", "other.png", "out"])[0] == 0
    assert (tmp_path / "out" / "input-1x3x4x4xf32.tensor").exists()


@pytest.mark.parametrize(
    "words", [["a", "b", "c"], ["--what"], ["--top"], ["--top", "0"], ["--top", "x", "a"]]
)
def test_wrong_arguments(tmp_path, words):
    assert run_bare(tmp_path, words)[::2] == (
        2,
        "usage: guest.wasm [--input] [--top N] [IMAGE [OUTPUT_DIR]]\n",
    )


# What is changed in which file, and the words of the message.
WRONG = [
    ("recipe.json", {"resize": "bilinear"}, "recipe.json: resize: expected one of triangle, got"),
    ("recipe.json", {"height": 0}, "recipe.json: height: expected a whole number from 1 to 65535"),
    ("recipe.json", {"mean": [1, 2]}, "recipe.json: mean: expected 3 numbers, got [1,2]"),
    ("recipe.json", {"scale": [1, 0, 1]}, "recipe.json: scale: expected numbers to divide by"),
    ("recipe.json", {"mean": [1, 2, 1e300]}, "recipe.json: mean: expected 3 numbers"),
    ("recipe.json", {"type": "i8"}, "recipe.json: type: expected one of u8, f16, f32"),
    ("recipe.json", {"color": None}, 'recipe.json: the field "color" is missing'),
    ("bundle.json", {"encoding": "onyx"}, "bundle.json: encoding: expected one of openvino"),
    ("bundle.json", {"model": "m.xml"}, "bundle.json: model: expected an array, got"),
    ("bundle.json", {"model": ["none.onnx"]}, "cannot read model ./none.onnx"),
    ("bundle.json", {"model": ["../secret"]}, "cannot read model ./../secret"),
    ("bundle.json", {"output": {}}, 'bundle.json: output: the field "index" is missing'),
    ("model.card.json", {"name": 'a"b'}, "the card's name: expected letters"),
    ("model.card.json", {"classes": [1]}, "model.card.json: classes: expected an array of texts"),
]


@pytest.mark.parametrize(("name", "change", "message"), WRONG)
def test_edited_files_are_named(tmp_path, name, change, message):
    Image.new("RGB", (4, 4)).save(tmp_path / "image.png")
    bare_bundle(tmp_path, PreprocessRecipe(4, 4))
    path = tmp_path / name
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    code, _, printed, _ = run_bare(tmp_path)
    assert code == 1
    assert f"guest: {message}" in printed


@pytest.mark.parametrize("claim", [[1, 2**31], [2**32, 2**32], [], [0]])
def test_outputs_of_impossible_sizes_are_refused(tmp_path, claim):
    Image.new("RGB", (4, 4)).save(tmp_path / "image.png")
    bare_bundle(tmp_path, PreprocessRecipe(4, 4), output={"dimensions": claim})
    code, _, printed, _ = run_bare(tmp_path)
    assert code == 1
    assert re.search(r"guest: bundle.json: output: .*", printed)


def test_json_that_is_not_json(tmp_path):
    bare_bundle(tmp_path, PreprocessRecipe(4, 4))
    (tmp_path / "recipe.json").write_text("{", "utf-8")
    code, _, printed, _ = run_bare(tmp_path)
    assert code == 1
    assert "guest: recipe.json is not valid JSON: EOF" in printed
