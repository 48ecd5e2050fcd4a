"""Every broken program of the table, alone and together with others, is named by its tensor."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from PIL import Image, ImageOps

import wasinn_nb as wn
from wasinn_nb import diagnosis, errors
from wasinn_nb.diagnosis import candidates, filters, matching, outputs, resampling
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.imaging.preprocessing import resized_pixels

ROAD = wn.PreprocessRecipe(512, 896, resize="bilinear")
BIRD = wn.PreprocessRecipe(224, 224, "NHWC", "RGB", "u8", resize="triangle-0.23")
MODELS = {"road": ROAD, "bird": BIRD}
MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])


def drawn_image(height=135, width=240, seed=0):
    """Return an image with edges, gradients and colors of its own in each channel."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (9, 14, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    noisy = smooth.astype(int) + rng.integers(-24, 25, smooth.shape)
    noisy[height // 3 : height // 2, width // 4 : width // 3] = (250, 20, 90)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def stretched(image, height, width, resize):
    """Return the image as (height, width, 3) RGB pixels."""
    return resized_pixels(image, wn.PreprocessRecipe(height, width, resize=resize))


# -- broken programs, written without the package's own candidates -------------------------------

LAYOUTS = {
    "right": None,
    "HWC": lambda rgb: rgb,
    "CHW": lambda rgb: rgb.transpose(2, 0, 1),
    "transposed": lambda rgb: rgb.transpose(2, 1, 0),
    "transposed pixels": lambda rgb: rgb.transpose(1, 0, 2),
    "swapped": None,
}
RANGES = {
    "0 to 255": lambda v, _: v,
    "0 to 1": lambda v, _: v / np.float32(255),
    "-1 to 1": lambda v, _: v / np.float32(127.5) - 1,
    "ImageNet mean and std": lambda v, o: ((v / 255 - MEAN[o]) / STD[o]).astype(np.float32),
}


def resized(image, height, width, resize):
    import cv2

    rgb = Image.fromarray(image)
    if resize.startswith(("triangle", "bilinear")):
        return stretched(image, height, width, resize)
    if resize.startswith("cv2"):
        how = {
            "cv2-linear": cv2.INTER_LINEAR,
            "cv2-area": cv2.INTER_AREA,
            "cv2-nearest": cv2.INTER_NEAREST,
        }
        return cv2.resize(image, (width, height), interpolation=how[resize])
    if resize == "letterbox":
        whole = ImageOps.pad(rgb, (width, height), Image.Resampling.BILINEAR, color=(114,) * 3)
        return np.asarray(whole)
    if resize == "crop-first":
        return np.asarray(ImageOps.fit(rgb, (width, height), Image.Resampling.BILINEAR))
    how = {"nearest": Image.Resampling.NEAREST, "bicubic": Image.Resampling.BICUBIC}[resize]
    return np.asarray(rgb.resize((width, height), how))


def broken(image, recipe, layout, color, range_, resize):
    height, width = recipe.height, recipe.width
    if layout == "swapped":
        height, width = width, height
    pixels = resized(image, height, width, resize)
    order = slice(None) if color == "RGB" else slice(None, None, -1)
    values = RANGES[range_](pixels[:, :, order].astype(np.float32), order)
    own = "CHW" if recipe.layout == "NCHW" else "HWC"
    laid = LAYOUTS[layout if LAYOUTS[layout] else own](values)
    type_ = "u8" if recipe.type.suffix == "u8" and range_ == "0 to 255" else "f32"
    array = np.ascontiguousarray(laid, wn.TensorType.parse(type_).dtype)
    return wn.Tensor(recipe.dimensions, type_, array.reshape(-1))


def choices(recipe):
    layouts = ["HWC", "transposed", "swapped"] if recipe is ROAD else ["CHW", "transposed pixels"]
    return (
        ["right", *layouts],
        [recipe.color, "RGB" if recipe.color == "BGR" else "BGR"],
        list(RANGES),
        [
            recipe.resize,
            *(
                name
                for name in (
                    "bilinear",
                    "triangle",
                    "triangle-0.23",
                    "cv2-linear",
                    "cv2-nearest",
                    "nearest",
                    "bicubic",
                    "letterbox",
                    "crop-first",
                )
                if name != recipe.resize
            ),
        ],
    )


def combinations(recipe, every_nth=16):
    """Yield the right way, every mistake, every pair, and some of the ways with one of each."""
    every = choices(recipe)
    right = [options[0] for options in every]
    yield tuple(right)
    for axis, options in enumerate(every):
        for option in options[1:]:
            yield tuple(option if i == axis else r for i, r in enumerate(right))
    for one, two in itertools.combinations(range(4), 2):
        for first, second in itertools.product(every[one][1:], every[two][1:]):
            ways = list(right)
            ways[one], ways[two] = first, second
            yield tuple(ways)
    together = itertools.product(*(options[1:] for options in every))
    yield from itertools.islice(together, 0, None, every_nth)


def named(candidate, recipe):
    """Describe a candidate in the words of `broken`."""
    m = candidate.making
    right = candidates.Making.of(recipe)
    layout = {"CHW": "CHW", "HWC": "HWC", "CWH": "transposed", "WHC": "transposed pixels"}[m.order]
    if m.order == right.order:
        layout = "right"
    if (m.height, m.width) != (right.height, right.width):
        layout = "swapped" if layout == "right" else f"swapped and {layout}"
    resize = m.filter if m.fit == "stretch" else m.fit.removesuffix("-late")
    if m.fit != "stretch" and m.filter != "bilinear":
        resize = f"{m.fit}, {m.filter}"
    return layout, m.color, m.scaling.name, resize


SOURCES = ["drawn", "shipped", "shared"]


@pytest.fixture(params=SOURCES)
def image(request):
    if request.param == "drawn":
        return drawn_image()
    if request.param == "shipped":
        return np.asarray(Image.open(wn.image("country-road")).reduce(2))
    return np.asarray(Image.open(request.getfixturevalue("shared") / "images/rgb.png"))


@pytest.mark.full
@pytest.mark.parametrize("model", MODELS)
def test_every_mistake_alone_and_together_is_named_exactly(model, image):
    recipe = MODELS[model]
    original = resampling.Original(image)
    wrong = []
    for ways in combinations(recipe):
        found = matching.match(broken(image, recipe, *ways), original, recipe)
        first = found.candidates[0]
        if not first.exact or named(first, recipe) != ways:
            wrong.append((ways, first))
    assert not wrong, f"{len(wrong)} of {sum(1 for _ in combinations(recipe))}: {wrong[:5]}"


# -- one mistake at a time, through the public function ------------------------------------------


def planes(rgb):
    """Return (H, W, 3) RGB pixels as the road model takes them."""
    return np.ascontiguousarray(rgb[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)


IMAGE = drawn_image()
SMALL = wn.PreprocessRecipe(64, 96, resize="bilinear")
RIGHT = planes(stretched(IMAGE, 64, 96, "bilinear"))
FLAT = RIGHT.reshape(-1)
ROWS_LATE = np.concatenate([RIGHT[:, :, :1], RIGHT[:, :, :-1]], axis=2)
COLUMNS_EARLY = np.roll(RIGHT, -1, axis=3)
TRUNCATED = np.where(np.arange(FLAT.size) < 12_000, FLAT, 0).reshape(RIGHT.shape)
HALF_TWICE = np.tile(FLAT[: FLAT.size // 2], 2).reshape(RIGHT.shape)
ONE_PLANE = np.repeat(RIGHT[:, :1], 3, axis=1)
CASES = {
    "right": (RIGHT, set()),
    "without the batch axis": (RIGHT[0], set()),
    "f16": (RIGHT.astype("f2"), {"type"}),
    "f16 of 0 to 1": ((RIGHT / 255).astype("f2"), {"type", "range"}),
    "u8": (RIGHT.astype("u1"), {"type"}),
    "f64": (RIGHT.astype("f8"), {"type"}),
    "i32": (RIGHT.astype("i4"), {"type"}),
    "big-endian": (RIGHT.byteswap(), {"endianness"}),
    "big-endian f16": (RIGHT.astype("f2").byteswap(), {"endianness", "type"}),
    "f32 bytes declared u8": (np.frombuffer(RIGHT.tobytes(), "u1"), {"declared type"}),
    "declared with swapped sides": (RIGHT.reshape(1, 3, 96, 64), {"dimensions"}),
    "declared NHWC": (RIGHT.reshape(1, 64, 96, 3), {"dimensions"}),
    "NHWC": (RIGHT.transpose(0, 2, 3, 1), {"layout"}),
    "another size": (planes(stretched(IMAGE, 50, 60, "bilinear")), {"size"}),
    "upside down": (RIGHT[:, :, ::-1], {"flip"}),
    "mirrored": (RIGHT[:, :, :, ::-1], {"flip"}),
    "a row too late": (ROWS_LATE, {"shift"}),
    "a column too early": (COLUMNS_EARLY, {"shift"}),
    "zeros at the end": (TRUNCATED, {"buffer"}),
    "too short": (FLAT[:9_000], {"buffer"}),
    "half of it twice": (HALF_TWICE, {"buffer"}),
    "one plane three times": (ONE_PLANE, {"buffer"}),
    "a range of its own": (RIGHT * np.float32(1.7) + 3, {"range"}),
    "divided twice": (RIGHT / np.float32(255) / np.float32(255), {"range"}),
    "mean in the wrong order": (
        planes((IMAGE_ := stretched(IMAGE, 64, 96, "bilinear")) / 255 * 1.0)
        / STD.reshape(3, 1, 1).astype("f4")
        - (MEAN / STD).reshape(3, 1, 1).astype("f4"),
        {"range"},
    ),
}


OWN = SMALL.replace(range=(0, 1), mean=(0.1, 0.25, 0.4), scale=(0.3, 0.2, 0.5))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"mean": (0, 0, 0)}, "values with no mean subtracted"),
        ({"scale": (1, 1, 1)}, "values not divided by the scale"),
        ({"mean": (0, 0, 0), "scale": (1, 1, 1)}, "values 0 to 1"),
        ({"mean": (0.1, 0.25, 0.41)}, "values \u00d7 ("),
    ],
)
def test_a_part_of_the_model_s_own_scaling_that_is_left_out_is_named(changes, name):
    found = diagnose(wn.image_to_tensor(IMAGE, OWN.replace(**changes)), IMAGE, OWN)
    assert found.exact
    (mistake,) = found.mistakes
    assert mistake.axis == "range"
    assert mistake.found.startswith(name)
    assert mistake.expected == "the model's range, mean and scale"


