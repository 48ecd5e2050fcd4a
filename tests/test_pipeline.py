"""The fused path gives the mask of the five calls, and says what ran."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors, pipeline
from wasinn_nb.imaging import sources

ADAS = "road-segmentation-adas-0001"
RECIPE = wn.PreprocessRecipe(4, 6, resize="bilinear")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return toys.brightest_channel(tmp_path_factory.mktemp("toy") / "toy.xml")


@pytest.fixture(autouse=True)
def _nothing_kept():
    pipeline._kept.clear()


def five_calls(model, recipe, image, precision="f32"):
    with wn.WasiNnCtx(precision=precision) as ctx:
        context = ctx.init_execution_context(ctx.load(model))
        ctx.set_input(context, 0, wn.image_to_tensor(image, recipe))
        ctx.compute(context)
        return ctx.get_output(context, 0).to_array()


def noise(seed, height=9, width=13):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_labels_of_known_colors(toy):
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2] = (0, 0, 200)  # blue is the first channel of a BGR model
    pixels[:, 2:4] = (0, 200, 0)
    pixels[:, 4:] = (200, 0, 0)
    result = wn.segment(pixels, toy)
    assert result.labels.tolist() == [[0, 0, 1, 1, 2, 2]] * 4
    assert result.areas() == {"class 0": 8, "class 1": 8, "class 2": 8}
    assert (result.target, result.precision) == ("CPU", "f32")
    assert result.recipe == RECIPE
    assert np.array_equal(result.image, pixels)
    assert list(result.timings) == ["read", "preprocess", "infer"]


def test_ties_go_to_the_lower_class(toy):
    assert not wn.segment(np.full((4, 6), 7, np.uint8), toy).labels.any()


RECIPES = [
    RECIPE,
    RECIPE.replace(color="RGB"),
    RECIPE.replace(resize="triangle"),
    RECIPE.replace(resize="triangle-0.23"),
    RECIPE.replace(range=(0, 1)),
    RECIPE.replace(range=(-1, 1)),
    RECIPE.replace(mean=(123.675, 116.28, 103.53), scale=(58.395, 57.12, 57.375), color="RGB"),
    RECIPE.replace(range=(0, 1), mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225)),
]


@pytest.mark.full
@pytest.mark.parametrize("recipe", RECIPES, ids=repr)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_scores_are_those_of_the_five_calls(tmp_path, layout, recipe):
    model = toys.brightest_channel(tmp_path / "toy.xml", layout=layout)
    recipe = recipe.replace(layout=layout)
    image = noise(1)
    expected = five_calls(model, recipe, image)[0]
    result = wn.Pipeline(model, recipe=recipe, scores=True)(image)
    assert np.array_equal(result.scores, expected)
    assert np.array_equal(result.labels, expected.argmax(0))


@pytest.mark.full
@given(seed=st.integers(0, 2**32 - 1), height=st.integers(1, 40), width=st.integers(1, 40))
def test_same_mask_as_the_five_calls(toy, seed, height, width):
    image = noise(seed, height, width)
    expected = five_calls(toy, RECIPE, image)[0].argmax(0)
    assert np.array_equal(wn.segment(image, toy).labels, expected)


@pytest.mark.parametrize("type_", ["u8", "f16"])
def test_models_of_other_input_types(tmp_path, type_):
    model = toys.brightest_channel(tmp_path / "toy.xml", type_=type_)
    result = wn.segment(noise(2), model)
    assert result.recipe.type.suffix == type_
    expected = five_calls(model, result.recipe, noise(2))[0].argmax(0)
    assert np.array_equal(result.labels, expected)


@pytest.mark.parametrize("classes", [4, 21, 256])
def test_many_classes(tmp_path, classes):
    model = toys.brightest_channel(tmp_path / "toy.xml", classes=classes)
    result = wn.segment(noise(3), model)
    assert len(result.areas()) == classes
    assert np.array_equal(result.labels, five_calls(model, RECIPE, noise(3))[0].argmax(0))


def test_open_size_takes_the_recipes(tmp_path):
    import openvino as ov
    from openvino import opset13 as op

    data = op.parameter([1, 3, -1, -1], ov.Type.f32)
    model = toys.save(ov.Model([op.relu(data).output(0)], [data], "open"), tmp_path / "open.xml")
    result = wn.segment(noise(4), model, recipe=RECIPE.replace(height=5, width=7))
    assert result.labels.shape == (5, 7)
    assumed = wn.Pipeline(model)
    assert assumed.recipe.dimensions == (1, 3, 512, 512)
    assert assumed.assumed == (
        "BGR, values 0 to 255, bilinear",
        "size 512x512, which the model leaves open",
    )


def test_models_that_are_not_for_segmentation(tmp_path):
    import openvino as ov
    from openvino import opset13 as op

    data = op.parameter([1, 3, 4, 6], ov.Type.f32)
    flat = op.reduce_mean(data, np.array([2, 3]))
    both = op.parameter([1, 3, 4, 6], ov.Type.f32)
    cases = [
        (
            ov.Model([flat.output(0)], [data], "m"),
            r"it gives .* 1x3xf32, .* use wasinn_nb.classify",
        ),
        (ov.Model([op.add(data, both).output(0)], [data, both], "m"), "this one has 2 inputs"),
    ]
    for number, (model, message) in enumerate(cases):
        path = toys.save(model, tmp_path / f"{number}.xml")
        with pytest.raises(errors.InvalidArgumentError, match=message):
            wn.segment(noise(1), path, recipe=RECIPE)


def test_recipe_that_does_not_fit(toy):
    with pytest.raises(errors.InvalidArgumentError, match=r"makes 1x4x6x3xf32, .* takes 1x3x4x6"):
        wn.Pipeline(toy, recipe=RECIPE.replace(layout="NHWC"))
    with pytest.raises(errors.InvalidArgumentError, match="makes 1x3x4x7"):
        wn.Pipeline(toy, recipe=RECIPE.replace(width=7))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "GPU.7"}, errors.InvalidArgumentError, r"no GPU\.7 on this machine"),
        ({"target": "XPU"}, errors.InvalidArgumentError, "unknown execution target 'XPU'"),
        ({"target": 9}, errors.InvalidArgumentError, "unknown execution target 9"),
        ({"precision": "f8"}, errors.InvalidArgumentError, "got 'f8'"),
        ({"resize": "cubic"}, errors.RecipeError, "got 'cubic'"),
    ],
)
def test_options_that_do_not_fit(toy, options, error, message):
    with pytest.raises(error, match=message):
        wn.segment(noise(5), toy, **options)


def test_image_errors_leave_the_pipeline_usable(toy):
    run = wn.Pipeline(toy)
    with pytest.raises(errors.ImageError):
        run(b"not an image")
    with pytest.raises(errors.MissingFileError):
        run("missing.png")
    assert run(noise(6)).labels.shape == (4, 6)


def test_a_file_is_read_once(toy, tmp_path, monkeypatch):
    path = tmp_path / "noise.png"
    Image.fromarray(noise(6)).save(path)
    opened = []
    existing_file = sources.existing_file
    monkeypatch.setattr(
        sources, "existing_file", lambda *given: opened.append(given) or existing_file(*given)
    )
    result = wn.Pipeline(toy)(path)
    assert opened == [(path, "image")]
    assert result.image == path.read_bytes()
    assert np.array_equal(result.labels, wn.Pipeline(toy)(noise(6)).labels)


def test_image_errors_name_the_file(toy, tmp_path):
    path = tmp_path / "noise.png"
    Image.fromarray(noise(6)).save(path)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(errors.ImageError, match=f"^{path}: begins like a PNG, cannot be read"):
        wn.Pipeline(toy)(path)
    path.write_bytes(b"text")
    with pytest.raises(errors.ImageError, match=f"^{path}: not an image that Pillow can read"):
        wn.Pipeline(toy)(path)


def test_results_stay_as_they_are(toy):
    run = wn.Pipeline(toy, scores=True)
    first = run(noise(7))
    labels, scores = first.labels.copy(), first.scores.copy()
    run(noise(8))
    assert np.array_equal(first.labels, labels)
    assert np.array_equal(first.scores, scores)


def test_threads_take_turns(toy):
    run = wn.Pipeline(toy)
    images = [noise(seed) for seed in range(24)]
    expected = [run(image).labels for image in images]
    found = [None] * len(images)

    def work(part):
        for index in part:
            found[index] = run(images[index]).labels

    threads = [threading.Thread(target=work, args=(range(k, 24, 4),)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(map(np.array_equal, found, expected))


@pytest.mark.full
def test_segment_compiles_once_and_notices_a_new_file(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    wn.segment(noise(9), model)
    kept = next(iter(pipeline._kept.values()))
    wn.segment(noise(10), model)
    assert list(pipeline._kept.values()) == [kept]
    toys.brightest_channel(model, height=5)
    assert wn.segment(noise(9), model).labels.shape == (5, 6)
    for color in ("RGB", "BGR"):
        for resize in ("triangle", "triangle-0.23", "bilinear"):
            recipe = RECIPE.replace(height=5, color=color, resize=resize)
            wn.segment(noise(9), model, recipe=recipe)
    assert len(pipeline._kept) == 4


def test_environment_gives_the_start_values(toy, tmp_path, monkeypatch):
    from PIL import Image

    Image.fromarray(noise(11)).save(tmp_path / "image.png")
    monkeypatch.setenv("WASINN_NB_MODEL", str(toy))
    monkeypatch.setenv("WASINN_NB_IMAGE", str(tmp_path / "image.png"))
    monkeypatch.setenv("WASINN_NB_PRECISION", "device")
    result = wn.segment()
    assert result.card.name == "toy"
    assert np.array_equal(result.photo, noise(11))
    assert result.precision in {"f32", "bf16", "f16"}
    monkeypatch.setenv("WASINN_NB_TARGET", "TPU")
    with pytest.raises(errors.InvalidArgumentError, match="no NPU on this machine"):
        wn.segment()


@pytest.mark.parametrize("precision", ["f32", "device"])
def test_real_model_fused_and_in_five_calls(shared, precision):
    model = shared / "models" / f"{ADAS}.xml"
    image = shared / "images/empty_road_mapillary.jpg"
    result = wn.segment(image, model, resize="triangle", precision=precision)
    expected = five_calls(model, result.recipe, image, precision)[0].argmax(0)
    assert int((result.labels != expected).sum()) == 0


def test_real_model_gives_the_reference_row(shared):
    """Pixels per class within 0.1 % of the image of what the Rust guest's tensor gives."""
    model = shared / "models" / f"{ADAS}.xml"
    result = wn.segment(
        shared / "images/empty_road_mapillary.jpg", model, resize="triangle", precision="f32"
    )
    reference = {"background": 356456, "road": 88026, "curb": 9992, "mark": 4278}
    areas = result.areas()
    # JPEG decoders differ by up to 2 of 255, so that classes move by a few dozen pixels.
    assert {
        n: abs(areas[n] - p) <= max(0.001 * p, 10) for n, p in reference.items()
    } == dict.fromkeys(reference, True)
    assert result.model_sha384.startswith("79f494aff63c53e7")


