"""The network: its size, its contract, and the same output from OpenVINO as from PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch: pip install 'wasinn-nb[train]'")
pytest.importorskip("skia", reason="training needs skia-python: pip install 'wasinn-nb[train]'")

import openvino as ov
import torch

from training.augment import augment
from training.card import HEIGHT, NAME, WIDTH, card
from training.export import convert, write
from training.loss import balanced_loss
from training.network import Probabilities, RoadNet, count_flops
from training.optimizer import Optimizer
from training.train import train

# At most half a million parameters, and the real model's arithmetic.
MOST_PARAMETERS = 500_000
MOST_GFLOPS = 4.77


@pytest.fixture(scope="module")
def network() -> RoadNet:
    torch.manual_seed(3)
    network = RoadNet()
    # Statistics as after training: those of a fresh network would hide a wrong normalization.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module.affine:
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0.0, 0.2)
            module.running_mean.normal_(0.0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


@pytest.fixture(scope="module")
def folder(network: RoadNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the network's OpenVINO files."""
    folder = tmp_path_factory.mktemp("model")
    write(convert(network), folder)
    return folder


def test_the_network_is_small_enough(network: RoadNet) -> None:
    assert sum(weights.numel() for weights in network.parameters()) <= MOST_PARAMETERS
    assert count_flops(network, HEIGHT, WIDTH) / 1e9 <= MOST_GFLOPS


def test_flops_are_two_for_each_multiplication() -> None:
    # 3 by 3 over 2 channels to 5, at 4 by 6 positions.
    layer = torch.nn.Conv2d(2, 5, 3, padding=1)
    assert count_flops(layer, 4, 6, channels=2) == 2 * 3 * 3 * 2 * 5 * 4 * 6


def test_openvino_gives_what_pytorch_gives(network: RoadNet, folder: Path) -> None:
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    model = ov.Core().compile_model(folder / f"{NAME}.xml", "CPU", options)
    data = np.random.default_rng(1).uniform(0, 255, (1, 3, HEIGHT, WIDTH)).astype(np.float32)
    with torch.no_grad():
        expected = Probabilities(network).eval()(torch.from_numpy(data)).numpy()
    found = model([data])[0]
    # The weights are stored with 11 bits; everything else is f32.
    assert np.abs(found - expected).max() < 0.02
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.995


def test_the_written_model_says_nothing_about_this_machine(folder: Path) -> None:
    text = (folder / f"{NAME}.xml").read_text(encoding="utf-8")
    for note in ("Runtime_version", "conversion_parameters", str(folder), str(Path.cwd())):
        assert note not in text
    files = card(folder, {})["precisions"]["FP16"]
    sizes = [(folder / file["name"]).stat().st_size for file in files]
    assert [file["bytes"] for file in files] == sizes


def test_the_loss_prefers_the_truth_and_minds_thin_classes() -> None:
    labels = torch.zeros((1, 8, 8), dtype=torch.long)
    labels[:, 4:] = 1
    labels[0, 6, 2:4] = 3
    right = 8.0 * torch.nn.functional.one_hot(labels, 4).permute(0, 3, 1, 2).float()
    without_mark = right.clone()
    without_mark[:, 3], without_mark[:, 1] = 0.0, torch.where(labels == 3, 8.0, right[:, 1])
    without_road = right.clone()
    without_road[:, 1, 7, :2], without_road[:, 0, 7, :2] = 0.0, 8.0
    assert balanced_loss(right, labels) < balanced_loss(without_road, labels)
    # Two pixels of mark cost more than two pixels of road.
    assert balanced_loss(without_road, labels) < balanced_loss(without_mark, labels)


def test_augmentation_keeps_images_and_labels_together() -> None:
    labels = torch.zeros((2, 96, 160), dtype=torch.long)
    labels[:, 20:80, 40:100] = 1
    images = 40.0 + 170.0 * labels[:, None].float().repeat(1, 3, 1, 1)
    kinds: set[str] = set()
    for seed in range(20):
        changed, moved = augment(images, labels, torch.Generator().manual_seed(seed))
        assert changed.shape == images.shape
        assert changed.min() >= 0
        assert changed.max() <= 255
        for gray, label in zip(changed.mean(1), moved, strict=True):
            # Lighter is where the label is 1, or darker: a filter may turn or drown the contrast.
            inside, outside = gray[label == 1].mean(), gray[label == 0].mean()
            if abs(inside - outside) > 30:
                agree = ((gray > (inside + outside) / 2) == (label == 1)).float().mean().item()
                assert max(agree, 1 - agree) > 0.95
        same, mirrored = torch.equal(moved, labels), torch.equal(moved, labels.flip(2))
        kinds.add("same" if same else "mirrored" if mirrored else "enlarged")
        if not same and not mirrored:
            assert moved.sum() > labels.sum()
    assert kinds == {"same", "mirrored", "enlarged"}
    again = augment(images, labels, torch.Generator().manual_seed(19))[0]
    assert torch.equal(again, changed)


def test_a_step_turns_a_kernel_equally_in_every_direction() -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8))
    network.to(memory_format=torch.channels_last)
    kernel, bias = network[0].weight, network[1].bias
    before = kernel.detach().clone()
    loss = (network(torch.randn(2, 3, 9, 9)) * torch.randn(2, 8, 7, 7)).sum()
    loss.backward()
    Optimizer(network, decay=0.0).step(0.01)
    # 0.2 times the root of the longer side, 27, times the rate; Muon's iteration is coarse.
    sizes = torch.linalg.svdvals((kernel - before).flatten(1)) / 0.01
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
    assert torch.allclose(bias.abs(), torch.tensor(0.01), rtol=1e-3)
    assert kernel.grad is None
    assert bias.grad is None


def test_training_lowers_the_loss_on_what_it_saw_and_repeats() -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((4, 64, 96), np.uint8)
    labels[:, 32:] = 1
    images = np.where(labels[..., None] > 0, 90, 200) + rng.integers(0, 20, (4, 64, 96, 3))
    images = images.astype(np.uint8)
    steps = {"small_steps": 40, "steps": 40, "last_steps": 10, "last_rounds": 2}
    runs = [
        train(images, labels, seed=7, batch=4, rate=2e-2, **steps).state_dict() for _ in range(2)
    ]
    assert all(torch.allclose(runs[0][key], runs[1][key]) for key in runs[0])
    trained = RoadNet().eval()
    trained.load_state_dict(runs[0])
    data = torch.from_numpy(images[..., ::-1].copy()).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        found = trained(data).argmax(1).numpy()
    assert (found == labels).mean() > 0.9
