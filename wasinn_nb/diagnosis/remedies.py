"""What to change: for each mistake a line of Rust and a line of Python."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wasinn_nb.diagnosis.resampling import own_gray
from wasinn_nb.imaging import INTEGER_LIMITS, PreprocessRecipe, rust_fields

__all__ = ["Mistake", "guest_line", "python_line", "rust_line"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that a program did differently from the model's recipe.

    Attributes
    ----------
    axis : str
        ``layout``, ``dimensions``, ``size``, ``color``, ``range``, ``type``, ``declared type``,
        ``endianness``, ``fit``, ``pad``, ``resize``, ``exif``, ``alpha``, ``flip``, ``shift``,
        ``buffer``, ``stride``.
    found, expected : str
        What was done, and what the model's recipe states; empty where it is obvious.
    rust, python : str
        The line to have in the program.
    brief : str
        `found` without its explanation; empty where there is none.
    guest : str
        The line of a guest by `wasinn_nb.guest_source` that states it; empty where none does.

    Examples
    --------
    >>> str(Mistake("color", "RGB channels", "BGR", "", ""))
    'RGB channels, where the model takes BGR'
    """

    axis: str
    found: str
    expected: str
    rust: str
    python: str
    brief: str = ""
    guest: str = ""

    @property
    def short(self) -> str:
        """What was done, without an explanation."""
        return self.brief or self.found

    def __str__(self) -> str:
        if not self.expected:
            return self.found
        return f"{self.found}, where the model takes {self.expected}"


