"""`predict` by other threads and processes: the same rows, whoever is lost on the way."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from deadly_engine import MAGIC, DeadlyRuntime
from PIL import Image
from prediction_help import whole_table, write_images
from tables import all_slow_but
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.errors import ImageError, InvalidArgumentError, RuntimeFailure, TooManyFailuresError
from wasinn_nb.prediction.executors import Pool, dask_executor

COUNT = 300


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a model, images, and a store of one process that nothing disturbed."""
    folder = tmp_path_factory.mktemp("executors")
    brightest_channel(folder / "toy.xml", height=32, width=48)
    write_images(folder / "images", COUNT)
    (folder / "images/bad.png").write_text("no image")
    wn.predict(folder / "images", folder / "toy.xml", folder / "undisturbed", progress=False)
    return folder


@pytest.fixture
def undisturbed(place):
    return whole_table(wn.read_predictions(place / "undisturbed"))


@pytest.fixture
def run(place, tmp_path):
    def predict(store="store", **options):
        return wn.predict(
            options.pop("images", place / "images"),
            place / "toy.xml",
            tmp_path / store,
            progress=options.pop("progress", False),
            **options,
        )

    return predict


def last(predictions):
    return predictions.facts["sessions"][-1]


@pytest.mark.full
def test_threads_give_the_same_rows(run, undisturbed):
    calls = []
    with ThreadPoolExecutor(3) as executor:
        found = run(executor=executor, progress=lambda *now: calls.append(now))
    assert whole_table(found) == undisturbed
    assert (last(found)["finished"], last(found)["errors"], last(found)["workers"]) == (301, 1, 3)
    assert calls[-1] == (301, 301)
    assert not any((found.folder / ".staged").iterdir())


@pytest.mark.full
def test_processes_of_our_own_and_what_changed_since(run, undisturbed, place, tmp_path):
    found = run(workers=2)
    assert whole_table(found) == undisturbed
    assert last(run(workers=2))["unchanged"] == 301
    images = tmp_path / "images"
    write_images(images, 30)
    one = run("other", images=images, workers=2)
    assert len(one) == 30
    Image.new("RGB", (9, 9), (1, 2, 3)).save(images / "0007.png")
    os.utime(images / "0008.png", (1, 1))
    (images / "0009.png").unlink()
    write_images(images, 31, first=30)
    again = run("other", images=images, workers=2)
    session = last(again)
    assert (session["finished"], session["unchanged"]) == (2, 28)
    assert len(again) == 31  # the row of what is gone stays
    assert again.row("0007.png")["width"] == 9


@pytest.mark.full
@pytest.mark.slow
def test_spawned_processes_that_are_given(run, undisturbed):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert whole_table(run(executor=executor)) == undisturbed


def test_what_is_refused():
    fork = multiprocessing.get_context("fork")
    with (
        ProcessPoolExecutor(1, mp_context=fork) as executor,
        pytest.raises(InvalidArgumentError, match=r"this executor forks.*'spawn'"),
    ):
        Pool(executor, None)
    for arguments in (("threads", None), (None, 0), (None, True)):
        with pytest.raises(InvalidArgumentError, match="expected"):
            Pool(*arguments)


@pytest.mark.full
def test_errors_of_images_and_shards(run, place, tmp_path):
    images = [place / "images/bad.png", *sorted((place / "images").glob("0*"))]
    with ThreadPoolExecutor(1) as executor, pytest.raises(ImageError, match="not an image"):
        run(images=images, executor=executor, on_error="raise")
    bad = tmp_path / "bad"
    bad.mkdir()
    for n in range(300):
        (bad / f"{n}.png").write_text("no image")
    with (
        ThreadPoolExecutor(1) as executor,
        pytest.raises(TooManyFailuresError, match="images failed"),
    ):
        run("other", images=bad, executor=executor)
    assert 100 <= len(wn.read_predictions(tmp_path / "other")) < 300


class Losing:
    """An executor that loses a part of its calls: some before, some after they were done."""

    def __init__(self, chance):
        self._inner, self._chance = ThreadPoolExecutor(2), random.Random(chance)
        self._max_workers = 2

    def submit(self, function, *arguments):
        outer, how = Future(), self._chance.choice(["run", "before", "after", "twice"])

        def work():
            for _ in range({"before": 0, "twice": 2}.get(how, 1)):
                result = function(*arguments)
            if how in {"before", "after"}:
                outer.set_exception(ConnectionError("the worker is gone"))
            else:
                outer.set_result(result)

        self._inner.submit(work)
        return outer


@pytest.mark.full
@pytest.mark.parametrize("seed", all_slow_but(range(3), 0))
def test_lost_shards_are_run_again_and_no_row_is_there_twice(run, undisturbed, seed):
    found = run(executor=Losing(seed))
    assert whole_table(found) == undisturbed
    assert last(found)["finished"] == 301
    assert last(found)["errors"] == 1
    assert not any((found.folder / ".staged").iterdir())


class Dead:
    """An executor without workers that live."""

    _max_workers = 1

    def submit(self, function, *arguments):
        future = Future()
        future.set_exception(ConnectionError("nobody is here"))
        return future


