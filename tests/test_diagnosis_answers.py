"""What a diagnosis answers: the unexplained, filters, outputs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from diagnoses import (
    FLAT,
    IMAGE,
    MEAN,
    RIGHT,
    ROAD,
    SMALL,
    STD,
    broken,
    combinations,
    drawn_image,
    named,
    planes,
    stretched,
)

import wasinn_nb as wn
from wasinn_nb import diagnosis, errors
from wasinn_nb.diagnosis import filters, matching, outputs, resampling
from wasinn_nb.diagnosis.diagnosing import diagnose

# -- what is not explained ---------------------------------------------------------------------

NOISE = np.random.default_rng(1).random(RIGHT.shape, np.float32)
WITH_NAN = np.where(np.arange(FLAT.size) == 7, np.nan, FLAT).reshape(RIGHT.shape)
REFUSED = {
    "noise": (NOISE, "another image", "Not made from this image"),
    "noise of another size": (NOISE[:, :, :50], "another image", "Not made from this image"),
    "another image": (
        planes(stretched(drawn_image(seed=9), 64, 96, "bilinear")),
        "another image",
        "Not made from this image",
    ),
    "constant": (np.full_like(RIGHT, 114), "nothing fits", "Every value of the tensor is 114"),
    "empty": (np.zeros((1, 3, 0, 96), "f4"), "nothing fits", "The tensor is empty"),
    "too long": (np.zeros(30_000, "f4"), "nothing fits", "30000 values"),
    "NaN": (WITH_NAN, "nothing fits", "1 of 18432 values are NaN"),
    "gamma": (255 * (RIGHT / 255) ** np.float32(2.2), "nothing fits", "resembles this image"),
    "noisy": (RIGHT + 20 * NOISE, "nothing fits", "resembles this image"),
}


@pytest.mark.full
@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_guessed(name):
    array, verdict, sentence = REFUSED[name]
    found = diagnose(array, IMAGE, SMALL, stage="input")
    assert (found.verdict, found.mistakes, found.remedy) == (verdict, (), None)
    assert sentence in found.sentence
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert not found.right
    assert not found.exact


@pytest.mark.full
def test_other_images_are_not_explained():
    fed = wn.image_to_tensor(wn.image("city-arrow"), ROAD)
    for name in ("country-road", "city-island"):
        found = diagnose(fed, name, ROAD)
        assert found.verdict == "another image", found


def test_what_cannot_be_diagnosed():
    with pytest.raises(errors.InvalidArgumentError, match="got int"):
        diagnose(3)
    with pytest.raises(errors.InvalidArgumentError, match="expected the image"):
        diagnose(RIGHT, None, SMALL)
    with pytest.raises(errors.InvalidArgumentError, match="the model has to run"):
        diagnose(np.zeros((64, 96), np.uint8), IMAGE, SMALL)
    with pytest.raises(errors.InvalidArgumentError, match="keeps no tensor"):
        diagnose(wn.Trace(), IMAGE, SMALL)
    with pytest.raises(errors.MissingFileError):
        diagnose("no-such.tensor", IMAGE, SMALL)


def test_a_card_or_a_recipe_that_is_passed_is_honored(tmp_path):
    path = tmp_path / "card.json"
    card = wn.ModelCard("toy", recipe=SMALL.replace(color="RGB"))
    path.write_text(json.dumps(card.to_dict()))
    for options in ({"card": card}, {"card": path}, {"model": card}, {"recipe": card.recipe}):
        assert diagnose(RIGHT, IMAGE, **options).sentence == (
            "BGR channels, where the model takes RGB."
        )
    own = card.replace(recipe=wn.model().card.recipe.replace(color="RGB"))
    fed = wn.image_to_tensor(IMAGE, own.recipe)
    assert diagnose(fed, IMAGE, wn.model(), card=own, runtime="openvino").right
    assert diagnose(fed, IMAGE, wn.model(), card=card, recipe=own.recipe).right
    with pytest.raises(errors.InvalidArgumentError, match="expected one card"):
        diagnose(RIGHT, IMAGE, card, card=card)
    with pytest.raises(errors.MissingFileError, match="no model card at"):
        diagnose(RIGHT, IMAGE, card=tmp_path / "no.json")


# -- the answer ----------------------------------------------------------------------------------


def test_text_json_and_page(tmp_path):
    fed = wn.image_to_tensor(IMAGE, SMALL.replace(color="RGB", range=(0, 1)))
    found = diagnose(fed, IMAGE, SMALL)
    assert repr(found).splitlines()[:6] == [
        "Diagnosis of a 1x3x64x96xf32 tensor: mistake, exact",
        (
            "2 mistakes: RGB channels, where the model takes BGR; values 0 to 1, where the model "
            "takes 0 to 255."
        ),
        "use     PreprocessRecipe(1x3x64x96xf32 NCHW BGR, range 0 to 255, bilinear)",
        "Rust    let pixel = [p[2], p[1], p[0]];  // BGR",
        "Rust    let value = f32::from(byte);",
        "Python  pixels = np.asarray(image.convert('RGB'))[:, :, ::-1]  # BGR",
    ]
    where = "// src/settings.rs of guest_source"
    levels = "range: [0.0, 255.0], mean: [0.0, 0.0, 0.0, 0.0], scale: [1.0, 1.0, 1.0, 1.0],"
    lines = [f"guest   color: Color::Bgr,  {where}", f"guest   {levels}  {where}"]
    assert repr(found).splitlines()[7:9] == lines
    assert found.candidates[0].making.recipe() == SMALL.replace(color="RGB", range=(0, 1))
    values = json.loads(json.dumps(found.to_dict()))
    assert [m["axis"] for m in values["mistakes"]] == ["color", "range"]
    assert values["remedy"]["recipe"] == SMALL.to_dict()
    assert "RGB channels" in found._repr_html_()
    page = found.write_html(tmp_path / "a.html").read_text()
    assert "[p[2], p[1], p[0]]" in page
    assert page.count("<img") == 2
    assert "http" not in page


@pytest.mark.parametrize(
    "model",
    [
        wn.PreprocessRecipe(8, 9, "NHWC", "RGB", "u8"),
        SMALL,
        SMALL.replace(range=(-1, 1)),
        SMALL.replace(color="RGB", range=(0, 1), mean=MEAN, scale=STD),
        SMALL.replace(color="GRAY", fit="letterbox", pad_value=114),
        SMALL.replace(color="GRAY", resize="triangle", fit="crop"),
        SMALL.replace(color="RGBA", type="i8"),
        SMALL.replace(color="BGRA", layout="NHWC", type="i8", quantization=(0.5, -3)),
    ],
    ids=repr,
)
def test_every_remedy_has_code(model):
    from wasinn_nb.diagnosis.remedies import python_line, rust_line

    axes = {"layout", "dimensions", "size", "color", "range", "type", "endianness", "fit", "pad"}
    for axis in axes | {"resize", "exif", "alpha", "flip", "shift", "buffer"}:
        for line in (rust_line(axis, model), python_line(axis, model)):
            assert line
            assert "{h}" not in line


@pytest.mark.full
def test_a_trace_a_file_and_a_tensor_give_the_same(tmp_path):
    fed = wn.image_to_tensor(wn.image(), wn.model().card.recipe.replace(color="RGB"))
    path = fed.write(tmp_path / "fed.tensor")
    with wn.WasiNnCtx(keep="all") as ctx:
        context = ctx.init_execution_context(ctx.load(wn.model().files))
        ctx.set_input(context, 0, fed)
    for given in (fed, path, str(path), ctx.trace, ctx, fed.to_array()):
        assert diagnose(given, wn.image()).sentence == ("RGB channels, where the model takes BGR.")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["f4", "f2", "u1"])
def test_whatever_the_bytes_are_there_is_an_answer(kind):
    rng = np.random.default_rng(5)
    for recipe in (SMALL, wn.PreprocessRecipe(4, 6), wn.PreprocessRecipe(1, 1, color="RGB")):
        for count in (1, 3, 72, 18_432):
            given = np.frombuffer(rng.bytes(count * np.dtype(kind).itemsize), kind)
            found = diagnose(given, IMAGE, recipe, stage="input")
            assert found.verdict in {"nothing fits", "another image"}, found
            assert repr(found)


@pytest.mark.full
def test_a_guest_run(tmp_path):
    pytest.importorskip("wasmtime")
    xml, weights = wn.model().files
    original = wn.image()
    dirs = {".": str(tmp_path), "model": str(xml.parent), "images": str(original.parent)}
    args = [f"model/{xml.name}", f"model/{weights.name}", f"images/{original.name}"]
    run = wn.run_guest(wn.guest("roadseg"), args, dirs, writable=".", keep="all", stream=False)
    found = diagnose(run, wn.image(), wn.model())
    assert found.right, found


# -- the filters ---------------------------------------------------------------------------------

SIZES = [(1080, 1920, 512, 896), (405, 513, 224, 224), (405, 513, 512, 896), (64, 96, 32, 48)]
SIZES += [(63, 97, 21, 97), (5, 7, 224, 224), (100, 90, 90, 100), (9, 9, 9, 9)]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ["nearest", "linear", "area"])
def test_opencv(name, size):
    import cv2

    rows, columns, height, width = size
    if name == "area" and (height > rows or width > columns):
        pytest.skip("OpenCV has no area filter where a side grows")
    pixels = np.random.default_rng(2).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    how = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}[name]
    expected = cv2.resize(pixels, (width, height), interpolation=how)
    ours = getattr(filters, f"cv2_{name}")(pixels, height, width)
    off = np.abs(ours.astype(int) - expected)
    assert off.max() <= (name == "area")
    assert (off > 0).mean() < 0.01


# -- outputs ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(shared):
    return wn.model(shared / "models/road-segmentation-adas-0001.xml")


TABLE = {
    "right": ("right", "BGR", "0 to 255", "triangle"),
    "RGB instead of BGR": ("right", "RGB", "0 to 255", "triangle"),
    "divided by 255": ("right", "BGR", "0 to 1", "triangle"),
    "[-1, 1]": ("right", "BGR", "-1 to 1", "triangle"),
    "ImageNet mean/std, RGB": ("right", "RGB", "ImageNet mean and std", "triangle"),
    "HWC bytes declared NCHW": ("HWC", "BGR", "0 to 255", "triangle"),
    "height and width swapped": ("transposed", "BGR", "0 to 255", "triangle"),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_table_is_named_from_outputs_of_the_real_model(shared, real):
    """The outputs are those of the guest's own bytes: another decoder, another filter."""
    path = shared / "images/empty_road_mapillary.jpg"
    name = "empty_road_mapillary.jpg.image-0.24.3.bgr-512x896x3xu8.tensor"
    bgr = wn.read_tensor(shared / "reference" / name).to_array()
    recipe, wrong = real.card.recipe, []
    with wn.WasiNnCtx(keep=None) as ctx:
        context = ctx.init_execution_context(ctx.load(real.files))
        for row, ways in TABLE.items():
            rgb = np.ascontiguousarray(bgr[:, :, ::-1])
            fed = broken(rgb, recipe, *ways) if row != "right" else None
            fed = fed or wn.Tensor.from_array(planes(rgb))
            by_input = diagnose(fed, path, real)
            ctx.set_input(context, 0, fed)
            ctx.compute(context)
            by_output = diagnose(ctx.get_output(context, 0), path, real)
            for found in (by_input, by_output):
                layout, color, range_, _ = named(found.candidates[0], recipe)
                fits = found.verdict == ("right" if row == "right" else "mistake")
                if not fits or (layout, color, range_) != ways[:3]:
                    wrong.append((row, found))
    assert not wrong, wrong


