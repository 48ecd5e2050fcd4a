"""Many images: `predict` against what nobody can go below, and against the loops that people write.

1080p JPEGs and the real road model where it is.  Ours keeps every column: masks, digests,
thumbnails, confidences.  The ideal is cores / (CPU seconds of decoding, resizing and bare inference
of one image), measured alone in the same round.
"""

from __future__ import annotations

import logging
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
from PIL import Image

import wasinn_nb as wn
from benchmarks.bench_pipeline import full_hd, model_file
from benchmarks.paired import Row, ratio
from wasinn_nb.imaging import open_for, resized_pixels
from wasinn_nb.prediction import dask_executor
from wasinn_nb.prediction.parts import write_part
from wasinn_nb.prediction.store import runs_in
from wasinn_nb.runtimes import processors

CONFIG = {"INFERENCE_PRECISION_HINT": "f32"}
ROUNDS = 4
IMAGES = 160


def rows() -> list[Row]:
    """Measure and return the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        return [*_speed(place), *_dask(place), _memory(place), *_opening(place)]


def _files(folder: Path, count: int = IMAGES) -> list[Path]:
    """Return 1080p JPEGs that all differ."""
    folder.mkdir()
    pixels = np.asarray(Image.open(full_hd(folder.parent)))
    files = [folder / f"{n:04}.jpg" for n in range(count)]
    for n, file in enumerate(files):
        Image.fromarray(np.roll(pixels, 7 * n, axis=1)).save(file, quality=92)
    return files


def _speed(place: Path) -> Iterator[Row]:
    files, model = _files(place / "images"), model_file()
    pipeline = wn.Pipeline(model)
    peers: dict[str, Callable[[], object]] = {
        "plain loop over Pipeline": lambda: [pipeline(file).areas() for file in files],
        "AsyncInferQueue, our resize": lambda: _queue(model, files, _ours(pipeline)),
        "AsyncInferQueue, cv2's resize": lambda: _queue(model, files, _cv2_resized),
        "OpenVINO Model API, AsyncPipeline": lambda: _model_api(model, files),
    }
    first = wn.predict(files, model, place / "tuned", progress=False)
    session = first.facts["sessions"][-1]
    print(f"chosen: {session['choice']}; measured: {session['measured']}")
    ours: list[float] = []
    ideal: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(ROUNDS):
        before = _ideal(model, pipeline, files[:20])
        for path in (place / "tuned").glob("*/rows/*.parquet"):
            path.unlink()
        found = wn.predict(files, model, place / "tuned", progress=False)
        ours.append(found.facts["sessions"][-1]["seconds"])
        after = _ideal(model, pipeline, files[:20])
        ideal.append((before + after) / 2 * len(files) / processors())
        for name, run in peers.items():
            start = time.perf_counter()
            run()
            theirs[name].append(time.perf_counter() - start)
    speed = len(files) / statistics.median(ours)
    print(f"predict: {speed:.1f} images/s with all columns, {processors()} processors")
    yield ratio("predict, 1080p JPEGs", "ideal: cores / CPU seconds", ours, ideal, "<= 1.087")
    for name, seconds in theirs.items():
        goal = "< 1" if "cv2's" not in name else "< 99"
        yield ratio("predict, 1080p JPEGs", name, ours, seconds, goal)


def _ideal(model: str, pipeline: wn.Pipeline, files: Sequence[Path]) -> float:
    """Return CPU seconds of one image: the smallest sum of what has to be done."""
    core = ov.Core()
    config = CONFIG | {"NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}
    compiled = core.compile_model(model, "CPU", config)
    request = compiled.create_infer_request()
    request.set_input_tensor(0, ov.Tensor(np.zeros(tuple(compiled.input(0).shape), np.float32)))
    seconds = []
    for file in files:
        start = time.process_time()
        resized_pixels(open_for(file, pipeline.recipe), pipeline.recipe)
        request.start_async()
        request.wait()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def _ours(pipeline: wn.Pipeline) -> Callable[[Path], np.ndarray]:
    def prepared(file: Path) -> np.ndarray:
        image = cv2.imread(str(file))[:, :, ::-1]
        return resized_pixels(np.ascontiguousarray(image), pipeline.recipe)[:, :, ::-1]

    return prepared


def _cv2_resized(file: Path) -> np.ndarray:
    return cv2.resize(cv2.imread(str(file)), (896, 512))


def _queue(model: str, files: Sequence[Path], prepare: Callable[[Path], np.ndarray]) -> list[Any]:
    """Run the loop that people write around AsyncInferQueue; only areas are kept."""
    compiled = ov.Core().compile_model(model, "CPU", CONFIG | {"PERFORMANCE_HINT": "THROUGHPUT"})
    requests = ov.AsyncInferQueue(compiled)
    areas: list[Any] = [None] * len(files)

    def keep(request: ov.InferRequest, index: int) -> None:
        labels = np.argmax(request.get_output_tensor().data[0], axis=0)
        areas[index] = np.bincount(labels.ravel(), minlength=4)

    requests.set_callback(keep)
    for index, file in enumerate(files):
        tensor = np.expand_dims(prepare(file).transpose(2, 0, 1), 0).astype(np.float32)
        requests.start_async([tensor], index)
    requests.wait_all()
    return areas


def _model_api(model: str, files: Sequence[Path]) -> int:
    from model_api.adapters import OpenvinoAdapter
    from model_api.models import SegmentationModel
    from model_api.pipelines import AsyncPipeline

    logging.getLogger().setLevel(logging.ERROR)
    config = CONFIG | {"PERFORMANCE_HINT": "THROUGHPUT"}
    adapter = OpenvinoAdapter(ov.Core(), model, device="CPU", plugin_config=config)
    options = {"soft_threshold": 0.0, "blur_strength": -1, "return_soft_prediction": False}
    pipeline = AsyncPipeline(SegmentationModel(adapter, options, preload=True))
    got = submitted = 0
    while got < len(files):
        if submitted < len(files) and pipeline.is_ready():
            pipeline.submit_data(cv2.imread(str(files[submitted])), submitted)
            submitted += 1
        elif submitted < len(files):
            pipeline.await_any()
        else:
            pipeline.await_all()
        while got < submitted and pipeline.get_result(got) is not None:
            got += 1
    return got


def _half(arguments: tuple[list[str], str, str]) -> float:
    """Predict a half of the images in this process; return the seconds."""
    files, model, store = arguments
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as one:
        found = wn.predict(files, model, store, executor=one, workers=2, progress=False)
    return float(found.facts["sessions"][-1]["seconds"])


def _dask(place: Path) -> Iterator[Row]:
    """Compare two Dask workers of one thread with two processes that know nothing of each other."""
    files, model = sorted(map(str, (place / "images").glob("*.jpg"))), model_file()
    ours, theirs = [], []
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask_executor("local", 2) as executor:
        wn.predict(files[:8], model, place / "warm", executor=executor, progress=False)
        for number in range(ROUNDS):
            found = wn.predict(
                files, model, place / f"dask{number}", executor=executor, progress=False
            )
            ours.append(found.facts["sessions"][-1]["seconds"])
            halves = [
                (part, model, str(place / f"half{number}{n}"))
                for n, part in enumerate((files[::2], files[1::2]))
            ]
            with ProcessPoolExecutor(
                2, mp_context=multiprocessing.get_context("spawn")
            ) as processes:
                theirs.append(max(processes.map(_half, halves)))
    yield ratio("two Dask workers", "two processes on halves", ours, theirs, "<= 1.087")


# Of this process alone: what getrusage reports begins with the memory of the one that forked it.
MEMORY = """
import sys
from pathlib import Path
import wasinn_nb as wn
images, model, store = sys.argv[1:]
wn.predict(images, model, store, progress=False)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def _memory(place: Path) -> Row:
    """Compare the resident memory after 20,000 small images with that after 2,000."""
    found = {}
    model = _toy(place / "toy.xml")
    for count in (2_000, 20_000):
        images = place / f"small{count}"
        images.mkdir()
        for n in range(count):
            pixels = np.full((24, 32, 3), (n % 256, n // 256, 77), np.uint8)
            Image.fromarray(pixels).save(images / f"{n:05}.png", compress_level=1)
        words = [sys.executable, "-c", MEMORY, str(images), model, str(place / f"kept{count}")]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        found[count] = float(done.stdout)
        shutil.rmtree(images)
    print(f"peak memory: {found[2_000] / 1e3:.0f} MB, then {found[20_000] / 1e3:.0f} MB")
    pairs = [found[20_000]] * 3, [found[2_000]] * 3
    return ratio("peak memory after 20,000 images", "after 2,000", *pairs, "<= 1.05")


def _toy(path: Path) -> str:
    """Write a model whose class is the brightest of three channels: it takes no time."""
    from openvino import opset13 as op

    data = op.parameter([1, 3, 24, 32], ov.Type.f32, name="data")
    scores = op.softmax(data, 1)
    ov.save_model(ov.Model([op.result(scores)], [data], "toy"), path)
    return str(path)


OPENING = """
import sys, time
from pathlib import Path
import pandas, pyarrow.parquet
import wasinn_nb as wn
wn.read_predictions
start = time.perf_counter()
found = len(wn.read_predictions(sys.argv[1]).query("road < 0.05"))
seconds = time.perf_counter() - start
memory = Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]
print(seconds, int(memory) / 1e3, found)
"""


def _opening(place: Path) -> Iterator[Row]:
    """Open a store of 100,000 rows and ask it once, in a process of its own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (run,) = runs_in(place / "tuned")
    kept = pq.read_table(run.parts()[0]).to_pylist()
    for path in run.parts():
        path.unlink()
    for part in range(100):
        rows = [
            kept[n % len(kept)]
            | {"source": f"/images/{part}/{n}.jpg", "name": f"{part}/{n}.jpg", "road": n / 1000}
            for n in range(1000)
        ]
        write_part(run.rows, pa.Table.from_pylist(rows, run.schema))
    size = sum(path.stat().st_size for path in run.parts()) / 100_000
    seconds, memory = [], []
    for _ in range(5):
        words = [sys.executable, "-c", OPENING, str(place / "tuned")]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        values = done.stdout.split()
        seconds.append(float(values[0]))
        memory.append(float(values[1]))
    print(f"100,000 rows of {size:.0f} bytes: {statistics.median(seconds):.2f} s to open and ask")
    yield ratio("open 100,000 rows, one query", "one second", seconds, [1.0] * 5, "<= 1")
    yield ratio("its peak memory", "300 MB", memory, [300.0] * 5, "<= 1")
