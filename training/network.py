"""The segmentation network: a small encoder and decoder for 512 by 896 pixels.

Most of the arithmetic is done at an eighth and a sixteenth of the resolution, where one position
sees enough of the street to tell a road from a pavement. Two thin skips, from a quarter and from
half the resolution, bring back the edges that lane marks and curbs need, and the last layer
predicts each 2 by 2 block of pixels from one position (sub-pixel convolution, Shi et al. 2016,
arXiv:1609.05158) rather than convolving at full resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 4


class ConvUnit(nn.Sequential):
    """Convolution, batch normalization and, unless told otherwise, ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        relu: bool = True,
    ) -> None:
        padding = dilation * (kernel // 2)
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        if relu:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class Residual(nn.Module):
    """Two 3 by 3 convolutions around a narrower middle, added to the input."""

    def __init__(self, channels: int, middle: int, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvUnit(channels, middle, dilation=dilation),
            ConvUnit(middle, channels, relu=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return ``relu(x + body(x))``, of the shape of `x`."""
        return functional.relu(x + self.body(x))


class Context(nn.Module):
    """What the whole image, each row and each column say, added to every position.

    A street is ordered by rows (distance) and columns (side); averages along both are the cheapest
    way to let every position see all of it (strip pooling, Hou et al. 2020, arXiv:2003.13328).
    """

    def __init__(self, channels: int, middle: int) -> None:
        super().__init__()
        self.row = ConvUnit(channels, middle, 1, relu=False)
        self.column = ConvUnit(channels, middle, 1, relu=False)
        self.whole = nn.Conv2d(channels, middle, 1)
        self.out = nn.Conv2d(middle, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` plus its context, of the shape of `x`."""
        row = self.row(x.mean(3, keepdim=True))
        column = self.column(x.mean(2, keepdim=True))
        whole = self.whole(x.mean((2, 3), keepdim=True))
        out: Tensor = self.out(functional.relu(row + column + whole))
        return functional.relu(x + out)


class RoadNet(nn.Module):
    """Logits of the four classes for BGR images in 0..255.

    The input's sides are multiples of 16. `forward` takes (N, 3, H, W) float32 and returns
    (N, 4, H, W).
    """

    def __init__(self) -> None:
        super().__init__()
        # Brings 0..255 to about -1..1 inside the graph: the model's contract is raw pixel values.
        self.normalize = nn.BatchNorm2d(3, affine=False)
        self.normalize.running_mean = torch.full((3,), 112.0)
        self.normalize.running_var = torch.full((3,), 64.0**2)
        self.stem = ConvUnit(3, 16, stride=2)
        self.down4 = nn.Sequential(ConvUnit(16, 32, stride=2), Residual(32, 16))
        self.down8 = nn.Sequential(
            ConvUnit(32, 64, stride=2), Residual(64, 32), Residual(64, 32, 2)
        )
        self.down16 = nn.Sequential(
            ConvUnit(64, 96, stride=2),
            Residual(96, 40),
            Residual(96, 40, 2),
            Context(96, 48),
            Residual(96, 40, 4),
            Residual(96, 40, 8),
        )
        self.from16 = ConvUnit(96, 48, 1, relu=False)
        self.from8 = ConvUnit(64, 48, 1, relu=False)
        self.mix8 = ConvUnit(48, 32)
        self.from4 = ConvUnit(32, 32, 1, relu=False)
        self.mix4 = ConvUnit(32, 16)
        self.from2 = ConvUnit(16, 16, 1, relu=False)
        self.mix2 = ConvUnit(16, 16)
        self.head = nn.Conv2d(16, CLASSES * 4, 1)

    def train(self, mode: bool = True) -> RoadNet:
        """Set the mode, keeping the normalization's constants as they are."""
        super().train(mode)
        self.normalize.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits for (N, 3, H, W) BGR images in 0..255."""
        half = self.stem(self.normalize(x))
        quarter = self.down4(half)
        eighth = self.down8(quarter)
        y = self.from16(self.down16(eighth))
        y = self.mix8(functional.relu(_double(y) + self.from8(eighth)))
        y = self.mix4(functional.relu(_double(y) + self.from4(quarter)))
        y = self.mix2(functional.relu(_double(y) + self.from2(half)))
        return functional.pixel_shuffle(self.head(y), 2)


def _double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class Probabilities(nn.Module):
    """The network as it is shipped: probabilities instead of logits."""

    def __init__(self, network: RoadNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, data: Tensor) -> Tensor:
        """Return (N, 4, H, W) probabilities for (N, 3, H, W) BGR images in 0..255."""
        return functional.softmax(self.network(data), dim=1)


def count_flops(network: nn.Module, height: int, width: int, channels: int = 3) -> int:
    """Return the floating point operations of all convolutions for one image.

    A multiplication with its addition counts as two, as Open Model Zoo counts them.
    """
    total = 0

    def count(layer: nn.Module, _inputs: object, output: Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += 2 * output.numel() * layer.weight[0].numel()

    handles = [layer.register_forward_hook(count) for layer in network.modules()]
    try:
        with torch.no_grad():
            network(torch.zeros(1, channels, height, width))
    finally:
        for handle in handles:
            handle.remove()
    return total
