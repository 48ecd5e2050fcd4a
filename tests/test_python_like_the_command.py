"""What the command line takes by name or folder: Python takes it, or says how it is written."""

from __future__ import annotations

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, MissingFileError

RNG = np.random.default_rng(0)


@pytest.mark.full
def test_a_store_is_evaluated_by_its_path(toy_store):
    truths = [np.full((8, 12), 2 - n % 3, np.uint8) for n in range(len(toy_store))]
    masks = {f"{n:04}": truth for n, truth in enumerate(truths)}
    store = toy_store.folder.parent
    for path in (store, str(store), toy_store.folder):
        found = wn.evaluate(path, masks, progress=False)
        assert found.miou == wn.evaluate(toy_store, masks, progress=False).miou == 1
        assert found.predictions is not None


def test_a_shipped_guest_is_named_by_its_function(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = (
        r"^no WebAssembly module at roadseg \(looked from .*\); the path of one that is shipped"
    )
    with pytest.raises(MissingFileError, match=rf"{message} is wn\.guest\('roadseg'\)$"):
        wn.run_guest("roadseg")
    with pytest.raises(MissingFileError) as caught:
        wn.run_guest("roadseg.wasm")
    assert "wn.guest" not in str(caught.value)


def test_images_without_a_model_are_refused_before_the_first_is_read():
    calls = []
    images = [RNG.integers(0, 256, (8, 12, 3), np.uint8) for _ in range(2)]
    with pytest.raises(InvalidArgumentError, match=r"or model= where the predictions are images"):
        wn.evaluate(images, [image[..., 0] for image in images], progress=calls.append)
    assert calls == []
