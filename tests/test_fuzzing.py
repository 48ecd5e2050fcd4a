"""A small part of ``make fuzz``: every mutated model is accounted for, and this process goes on."""

from __future__ import annotations

from collections import Counter

import pytest
import toys
from fuzzing import inspect_alone, through_guests, through_inspect, write_models

from wasinn_nb.cli import ExitCode

COUNT = 60


@pytest.mark.slow
def test_mutated_models_of_five_formats(tmp_path):
    paths = write_models(tmp_path, COUNT, seed=3)
    assert len({path.suffix for path in paths}) == 5
    outcomes = Counter()
    through_guests(paths, outcomes)
    assert sum(outcomes.values()) == COUNT
    assert outcomes["guest: computed"] > 0
    assert outcomes["guest: load_by_name refused by the engine, runtime_error"] > 0
    assert through_inspect(paths, outcomes) == [ExitCode.ERROR]  # some are refused
    inspected = {name: n for name, n in outcomes.items() if name.startswith("inspect")}
    assert sum(inspected.values()) == COUNT
    assert inspected["inspect: described"] > 0
    assert not any("UNEXPECTED" in name for name in outcomes)


@pytest.mark.full
def test_a_sound_model_is_described(tmp_path):
    path = tmp_path / "sound.onnx"
    path.write_bytes(toys.onnx_relu())
    assert inspect_alone(path) == 0
