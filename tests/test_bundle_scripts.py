"""The scripts of a bundle: whatever files and folders are called, programs get the right words."""

import json
import os
import subprocess
import sys

import pytest

from wasinn_nb.deployment import RUNTIMES
from wasinn_nb.deployment.scripts import run_script, script_name

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.name == "nt", reason="the scripts are for POSIX shells"),
]

HOSTILE = {
    "blank": "my bundle",
    "quotes": 'it\'s "quoted"',
    "command": "$(touch pwned) `touch pwned`; touch pwned",
    "line feed": "two\nlines",
    "line feeds at the end": "end\n\n",
    "right to left": "\u202egpj.elif",
    "option": "-rf",
    "options": "--help",
    "wildcard": "*?[a-z]",
    "variable": "$HOME${IFS}~",
    "backslash": "a\\b\\n%s",
    "bang": "!",
}
RECORDER = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["RECORD"], "w") as file:
    json.dump({{"argv": sys.argv[1:], "cwd": os.getcwd(), "stdin": sys.stdin.read()}}, file)
"""
SHELLS = ["sh", "bash"]


@pytest.fixture
def program(tmp_path):
    """A runtime that only says how it was called."""
    path = tmp_path / "program"
    path.write_text(RECORDER, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def call(tmp_path, program):
    """Call the script of a folder; return what the program was given, or what failed."""

    def called(folder, runtime, *arguments, cwd=tmp_path, shell=(), **environment):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "guest.wasm").touch()
        script = folder / script_name(runtime)
        script.write_text(run_script(runtime), encoding="utf-8")
        script.chmod(0o755)
        record = tmp_path / "record.json"
        record.unlink(missing_ok=True)
        given = {runtime.upper(): str(program), "RECORD": str(record)}
        done = subprocess.run(
            [*shell, script, *arguments],
            cwd=cwd,
            env=os.environ | given | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(record.read_text("utf-8")) if record.exists() else done

    return called


def words(runtime, out, *guest):
    if runtime == "wasmtime":
        return ["run", "-S", "nn", "--dir", ".", "--dir", f"{out}::out", "guest.wasm", *guest]
    return ["--dir", ".:.:readonly", "--dir", f"out:{out}", "guest.wasm", *guest]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names(tmp_path, call, runtime, name, shell):
    folder, image, out = (tmp_path / kind / name for kind in ("bundles", "images", "outs"))
    image.parent.mkdir()
    image.write_text("pixels", encoding="utf-8")
    without = call(folder, runtime, shell=[shell])
    assert without == {
        "argv": words(runtime, folder / "out"),
        "cwd": str(folder),
        "stdin": "",
    }
    given = call(folder, runtime, str(image), str(out), shell=[shell])
    assert given == {
        "argv": words(runtime, out, "-", "out"),
        "cwd": str(folder),
        "stdin": "pixels",
    }
    assert out.is_dir()
    assert not [*tmp_path.rglob("pwned")]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", [name for name in HOSTILE.values() if name != "--help"], ids=repr)
def test_relative_names(tmp_path, call, runtime, name):
    (tmp_path / name).write_text("pixels", encoding="utf-8")
    folder = tmp_path / "b"
    given = call(folder, runtime, name, f"{name}.out")
    assert given["stdin"] == "pixels"
    assert given["argv"] == words(runtime, tmp_path / f"{name}.out", "-", "out")


def test_from_its_own_folder(tmp_path, call):
    folder = tmp_path / "b"
    folder.mkdir()
    given = call(folder, "wasmtime", cwd=folder, CDPATH="/usr")
    assert given["argv"] == words("wasmtime", folder / "out")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_failures_are_named(tmp_path, call, runtime):
    folder, script = tmp_path / "b", script_name(runtime)
    missing = call(folder, runtime, "none.png")
    assert (missing.returncode, missing.stderr) == (2, f"{script}: no image at none.png\n")
    colon = call(folder, runtime, str(folder / "guest.wasm"), "a:b")
    assert colon.returncode == 2
    assert f'{script}: expected a path without ":" for OUTPUT' in colon.stderr
    many = call(folder, runtime, "a", "b", "c")
    assert (many.returncode, many.stderr) == (2, f"{script}: expected at most IMAGE and OUTPUT\n")
    nowhere = call(folder, runtime, **{runtime.upper(): "no-such-program"})
    assert nowhere.returncode == 127
    assert f"{script}: no-such-program is not on PATH: see README.md" in nowhere.stderr
    usage = call(folder, runtime, "--help")
    assert (usage.returncode, usage.stdout) == (0, f"usage: {script} [IMAGE [OUTPUT]]\n")


def test_a_link_to_the_script_is_refused(tmp_path, call):
    folder = tmp_path / "b"
    call(folder, "wasmtime")
    link = tmp_path / "link.sh"
    link.symlink_to(folder / "run-wasmtime.sh")
    done = subprocess.run([link], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "call it by its own path, not through a link" in done.stderr
