"""A process ends cleanly while widgets still work in the background."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image

pytestmark = pytest.mark.full

HEAD = """
import sys, warnings
warnings.simplefilter("error")
import wasinn_nb as wn
"""
THUMBNAILS = """
picker = wn.ImagePicker(folder={folder!r})
picker.send = lambda *_: None
keys = [one["key"] for one in picker._options]
assert len(keys) > 300
picker._receive(picker, {{"type": "thumbnails", "keys": keys}}, [])
assert not picker.wait(0)
"""
EXPLORER = """
explorer = wn.Explorer(folder={folder!r})
for name in ["city-arrow", "country-road"] * 3:
    explorer.images.value = name
"""
PRECISIONS = """
picker = wn.TargetPicker()
picker._receive(picker, {{"type": "precisions"}}, [])
"""
# As a kernel is ended by a signal: its atexit handlers run, its daemon threads are in the middle.
SIGNALLED = THUMBNAILS + "raise SystemExit(0)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """So many images that they take some seconds."""
    made = tmp_path_factory.mktemp("images")
    Image.effect_noise((1600, 1200), 60).save(made / "000.png", compress_level=1)
    for number in range(1, 320):
        (made / f"{number:03}.png").hardlink_to(made / "000.png")
    return made


@pytest.mark.parametrize(
    "work",
    [THUMBNAILS, SIGNALLED, EXPLORER, PRECISIONS],
    ids=["thumbnails", "thumbnails and an exit", "explorer", "precisions"],
)
def test_the_process_ends_at_once_and_says_nothing(folder, work):
    code = (
        HEAD
        + work.format(folder=str(folder))
        + 'print("end", flush=True)\n' * ("SystemExit" not in work)
    )
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout in {"end\n", ""}
