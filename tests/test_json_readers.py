"""Whatever a JSON file holds, its reader raises errors of ours only."""

from __future__ import annotations

import copy
import json
import random

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import WasiNnError
from wasinn_nb.origin import Origin

VALUES = [
    None,
    True,
    0,
    -1,
    3,
    1 << 70,
    -(1 << 70),
    1e308,
    -0.5,
    "",
    "abc",
    "NaN",
    "\ud800",
    "a\0b",
    "../../etc/passwd",
    "/dev/zero",
    "x" * 300,
    [],
    {},
    [1, 2, 3],
    ["a"],
    [[]],
    {"a": 1},
    [None],
    {"": {}},
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return a file of each kind, and what reads it."""
    folder = tmp_path_factory.mktemp("json")
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2, 2] = pixels[:, 2:, 1] = 200
    image = folder / "a.png"
    Image.fromarray(pixels).save(image)
    model = toys.brightest_channel(folder / "toy.xml")
    classifier = toys.brightest_of_image(folder / "classifier.xml")
    result = wn.segment(image, model, scores=True)
    saved = result.save(folder / "mask")
    ranking = wn.classify(image, classifier).save(folder / "ranking")
    card = folder / "card.json"
    card.write_text(
        json.dumps(
            ModelCard(
                "toy",
                "segmentation",
                recipe=result.recipe,
                classes=("a", "b", "c"),
                palette=((255, 0, 0), (0, 255, 0), (0, 0, 255)),
            ).to_dict()
        )
    )
    recipe = folder / "recipe.json"
    recipe.write_text(result.recipe.to_json())
    origin = folder / "origin.json"
    origin.write_text(json.dumps(result.origin.to_dict()))
    return {
        "result": (saved.facts, lambda path: repr(wn.SegmentationResult.load(path))),
        "comparison": (saved.facts, lambda path: repr(wn.compare(path, path))),
        "classification": (ranking.facts, lambda path: repr(wn.ClassificationResult.load(path))),
        "sidecar": (
            saved.tensor.with_name(f"{saved.tensor.name}.json"),
            lambda path: repr(wn.read_tensor(path.with_suffix(""))),
        ),
        "card": (card, lambda path: repr(ModelCard.read(path))),
        "recipe": (recipe, lambda path: wn.PreprocessRecipe.from_json(path.read_bytes())),
        "origin": (origin, lambda path: Origin.from_dict(json.loads(path.read_bytes()))),
    }


def _places(value, place=()):
    yield place
    if not isinstance(value, dict | list):
        return
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _places(one, (*place, key))


def _changed(values, chance):
    """Return JSON values with one to three of them replaced, removed, renamed or moved."""
    values = copy.deepcopy(values)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        places = [place for place in _places(values) if place]
        if not places:
            break
        *outer, last = chance.choice(places)
        around = values
        for key in outer:
            around = around[key]
        act = chance.randrange(5)
        if act == 0:
            del around[last]
        elif act == 1 and isinstance(around, dict):
            around[chance.choice(("", "\ud800", "model", "x"))] = around.pop(last)
        elif act == 2 and isinstance(around[last], list):
            around[last] = around[last] * chance.choice((0, 2, 50))
        elif act == 3 and isinstance(around[last], str):
            text = around[last]
            at = chance.randrange(len(text) + 1)
            around[last] = text[:at] + chance.choice(("\ud800", "\0", "\n", "é", "0")) + text[at:]
        else:
            around[last] = copy.deepcopy(chance.choice(VALUES))
    return values


def _mutated(content, chance):
    """Return the bytes of a JSON file, changed in their values or in themselves."""
    if chance.random() < 0.8:
        return json.dumps(_changed(json.loads(content), chance)).encode()
    data = bytearray(content)
    for _ in range(chance.choice((1, 2, 8))):
        at = chance.randrange(len(data))
        data[at : at + chance.choice((0, 1, 1, 9))] = bytes(
            chance.choice(b'{}[]",:0-e\\u\xff\xed\xa0\x80nt') for _ in range(chance.randrange(3))
        )
        data = data or bytearray(b" ")
    return bytes(data)


KINDS = ["result", "comparison", "classification", "sidecar", "card", "recipe", "origin"]


def _fuzz(written, kind, rounds):
    path, read = written[kind]
    content = path.read_bytes()
    foreign = {}
    try:
        for seed in range(rounds):
            mutated = _mutated(content, random.Random(seed))
            if kind == "origin":
                try:
                    json.loads(mutated)
                except ValueError:
                    continue
            path.write_bytes(mutated)
            try:
                read(path)
            except WasiNnError as error:
                str(error).encode()
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                where = error.__traceback__
                while where.tb_next is not None:
                    where = where.tb_next
                at = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}"
                foreign.setdefault(f"{type(error).__name__} at {at}: {error}"[:200], seed)
    finally:
        path.write_bytes(content)
    print(f"{kind}: {rounds} mutated files, other errors than ours: {len(foreign)}")  # noqa: T201
    assert foreign == {}


@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_raise_errors_of_ours(written, kind):
    _fuzz(written, kind, 100)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_mutated_files_raise_errors_of_ours(written, kind):
    _fuzz(written, kind, 2000)


@pytest.mark.parametrize("value", ["abc", {"read": "abc"}, {"read": None}, [1], 3, {"read": True}])
def test_timings_that_are_none(written, value):
    for kind in ("result", "classification"):
        path, read = written[kind]
        content = path.read_bytes()
        try:
            path.write_text(json.dumps(json.loads(content) | {"timings": value}))
            with pytest.raises(WasiNnError):
                read(path)
        finally:
            path.write_bytes(content)
