"""Train the shipped model from nothing: ``python -m training.train --seed 0``."""

from __future__ import annotations

import argparse
import copy
import ctypes
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.arguments import part, whole
from training.augment import augment
from training.loss import balanced_loss
from training.network import RoadNet
from training.optimizer import Optimizer
from training.scenes import render_pool
from wasinn_nb.transaction import atomic

# Scenes of seed n begin at n million; the evaluation's are far beyond any of them.
SEEDS_PER_RUN = 1_000_000

# What a step on images of half the size costs, against one at full size.
SMALL_COST = 0.4

# Names of glibc's mallopt, from its malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4

# The learning rate of the last steps, against the highest.
LAST_RATE = 0.3


def train(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    seed: int,
    small_steps: int,
    steps: int,
    last_steps: int,
    last_rounds: int,
    batch: int,
    rate: float,
    device: str = "cpu",
) -> RoadNet:
    """Return a network trained on scenes.

    Parameters
    ----------
    images
        (N, H, W, 3) uint8, RGB.
    labels
        (N, H, W) uint8.
    small_steps, steps, last_steps
        How many steps at half size, then at full size, and then once more at full size on images
        that are neither filtered nor enlarged. The layout of streets is learnt where a step costs
        less, their edges afterwards, and at last what they mostly look like.
    last_rounds
        How often the last steps are taken, each time from the weights that came of the time before
        (warm restarts, Loshchilov and Hutter 2017, arXiv:1608.03983).
    rate
        The highest learning rate; it rises over the first twentieth of the work and falls along a
        cosine. Each round of last steps begins at a part of it, and falls to nothing.
    device
        Where the arithmetic is done; ``"cuda"`` does in minutes what two CPU cores do in an hour.
    """
    torch.manual_seed(seed)
    fit = partial(_fit, images=images, labels=labels, seed=seed, batch=batch, device=device)
    network = fit(
        RoadNet(),
        small_steps=small_steps,
        steps=steps,
        change=augment,
        rate=lambda done: rate * _schedule(done),
    )
    for turn in range(last_rounds):
        network = fit(
            network,
            seed=seed + turn,
            small_steps=0,
            steps=last_steps,
            change=partial(augment, strong=False),
            rate=lambda done: LAST_RATE * rate * (1 - done),
        )
    return network


def _fit(
    network: RoadNet,
    *,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    seed: int,
    small_steps: int,
    steps: int,
    batch: int,
    change: Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]],
    rate: Callable[[float], float],
    device: str,
) -> RoadNet:
    """Take steps, and return the average of the weights on the way.

    `change` makes of each batch what the network sees; `rate` gives the learning rate at each part
    of the work, 0 to 1.
    """
    chance = torch.Generator().manual_seed(seed)
    order = _endless(len(images), np.random.default_rng(seed))
    network.train().to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval()
    optimizer = Optimizer(network, decay=0.02)
    began = time.monotonic()
    smooth = math.nan
    work = small_steps * SMALL_COST + steps
    for step in range(small_steps + steps):
        small = step < small_steps
        done = step * SMALL_COST if small else work - (small_steps + steps - step)
        chosen = np.sort([next(order) for _ in range(batch)])
        inputs, truth = _load(np.array(images[chosen]), np.array(labels[chosen]), device)
        if small:
            inputs, truth = functional.avg_pool2d(inputs, 2), truth[:, ::2, ::2]
        inputs, truth = change(inputs, truth, chance)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = network(inputs)
        # Every other row is loss enough, and the loss costs as much as half the network.
        row = int(torch.randint(2, (1,), generator=chance).item())
        loss = balanced_loss(logits[:, :, row::2].float(), truth[:, row::2])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step(rate(done / work))
        _follow(average, network, min(0.997, (step + 1) / (step + 10)))
        value = loss.item()
        smooth = value if math.isnan(smooth) else 0.98 * smooth + 0.02 * value
        if step % 100 == 0 or step == small_steps + steps - 1:
            spent = time.monotonic() - began
            print(
                f"step {step:5} of {small_steps + steps}  loss {smooth:.4f}  {spent:6.0f} s",
                flush=True,
            )
    return average


def _endless(count: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(count)


def _schedule(progress: float) -> float:
    if progress < 0.05:
        return progress / 0.05 + 1e-3
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.05) / 0.95)) + 1e-3


def _load(
    images: NDArray[np.uint8], labels: NDArray[np.uint8], device: str
) -> tuple[Tensor, Tensor]:
    """Return (N, 3, H, W) float32 BGR images and (N, H, W) int64 labels."""
    inputs = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).flip(1).float()
    return inputs, torch.from_numpy(labels).to(device).long()


@torch.no_grad()
def _follow(average: RoadNet, network: RoadNet, decay: float) -> None:
    """Move the average's weights and batch statistics towards the network's."""
    for slow, fast in zip(
        average.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - decay)


def _keep_memory() -> None:
    """Have the C library keep what is freed: pages that come and go took 4 % of the time."""
    with suppress(AttributeError, TypeError):  # not glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def main() -> None:
    """Draw the scenes, train, and keep the weights."""
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--seed", type=whole(0), default=0, help="of the scenes, the first weights and the order")
    add("--scenes", type=whole(1), default=4800, help="how many to draw and to learn from")
    add("--small-steps", type=whole(0), default=6500, help="first steps, at half size")
    add("--steps", type=whole(1), default=6800, help="steps at full size")
    add("--last-steps", type=whole(1), default=2000, help="clean steps in each of the last rounds")
    add("--last-rounds", type=whole(0), default=2, help="rounds of clean steps")
    add("--batch", type=whole(1), default=4, help="images a step")
    add("--rate", type=part, default=5e-3, help="highest learning rate")
    add("--threads", type=whole(1), default=2, help="another number is another run")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="where the arithmetic is done")
    add("--work", type=Path, default=Path("build/training"), help="for the scenes and weights.pt")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    images, labels = render_pool(
        options.work / "train",
        SEEDS_PER_RUN * (options.seed + 1),
        options.scenes,
        workers=os.cpu_count() or 1,
    )
    _keep_memory()
    network = train(
        images,
        labels,
        seed=options.seed,
        small_steps=options.small_steps,
        steps=options.steps,
        last_steps=options.last_steps,
        last_rounds=options.last_rounds,
        batch=options.batch,
        rate=options.rate,
        device=options.device,
    )
    weights = options.work / "weights.pt"
    with atomic(weights) as temporary:
        torch.save(network.cpu().state_dict(), temporary)
    print(f"{weights}: make the model of it with `python -m training.export --weights {weights}`")


if __name__ == "__main__":
    main()
