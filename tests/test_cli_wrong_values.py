"""Values that an option does not take: what was expected, what was given, and the nearest one."""

from __future__ import annotations

import inspect
import typing

import pytest
from commands import both

from wasinn_nb import cli
from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.cli.wrong_values import wrong_value

CASES = {
    "segment --precision f8": "expected f32, f16, bf16 or device, got 'f8'",
    "segment -p f8": "expected f32, f16, bf16 or device, got 'f8'",
    "segment a.png --resize=bilinar": (
        "expected triangle, triangle-0.23, bilinear or bilinear-draft, got 'bilinar'; did you mean "
        "bilinear?"
    ),
    "predict x --on-error ignore": "expected keep or raise, got 'ignore'",
    "run --isolation proces x.wasm": "got 'proces'; did you mean process?",
    "card m.onnx --color rgb": "expected BGR, RGB, GRAY, RGBA or BGRA, got 'rgb'; did you mean RGB",
    "predict x --workers 0": "expected a whole number of 1 or more, got '0'",
    "predict x --workers many": "expected a whole number of 1 or more, got 'many'",
    "predict x --workers 1.5": "expected a whole number of 1 or more, got '1.5'",
    "gallery s --most 501": "expected a whole number from 1 to 500, got '501'",
    "predict x --failures few": "expected a number, got 'few'",
    "card m.onnx --range 0 white": "expected a number, got 'white'",
    "card m.onnx --pad gray": "expected a whole number, got 'gray'",
}


def printed(words):
    _, text = both(*words, ends=ExitCode.GUEST if words[0] == "run" else ExitCode.ERROR)
    return " ".join(text.replace("\u2502", " ").split())


@pytest.mark.full
@pytest.mark.parametrize("line", CASES)
def test_a_wrong_value_is_answered_in_our_words(line):
    text = printed(line.split())
    assert CASES[line] in text
    assert "Invalid value for '-" in text  # which option it is
    for word in ("is not one of", "Value error", "Input should be"):
        assert word not in text


@pytest.mark.full
def test_other_errors_of_the_command_line_are_as_they_were():
    assert "requires an argument" in printed(["segment", "--precision"])
    assert "No such option" in printed(["segment", "--prcision", "f32"])
    assert "For example: " in printed(["bundle"])


def verbs():
    return cli.app.group.commands.items()


@pytest.mark.full
def test_every_option_with_choices_is_known():
    """Choices and numbers of every verb are found behind the annotations."""
    asked = 0
    for _, command in verbs():
        hints = typing.get_type_hints(inspect.unwrap(command.callback))
        context = command.make_context("verb", [], resilient_parsing=True)
        for param in command.params:
            kind = str(hints[param.name]) if param.name in hints else ""
            options = [one for one in param.opts if one.startswith("--")]
            if not options or not ("Literal[" in kind or "int" in kind or "float" in kind):
                continue
            words = [options[0], *["no-such"] * param.nargs]
            message = wrong_value(command, context, words, param.name)
            assert message.startswith("expected "), (command.name, options)
            assert message.split("; did")[0].endswith("got 'no-such'")
            asked += 1
    assert asked > 25