@pytest.mark.full
def test_no_worker_at_all(run):
    with pytest.raises(RuntimeFailure, match=r"no worker could run images: nobody is here; check"):
        run(executor=Dead())
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeFailure, match=r"takes no more work.*with a new executor"):
        run(executor=executor)


@pytest.mark.full
@pytest.mark.slow
def test_an_image_that_ends_its_worker_is_a_row(place, tmp_path):
    images = tmp_path / "images"
    write_images(images, 12)
    Image.new("RGB", (48, 32), tuple(MAGIC)).save(images / "deadly.png")
    found = wn.predict(
        images,
        place / "toy.xml",
        tmp_path / "store",
        runtime=DeadlyRuntime(),
        workers=2,
        progress=False,
    )
    assert len(found) == 13
    (row,) = found.query("status == 'error'").rows()
    assert row["name"] == "deadly.png"
    assert row["error"].startswith("the worker ended while it ran this image: ")
    assert last(found)["lost"] >= 3


@contextmanager
def killing(pids, *, seconds=0.6):
    """Kill one of the processes that *pids* gives now and then, by its id."""
    stopped = threading.Event()

    def work():
        while not stopped.wait(seconds):
            for pid in pids()[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@pytest.mark.slow
def test_a_killed_process_of_our_own_is_replaced(run, undisturbed):
    killed = []

    def one():
        children = multiprocessing.active_children()
        if killed or not children:
            return []
        killed.append(children[0].pid)
        return killed

    with killing(one, seconds=2.5):
        found = run(workers=2)
    assert whole_table(found) == undisturbed


DRIVER = """
import sys
import wasinn_nb as wn
if __name__ == "__main__":
    images, model, store, workers = sys.argv[1:]
    wn.predict(images, model, store, workers=int(workers) or None, progress=False)
"""


def drive_until_done(place, store, tmp_path, *, kills, workers, seed):
    """Kill a driver at random moments, and start it again; then let it end."""
    (tmp_path / "driver.py").write_text(DRIVER)
    words = [sys.executable, str(tmp_path / "driver.py")]
    words += [str(place / "images"), str(place / "toy.xml"), str(store), str(workers)]
    environment = os.environ | {"PYTHONPATH": str(Path(wn.__file__).parents[1])}
    chance, done = random.Random(seed), 0
    while done < kills:
        with subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) as driver:
            # Images are run in the time after it has the lock.
            while driver.poll() is None and not list(store.glob("*/.driver.json")):
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 2.5))
            driver.kill()
            done += 1
    subprocess.run(words, env=environment, check=True)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_a_killed_driver_loses_nothing(place, undisturbed, tmp_path, workers):
    store = tmp_path / "store"
    drive_until_done(place, store, tmp_path, kills=2, workers=workers, seed=workers)
    found = wn.read_predictions(store)
    assert whole_table(found) == undisturbed
    names = [path.name for path in (found.folder / "rows").iterdir()]
    assert all(name.startswith("part-") for name in names if not name.startswith("."))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("workers", [0, 2])
def test_fifty_kills(place, undisturbed, tmp_path, workers):
    for seed in range(10):
        store = tmp_path / f"store{seed}"
        drive_until_done(place, store, tmp_path, kills=5, workers=workers, seed=seed)
        assert whole_table(wn.read_predictions(store)) == undisturbed


@contextmanager
def cluster(folder, workers=2):
    """A Dask scheduler and workers as processes of their own, on loopback; yields their ids."""
    file = folder / "scheduler.json"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(wn.__file__).parents[1]), str(folder)])
    }
    common = {"env": environment, "stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    started = [subprocess.Popen([*scheduler, "--scheduler-file", str(file)], **common)]
    try:
        for _ in range(600):
            if file.is_file() and file.stat().st_size:
                break
            time.sleep(0.1)
        worker = [*dask, "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny"]
        worker += ["--no-dashboard", "--local-directory", str(folder)]
        started += [subprocess.Popen(worker, **common) for _ in range(workers)]
        yield json.loads(file.read_text())["address"], [one.pid for one in started[1:]]
    finally:
        for one in reversed(started):
            one.kill()
            one.wait()


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_in_the_middle(run, undisturbed, tmp_path):
    with cluster(tmp_path) as (address, workers), dask_executor(address) as executor:
        client = executor._client
        client.wait_for_workers(2, timeout=60)
        killed = []

        def one():
            # Once it has begun with a shard, and before that is done.
            if not killed and list(tmp_path.glob("store/*/.staged/*")):
                killed.append(workers[0])
                return killed
            return []

        with killing(one, seconds=0.02):
            found = run(executor=executor)
    assert whole_table(found) == undisturbed
    assert last(found)["workers"] in {1, 2}


@pytest.mark.full
def test_no_scheduler():
    with (
        pytest.raises(RuntimeFailure, match=r"no Dask scheduler answers at tcp://127.0.0.1:1"),
        dask_executor("tcp://127.0.0.1:1"),
    ):
        pass
