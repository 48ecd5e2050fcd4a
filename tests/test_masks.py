import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.render import checked_labels, legend, palette_image
from wasinn_nb.tasks.segmentation import masks

PALETTE = [(0, 0, 0), (0, 114, 178), (213, 94, 0)]
MASKS = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=st.integers(0, 2)
)
SIDES = st.integers(1, 60)


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        ([[0]], 1, [1]),
        ([[0, 2], [2, 2]], 3, [1, 0, 3]),
        ([[255]], 256, [0] * 255 + [1]),
    ],
)
def test_class_areas(labels, classes, expected):
    assert masks.class_areas(np.array(labels, np.uint8), classes).tolist() == expected


def test_class_areas_name_labels_without_a_class():
    labels = np.array([[0, 3, 3], [9, 0, 0]], np.uint8)
    with pytest.raises(TensorError, match=r"0 to 2, got 3 \(2 pixels\), 9 \(1 pixel\)$"):
        masks.class_areas(labels, 3)


def test_many_wrong_labels_are_cut_short():
    with pytest.raises(TensorError, match=r"8 \(1 pixel\) and 247 more$"):
        checked_labels(np.arange(256, dtype=np.uint8).reshape(16, 16), 1)


@pytest.mark.parametrize(
    "labels",
    [np.zeros(4, np.uint8), np.zeros((2, 2), np.int64), np.zeros((0, 3), np.uint8)],
    ids=["1-d", "int64", "empty"],
)
def test_what_is_not_a_mask(labels):
    with pytest.raises(TensorError, match=r"\(H, W\) uint8"):
        checked_labels(labels, 4)


@pytest.mark.full
@settings(max_examples=200)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=12),
        # Few values, so that ties are frequent; both zeros and infinities among them.
        elements=st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.25, 1.0, np.inf]),
    )
)
def test_argmax_is_that_of_numpy(scores):
    labels = masks.argmax_labels(scores)
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, scores.argmax(axis=0))
    assert np.array_equal(masks.argmax_labels(scores[None]), labels)


@pytest.mark.parametrize("shape", [(4, 300, 500), (2, 1, 1 << 16), (3, 1, (1 << 16) + 1)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8])
def test_argmax_across_blocks(shape, dtype):
    scores = np.random.default_rng(0).integers(0, 5, shape).astype(dtype)
    assert np.array_equal(masks.argmax_labels(scores), scores.argmax(axis=0))


def test_argmax_of_256_classes_and_of_strided_scores():
    scores = np.random.default_rng(1).random((5, 4, 256), np.float32).transpose(2, 0, 1)
    before = scores.copy()
    assert np.array_equal(masks.argmax_labels(scores), scores.argmax(axis=0))
    assert np.array_equal(scores, before)


def test_argmax_refuses_nan():
    scores = np.zeros((2, 2, 2), np.float32)
    scores[1, 0, 0] = np.nan
    with pytest.raises(TensorError, match="1 of 8 scores are NaN"):
        masks.argmax_labels(scores)
    with pytest.raises(TensorError, match="NaN"):
        masks.resized_labels_of(scores, 3, 3)


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((2, 2), np.float32, r"\(C, H, W\)"),
        ((2, 3, 4, 5), np.float32, r"\(C, H, W\)"),
        ((0, 4, 5), np.float32, r"\(C, H, W\)"),
        ((2, 4, 5), np.complex64, "complex64"),
        ((257, 1, 1), np.float32, "at most 256 classes"),
    ],
)
def test_argmax_refuses_other_shapes(shape, dtype, message):
    with pytest.raises(TensorError, match=message):
        masks.argmax_labels(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((2, 2), [[1, 2], [3, 4]]),
        ((4, 2), [[1, 2], [1, 2], [3, 4], [3, 4]]),
        ((1, 1), [[4]]),
        ((2, 3), [[1, 2, 2], [3, 4, 4]]),
    ],
)
def test_resize_labels(size, expected):
    labels = np.array([[1, 2], [3, 4]], np.uint8)
    assert masks.resize_labels(labels, *size).tolist() == expected


@pytest.mark.full
@given(MASKS, st.integers(1, 4), st.integers(1, 4))
def test_labels_enlarged_by_whole_factors_are_repeated_and_come_back(labels, down, right):
    height, width = labels.shape
    large = masks.resize_labels(labels, height * down, width * right)
    assert np.array_equal(large, labels.repeat(down, 0).repeat(right, 1))
    assert np.array_equal(masks.resize_labels(large, height, width), labels)


@given(MASKS, SIDES, SIDES)
def test_resized_labels_are_those_of_the_nearest_centers(labels, height, width):
    resized = masks.resize_labels(labels, height, width)
    rows, columns = labels.shape
    down = [int((o + 0.5) * rows / height + 1e-9) for o in range(height)]
    right = [int((o + 0.5) * columns / width + 1e-9) for o in range(width)]
    assert np.array_equal(resized, labels[np.ix_(down, right)])