def test_a_known_normalization_without_its_mean_keeps_its_name():
    model = SMALL.replace(color="RGB", range=(0, 1), mean=MEAN, scale=STD)
    found = diagnose(wn.image_to_tensor(IMAGE, model.replace(mean=(0, 0, 0))), IMAGE, model)
    assert found.mistakes[0].found == "values 0 to 1 divided by ImageNet std, no mean subtracted"


@pytest.mark.full
@pytest.mark.parametrize("name", CASES)
def test_one_mistake(name):
    array, axes = CASES[name]
    found = diagnose(array, IMAGE, SMALL)
    assert found.exact, found
    assert {mistake.axis for mistake in found.mistakes} == axes, found
    assert found.right == (not axes)
    assert (found.remedy is None) == (not axes)


def test_a_harmless_filter_is_right_and_said():
    found = diagnose(planes(stretched(IMAGE, 64, 96, "triangle")), IMAGE, SMALL)
    assert found.right
    assert found.candidates[0].axes == {"resize"}
    assert found.notes == (
        "The filter is triangle rather than bilinear; that changes no value by more than 1 of 255.",
    )


def test_exif(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(IMAGE).save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    turned = planes(stretched(upright, 64, 96, "bilinear"))
    found = diagnose(turned, tmp_path / "a.png", SMALL)
    assert [str(m) for m in found.mistakes] == [
        "EXIF orientation applied, where the model takes EXIF orientation ignored"
    ]
    assert found.exact
    assert diagnose(turned, tmp_path / "a.png", SMALL.replace(exif="apply")).right


@pytest.mark.parametrize("alpha", ["black", "white", "pillow"])
def test_alpha(alpha):
    ramp = np.tile(np.linspace(0, 255, IMAGE.shape[1]).astype(np.uint8), (IMAGE.shape[0], 1))
    rgba = Image.fromarray(np.dstack([IMAGE, ramp]))
    if alpha == "pillow":
        small = rgba.resize((96, 64), Image.Resampling.BILINEAR).convert("RGB")
    else:
        ground = Image.new("RGBA", rgba.size, alpha)
        whole = Image.alpha_composite(ground, rgba).convert("RGB")
        small = whole.resize((96, 64), Image.Resampling.BILINEAR)
    found = diagnose(planes(np.asarray(small)), rgba, SMALL)
    assert found.exact
    assert found.candidates[0].axes == {"alpha"}
    assert found.candidates[0].making.alpha == alpha
    assert diagnose(RIGHT, rgba, SMALL).right


def test_gray_images_have_no_wrong_channel_order():
    gray = np.repeat(IMAGE[:, :, :1], 3, axis=2)
    assert diagnose(planes(stretched(gray, 64, 96, "bilinear")), gray, SMALL).right


def test_a_tiny_image(shared):
    path = shared / "images/tiny.png"
    recipe = wn.PreprocessRecipe(224, 224, "NHWC", "RGB", "u8", resize="triangle-0.23")
    name = "tiny.png.image-0.23.14.rgb-224x224x3xu8.tensor"
    assert diagnose(shared / "reference" / name, path, recipe).exact


@pytest.mark.parametrize(
    "name", ["gray.png", "palette.png", "rgb.png", "rgba.png", "bird.jpg"], ids=str
)
def test_tensors_of_real_guests_are_right(shared, name):
    tensor = shared / f"reference/{name}.image-0.23.14.rgb-224x224x3xu8.tensor"
    found = diagnose(tensor, shared / "images" / name, BIRD)
    assert found.right, found
    assert found.exact == (not name.endswith(".jpg"))


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
    "zeros": (np.zeros_like(RIGHT), "nothing fits", "Every value of the tensor is 0"),
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


@pytest.mark.full
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


@pytest.mark.full
def test_pairs_are_named_from_an_output_of_the_shipped_model():
    model = wn.model()
    recipe = model.card.recipe.replace(color="RGB", range=(0, 1))
    found = diagnose(wn.segment("country-road", recipe=recipe, scores=True), model=model)
    assert found.exact
    assert {m.axis for m in found.mistakes} == {"color", "range"}
    assert diagnose(wn.segment("country-road", scores=True)).right


@pytest.mark.full
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