_RUST_BORDER: Final = "let mut whole = ImageBuffer::from_pixel({w}, {h}, {pixel}([{pad}; {c}]));"
_PYTHON_BORDER: Final = 'whole = Image.new("{mode}", ({w}, {h}), ({pad},) * {c})'
_RUST_TRIANGLE: Final = "image.resize_exact({w}, {h}, FilterType::Triangle)"
_RUST: Final = {
    "size": "image.resize_exact({w}, {h}, FilterType::Triangle)  // width first",
    "fit.stretch": _RUST_TRIANGLE + "  // resize_exact, not resize or resize_to_fill",
    "fit.letterbox": (
        f"{_RUST_BORDER} let small = image.resize({{w}}, {{h}}, FilterType::Triangle); "
        "overlay(&mut whole, &small, (({w} - small.width()) / 2).into(), "
        "(({h} - small.height()) / 2).into());"
    ),
    "fit.crop": "image.resize_to_fill({w}, {h}, FilterType::Triangle)",
    "pad": _RUST_BORDER,
    "resize": _RUST_TRIANGLE,
    "endianness": "buffer.extend_from_slice(&value.to_le_bytes());",
    "exif.ignore": "let image = image::open(path)?;  // no apply_orientation",
    "exif.apply": "image.apply_orientation(decoder.orientation()?);",
    "alpha": "let pixels = image.to_rgb8();  // drops alpha, blends nothing",
    "alpha.keep": "let pixels = image.to_rgba8();  // keeps alpha",
    "color.BGR": "let pixel = [p[2], p[1], p[0]];  // BGR",
    "color.RGB": "let pixel = [p[0], p[1], p[2]];  // RGB",
    "color.BGRA": "let pixel = [p[2], p[1], p[0], p[3]];  // BGRA",
    "color.RGBA": "let pixel = [p[0], p[1], p[2], p[3]];  // RGBA",
    "color.Rec. 709": "let gray = image.to_luma8();  // after resizing",
    "color.Rec. 601": (
        "let gray = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;  // u32; before resizing"
    ),
    "flip": "for y in 0..{h} {{ /* row y of the image is row y of the tensor */ }}",
    "shift": "for y in 0..{h} {{ for x in 0..{w} {{ /* no offset, no header */ }} }}",
    "buffer": "assert_eq!(buffer.len(), {n} * {bytes});",
    "stride": "let row = &data[y * stride..y * stride + {w} * {c}];  // without what follows it",
}
_PYTHON: Final = {
    "size": "image.resize(({w}, {h}))  # Pillow and OpenCV take (width, height)",
    "fit.stretch": "image.resize(({w}, {h}), {filter})  # no border, no crop",
    "fit.letterbox": (
        f"{_PYTHON_BORDER}; "
        "small = ImageOps.contain(image, ({w}, {h}), {filter}); "
        "whole.paste(small, (({w} - small.width) // 2, ({h} - small.height) // 2))"
    ),
    "fit.crop": (
        "large = ImageOps.cover(image, ({w}, {h}), {filter}); "
        "x, y = (large.width - {w}) // 2, (large.height - {h}) // 2; "
        "image = large.crop((x, y, x + {w}, y + {h}))"
    ),
    "pad": _PYTHON_BORDER,
    "resize": "image.resize(({w}, {h}), {filter})",
    "endianness": 'array.astype("<{np}")',
    "exif.ignore": "image = Image.open(path)  # no exif_transpose",
    "exif.apply": "image = ImageOps.exif_transpose(Image.open(path))",
    "alpha": 'image = Image.open(path).convert("RGB")',
    "alpha.keep": 'image = Image.open(path).convert("RGBA")',
    "color.BGR": "pixels = np.asarray(image.convert('RGB'))[:, :, ::-1]  # BGR",
    "color.RGB": "pixels = np.asarray(image.convert('RGB'))  # RGB; cv2.imread gives BGR",
    "color.BGRA": "pixels = np.asarray(image.convert('RGBA'))[:, :, [2, 1, 0, 3]]  # BGRA",
    "color.RGBA": "pixels = np.asarray(image.convert('RGBA'))  # RGBA",
    "color.Rec. 709": (
        "pixels = (np.asarray(image.convert('RGB'), np.uint32) @ [2126, 7152, 722] // 10000)"
        ".astype(np.uint8)  # after resizing"
    ),
    "color.Rec. 601": "pixels = np.asarray(image.convert('L'))  # gray, before resizing",
    "flip": "pixels = np.asarray(image)  # no [::-1] on rows or columns",
    "shift": "pixels = pixels[:{h}, :{w}]  # no offset",
    "buffer": "assert array.nbytes == {n} * {bytes}",
    "stride": "pixels = np.ascontiguousarray(pixels[:{h}, :{w}, :{c}])  # no bytes between rows",
}
# The fields of the general guest's settings; what is not among them, it does not do otherwise.
_SETTINGS: Final = {
    "layout": ("layout",),
    "dimensions": ("height", "width", "layout"),
    "size": ("height", "width"),
    "color": ("color",),
    "range": ("range", "mean", "scale"),
    "type": ("tensor_type",),
    "declared type": ("tensor_type",),
    "fit": ("fit",),
    "pad": ("pad_value",),
    "exif": ("apply_exif",),
}
_PIXELS: Final = {1: ("Luma", "L"), 3: ("Rgb", "RGB"), 4: ("Rgba", "RGBA")}
_NO_I8: Final = "WASI-NN has no i8: only Python can run this model as it is"


def rust_line(axis: str, recipe: PreprocessRecipe) -> str:
    """Return the line of Rust, with the `image` crate, that puts *axis* right.

    Examples
    --------
    >>> rust_line("color", PreprocessRecipe(512, 896))
    'let pixel = [p[2], p[1], p[0]];  // BGR'
    """
    if axis == "layout":
        if recipe.layout.endswith("CHW"):
            return "buffer[c * {h} * {w} + y * {w} + x] = pixel[c];".format(**_words(recipe))
        return "buffer[(y * {w} + x) * {c} + c] = pixel[c];".format(**_words(recipe))
    if axis == "dimensions":
        return f"dimensions: &[{', '.join(map(str, recipe.dimensions))}],"
    if axis == "range":
        return f"let value = {_formula(recipe, rust=True)};"
    if axis in {"type", "declared type"}:
        if not recipe.type.in_wasi_nn:
            return f"let value = {_formula(recipe, rust=True)};  // {_NO_I8}"
        return (
            f"tensor_type: TensorType::{recipe.type.name}, data: a buffer of {recipe.type.suffix}"
        )
    return _filled(_RUST, axis, recipe)


