import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tables import all_slow_but

from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.imaging.preprocessing import image_to_tensor
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.digest import Digest, class_letters
from wasinn_nb.tasks.segmentation.grid import majority_grid

CLASSES = ("background", "road", "curb", "mark")
ROAD = "road-segmentation-adas-0001"
# 20 x 100 pixels: 50 % background, 47 % road, 3 % curb.
LABELS = np.repeat(np.array([0, 1, 2], np.uint8), [1000, 940, 60]).reshape(20, 100)
TEXT = """\
toy, 20x100, bf16
.  background  50.00 %
r  road        47.00 %
c  curb         3.00 %
m  mark         0.00 %
................................
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr
rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr"""


ASSUMED = "the image city-arrow, as none was given; BGR"


def digest_of(labels, *, precision="f32", classes=CLASSES, model="toy"):
    return Digest.of(np.asarray(labels, np.uint8), classes, model, precision)


def test_text():
    digest = digest_of(LABELS, precision="bf16")
    assert str(digest) == TEXT
    assert repr(digest) == TEXT


def test_what_is_assumed_is_read_back_and_plays_no_part_in_comparisons():
    bare = digest_of(LABELS)
    digest = Digest.of(LABELS, CLASSES, "toy", "f32", ASSUMED.split("; "))
    assert str(digest) == f"{bare}\nassumed: {ASSUMED}"
    assert Digest.parse(str(digest)).assumed == ASSUMED
    assert digest == bare
    assert digest.differences(bare, tolerance=0, cells=0) == []
    steering = Digest.of(LABELS, CLASSES, "toy", "f32", ["the image a\n\x1b[31m"])
    assert str(steering).splitlines()[-1] == r"assumed: the image a\n\x1b[31m"


def test_parse_reads_the_text_back_whatever_its_indentation():
    indented = "\n\n" + "\n".join("    " + line for line in TEXT.splitlines()) + "\n"
    assert Digest.parse(indented) == digest_of(LABELS, precision="bf16")


NAMES = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=40, unique=True)