def test_reference_tensor_gives_the_reference_row_exactly(shared):
    name = "empty_road_mapillary.jpg.image-0.24.3.bgr-512x896x3xu8.tensor"
    pixels = wn.read_tensor(shared / "reference" / name).to_array()
    planes = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    with wn.WasiNnCtx(precision="f32") as ctx:
        graph = ctx.load(shared / "models" / f"{ADAS}.xml", "openvino", "CPU")
        context = ctx.init_execution_context(graph)
        ctx.set_input(context, 0, wn.Tensor.from_array(planes))
        ctx.compute(context)
        scores = ctx.get_output(context, 0).to_array()[0]
    counts = np.bincount(scores.argmax(0).ravel(), minlength=4).tolist()
    assert counts == [356456, 88026, 9992, 4278]
    assert scores.max(0).mean() == pytest.approx(0.9645, abs=5e-5)


def with_model_info(model_path, **entries):
    """Add what Model API writes to an IR: ``rt_info/model_info``."""
    infos = "".join(f'<{name} value="{value}"/>' for name, value in entries.items())
    text = model_path.read_text()
    assert "</net>" in text
    model_path.write_text(
        text.replace("</net>", f"<rt_info><model_info>{infos}</model_info></rt_info></net>")
        if "<rt_info>" not in text
        else text.replace("<rt_info>", f"<rt_info><model_info>{infos}</model_info>", 1)
    )
    return model_path


def test_what_the_file_states_is_used(tmp_path):
    model = toys.brightest_channel(tmp_path / "toy.xml")
    bare = wn.segment(noise(1), model)
    assert bare.assumed == ("BGR, values 0 to 255, bilinear",)
    with_model_info(
        model, model_type="segmentation", labels="red green blue", reverse_input_channels="YES"
    )
    result = wn.segment(noise(1), model)
    assert result.card.classes == ("red", "green", "blue")
    assert result.recipe.color == "RGB"
    assert result.assumed == ("values 0 to 255, bilinear",)
    # The channels are the other way round, and so are their classes.
    assert np.array_equal(result.labels, 2 - bare.labels)


def test_a_card_goes_before_the_file(tmp_path):
    model = with_model_info(
        toys.brightest_channel(tmp_path / "toy.xml"), labels="a b c", reverse_input_channels="YES"
    )
    card = wn.ModelCard("toy", "segmentation", RECIPE, ("x", "y", "z"))
    result = wn.segment(noise(1), model, card=card)
    assert result.card.classes == ("x", "y", "z")
    assert result.recipe == RECIPE
    assert result.assumed == ()
