"""What a guest reads and prints: streams, arguments, environment, polling."""

import io
import struct
import sys
import threading
import time
from pathlib import Path

import pytest
from guest_models import MISBEHAVE, assert_no_guest_runs, says
from hosting import (
    PAGE,
    command,
    escaped,
    mostly_in_thread,
    run_guest,
)

from wasinn_nb.errors import (
    GuestTimeout,
    InvalidArgumentError,
    MissingFileError,
)

pytestmark = pytest.mark.usefixtures("isolation")


# -- output ------------------------------------------------------------------------------------


def test_output_is_shown_and_kept(capfd):
    run = run_guest(says("to out\n"))
    assert (run.stdout, run.stderr) == ("to out\n", "")
    run = run_guest(says("to err\n", stream=2))
    assert (run.stdout, run.stderr) == ("", "to err\n")
    assert capfd.readouterr() == ("to out\n", "to err\n")
    run_guest(says("quiet\n"), stream=False)
    assert capfd.readouterr() == ("", "")


def test_bytes_that_are_no_text(misbehave, capfdbinary, monkeypatch):
    run = run_guest(MISBEHAVE, ["not-utf8"])
    assert run.stdout == "ok \ufffd\0\n\ufffd"
    assert capfdbinary.readouterr().out == b"ok \xff\0\n\xe2\x82"  # a pipe gets them as they are
    cell = io.StringIO()
    monkeypatch.setattr(sys, "stdout", cell)
    run_guest(MISBEHAVE, ["not-utf8"])
    assert cell.getvalue() == "ok \ufffd\0\n\ufffd"