@pytest.mark.full
@given(NAMES, st.data())
def test_every_digest_reads_back(names, data):
    shape = hnp.array_shapes(min_dims=2, max_dims=2, max_side=70)
    labels = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, len(names) - 1)))
    digest = digest_of(labels, classes=names)
    again = Digest.parse(str(digest))
    assert again == digest
    assert digest.differences(again, tolerance=0, cells=0) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a first line"),
        ("toy 20x100 f32", "expected a first line"),
        (TEXT.replace(" %", "", 1), "expected lines such as"),
        (TEXT + "\nr  rubble  1.00 %", "expected lines such as"),
        (TEXT.replace("50.00", "51.00"), "add up to 100, got 101.00"),
        (TEXT.replace("c  curb", "r  curb"), "two letters of the digest are the same"),
        (TEXT.replace("c  curb", "c  road"), "two classes of the digest are the same"),
        (TEXT[:-1], "rows of equal length"),
        (TEXT[:-1] + "x", "the grid has 'x'"),
        ("\n".join(TEXT.splitlines()[:5]), "rows of equal length"),
        (TEXT.replace("20x100", "0x100"), "sides from 1"),
        (TEXT.replace("road   ", '"road  '), "is cut off"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_parse_refuses_what_is_not_a_digest(text, message):
    with pytest.raises(InvalidArgumentError, match=message):
        Digest.parse(text)


@pytest.mark.parametrize("model", ["", "two words", "a,b"])
def test_model_names_that_would_not_read_back(model):
    with pytest.raises(InvalidArgumentError, match="model name"):
        digest_of(LABELS, model=model)


def test_precision_that_would_not_read_back():
    with pytest.raises(InvalidArgumentError, match="precision such as f32"):
        digest_of(LABELS, precision="f 32")


def test_labels_without_a_class():
    with pytest.raises(TensorError, match=r"got 4 \(1 pixel\)"):
        digest_of([[0, 4]])


def test_many_classes_list_only_what_is_there():
    digest = digest_of([[0, 7]], classes=[f"class {i}" for i in range(21)])
    assert digest.classes == ("class 0", "class 7")


def test_letters_are_unique_for_256_classes():
    names = ["background", *(f"class {i}" for i in range(255))]
    letters = class_letters(names)
    assert len(set(letters)) == len(letters) == 256
    assert letters.isprintable()
    assert " " not in letters


def test_letters_prefer_the_beginning_of_the_name():
    assert class_letters(["sky", "pole", "pavement", "Pedestrian", "道路"]) == ".pPea"


def test_majority_grid_takes_the_lower_class_in_ties():
    labels = np.array([[2, 1, 0], [1, 2, 0], [3, 3, 3]], np.uint8)
    assert majority_grid(labels, 4, 1, 1).tolist() == [[3]]
    assert majority_grid(labels[:2, :2], 4, 1, 1).tolist() == [[1]]
    assert majority_grid(labels, 4, 3, 3).tolist() == labels.tolist()


def test_precision_is_no_difference():
    assert digest_of(LABELS).agrees(digest_of(LABELS, precision="bf16"))


def test_model_size_and_grid_are_differences():
    other = digest_of(np.zeros((10, 20)), model="other")
    may = "points may differ"
    assert digest_of(LABELS).differences(other) == [
        "model: toy here, other there",
        "size: 20x100 here, 10x20 there",
        f"background: 50.00 % of the pixels here, 100.00 % there; at most 0.20 {may}",
        f"road: 47.00 % of the pixels here, 0.00 % there; at most 0.20 {may}",
        f"curb: 3.00 % of the pixels here, 0.00 % there; at most 0.18 {may}",
        "grid: 3x32 here, 8x20 there",
    ]


@pytest.mark.parametrize(
    ("pixels", "agrees"), [(0, True), (20, True), (21, False), (-20, True), (-21, False)]
)
def test_the_tolerance_of_areas_is_a_fifth_of_a_point(pixels, agrees):
    # 10,000 pixels: one is a hundredth of a point.
    here = np.repeat([0, 1], [5000, 5000]).reshape(100, 100)
    there = np.repeat([0, 1], [5000 + pixels, 5000 - pixels]).reshape(100, 100)
    assert digest_of(here).agrees(digest_of(there)) is agrees
    assert digest_of(there).agrees(digest_of(here)) is agrees


def test_a_small_class_may_not_vanish():
    here = np.repeat([0, 3], [9990, 10]).reshape(100, 100)
    assert digest_of(here).differences(digest_of(here * 0)) == [
        "mark: 0.10 % of the pixels here, 0.00 % there; at most 0.03 points may differ"
    ]


@pytest.mark.parametrize(("flipped", "agrees"), [(10, True), (11, False)])
def test_the_tolerance_of_cells_is_two_in_a_hundred(flipped, agrees):
    # 16 x 32 cells of one pixel; as many cells of one class turn as of the other.
    here = np.repeat([0, 1], [256, 256]).reshape(16, 32)
    there = here.copy()
    there.flat[:5] = 1
    there.flat[256 : 256 + flipped - 5] = 0
    left = digest_of(here).differences(digest_of(there), tolerance=100)
    assert (left == []) is agrees


def test_zero_tolerance_finds_a_hundredth():
    here = np.repeat([0, 1], [5000, 5000]).reshape(100, 100)
    there = here.copy()
    there.flat[0] = 1
    assert digest_of(here).agrees(digest_of(there))
    assert not digest_of(here).agrees(digest_of(there), tolerance=0)


def test_a_mirrored_mask_has_the_areas_but_not_the_cells():
    labels = np.zeros((90, 160), np.uint8)
    labels[45:, :60] = 1
    (sentence,) = digest_of(labels).differences(digest_of(labels[:, ::-1]))
    assert sentence.startswith("grid: ")
    assert "(road here, background there)" in sentence


@pytest.fixture(scope="module")
def road(shared):
    """Run the real model: tensor, precision → labels."""
    openvino = pytest.importorskip("openvino")
    core = openvino.Core()
    model = core.read_model(shared / "models" / f"{ROAD}.xml")
    compiled = {
        precision: core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
        for precision in ("f32", "bf16")
    }

    def run(tensor, precision="f32"):
        scores = compiled[precision](np.ascontiguousarray(tensor, np.float32))[0]
        return digest_of(scores[0].argmax(axis=0), model=ROAD, precision=precision)

    return run


@pytest.fixture(scope="module")
def guest_pixels(shared):
    """What the guest handed over: (512, 896, 3) uint8 in BGR order."""
    name = "empty_road_mapillary.jpg.image-0.24.3.bgr-512x896x3xu8.tensor"
    return np.fromfile(shared / "reference" / name, np.uint8).reshape(512, 896, 3)


def nchw(pixels):
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)


def imagenet(pixels):
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return nchw((pixels[:, :, ::-1] / 255 - mean) / deviation)


MISTAKES = {
    "RGB instead of BGR": lambda p: nchw(p[:, :, ::-1]),
    "divided by 255": lambda p: nchw(p / 255),
    "-1 to 1": lambda p: nchw(p / 127.5 - 1),
    "ImageNet mean and deviation": imagenet,
    "HWC bytes declared NCHW": lambda p: p.reshape(1, 3, 512, 896),
    "height and width swapped": lambda p: p.transpose(2, 1, 0).reshape(1, 3, 512, 896),
}


def test_the_reference_mask(road, guest_pixels):
    digest = road(nchw(guest_pixels))
    expected = [100 * n / 458_752 for n in (356_456, 88_026, 9_992, 4_278)]
    assert digest.percent == pytest.approx(expected, abs=0.02)


def test_bfloat16_and_the_other_filters_agree(road, guest_pixels, shared):
    digest = road(nchw(guest_pixels))
    assert digest.differences(road(nchw(guest_pixels), "bf16")) == []
    image = shared / "images" / "empty_road_mapillary.jpg"
    for resize in ("triangle", "triangle-0.23", "bilinear"):
        tensor = image_to_tensor(image, PreprocessRecipe(512, 896, resize=resize))
        assert digest.differences(road(tensor.to_array())) == [], resize


@pytest.mark.full
@pytest.mark.parametrize("precision", all_slow_but(["f32", "bf16"], "f32"))
@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_wrong_mask_of_the_reference_table_differs(road, guest_pixels, mistake, precision):
    digest = road(nchw(guest_pixels))
    wrong = road(MISTAKES[mistake](guest_pixels), precision)
    assert digest.differences(wrong)
    # By a margin: it takes five times the tolerance to let the nearest one through.
    assert not digest.agrees(wrong, tolerance=1.0, cells=2.0)
