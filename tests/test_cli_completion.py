"""What Tab offers in a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import forked
import pytest
import toys

import wasinn_nb as wn
from wasinn_nb.cli import completing

PROGRAM = f"{shlex.quote(sys.executable)} -m wasinn_nb"
OWN = ["own-model", "own-model.bin", "own-model.card.json", "own-model.xml"]
CITIES = [name for name in wn.images() if name.startswith("city-")]
SCRIPT = """
eval "$({program} --show-completion bash)"
{words}
_wasinn_nb_completion ./wasinn-nb
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    toys.brightest_channel(tmp_path / "own-model.xml")
    card = wn.ModelCard("own-model", "segmentation", classes=("road", "traffic light", "sky"))
    card.write(tmp_path / "own-model.xml")
    (tmp_path / "city-of-mine.png").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WASINN_NB_PATH", str(tmp_path))
    return tmp_path


def offered(shell, *words):
    """Return what the program offers a shell for the last word."""
    line = " ".join(("wasinn-nb", *words))
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words))},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    asked["_WASINN_NB_COMPLETE"] = f"complete_{shell}"
    done = forked.ended([], Path.cwd(), os.environ | asked)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.full
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["segment", "--model", "own"], OWN),
        (["bench", "-m", "road-segmentation-sy"], ["road-segmentation-synth-0001"]),
        (["inspect", "road-segmentation-sy"], ["road-segmentation-synth-0001"]),
        (["card", "road-segmentation-sy"], ["road-segmentation-synth-0001"]),
        (["card", "own-model", "--task", "s"], ["segmentation"]),
        (["segment", "city-c"], ["city-crosswalk", "city-cyclist"]),
        (["classify", "city-i"], ["city-island"]),
        (["classify", "city-"], [*CITIES, "city-of-mine.png"]),
        (["run", "road"], ["roadseg"]),
        (["run", "roadseg", "--isolation", "t"], ["thread"]),
        (["segment", "--target", "C"], ["CPU"]),
        (["segment", "--precision", "bf"], ["bf16"]),
        (["devices", "--runtime", "li"], ["litert"]),
        (["inspect", "x", "--type", "u"], ["u8"]),
        (["evaluate", "a", "b", "-m", "own-model", "--ignore", "t"], ["traffic\\ light"]),
        (["evaluate", "a", "b", "-m", "own-model", "--map", "way=r"], ["way=road"]),
        (["evaluate", "a", "b", "-m", "own-model", "--map", "x=sky,ro"], ["x=sky,road"]),
        (["segment", "none-of-these"], []),
        (["evaluate", "a", "b", "-m", "no-such-model", "--ignore", "t"], []),
        (["segment", "--target", "C", "--runtime", "no-such"], []),
    ],
    ids=" ".join,
)
def test_bash_is_offered(here, words, expected):
    assert [line for line in offered("bash", *words) if line] == expected


@pytest.mark.full
def test_other_shells_quote_by_themselves(here):
    words = ["evaluate", "a", "b", "-m", "own-model", "--ignore", "t"]
    assert offered("fish", *words) == ["traffic light"]
    assert '"traffic light"' in offered("zsh", *words)[0]
    assert offered("zsh", "segment", "--model", "own-m")[0].endswith('"own-model":"segmentation"')


@pytest.mark.full
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no Bash")
def test_the_script_works_in_bash(here):
    program = here / "wasinn-nb"
    program.write_text(f'#!/bin/sh\nexec {PROGRAM} "$@"\n')
    program.chmod(0o755)
    words = "COMP_WORDS=(wasinn-nb segment --model own); COMP_CWORD=3"
    done = subprocess.run(
        ["bash", "--norc", "-c", SCRIPT.format(program=PROGRAM, words=words)],
        env=os.environ | {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == OWN, done.stderr


def test_hidden_files_are_offered_where_they_are_asked_for(here):
    (here / ".own").mkdir()
    names = [name for name, _ in completing.models("o")]
    assert names == OWN