@pytest.mark.parametrize("size", [(0, 4), (4, -1), (4, 65_536), (2.0, 2), (True, 2)])
def test_sizes_that_no_image_has(size):
    with pytest.raises(InvalidArgumentError, match="height and width"):
        masks.resize_labels(np.zeros((2, 2), np.uint8), *size)
    with pytest.raises(InvalidArgumentError, match="height and width"):
        masks.resize_scores(np.zeros((1, 2, 2), np.float32), *size)


def test_resize_scores_interpolates_between_centers():
    scores = np.array([[[0, 1]], [[4, 0]]], np.float32)
    expected = [[[0, 0.25, 0.75, 1]], [[4, 3, 1, 0]]]
    assert masks.resize_scores(scores, 1, 4).tolist() == expected
    assert masks.resize_scores(scores, 1, 1).tolist() == [[[0.5]], [[2]]]


def test_labels_follow_the_resized_scores_not_the_resized_labels():
    # Class 1 wins at the left by little, class 0 at the right by much.
    scores = np.array([[[0.4, 0.9]], [[0.6, 0.1]]], np.float32)
    assert masks.resize_labels(masks.argmax_labels(scores), 1, 4).tolist() == [[1, 1, 0, 0]]
    assert masks.resized_labels_of(scores, 1, 4).tolist() == [[1, 0, 0, 0]]


@settings(max_examples=50)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=3, max_dims=3, max_side=9),
        elements=st.floats(-100, 100, width=32),
    ),
    SIDES,
    SIDES,
)
def test_resized_labels_of_is_the_argmax_of_resized_scores(scores, height, width):
    expected = masks.argmax_labels(masks.resize_scores(scores, height, width))
    assert np.array_equal(masks.resized_labels_of(scores, height, width), expected)


@pytest.mark.full
@given(MASKS)
def test_colorize_is_a_lookup(labels):
    colored = masks.colorize(labels, PALETTE)
    assert colored.dtype == np.uint8
    assert colored.flags.writeable
    assert np.array_equal(colored, np.array(PALETTE, np.uint8)[labels])


def test_a_label_without_a_color():
    with pytest.raises(TensorError, match=r"labels from 0 to 2, got 3 \(1 pixel\)"):
        masks.colorize(np.array([[3]], np.uint8), PALETTE)


@pytest.mark.full
@given(MASKS, st.floats(0, 1))
def test_blend_tints_all_but_the_background(labels, opacity):
    image = np.random.default_rng(labels.size).integers(0, 256, (*labels.shape, 3), np.uint8)
    before = image.copy(), labels.copy()
    painted = masks.blend(image, labels, PALETTE, opacity)
    weight = round(255 * opacity)
    color = np.array(PALETTE)[labels].astype(float)
    exact = (image * (255.0 - weight) + color * weight) / 255
    exact[labels == 0] = image[labels == 0]
    assert np.abs(painted - exact).max() <= 0.5 + 1e-9
    assert np.array_equal(image, before[0])
    assert np.array_equal(labels, before[1])


def test_blend_at_its_ends():
    image = np.full((1, 3, 3), 77, np.uint8)
    labels = np.array([[0, 1, 2]], np.uint8)
    assert np.array_equal(masks.blend(image, labels, PALETTE, 0), image)
    full = [[[77, 77, 77], [0, 114, 178], [213, 94, 0]]]
    assert masks.blend(image, labels, PALETTE, 1).tolist() == full


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_blend_refuses_other_opacities(opacity):
    with pytest.raises(InvalidArgumentError, match="opacity from 0 to 1"):
        masks.blend(np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8), PALETTE, opacity)


def test_blend_refuses_another_size():
    with pytest.raises(InvalidArgumentError, match=r"\(2, 3, 3\), got \(3, 2, 3\)"):
        masks.blend(np.zeros((3, 2, 3), np.uint8), np.zeros((2, 3), np.uint8), PALETTE, 0.5)


def test_palette_image_keeps_the_indices():
    labels = np.array([[0, 1], [2, 1]], np.uint8)
    image = palette_image(labels, PALETTE)
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), labels)
    assert image.convert("RGB").getpixel((0, 1)) == PALETTE[2]
    assert isinstance(image, Image.Image)


def test_legend_leaves_out_absent_classes_only_where_there_are_many():
    names, areas = ["a", "b", "c"], [9999, 0, 0]
    assert [entry.name for entry in legend(names, PALETTE, areas, 3)] == names
    assert [entry.name for entry in legend(names, PALETTE, areas, 2)] == ["a"]


def test_legend_calls_a_pixel_neither_nothing_nor_all_but_one_all():
    shares = [e.share for e in legend(["a", "b", "c"], PALETTE, [99_999, 1, 0], 3)]
    assert shares == [">99.99 %", "<0.01 %", "0.00 %"]
