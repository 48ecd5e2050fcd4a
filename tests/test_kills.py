"""`kill -9` while a result is saved: the old result or the new one is there, whole, every time."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.tasks.segmentation import SegmentationResult

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.timeout(900),
]

CARD = ModelCard("toy", "segmentation", classes=("a", "b", "c"))
ROUNDS = 200

FORKS = """
import os, random, signal, sys, time
sys.path.insert(0, sys.argv[1])
import test_kills

save, check, rounds = getattr(test_kills, sys.argv[2]), test_kills.whole, int(sys.argv[4])
random.seed(0)
began = time.perf_counter()
child = os.fork()
if child == 0:
    save(sys.argv[3], 0)
    os._exit(0)
os.waitpid(child, 0)
longest = 1.2 * (time.perf_counter() - began)
seen = {check(sys.argv[3])}
killed = 0
for number in range(1, rounds + 1):
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        save(sys.argv[3], number)
        os._exit(0)
    time.sleep(random.uniform(0, longest))
    os.kill(child, signal.SIGKILL)
    killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    seen.add(check(sys.argv[3]))
print(killed, len(seen))
"""

SAVERS = """
import sys
sys.path.insert(0, sys.argv[1])
from test_kills import save_result
for number in range(60):
    save_result(sys.argv[2], 3 * number + int(sys.argv[3]))
"""


def save_result(folder, number):
    """Save a result whose labels and scores both depend on *number*, over the one before."""
    scores = np.random.default_rng(number).normal(size=(3, 120, 160)).astype(np.float32)
    labels = scores.argmax(0).astype(np.uint8)
    image = np.full((120, 160, 3), number % 251, np.uint8)
    SegmentationResult(labels, CARD, scores, image).save(folder, "r")


def segment(folder, number):
    """Call the command line: images alternate."""
    from wasinn_nb.cli import main

    image = ("city-crosswalk", "country-road")[number % 2]
    sys.argv = ["wasinn-nb", "segment", image, "--scores", "--output", folder]
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - the process ends
    with suppress(SystemExit):
        main()


def whole(folder):
    """Load the result; return what tells it from others.  Its parts belong to each other."""
    (facts,) = (path for path in Path(folder).glob("*.json") if ".tensor" not in path.name)
    result = SegmentationResult.load(facts)
    assert result.scores is not None
    assert np.array_equal(result.scores.argmax(0), result.labels)
    return str(result.digest())


@pytest.mark.parametrize("save", [save_result, segment], ids=lambda one: one.__name__)
def test_a_killed_save_leaves_the_old_result_or_the_new_one(tmp_path, save):
    run = subprocess.run(
        [sys.executable, "-c", FORKS, Path(__file__).parent, save.__name__, tmp_path, str(ROUNDS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    killed, results = map(int, run.stdout.split())
    assert killed > ROUNDS / 4  # or the kills came too late to show anything
    assert results > 1
    save_result(tmp_path, 0)
    if save is save_result:  # the next save clears up
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


def test_three_savers_leave_one_whole_result(tmp_path):
    save_result(tmp_path, 0)
    savers = [
        subprocess.Popen([sys.executable, "-c", SAVERS, Path(__file__).parent, tmp_path, str(one)])
        for one in range(3)
    ]
    seen = set()
    while any(one.poll() is None for one in savers):
        seen.add(whole(tmp_path))
    assert [one.wait() for one in savers] == [0, 0, 0]
    assert len(seen) > 3
    assert whole(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        *("r-1x3x120x160xf32.tensor", "r-1x3x120x160xf32.tensor.json"),
        *("r-mask.png", "r-overlay.jpg", "r.json"),
    ]
    assert wn.read_tensor(tmp_path / names[0]).dimensions == (1, 3, 120, 160)
