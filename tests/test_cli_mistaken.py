"""Words of the command line in the wrong place, and names that nothing has: what is meant."""

from __future__ import annotations

import pytest
from commands import both, refused

from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import nothing_at
from wasinn_nb.runtimes.device_table import device_error


def usage_error(*words):
    _, text = both(*words, ends=ExitCode.ERROR)
    return " ".join(text.replace("\u2502", " ").split())


@pytest.mark.parametrize("verb", ["bench", "segment", "classify"])
def test_a_model_in_the_place_of_an_image(verb):
    assert "expected an image, got a model; use --model a.onnx" in usage_error(verb, "a.onnx")
    name = "road-segmentation-synth-0001"
    assert f"expected an image, got a model; use --model {name}" in usage_error(verb, name)


def test_truths_of_a_gallery_have_an_option():
    text = usage_error("gallery", "store", "labels", "--html", "a.html")
    assert "True masks, or classes, are named by --truths." in text
    assert "For example: wasinn-nb gallery" in text


def test_a_name_is_close_by_what_it_has_before_its_suffix(tmp_path):
    for name in ("SINet.onnx", "birds.tflite"):
        (tmp_path / name).touch()
    assert "did you mean" not in nothing_at(tmp_path / "nope.onnx", "model")
    assert nothing_at(tmp_path / "SiNe.tflite", "model").endswith("SINet.onnx?")
    assert nothing_at(tmp_path / "bird.onnx", "model").endswith("birds.tflite?")


def test_an_output_that_is_not_there_is_not_the_cards_fault_alone():
    message = refused("segment", "--output-name", "zz")
    assert message.startswith("the call, or the card of road-segmentation-synth-0001, names the ")
    assert "output 'zz'; the model has probabilities" in message


def test_the_target_that_wasi_nn_calls_tpu():
    error = device_error("NPU", "no driver", ["CPU"])
    assert isinstance(error, InvalidArgumentError)
    assert str(error) == "no NPU on this machine: no driver (TPU stands for it, too); here are CPU"
    assert "TPU" not in str(device_error("GPU", "no driver", ["CPU"]))