def guest_line(axis: str, recipe: PreprocessRecipe) -> str:
    """Return what a guest's ``src/settings.rs`` should state of *axis*; empty where nothing.

    Parameters
    ----------
    axis : str
    recipe : PreprocessRecipe
        What the model takes.

    Examples
    --------
    >>> guest_line("color", PreprocessRecipe(512, 896))
    'color: Color::Bgr,'
    """
    fields = rust_fields(recipe)
    return " ".join(f"{name}: {fields[name]}," for name in _SETTINGS.get(axis, ()))


def python_line(axis: str, recipe: PreprocessRecipe) -> str:
    """Return the line of Python, with Pillow and NumPy, that puts *axis* right.

    Examples
    --------
    >>> python_line("layout", PreprocessRecipe(512, 896))
    'array = np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]'
    """
    if axis == "layout":
        if recipe.channels == 1:
            return f"array = np.ascontiguousarray(pixels).reshape{recipe.dimensions}"
        if recipe.layout.endswith("CHW"):
            return "array = np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]"
        return (
            f"array = np.ascontiguousarray(pixels)[None]  "
            f"# (1, height, width, {recipe.channels}), no transpose"
        )
    if axis == "dimensions":
        return f"array = array.reshape{recipe.dimensions}"
    if axis == "range":
        return f"values = {_formula(recipe, rust=False)}"
    if axis in {"type", "declared type"}:
        if recipe.type in INTEGER_LIMITS and not recipe.is_identity:
            return f"array = {_formula(recipe, rust=False)}"
        return f"array = array.astype(np.{recipe.type.dtype.name})"
    return _filled(_PYTHON, axis, recipe)


def _filled(lines: dict[str, str], axis: str, recipe: PreprocessRecipe) -> str:
    color = own_gray(recipe.resize) if recipe.color == "GRAY" else recipe.color
    variants = {
        "exif": f"exif.{recipe.exif}",
        "fit": f"fit.{recipe.fit}",
        "color": f"color.{color}",
        "alpha": "alpha.keep" if recipe.channels == 4 else "alpha",
    }
    return lines[variants.get(axis, axis)].format(**_words(recipe))


def _words(recipe: PreprocessRecipe) -> dict[str, object]:
    pixel, mode = _PIXELS[recipe.channels]
    return {
        "h": recipe.height,
        "w": recipe.width,
        "c": recipe.channels,
        "n": math.prod(recipe.dimensions),
        "bytes": recipe.type.itemsize,
        "np": f"{recipe.type.dtype.kind}{recipe.type.itemsize}",
        "filter": "Image.Resampling.BILINEAR",
        "pad": recipe.pad_value,
        "pixel": pixel,
        "mode": mode,
    }


def _formula(recipe: PreprocessRecipe, *, rust: bool) -> str:
    """Return the expression that turns a byte (Rust) or an array of pixels (Python) into values."""
    if recipe.is_identity and recipe.type.suffix == "u8":
        return "byte  // u8, 0 to 255" if rust else "pixels  # uint8, 0 to 255"
    if recipe.type.suffix == "i8" and recipe.quantization is None:
        return "(byte ^ 0x80) as i8" if rust else "(pixels ^ 0x80).view(np.int8)  # pixels - 128"
    value = "f32::from(byte)" if rust else "pixels.astype(np.float32)"
    low, high = recipe.range
    if recipe.range != (0.0, 255.0):
        value += f" / {255 / (high - low)!r}"
        if low:
            value += f" {'-' if low < 0 else '+'} {abs(low)!r}"
    for sign, values, idle in (("-", recipe.mean, 0.0), ("/", recipe.scale, 1.0)):
        if any(v != idle for v in values):
            listed = ", ".join(f"{v:g}" for v in values)
            value = f"({value}) {sign} " + (f"[{listed}][c]" if rust else f"np.float32([{listed}])")
    if recipe.quantization is None:
        return value
    step, zero_point = recipe.quantization
    low, high = INTEGER_LIMITS[recipe.type]
    if rust:
        rounded = f"(({value}) / {step!r}).round_ties_even() + {float(zero_point)!r}"
        return f"({rounded}).clamp({low}.0, {high}.0) as {recipe.type.suffix}"
    rounded = f"np.rint(({value}) / {step!r}) + {zero_point}"
    return f"np.clip({rounded}, {low}, {high}).astype(np.{recipe.type.dtype.name})"