@pytest.mark.slow
def test_a_mask_alone_names_the_mistake_or_says_that_several_give_it(shared, real):
    path = shared / "images/empty_road_mapillary.jpg"
    recipe = real.card.recipe
    result = wn.segment(path, real, recipe=recipe.replace(color="RGB"))
    found = diagnose(result, model=real)
    assert [m.axis for m in found.mistakes] == ["color"]
    mask = np.zeros((512, 896), np.uint8)
    found = diagnose(mask, path, real)
    assert found.verdict == "nothing fits"
    assert "ways of feeding the model give this very mask" in found.sentence
    assert [alarm.name for alarm in found.alarms] == ["single class"]
    with pytest.raises(errors.InvalidArgumentError, match="the model's own size"):
        diagnose(mask[:100], path, real)


@pytest.mark.slow
def test_pairs_are_named_from_an_output_of_the_shipped_model():
    model = wn.model()
    recipe = model.card.recipe.replace(color="RGB", range=(0, 1))
    found = diagnose(wn.segment("country-road", recipe=recipe, scores=True), model=model)
    assert found.exact
    assert {m.axis for m in found.mistakes} == {"color", "range"}
    assert diagnose(wn.segment("country-road", scores=True)).right


@pytest.mark.slow
def test_feeding_a_candidate_makes_its_tensor():
    original = resampling.Original(IMAGE)
    for ways in list(combinations(ROAD))[:12]:
        made = broken(IMAGE, ROAD, *ways)
        found = matching.match(made, original, ROAD).candidates[0]
        fed = outputs.feed(found.making, original, ROAD)
        inside = np.s_[:] if found.making.fit == "stretch" else np.s_[:0]
        assert np.allclose(fed.to_array()[inside], made.to_array()[inside], atol=1e-4)


def test_the_package_does_not_hide_the_function():
    assert diagnosis.diagnose is diagnose
