"""Muon for the kernels of convolutions, AdamW for what is no matrix."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Optimizer:
    """Changes a network's parameters along their gradients.

    Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) makes each step's matrix
    orthogonal, so that no direction of a kernel is learnt much sooner than another. Its steps are
    as large as AdamW's (Liu et al. 2025, arXiv:2502.16982): one rate serves both.

    Parameters
    ----------
    network
        Its kernels must be in the memory format ``channels_last`` and stay where they are.
    decay
        Weight decay.
    """

    def __init__(self, network: nn.Module, *, decay: float) -> None:
        parameters = list(network.parameters())
        self._kernels = [each for each in parameters if each.ndim == 4]
        # Views: what Muon does to a matrix happens to the kernel.
        self._matrices = [nn.Parameter(_matrix(each.detach())) for each in self._kernels]
        rest = [each for each in parameters if each.ndim != 4]
        self._parts = (
            torch.optim.Muon(self._matrices, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, weight_decay=decay),
        )

    def step(self, rate: float) -> None:
        """Take one step at a learning rate, then forget the gradients."""
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            if kernel.grad is not None:
                matrix.grad = _matrix(kernel.grad)
                kernel.grad = None
        for part in self._parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()  # type: ignore[no-untyped-call]
            part.zero_grad(set_to_none=True)


def _matrix(kernel: Tensor) -> Tensor:
    """Return a kernel with one row for each output; a view in the format ``channels_last``."""
    return kernel.permute(0, 2, 3, 1).flatten(1)
