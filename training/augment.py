"""Changes of color and texture for every batch, so that the network relies on neither."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def augment(
    images: Tensor, labels: Tensor, rng: torch.Generator, *, strong: bool = True
) -> tuple[Tensor, Tensor]:
    """Return a changed batch.

    Parameters
    ----------
    images
        (N, 3, H, W) float32 in 0..255, BGR.
    labels
        (N, H, W) int64.
    rng
        The source of chance, on the CPU: the same numbers on every device.
    strong
        Whether some are enlarged, and some filtered.
    """
    if _chance(0.5, rng):
        images, labels = images.flip(3), labels.flip(2)
    if strong and _chance(0.15, rng):
        images, labels = _zoom(images, labels, rng)
    if strong and _chance(0.25, rng):
        images = _random_filter(images, rng)
    images = _recolor(images, rng)
    if _chance(0.3, rng):
        deviation = 10.0 * torch.rand(1, generator=rng).item()
        noise = torch.randn(images.shape[2:], generator=rng)
        images = images + deviation * noise.to(images.device)
    return images.clamp(0, 255), labels


def _chance(probability: float, rng: torch.Generator) -> bool:
    return bool(torch.rand(1, generator=rng).item() < probability)


def _zoom(images: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Enlarge a part: coarser pixels, and streets that vanish beside the middle."""
    height, width = images.shape[2:]
    share = 0.6 + 0.4 * torch.rand(1, generator=rng).item()
    high, wide = round(height * share), round(width * share)
    top = int(torch.randint(height - high + 1, (1,), generator=rng).item())
    left = int(torch.randint(width - wide + 1, (1,), generator=rng).item())
    part = images[:, :, top : top + high, left : left + wide]
    enlarged = functional.interpolate(part, (height, width), mode="bilinear", align_corners=False)
    rows = top + ((torch.arange(height) + 0.5) * high / height).long()
    columns = left + ((torch.arange(width) + 0.5) * wide / width).long()
    return enlarged, labels[:, rows[:, None], columns]


def _random_filter(images: Tensor, rng: torch.Generator) -> Tensor:
    """Mix each image with one that a random filter made of it (Xu et al. 2021, arXiv:2007.13003).

    Shapes survive such a filter; textures and colors do not.
    """
    count, channels = images.shape[:2]
    size = (1, 3, 5)[int(torch.randint(3, (1,), generator=rng).item())]
    weights = torch.randn((count * channels, channels, size, size), generator=rng)
    folded = images.reshape(1, count * channels, *images.shape[2:])
    weights = weights.to(images.device)
    filtered = functional.conv2d(folded, weights, padding=size // 2, groups=count)
    filtered = filtered.reshape(images.shape)
    mean, deviation = _moments(images)
    other_mean, other_deviation = _moments(filtered)
    filtered = (filtered - other_mean) * (deviation / other_deviation) + mean
    share = torch.rand((count, 1, 1, 1), generator=rng).to(images.device)
    return filtered * share + images * (1 - share)


def _moments(images: Tensor) -> tuple[Tensor, Tensor]:
    # A sixteenth of the pixels is plenty for a mean.
    some = images[..., ::4, ::4]
    return some.mean((2, 3), keepdim=True), some.std((2, 3), keepdim=True) + 1e-3


def _recolor(images: Tensor, rng: torch.Generator) -> Tensor:
    """Mix the color channels, and change each one's gain and offset."""
    count = len(images)
    gray = torch.full((3, 3), 1 / 3)
    share = torch.rand((count, 1, 1), generator=rng) * 0.4
    full = torch.rand((count, 1, 1), generator=rng) < 0.05
    share = torch.where(full, torch.ones_like(share), share)
    matrix = (1 - share) * torch.eye(3) + share * gray
    matrix = matrix + 0.04 * torch.randn((count, 3, 3), generator=rng)
    gain = torch.exp(0.2 * torch.randn((count, 1, 1), generator=rng))
    offset = 8.0 * torch.randn((count, 1, 1, 1), generator=rng)
    # One product of small matrices does it all.
    mixed = torch.einsum("nij,njhw->nihw", (matrix * gain).to(images.device), images)
    return mixed + offset.to(images.device)
