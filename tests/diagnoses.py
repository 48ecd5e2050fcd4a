"""What the tests of diagnoses share."""

from __future__ import annotations

import itertools

import numpy as np
from PIL import Image, ImageOps

import wasinn_nb as wn
from wasinn_nb.diagnosis import candidates
from wasinn_nb.imaging.preprocessing import resized_pixels

ROAD = wn.PreprocessRecipe(512, 896, resize="bilinear")
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


def made_image(request):
    if request.param == "drawn":
        return drawn_image()
    if request.param == "shipped":
        return np.asarray(Image.open(wn.image("country-road")).reduce(2))
    return np.asarray(Image.open(request.getfixturevalue("shared") / "images/rgb.png"))


def planes(rgb):
    """Return (H, W, 3) RGB pixels as the road model takes them."""
    return np.ascontiguousarray(rgb[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)


IMAGE = drawn_image()
SMALL = wn.PreprocessRecipe(64, 96, resize="bilinear")
RIGHT = planes(stretched(IMAGE, 64, 96, "bilinear"))
FLAT = RIGHT.reshape(-1)
