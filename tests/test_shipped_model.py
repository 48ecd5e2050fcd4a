"""The shipped model and scenes: the contract, the size, the card, and what the model sees."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from PIL import Image

from training.card import write_figures

DATA = Path(__file__).resolve().parent.parent / "data"
NAME = "road-segmentation-synth-0001"
FOLDER = DATA / "models" / NAME
SCENES = sorted(path.stem for path in (DATA / "images").glob("*.jpg"))

# The most that xml, bin and card may take together.
MOST_BYTES = 1_500_000

# What the shipped weights reach, a little less than measured: the least of the eight scenes' IoU of
# the road with its marks, and the mean IoU of the four classes over twelve fresh scenes.
SCENE_ROAD_IOU = 0.85
FRESH_MIOU = 0.84


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "card.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def model() -> ov.CompiledModel:
    return compiled(FOLDER)


@pytest.fixture(scope="module", params=["", "INT8"])
def each_model(request: pytest.FixtureRequest) -> ov.CompiledModel:
    return compiled(FOLDER / request.param)


def compiled(folder: Path) -> ov.CompiledModel:
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    return ov.Core().compile_model(folder / f"{NAME}.xml", "CPU", options)


def segment(model: ov.CompiledModel, image: Image.Image) -> np.ndarray[Any, Any]:
    """Return the (512, 896) labels of an image, prepared as the card says."""
    sized = image.convert("RGB").resize((896, 512), Image.Resampling.BILINEAR)
    data = np.asarray(sized, np.float32)[..., ::-1].transpose(2, 0, 1)[None]
    labels: np.ndarray[Any, Any] = model([np.ascontiguousarray(data)])[0][0].argmax(0)
    return labels


def mean_iou(truth: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> float:
    """Return the mean of the four classes' IoU."""
    pairs = truth.astype(np.int64) * 4 + found
    matrix = np.bincount(pairs.ravel(), minlength=16).reshape(4, 4)
    both = np.diag(matrix)
    return float((both / (matrix.sum(0) + matrix.sum(1) - both)).mean())


def test_the_contract_is_the_real_models(model: ov.CompiledModel) -> None:
    (data,), (scores,) = model.inputs, model.outputs
    assert data.get_names() == {"data"}
    assert scores.get_names() == {"probabilities"}
    assert list(data.shape) == [1, 3, 512, 896]
    assert list(scores.shape) == [1, 4, 512, 896]
    assert data.element_type == scores.element_type == ov.Type.f32


def test_the_output_is_probabilities(model: ov.CompiledModel) -> None:
    data = np.random.default_rng(0).uniform(0, 255, (1, 3, 512, 896)).astype(np.float32)
    scores = model([data])[0]
    assert scores.min() >= 0
    assert np.abs(scores.sum(1) - 1).max() < 1e-4


def test_the_card_describes_the_files(card: dict[str, Any]) -> None:
    assert card["name"] == NAME
    assert card["classes"] == ["background", "road", "curb", "mark"]
    assert len(card["palette"]) == len(card["classes"])
    assert sorted(file["name"] for file in card["precisions"]["FP16"]) == [
        f"{NAME}.bin",
        f"{NAME}.xml",
    ]
    for folder, precision in ((FOLDER, "FP16"), (FOLDER / "INT8", "INT8")):
        for file in card["precisions"][precision]:
            content = (folder / file["name"]).read_bytes()
            assert len(content) == file["bytes"]
            assert hashlib.sha384(content).hexdigest() == file["sha384"]


def test_the_model_is_small_and_its_weights_are_fp16(card: dict[str, Any]) -> None:
    for folder in (FOLDER, FOLDER / "INT8"):
        assert sum(path.stat().st_size for path in folder.iterdir()) <= MOST_BYTES
    read = ov.Core().read_model(FOLDER / f"{NAME}.xml")
    weights = [
        op for op in read.get_ops() if op.get_type_name() == "Constant" and op.data.size > 99
    ]
    assert weights
    assert {op.get_element_type() for op in weights} == {ov.Type.f16}


def test_the_files_say_nothing_about_where_they_were_made() -> None:
    paths = (FOLDER / f"{NAME}.xml", FOLDER / "INT8" / f"{NAME}.xml")
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    for note in ("Runtime_version", "conversion_parameters", "/work/", "/home/", "/tmp/"):
        assert note not in text


def test_the_cards_figures_are_complete_and_plausible(card: dict[str, Any]) -> None:
    figures = card["figures"]
    accuracies = {"drawn_miou", "camvid_road_iou", "photo_road_iou"}
    quantized = {f"int8_{name}" for name in accuracies}
    assert set(figures) == {*accuracies, *quantized, "time_ratio"}
    assert figures["time_ratio"] <= 1.0
    for prefix in ("", "int8_"):
        assert figures[f"{prefix}camvid_road_iou"] >= 0.80
        assert figures[f"{prefix}photo_road_iou"] >= 0.85
        assert 0.85 <= figures[f"{prefix}drawn_miou"] < 1.0


def test_figures_of_int8_stand_beside_those_of_fp16(tmp_path: Path) -> None:
    home = tmp_path / FOLDER.name
    shutil.copytree(FOLDER, home)
    write_figures(home / "INT8", {"drawn_miou": 0.12345, "time_ratio": 0.5})
    write_figures(home, {"time_ratio": 0.7})
    before, after = (
        json.loads((folder / "card.json").read_text(encoding="utf-8")) for folder in (FOLDER, home)
    )
    changed = {"int8_drawn_miou": 0.1235, "time_ratio": 0.7}
    assert after == before | {"figures": before["figures"] | changed}


def test_there_are_eight_scenes_with_masks() -> None:
    assert len(SCENES) == 8
    assert sorted(path.stem for path in (DATA / "masks").glob("*.png")) == SCENES


@pytest.mark.full
@pytest.mark.parametrize("name", SCENES)
def test_a_shipped_scene_is_small_and_the_model_sees_it(
    name: str, each_model: ov.CompiledModel, card: dict[str, Any]
) -> None:
    path = DATA / "images" / f"{name}.jpg"
    assert path.stat().st_size < 130_000
    with Image.open(path) as image, Image.open(DATA / "masks" / f"{name}.png") as mask:
        assert image.size == mask.size == (1280, 720)
        assert mask.mode == "P"
        palette = mask.getpalette() or []
        assert palette[:12] == [value for color in card["palette"] for value in color]
        truth = np.asarray(mask.resize((896, 512), Image.Resampling.NEAREST))
        found = segment(each_model, image)
    assert truth.max() <= 3
    road = [np.isin(labels, (1, 3)) for labels in (truth, found)]
    assert (road[0] & road[1]).sum() / (road[0] | road[1]).sum() > SCENE_ROAD_IOU


@pytest.fixture(scope="module")
def fresh_scenes() -> list[Any]:
    pytest.importorskip("skia", reason="drawing scenes needs skia-python: the extra `train`")
    from training.scenes import draw_scene

    return [draw_scene(seed) for seed in range(600_000_000, 600_000_012)]


@pytest.mark.full
def test_fresh_scenes_of_unseen_seeds_are_segmented(
    each_model: ov.CompiledModel, fresh_scenes: list[Any]
) -> None:
    found = [segment(each_model, Image.fromarray(scene.image)) for scene in fresh_scenes]
    truth = np.stack([scene.labels for scene in fresh_scenes])
    assert mean_iou(truth, np.stack(found)) > FRESH_MIOU
