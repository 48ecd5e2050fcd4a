"""What to change: for each mistake a line of Rust and a line of Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wasinn_nb.recipe import PreprocessRecipe

__all__ = ["Mistake", "python_line", "rust_line"]


_EXPLAINED: Final = {"layout", "resize", "alpha"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that a program did otherwise than the model's recipe.

    Attributes
    ----------
    axis : str
        ``layout``, ``dimensions``, ``size``, ``color``, ``range``, ``type``, ``declared type``,
        ``endianness``, ``fit``, ``resize``, ``exif``, ``alpha``, ``flip``, ``shift``, ``buffer``.
    found, expected : str
        What was done, and what the model's recipe says; empty where that goes without saying.
    rust, python : str
        The line to have in the program.

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

    @property
    def short(self) -> str:
        """What was done, without the explanation in brackets."""
        said = self.found.partition(" (")[0] if self.axis in _EXPLAINED else self.found
        return said.removeprefix("filter ")

    def __str__(self) -> str:
        if not self.expected:
            return self.found
        return f"{self.found}, where the model takes {self.expected}"


_RUST_TRIANGLE: Final = "image.resize_exact({w}, {h}, FilterType::Triangle)"
_RUST: Final = {
    "size": "image.resize_exact({w}, {h}, FilterType::Triangle)  // width first",
    "fit": _RUST_TRIANGLE + "  // resize_exact, not resize or resize_to_fill",
    "resize": _RUST_TRIANGLE,
    "endianness": "buffer.extend_from_slice(&value.to_le_bytes());",
    "exif.ignore": "let image = image::open(path)?;  // no apply_orientation",
    "exif.apply": "image.apply_orientation(decoder.orientation()?);",
    "alpha": "let pixels = image.to_rgb8();  // drops alpha, blends nothing",
    "flip": "for y in 0..{h} {{ /* row y of the picture is row y of the tensor */ }}",
    "shift": "for y in 0..{h} {{ for x in 0..{w} {{ /* no offset, no header */ }} }}",
    "buffer": "assert_eq!(buffer.len(), {n} * {bytes});",
}
_PYTHON: Final = {
    "size": "image.resize(({w}, {h}))  # Pillow and OpenCV take (width, height)",
    "fit": "image.resize(({w}, {h}), {filter})  # no border, no crop",
    "resize": "image.resize(({w}, {h}), {filter})",
    "endianness": 'array.astype("<{np}")',
    "exif.ignore": "image = Image.open(path)  # no exif_transpose",
    "exif.apply": "image = ImageOps.exif_transpose(Image.open(path))",
    "alpha": 'image = Image.open(path).convert("RGB")',
    "flip": "pixels = np.asarray(image)  # no [::-1] on rows or columns",
    "shift": "pixels = pixels[:{h}, :{w}]  # no offset",
    "buffer": "assert array.nbytes == {n} * {bytes}",
}


def rust_line(axis: str, recipe: PreprocessRecipe) -> str:
    """Return the line of Rust, with the `image` crate, that puts *axis* right.

    Examples
    --------
    >>> rust_line("color", PreprocessRecipe(512, 896))
    'let pixel = [p[2], p[1], p[0]];  // BGR'
    """
    if axis in {"layout", "dimensions"}:
        if axis == "dimensions":
            return f"dimensions: &[{', '.join(map(str, recipe.dimensions))}],"
        if recipe.layout.endswith("CHW"):
            return "buffer[c * {h} * {w} + y * {w} + x] = pixel[c];".format(**_words(recipe))
        return "buffer[(y * {w} + x) * 3 + c] = pixel[c];".format(**_words(recipe))
    if axis == "color":
        order = "p[2], p[1], p[0]" if recipe.color == "BGR" else "p[0], p[1], p[2]"
        return f"let pixel = [{order}];  // {recipe.color}"
    if axis == "range":
        return f"let value = {_formula(recipe, 'f32::from(byte)', rust=True)};"
    if axis in {"type", "declared type"}:
        return (
            f"tensor_type: TensorType::{recipe.type.name}, data: a buffer of {_rust_type(recipe)}"
        )
    return _filled(_RUST, axis, recipe)


def python_line(axis: str, recipe: PreprocessRecipe) -> str:
    """Return the line of Python, with Pillow and NumPy, that puts *axis* right.

    Examples
    --------
    >>> python_line("layout", PreprocessRecipe(512, 896))
    'array = np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]'
    """
    if axis == "layout":
        if recipe.layout.endswith("CHW"):
            return "array = np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]"
        return "array = np.ascontiguousarray(pixels)[None]  # (1, height, width, 3), no transpose"
    if axis == "dimensions":
        return f"array = array.reshape{recipe.dimensions}"
    if axis == "color":
        if recipe.color == "BGR":
            return "pixels = np.asarray(image.convert('RGB'))[:, :, ::-1]  # BGR"
        return "pixels = np.asarray(image.convert('RGB'))  # RGB; cv2.imread gives BGR"
    if axis == "range":
        return f"values = {_formula(recipe, 'pixels.astype(np.float32)', rust=False)}"
    if axis in {"type", "declared type"}:
        return f"array = array.astype(np.{recipe.type.dtype.name})"
    return _filled(_PYTHON, axis, recipe)


def _filled(lines: dict[str, str], axis: str, recipe: PreprocessRecipe) -> str:
    return lines[f"exif.{recipe.exif}" if axis == "exif" else axis].format(**_words(recipe))


def _words(recipe: PreprocessRecipe) -> dict[str, object]:
    return {
        "h": recipe.height,
        "w": recipe.width,
        "n": 3 * recipe.height * recipe.width,
        "bytes": recipe.type.itemsize,
        "np": f"{recipe.type.dtype.kind}{recipe.type.itemsize}",
        "filter": "Image.Resampling.BILINEAR",
    }


def _rust_type(recipe: PreprocessRecipe) -> str:
    return recipe.type.suffix


def _formula(recipe: PreprocessRecipe, value: str, *, rust: bool) -> str:
    if recipe.type.suffix == "u8":
        return "byte  // u8, 0 to 255" if rust else "pixels  # uint8, 0 to 255"
    said = value
    low, high = recipe.range
    if recipe.range != (0.0, 255.0):
        said += f" / {255 / (high - low)!r}"
        if low:
            said += f" {'-' if low < 0 else '+'} {abs(low)!r}"
    for sign, values, idle in (("-", recipe.mean, 0.0), ("/", recipe.scale, 1.0)):
        if any(v != idle for v in values):
            listed = ", ".join(f"{v:g}" for v in values)
            said = f"({said}) {sign} " + (f"[{listed}][c]" if rust else f"np.float32([{listed}])")
    return said
