"""Mutated models through guests and ``inspect``: ``make fuzz``, and a small part in the tests.

Whatever an engine does with a model, this process goes on and every model is accounted for.
"""

from __future__ import annotations

import argparse
import random
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import toy_files
import toys
from hosting import command, escaped

from wasinn_nb.errors import GuestCrash, GuestTimeout
from wasinn_nb.host import run_guest

BATCH = 40
SECONDS = 30.0  # for a batch
MEMORY = 256 << 20

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
    """Return suffixes and builders of sound models in five formats."""
    return [
        (".xml", toys.relu()),
        (".xml", toys.conditional()),
        (".onnx", [toys.onnx_relu()]),
        (".tflite", [toy_files.tflite_relu()]),
        (".pb", [toy_files.tensorflow_relu()]),
        (".pdmodel", [toy_files.paddle_relu()]),
    ]


def mutated(numbers, content):
    """Return a model's bytes with some changes: of bits, words, decimal numbers, and its length."""
    changed = bytearray(content)
    digits = [at for at, byte in enumerate(changed) if 48 <= byte <= 57]
    for _ in range(numbers.choice([1, 1, 1, 1, 2, 4])):
        if len(changed) < 5:
            break
        at = numbers.randrange(len(changed) - 4)
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
        elif digits and (place := numbers.choice(digits)) < len(changed):
            changed[place : place + 1] = str(numbers.choice([0, 7, -1, 99, 2**31, 2**63])).encode()
    return bytes(changed)


def write_models(folder, count, seed=0):
    """Write mutated models, and return their main files."""
    numbers = random.Random(seed)
    sound, paths = seeds(), []
    for number in range(count):
        suffix, builders = sound[number % len(sound)]
        path = Path(folder) / f"{number:05d}{suffix}"
        path.write_bytes(mutated(numbers, builders[0]))
        for weights in builders[1:]:
            path.with_suffix(".bin").write_bytes(
                mutated(numbers, weights) if numbers.random() < 0.2 else weights
            )
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
    """Run models in guests; count what came of each."""
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
            run = error.run
            done = max(1, sum(call.name == "load_by_name" for call in run.trace))
            end = f"{type(error).__name__}: {run.ended}"
        rows = [call for call in run.trace if call.name == "load_by_name"]
        refused = sum(call.errno != 0 for call in rows)
        outcomes["guest: refused"] += min(refused, done) - (end is not None and refused == done)
        outcomes["guest: loaded"] += done - refused - (end is not None and refused < done)
        if end is not None:
            outcomes[f"guest: {end}"] += 1
        left = left[done:]


_INSPECTING = """
import sys
from typer.testing import CliRunner
from wasinn_nb import cli
from wasinn_nb.errors import WasiNnError
for path in sys.stdin.read().splitlines():
    print("begin", path, flush=True)
    done = CliRunner().invoke(cli.app, ["inspect", path])
    known = done.exception is None or isinstance(done.exception, (WasiNnError, SystemExit))
    print("refused" if done.exception else "described", flush=True)
    if not known:
        print("unexpected", repr(done.exception)[:200].replace(chr(10), " "), flush=True)
"""


def through_inspect(paths, outcomes):
    """Run ``inspect`` over models, many in one process; return those at which it crashed."""
    left, crashed = list(paths), []
    while left:
        ran = subprocess.run(
            [sys.executable, "-c", _INSPECTING],
            input="\n".join(map(str, left)),
            capture_output=True,
            text=True,
            check=False,
        )
        lines = ran.stdout.splitlines()
        begun = sum(line.startswith("begin ") for line in lines)
        for word in ("refused", "described"):
            outcomes[f"inspect: {word}"] += lines.count(word)
        for line in lines:
            if line.startswith("unexpected"):
                outcomes[f"inspect: {line}"] += 1
        if ran.returncode == 0:
            return crashed
        outcomes[f"inspect: crashed ({ran.returncode})"] += 1
        crashed.append(left[max(begun, 1) - 1])
        left = left[max(begun, 1) :]
    return crashed


def inspect_alone(path):
    """Return the exit code of ``wasinn-nb inspect`` for a model that crashes an engine."""
    line = [sys.executable, "-m", "wasinn_nb.cli", "inspect", str(path)]
    return subprocess.run(line, capture_output=True, check=False).returncode


def main():
    """Fuzz, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    outcomes, start = Counter(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_models(folder, options.models, options.seed)
        for at in range(0, len(paths), 500):
            part = paths[at : at + 500]
            through_guests(part, outcomes)
            for path in through_inspect(part, outcomes)[:5]:
                outcomes[f"inspect alone: exit code {inspect_alone(path)}"] += 1
            print(f"{at + len(part)} models, {time.perf_counter() - start:.0f} s", file=sys.stderr)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:7d}  {outcome}")
    print(f"{options.models} models of five formats; this process was not harmed")


if __name__ == "__main__":
    main()
