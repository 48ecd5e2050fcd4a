"""What a camera does to an image: exposure, color, blur, a small sensor, noise and JPEG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.scenes.noise import field

Pixels = NDArray[np.uint8]


def captured(
    rng: np.random.Generator, rgb: Pixels, far: NDArray[np.bool_], source_height: int, harsh: float
) -> Pixels:
    """Return what a camera would have recorded.

    Parameters
    ----------
    rgb
        The scene, (H, W, 3) uint8.
    far
        Where the sky is, (H, W): it may be many times brighter than the street.
    source_height
        Rows of the camera's own image; where fewer than H, detail is lost.
    harsh
        0 for a good camera in good light, 1 for the full range of bad ones.
    """
    out = _expose(rng, rgb.astype(np.float32) / np.float32(255), far, harsh)
    height, width = rgb.shape[:2]
    image = Image.fromarray(out)
    small = (max(16, int(width * source_height / height)), source_height)
    if source_height < height:
        image = image.resize(small, Image.Resampling.BILINEAR)
    if rng.random() < 0.4 * harsh:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.4)))
    elif rng.random() < 0.3:
        image = image.filter(ImageFilter.UnsharpMask(1.2, int(rng.integers(30, 150)), 0))
    if rng.random() < 0.7 * harsh:
        image = _noise(rng, image)
    if rng.random() < 0.6 * harsh:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(25, 95)))
        image = Image.open(buffer)
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image.convert("RGB"))


def _expose(
    rng: np.random.Generator, rgb: NDArray[np.float32], far: NDArray[np.bool_], harsh: float
) -> Pixels:
    height, width = rgb.shape[:2]
    if rng.random() < 0.5 * harsh:
        # A street in the shade under a bright sky.
        rgb = (
            np.where(
                far[..., None], np.float32(rng.uniform(1.0, 1.6)), np.float32(rng.uniform(0.3, 0.9))
            )
            * rgb
        )
    if rng.random() < 0.35 * harsh:
        # Haze or stray light.
        veil = np.float32(rng.uniform(0.03, 0.3))
        rgb = rgb * (1 - veil) + veil * np.float32(rng.uniform(0.5, 1.0))
    if rng.random() < 0.3 * harsh:
        # Light that changes slowly across the image: the sun beside the lens, a dirty windscreen.
        glow = field(rng, height, width, 8.0) * np.float32(rng.uniform(0.02, 0.12))
        rgb = rgb * (1 + glow[..., None])
    if rng.random() < 0.12 * harsh:
        # Reflections of the dashboard in the windscreen, near the bottom.
        mirror = np.clip(field(rng, height, width, 6.0), 0, 2) * np.float32(rng.uniform(0.02, 0.1))
        rgb = rgb + mirror[..., None] * np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    balance = np.exp(rng.normal(0, 0.02 + 0.08 * harsh, 3)).astype(np.float32)
    # An exposure meter reads the street: its mean stays within the range that cameras let through.
    mean = float(rgb[~far].mean()) if not far.all() else 0.5
    low, high = 0.42 - 0.22 * harsh, 0.45 + 0.17 * harsh
    gain = np.float32(np.clip(np.exp(rng.normal(0, 0.05 + 0.3 * harsh)), low / mean, high / mean))
    rgb = np.clip(rgb * (balance * gain), 0, 1)
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = np.float32(max(0.0, rng.normal(1.0, 0.1 + 0.15 * harsh)))
    if rng.random() < 0.05 * harsh:
        saturation = np.float32(0)
    rgb *= saturation
    rgb += (1 - saturation) * luma[..., None]
    if rng.random() < 0.5:
        down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        across = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        fall = 1 - np.float32(rng.uniform(0, 0.2 + 0.2 * harsh)) * (down**2 + across**2) / 2
        rgb *= fall[..., None]
    # The tone curve as a table of 12 bits: 1.4 million powers would take as long as the drawing.
    gamma = np.clip(np.exp(rng.normal(0, 0.05 + 0.2 * harsh)), 0.65, 1.35)
    tones = np.linspace(0, 1, 4096) ** gamma
    contrast = rng.uniform(0, 0.3 + 0.5 * harsh)
    tones = tones * (1 - contrast) + contrast * tones * tones * (3 - 2 * tones)
    levels = (np.clip(rgb, 0, 1) * 4095).astype(np.int16)
    exposed: Pixels = (tones * 255 + 0.5).astype(np.uint8)[levels]
    return exposed


def _noise(rng: np.random.Generator, image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.float32)
    shape = values.shape if rng.random() < 0.6 else (*values.shape[:2], 1)
    noise = rng.standard_normal(shape, np.float32) * np.float32(rng.uniform(1, 12))
    return Image.fromarray(np.clip(values + noise, 0, 255).astype(np.uint8))
