"""Scripts that start workers: one that each worker would run again is refused at once."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn

SCRIPT = """\
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import wasinn_nb as wn

def run():
    found = wn.predict("images", "toy.xml", "store", {how}, progress=False)
    print(found.table()["status"].tolist())

{call}
"""
MISSING = 'InvalidArgumentError: `if __name__ == "__main__":` is missing in '
EXECUTOR = 'executor=ProcessPoolExecutor(1, mp_context=get_context("spawn"))'


@pytest.fixture
def script(tmp_path):
    """Return a function that runs a script beside a model and images."""
    path = toys.textures(tmp_path / "toy.xml", gives="scores")
    recipe = wn.PreprocessRecipe(64, 96)
    wn.ModelCard("toy", "segmentation", recipe, ("a", "b", "c", "d")).write(path)
    (tmp_path / "images").mkdir()
    for n in range(2):
        Image.fromarray(np.full((8, 8, 3), 99 * n, np.uint8)).save(tmp_path / f"images/{n}.png")

    def ran(how, call):
        (tmp_path / "script.py").write_text(SCRIPT.format(how=how, call=call))
        words = [sys.executable, "script.py"]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    return ran


@pytest.mark.full
@pytest.mark.parametrize(
    ("how", "call"),
    [("workers=2", "run()"), (EXECUTOR, "for _ in range(1): run()")],
)
def test_a_call_outside_of_any_if_is_refused_before_a_worker_starts(script, how, call, tmp_path):
    done = script(how, call)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count(MISSING) == done.stderr.count("Traceback") == 1
    assert f"{MISSING}{tmp_path / 'script.py'}: each worker" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "store").exists()


@pytest.mark.full
def test_a_process_that_imports_the_script_refuses_to_start_workers(script):
    done = script(
        "workers=1",
        'if __name__ == "__mp_main__": run()\n'
        'if __name__ == "__main__":\n'
        '    process = get_context("spawn").Process(target=print)\n'
        "    process.start(), process.join(), print(process.exitcode)",
    )
    assert done.stdout == "1\n"
    assert done.stderr.count(MISSING) == 1


@pytest.mark.full
@pytest.mark.parametrize(
    ("how", "call"),
    [
        ("workers=1", 'if __name__ == "__main__": run()'),
        ("verify=True", "run()"),
    ],
)
def test_other_scripts_run(script, how, call):
    done = script(how, call)
    assert done.stdout == "['done', 'done']\n", done.stderr
    assert done.stderr == ""
