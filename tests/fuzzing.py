"""Mutated models through guests and ``inspect``: ``make fuzz``, and a small part in the tests.

Whatever an engine does with a model, this process goes on and every model is accounted for.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from itertools import count, groupby
from pathlib import Path
from signal import Signals

import numpy as np
import openvino as ov
import toy_files
import toys
from conformance.engines import OnnxWriter
from conformance.tflite_writer import TfliteWriter
from hosting import command, escaped
from openvino import opset13 as op

from wasinn_nb.errors import GuestCrash, GuestTimeout
from wasinn_nb.host import run_guest

BATCH = 100
SECONDS = 60.0  # for a batch
MEMORY = 256 << 20
AT_ONCE = 500  # files of one `inspect`

_IMPORTS = "".join(
    f'(import "wasi_ephemeral_nn" "{name}" (func ${short} {" ".join(["(param i32)"] * count)} '
    f"(result i32)))"
    for name, short, count in (
        ("load_by_name", "load", 3),
        ("init_execution_context", "init", 2),
        ("set_input", "set", 3),
        ("compute", "compute", 1),
        ("get_output", "get", 5),
    )
)


def seeds():
    """Return suffixes and files of sound models in five formats, each of 1 x 2 numbers."""
    return [
        (".xml", {".bin": network()[1]}, network()[0]),
        (".xml", {".bin": looping()[1]}, looping()[0]),
        (".onnx", {}, written(OnnxWriter())),
        (".tflite", {}, written(TfliteWriter())),
        (".pb", {}, toy_files.tensorflow_relu()),
        (".pdmodel", {".pdiparams": b""}, toy_files.paddle_relu()),
        (".xml", {".bin": toys.conditional()[1]}, toys.conditional()[0]),
    ]


@cache
def network():
    """Return an IR of the operations of a small network: its xml and its bin."""
    rng = np.random.default_rng(0)

    def numbers(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    def build(data):
        no = (False, False)
        planes = op.reshape(op.matmul(data, numbers(2, 48), *no), [1, 3, 4, 4], *no[:1])
        planes = op.convolution(planes, numbers(4, 3, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1])
        planes = op.relu(op.add(planes, numbers(1, 4, 1, 1)))
        planes = op.max_pool(planes, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2], "ceil", "valid")
        parts = op.split(planes.output(0), np.int64(1), 2)
        joined = op.concat([parts.output(1), parts.output(0)], 1)
        picked = op.gather(joined, np.array([0, 2]), np.int64(1))
        wide = op.pad(picked, [0, 0, 1, 0], [0, 0, 0, 1], "constant")
        turned = op.transpose(wide, np.array([0, 2, 3, 1]))
        cut = op.strided_slice(
            turned,
            np.array([0, 0, 0, 0]),
            np.array([1, 2, 2, 2]),
            np.ones(4, np.int64),
            [0, 0, 0, 0],
            [0, 0, 0, 0],
        )
        return op.softmax(op.topk(cut, np.int64(2), 3, "max", "value").output(0), 1)

    return toys.ir(toys.graph(build))


@cache
def looping():
    """Return an IR with a loop of three rounds: its xml and its bin."""

    def build(data):
        inside = op.parameter([1, 2], np.float32)
        going_on = op.constant(np.array([True]))
        body = ov.Model([op.sin(inside).output(0), going_on.output(0)], [inside], "body")
        loop = op.loop(op.constant(np.int64(3)), op.constant(np.array([True])))
        loop.set_function(body)
        loop.set_special_body_ports([-1, 1])
        loop.set_merged_input(inside, data.output(0), body.results[0].input_value(0))
        return loop.get_iter_value(body.results[0].input_value(0), -1)

    return toys.ir(toys.graph(build))


def written(writer):
    """Return a model of a few operations in the format of a writer, its weights inside."""
    value = writer.input("x", (1, 2), "f32")
    value = writer.apply("multiply", value, np.full((1, 2), 3, np.float32))
    value = writer.apply("sigmoid", writer.apply("add", value, np.ones((1, 2), np.float32)))
    return writer.finish({"y": writer.highest(value, (1,))})[0]


QUOTED = re.compile(rb'"[^"<>]*"')
ODD = (b"0", b"1", b"7", b"-1", b"99", str(2**31).encode(), str(2**63).encode(), b"")


def mutated(numbers, content):
    """Return a model's bytes with some changes.

    Half of them leave an xml an xml, and most numbers of a binary model numbers, so that an engine
    reads what is changed.
    """
    changed = bytearray(content)
    for _ in range(numbers.choice([1, 1, 1, 1, 2, 4])):
        if len(changed) < 5:
            break
        (_gentle if numbers.random() < 0.7 else _rough)(numbers, changed)
    return bytes(changed)


def _gentle(numbers, changed):
    """Change a value of an xml, or take out or repeat a line; elsewhere, change a byte."""
    places = [match.span() for match in QUOTED.finditer(changed)]
    if not changed.startswith(b"<?xml") or not places:
        at = numbers.randrange(len(changed))
        changed[at] = numbers.choice([0, 1, 2, 3, 0x7F, 0x80, 0xFF, changed[at] ^ 1])
        return
    kind, (start, end) = numbers.randrange(4), numbers.choice(places)
    if kind == 0:
        changed[start + 1 : end - 1] = numbers.choice(ODD)
    elif kind == 1:
        first, last = numbers.choice(places)
        changed[start:end] = changed[first:last]
    else:
        lines = bytes(changed).splitlines(keepends=True)
        at = numbers.randrange(len(lines))
        lines[at : at + 1] = [lines[at]] * (kind - 2) * 2
        changed[:] = b"".join(lines)


def _rough(numbers, changed):
    """Change bits, words, decimal numbers, or the length."""
    digits = [at for at, byte in enumerate(changed) if 48 <= byte <= 57]
    at = numbers.randrange(len(changed) - 4) if len(changed) > 4 else 0
    kind = numbers.randrange(7)
    if kind == 0:
        changed[at] ^= 1 << numbers.randrange(8)
    elif kind == 1:
        changed[at : at + 4] = numbers.choice([b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f"])
    elif kind == 2:
        del changed[at : at + numbers.randrange(1, 16)]
    elif kind == 3:
        changed[at:at] = changed[at : at + numbers.randrange(1, 32)]
    elif kind == 4:
        del changed[numbers.randrange(len(changed)) :]
    elif digits:
        place = numbers.choice(digits)
        changed[place : place + 1] = numbers.choice(ODD)


def write_models(folder, number_of_models, seed=0):
    """Write mutated models, and return their main files."""
    numbers = random.Random(seed)
    sound, paths = seeds(), []
    for number in range(number_of_models):
        suffix, beside, content = sound[number % len(sound)]
        path = Path(folder) / f"{number:05d}{suffix}"
        path.write_bytes(mutated(numbers, content))
        for weights, raw in beside.items():
            changed = len(raw) > 4 and numbers.random() < 0.2
            path.with_suffix(weights).write_bytes(mutated(numbers, raw) if changed else raw)
        paths.append(path)
    return paths


def guest(count):
    """Assemble a guest that loads models 000, 001, … and runs each as far as it goes."""
    names = "".join(f"{number:03d}" for number in range(count)).encode()
    record = struct.pack("<IIBxxxII", 4096, 2, 1, 4200, 8)
    body = f"""(local $n i32) (loop $all (block $next
        (br_if $next (call $load (i32.mul (local.get $n) (i32.const 3)) (i32.const 3)
          (i32.const 5000)))
        (br_if $next (call $init (i32.load (i32.const 5000)) (i32.const 5004)))
        (br_if $next (call $set (i32.load (i32.const 5004)) (i32.const 0) (i32.const 4128)))
        (br_if $next (call $compute (i32.load (i32.const 5004))))
        (drop (call $get (i32.load (i32.const 5004)) (i32.const 0) (i32.const 8192)
          (i32.const 4096) (i32.const 5008))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $all (i32.lt_u (local.get $n) (i32.const {count}))))"""
    data = {0: names, 4096: struct.pack("<II", 1, 2), 4128: record}
    rest = "".join(f'(data (i32.const {at}) "{escaped(raw)}")' for at, raw in data.items())
    return command(body, _IMPORTS, rest)


def through_guests(paths, outcomes, *, isolation="process"):
    """Run models in guests; count what came of each, as far as each went."""
    left = list(paths)
    while left:
        batch = left[:BATCH]
        models = {f"{number:03d}": path for number, path in enumerate(batch)}
        try:
            run = run_guest(
                guest(len(batch)),
                models=models,
                memory_limit=MEMORY,
                time_limit=SECONDS,
                keep=None,
                stream=False,
                isolation=isolation,
            )
            done, end = len(batch), None
        except (GuestCrash, GuestTimeout) as error:
            run, end = error.run, _ended(error)
            done = max(1, sum(call.name == "load_by_name" for call in run.trace))
        for _, calls in groupby(run.trace, _counting()):
            outcomes[f"guest: {_reached(list(calls))}"] += 1
        if end is not None:
            # The call that was running is the last one of the trace.
            outcomes[f"guest: {_reached(_last(run.trace))}"] -= 1
            outcomes[f"guest: {end}"] += 1
        left = left[done:]


def _counting():
    """Return a function that numbers the calls of a trace by the model that they are about."""
    counted = count()
    current = [0]

    def number(call):
        if call.name == "load_by_name":
            current[0] = next(counted)
        return current[0]

    return number


def _last(trace):
    calls = list(trace)
    start = max(number for number, call in enumerate(calls) if call.name == "load_by_name")
    return calls[start:]


def _reached(calls):
    """Return how far a model went, and the kind of error that ended it."""
    failed = next((call for call in calls if call.errno), None)
    if failed is None:
        return "computed"
    who = "the engine" if "OpenVINO" in failed.note else "the package"
    return f"{failed.name} refused by {who}, {failed.errno.name.lower()}"


def _ended(error):
    if isinstance(error, GuestTimeout):
        return f"ended at the time limit, during {error.run.trace[-1].name}"
    if error.limit:
        return f"ended at {error.limit}, during {error.call}"
    if error.signal:
        return f"ended by {Signals(error.signal).name}, during {error.call}"
    return f"UNEXPECTED {str(error)[:200]!r}"


def through_inspect(paths, outcomes):
    """Run ``wasinn-nb inspect`` over models; count what it says of each, and return its exit codes.

    One helper reads them until one ends it.
    """
    codes = []
    for at in range(0, len(paths), AT_ONCE):
        part = list(map(str, paths[at : at + AT_ONCE]))
        ran = subprocess.run(
            [sys.executable, "-m", "wasinn_nb", "inspect", "--json", *part],
            capture_output=True,
            check=False,
        )
        codes.append(ran.returncode)
        try:
            found = json.loads(ran.stdout)
        except ValueError:
            outcomes[f"inspect: UNEXPECTED end, exit code {ran.returncode}"] += len(part)
            continue
        for one in [found] if isinstance(found, dict) else found:
            outcomes[f"inspect: {_summary(one.get('error'))}"] += 1
    return codes


def _summary(error):
    if not isinstance(error, str):
        return "described"
    if "Traceback (most recent call last)" in error:
        return f"UNEXPECTED {error.splitlines()[-1][:200]}"
    if ended := re.search(r"the process that read the file (was ended by \w+|.*?);", error):
        return ended[1]
    if "and was stopped" in error:
        return "ended at the memory limit" if "MiB" in error else "ended at the time limit"
    return f"refused by {'the engine' if 'OpenVINO' in error else 'the package'}"


def inspect_alone(path):
    """Return the exit code of ``wasinn-nb inspect`` for one model."""
    line = [sys.executable, "-m", "wasinn_nb.cli", "inspect", str(path)]
    return subprocess.run(line, capture_output=True, check=False).returncode


def _print_counts(outcomes):
    for outcome, number in sorted(outcomes.items()):
        print(f"{number:7d}  {outcome}", flush=True)


def main():
    """Fuzz, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    outcomes, start = Counter(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_models(folder, options.models, options.seed)
        for at in range(0, len(paths), AT_ONCE):
            part = paths[at : at + AT_ONCE]
            through_guests(part, outcomes)
            for code in through_inspect(part, outcomes):
                outcomes[f"inspect of several: exit code {code}"] += 1
            _print_counts(outcomes)
            print(f"{at + len(part)} models, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    print(f"{options.models} models of five formats; this process was not harmed")
    sys.exit(any("UNEXPECTED" in outcome for outcome in outcomes))


if __name__ == "__main__":
    main()
