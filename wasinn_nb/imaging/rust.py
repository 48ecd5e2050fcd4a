"""A recipe in Rust: the fields of the settings of the guests that `guest_source` writes."""

from __future__ import annotations

from typing import Final

import numpy as np

from wasinn_nb.imaging.recipe import PreprocessRecipe

__all__ = ["rust_fields"]

_CHANNELS: Final = 4


def rust_fields(recipe: PreprocessRecipe) -> dict[str, str]:
    """Return each field of the guest's ``Recipe`` with its value in Rust.

    Parameters
    ----------
    recipe : PreprocessRecipe

    Examples
    --------
    >>> fields = rust_fields(PreprocessRecipe(512, 896, range=(0, 1)))
    >>> fields["color"], fields["range"]
    ('Color::Bgr', '[0.0, 1.0]')
    """
    quantization = "None"
    if recipe.quantization is not None:
        step, zero_point = recipe.quantization
        quantization = f"Some(({_f32(step)}, {_f32(zero_point)}))"
    return {
        "height": str(recipe.height),
        "width": str(recipe.width),
        "layout": f"Layout::{recipe.layout.capitalize()}",
        "color": f"Color::{recipe.color.capitalize()}",
        "tensor_type": f"TensorType::{recipe.type.name}",
        "range": _array(recipe.range),
        "mean": _padded(recipe.mean, 0.0),
        "scale": _padded(recipe.scale, 1.0),
        "quantization": quantization,
        "fit": f"Fit::{recipe.fit.capitalize()}",
        "pad_value": str(recipe.pad_value),
        "apply_exif": "true" if recipe.exif == "apply" else "false",
    }


def _padded(values: tuple[float, ...], rest: float) -> str:
    return _array((*values, *[rest] * (_CHANNELS - len(values))))


def _array(values: tuple[float, ...]) -> str:
    return f"[{', '.join(map(_f32, values))}]"


def _f32(value: float) -> str:
    """Return the shortest literal that is this number in f32."""
    return str(float(str(np.float32(value))))