class Cell(io.StringIO):
    """Takes text as a notebook's cell does, and remembers when, and from which thread."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, text):
        self.writes.append((time.perf_counter(), text, threading.current_thread()))
        return super().write(text)


def test_output_appears_while_the_guest_runs(monkeypatch):
    sleeping = command(
        """(call $say) (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1)
           (i32.const 0))) (call $say)""",
        imports="""(import "wasi_snapshot_preview1" "poll_oneoff"
                     (func $poll (param i32 i32 i32 i32) (result i32)))""",
        rest="""(data (i32.const 16) "h\\c3\\a4\\0a") (data (i32.const 32) "\\10\\00\\00\\00\\04")
                (data (i32.const 80) "\\01") (data (i32.const 88) "\\00\\84\\d7\\17")
                (func $say (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1)
                  (i32.const 8))))""",
    )
    cell = Cell()
    monkeypatch.setattr(sys, "stdout", cell)
    run = run_guest(sleeping)
    assert run.exit_code == 0
    assert cell.getvalue() == "hä\nhä\n"
    (first, _, thread), (second, _, _) = cell.writes
    assert second - first > 0.35, "the first text came with the second, not 0.4 s before it"
    assert thread is threading.current_thread()


@pytest.mark.full
def test_what_is_printed_without_end_is_bounded(misbehave, capfd):
    with pytest.raises(GuestTimeout) as caught:
        run_guest(MISBEHAVE, ["flood"], time_limit=2, output_limit=100)
    run = caught.value.run
    assert len(run.stdout) == 100
    cut = "stdout goes on after 100 bytes; output_limit= shows and keeps more"
    assert run.notes == (cut,)
    printed = capfd.readouterr()
    assert len(printed.out) == 100
    assert printed.err == f"\n[{cut}]\n"


def test_no_limit_shows_everything_and_keeps_the_first(monkeypatch, capfd):
    monkeypatch.setattr("wasinn_nb.host.output.KEPT", 3)
    run = run_guest(says("abcdef"), output_limit=None)
    assert run.stdout == "abc"
    assert run.notes == ("stdout goes on after 3 bytes; output_limit= shows and keeps more",)
    assert capfd.readouterr().out == "abcdef"


def test_an_output_that_fits_exactly(capfd):
    run = run_guest(says("abc"), output_limit=3)
    assert (run.stdout, run.notes) == ("abc", ())
    assert capfd.readouterr() == ("abc", "")


def test_a_screen_that_fails_stops_the_guest(monkeypatch):
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    with pytest.raises(BrokenPipeError):
        run_guest(MISBEHAVE, ["flood"])
    monkeypatch.undo()
    assert_no_guest_runs()


# -- input -------------------------------------------------------------------------------------

ECHO = """(func $echo (param $stream i32)
  (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
  (i32.store (i32.const 4) (i32.load (i32.const 8)))
  (drop (call $fd_write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))
  (data (i32.const 0) "\\10\\00\\00\\00\\00\\10")"""
READ = """(import "wasi_snapshot_preview1" "fd_read"
  (func $fd_read (param i32 i32 i32 i32) (result i32)))"""


@pytest.mark.parametrize("stdin", [b"given", "given"])
def test_standard_input(stdin):
    echo = command("(call $echo (i32.const 1))", READ, ECHO)
    assert run_guest(echo, stdin=stdin, stream=False).stdout == "given"
    assert run_guest(echo, stream=False).stdout == ""


GET = """(import "wasi_snapshot_preview1" "{0}_sizes_get"
    (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "{0}_get" (func $get (param i32 i32) (result i32)))"""
LIST = """(drop (call $sizes (i32.const 0) (i32.const 4)))
  (drop (call $get (i32.const 1024) (i32.const 2048)))
  (i32.store (i32.const 0) (i32.const 2048))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"""


def test_arguments_and_environment(monkeypatch):
    monkeypatch.setenv("SECRET", "of the host's")
    run = run_guest(command(LIST, GET.format("args")), ["a b", 7, Path("x.png")], stream=False)
    assert run.stdout == "guest.wasm\0a b\0007\0x.png\0"
    environ = command(LIST, GET.format("environ"))
    assert run_guest(environ, stream=False).stdout == ""
    run = run_guest(environ, env={"LEVEL": 3, "NAME": "ä=b"}, stream=False)
    assert run.stdout == "LEVEL=3\0NAME=ä=b\0"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"args": "a b"}, InvalidArgumentError, "expected a list of arguments"),
        ({"args": ["a\0b"]}, InvalidArgumentError, "UTF-8 text without NUL"),
        ({"args": ["\udc80"]}, InvalidArgumentError, "UTF-8 text without NUL"),
        ({"env": {"A=B": ""}}, InvalidArgumentError, "not the name of an environment variable"),
        ({"env": {"A": "\0"}}, InvalidArgumentError, "without NUL"),
        ({"dirs": "."}, InvalidArgumentError, "expected dirs as {guest path: path here}"),
        ({"dirs": {".": "/no/such"}}, MissingFileError, "no directory /no/such"),
        ({"dirs": {".": __file__}}, MissingFileError, "to give to the guest as '.'"),
        ({"dirs": {".": "."}, "writable": "out"}, InvalidArgumentError, "writable names 'out'"),
        ({"writable": ["."]}, InvalidArgumentError, "directories are none"),
        ({"memory_limit": 0}, InvalidArgumentError, "memory_limit in bytes"),
        ({"time_limit": 0}, InvalidArgumentError, "time_limit in seconds"),
        ({"time_limit": float("nan")}, InvalidArgumentError, "time_limit in seconds"),
        ({"output_limit": -1}, InvalidArgumentError, "output_limit in bytes"),
        ({"target": 9}, InvalidArgumentError, "unknown execution target 9"),
    ],
)
def test_arguments_that_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run_guest(MISBEHAVE, **{"args": ["exit3"], **options})


# -- polling -----------------------------------------------------------------------------------

POLL = """(import "wasi_snapshot_preview1" "poll_oneoff"
  (func $poll (param i32 i32 i32 i32) (result i32)))"""


def poll(*subscriptions, count=None, at=64, events=1024, result=0):
    raw = b"".join(
        struct.pack("<QB7xI4xQQH6x", user, kind, clock, timeout, 0, flags)
        for user, kind, clock, timeout, flags in subscriptions
    )
    count = len(subscriptions) if count is None else count
    body = f"""(local $e i32) (local.set $e (call $poll (i32.const {at}) (i32.const {events})
      (i32.const {count}) (i32.const {result})))
      (i32.store (i32.const 16) (i32.const 0)) (i32.store (i32.const 20) (i32.const 2048))
      (drop (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
      (call $exit (local.get $e))"""
    run = run_guest(command(body, POLL, f'(data (i32.const 64) "{escaped(raw)}")'), stream=False)
    memory = run.stdout.encode("utf-8", "replace")
    return run.exit_code, struct.unpack("<I", memory[:4])[0], memory


@pytest.mark.parametrize(
    ("subscriptions", "errno", "events"),
    [
        ([(1, 0, 1, 1000, 0)], 0, 1),  # a microsecond
        ([(1, 0, 0, 1000, 1)], 0, 1),  # the real time of 1970 has come
        ([(1, 0, 1, 10**12, 0), (2, 1, 0, 0, 0)], 0, 1),  # a file is ready before
        ([(1, 1, 0, 0, 0), (2, 2, 1, 0, 0)], 0, 2),
        ([(1, 0, 7, 0, 0)], 0, 1),  # no such clock: the event says so
        ([(1, 9, 0, 0, 0)], 28, 0),
        ([], 28, 0),
    ],
)
@mostly_in_thread
def test_poll(subscriptions, errno, events):
    assert poll(*subscriptions)[:2] == (errno, events)


@pytest.mark.parametrize("options", [{"at": -8}, {"events": PAGE - 31}, {"result": PAGE - 3}])
@mostly_in_thread
def test_poll_outside_of_memory(options):
    assert poll((1, 0, 1, 0, 0), **options)[0] == 21


def test_poll_of_very_many():
    assert poll(count=5000, at=0, events=0)[0] == 21
    assert poll(count=0x05555556, at=0)[0] == 21
