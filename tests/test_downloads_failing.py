"""Downloads that fail: servers, disks, several processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deadlines import ends_within
from downloading import (
    BIN,
    BODIES,
    HALF,
    XML,
    described,
    fetch_fails,
    made_server,
    made_toy,
    partial,
)
from filelock import FileLock, Timeout

from wasinn_nb import catalog, settings
from wasinn_nb.cards.modelfile import ModelFile
from wasinn_nb.catalog import downloads, hashes
from wasinn_nb.catalog.finding import shipped
from wasinn_nb.errors import DownloadError, HashMismatchError, InvalidArgumentError
from wasinn_nb.wording import bytes_text

OTHERWISE = "or put the files into a directory of WASINN_NB_PATH yourself"


@pytest.fixture
def server(monkeypatch):
    yield from made_server(monkeypatch)


@pytest.fixture
def toy(server, monkeypatch, tmp_path):
    """Put a card of a model "toy", to be fetched from `server`, into the shipped data."""
    return made_toy(server, monkeypatch, tmp_path)


# --------------------------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize("status", [404, 403, 500, 503, 416])
def test_error_status(toy, status):
    toy.tricks["toy.bin"] = ("status", status)
    text = fetch_fails()
    reason = {404: "Not Found", 403: "Forbidden", 500: "Internal Server Error"}
    reason |= {503: "Service Unavailable", 416: "Requested Range Not Satisfiable"}
    assert text == (
        f"{toy.url}/FP16/toy.bin could not be fetched: the server answered {status} "
        f"{reason[status]}; call again later, {OTHERWISE}"
    )
    assert partial() == {"toy.xml": len(XML), "toy.bin.part": 0}


def test_truncated_body_is_resumed_by_the_next_call(toy):
    toy.tricks["toy.bin"] = ("truncate", HALF)
    kept = HALF
    assert fetch_fails() == (
        f"{toy.url}/FP16/toy.bin could not be fetched: the connection ended after {kept} of "
        f"200000 bytes; call again to go on from there, {OTHERWISE}"
    )
    assert partial() == {"toy.xml": len(XML), "toy.bin.part": kept}
    del toy.tricks["toy.bin"], toy.asked[:]
    assert catalog.fetch("toy").verified
    assert toy.asked == [("toy.bin", f"bytes={kept}-")]
    assert partial() == {}


def test_end_without_announced_length_is_a_truncation(toy):
    toy.tricks["toy.bin"] = ("unannounced", 50_000)
    assert "the connection ended after 50000 of 200000 bytes" in fetch_fails()
    del toy.tricks["toy.bin"]
    assert catalog.fetch("toy").verified
    assert toy.asked[-1] == ("toy.bin", "bytes=50000-")


@pytest.mark.parametrize("trick", ["no range", "wrong range", "unsatisfiable"])
def test_server_that_cannot_resume(toy, trick):
    toy.tricks["toy.bin"] = ("truncate", HALF)
    fetch_fails()
    toy.tricks["toy.bin"] = (trick,)
    assert catalog.fetch("toy").verified


def test_file_that_changed_between_the_calls_is_fetched_anew(toy):
    toy.tricks["toy.bin"] = ("truncate", HALF)
    fetch_fails()
    [part] = (settings.cache_dir() / "partial").rglob("toy.bin.part")
    part.write_bytes(b"another version" * 1000)
    del toy.tricks["toy.bin"], toy.asked[:]
    assert catalog.fetch("toy").verified
    assert toy.asked == [("toy.bin", "bytes=15000-"), ("toy.bin", None)]


@pytest.mark.parametrize("size", [200_000, 200_001, 300_000])
def test_wrong_leftovers_are_dropped(toy, size):
    toy.tricks["toy.bin"] = ("status", 500)
    fetch_fails()
    [part] = (settings.cache_dir() / "partial").rglob("toy.bin.part")
    part.write_bytes(bytes(size))
    (part.parent / "toy.xml").write_bytes(b"rotten")
    del toy.tricks["toy.bin"]
    assert catalog.fetch("toy").verified


def test_corrupted_body_is_refused_and_removed(toy):
    toy.tricks["toy.bin"] = ("corrupt",)
    got = hashlib.sha384(bytes([BIN[0] ^ 1]) + BIN[1:]).hexdigest()
    assert fetch_fails(HashMismatchError) == (
        f"{toy.url}/FP16/toy.bin is not the file that the catalog describes:\n"
        f"  expected SHA-384 {hashlib.sha384(BIN).hexdigest()}\n"
        f"  got      SHA-384 {got}\n"
        f"it was removed; call again later, {OTHERWISE}"
    )
    assert partial() == {"toy.xml": len(XML)}
    del toy.tricks["toy.bin"]
    assert catalog.fetch("toy").verified


@pytest.mark.parametrize(
    ("body", "got"), [(b"<html>Log in</html>", "19"), (BIN + b"!", "more"), (b"", "0")]
)
def test_body_of_another_size_is_refused(toy, body, got):
    toy.tricks["toy.bin"] = ("other body", body)
    assert fetch_fails(HashMismatchError) == (
        f"{toy.url}/FP16/toy.bin is not the file that the catalog describes: expected 200000 "
        f"bytes, got {got}; it was removed; call again later, {OTHERWISE}"
    )
    assert partial() == {"toy.xml": len(XML)}


def test_body_without_end_is_cut(toy):
    toy.tricks["toy.xml"] = ("other body", bytes(50_000_000))
    assert "bytes, got more" in fetch_fails(HashMismatchError)


def test_malformed_length(toy):
    toy.tricks["toy.xml"] = ("length", "many")
    assert fetch_fails() == (
        f"{toy.url}/FP16/toy.xml: expected the body's length in bytes, the server sent 'many'; "
        f"call again later, {OTHERWISE}"
    )


@pytest.mark.full
@pytest.mark.parametrize(("trick", "received"), [("stall", 0), ("stall", HALF), ("drip", 10)])
def test_stalling_server_ends_in_time(toy, trick, received):
    toy.tricks["toy.bin"] = (trick, received)
    with ends_within(1):
        text = fetch_fails(timeout=1)
    kept = received // 8192 * 8192
    assert text == (
        f"{toy.url}/FP16/toy.bin could not be fetched: the server sent nothing for 1 s, after "
        f"{kept} of 200000 bytes; call again to go on from there, {OTHERWISE}"
    )
    assert partial()["toy.bin.part"] == kept


def test_refused_connection(toy):
    toy.shutdown()
    toy.socket.close()
    assert fetch_fails() == (
        f"{toy.url}/FP16/toy.xml could not be fetched: no connection: Connection refused; check "
        f"the network and call again, {OTHERWISE}"
    )


def test_unanswered_connection(toy, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = shipped.data_dir() / "models/toy/card.json"
        home.write_text(
            home.read_text().replace(str(toy.server_port), str(silent.getsockname()[1]))
        )
        assert "the server sent nothing for 0.2 s, after 0 of" in fetch_fails(timeout=0.2)


def test_offline(toy, monkeypatch):
    monkeypatch.setenv("WASINN_NB_OFFLINE", "1")
    text = fetch_fails()
    assert text == (
        f"toy.xml is not here and WASINN_NB_OFFLINE forbids to download it; unset that, "
        f"{OTHERWISE} (toy/FP16/ there):\n  {toy.url}/FP16/toy.xml\n  {toy.url}/FP16/toy.bin"
    )
    assert catalog.models()[0].reason == "not downloaded (220 kB), and WASINN_NB_OFFLINE is set"
    assert toy.asked == []
    monkeypatch.delenv("WASINN_NB_OFFLINE")
    catalog.fetch("toy")
    monkeypatch.setenv("WASINN_NB_OFFLINE", "1")
    assert catalog.model("toy").verified, "what is in the cache is here, offline or not"


@pytest.mark.parametrize("timeout", [0, -1, 86_401, float("inf"), float("nan"), "soon", None])
def test_timeout_is_checked(toy, timeout):
    with pytest.raises(InvalidArgumentError, match="expected a timeout above 0 and up to 86400 s"):
        catalog.fetch("toy", timeout=timeout)


# ------------------------------------------------------------------------------------- the disk


def test_cache_that_cannot_be_written(toy, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WASINN_NB_CACHE", str(tmp_path / "file"))
    with pytest.raises(DownloadError) as caught:
        catalog.fetch("toy")
    assert str(caught.value) == (
        f"toy.xml cannot be stored in {tmp_path}/file/models/toy/FP16: Not a directory; it takes "
        f"220 kB: make room and check the permissions there, or set WASINN_NB_CACHE to another "
        f"folder"
    )
    assert isinstance(caught.value.__cause__, NotADirectoryError)


def test_full_disk(toy, monkeypatch):
    def full(self, chunk):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("wasinn_nb.catalog.transfer._Transfer._write", full)
    assert "cannot be stored" in (text := fetch_fails())
    assert "No space left on device; it takes 220 kB: make room" in text


def test_damaged_cache_is_fetched_again(toy):
    model = catalog.fetch("toy")
    model.files[1].write_bytes(b"rotten")
    assert catalog.models()[0].where == "not here"
    assert catalog.model("toy").verified
    assert model.files[1].read_bytes() == BIN
    model.files[0].unlink()
    assert catalog.model("toy").verified
    assert partial() == {}


def test_same_size_and_other_bytes_in_the_cache_are_noticed(toy):
    model = catalog.fetch("toy")
    time.sleep(0.02)
    model.files[1].write_bytes(bytes(len(BIN)))
    assert catalog.model("toy").files[1].read_bytes() == BIN


# -------------------------------------------------------------------------------- at the same time


def test_threads_share_one_download(toy):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: catalog.fetch("toy"), range(16)))
    assert all(model.verified for model in found)
    assert sorted(toy.asked) == [("toy.bin", None), ("toy.xml", None)]


def test_file_that_vanishes_while_another_fetches(toy, monkeypatch):
    acquire, tries = FileLock.acquire, []

    def busy_at_first(lock, **options):
        staging = Path(lock.lock_file).with_suffix("")
        tries.append(staging)
        if len(tries) == 1:
            staging.mkdir()
            (staging / "toy.bin.part").symlink_to("moved-on-just-now")
            raise Timeout(lock.lock_file)
        (staging / "toy.bin.part").unlink()
        return acquire(lock, **options)

    monkeypatch.setattr(FileLock, "acquire", busy_at_first)
    assert catalog.fetch("toy").verified
    assert len(tries) == 2


def _fetch_in_process(files, folder, staging, queue):
    downloads.fetch_files(files, folder, staging)
    queue.put(hashes.are_whole(files, folder))


@pytest.mark.full
def test_processes_share_one_download(toy, tmp_path):
    files = [ModelFile(**described(name, toy.url)) for name in BODIES]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    arguments = (files, tmp_path / "a/b/c", tmp_path / "a/staging", queue)
    processes = [context.Process(target=_fetch_in_process, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    assert [queue.get(timeout=30) for _ in processes] == [True] * 3
    for process in processes:
        process.join()
    queue.close()
    assert sorted(toy.asked) == [("toy.bin", None), ("toy.xml", None)]


@pytest.mark.slow
def test_killed_process_leaves_what_the_next_one_resumes(toy, tmp_path):
    files = [ModelFile(**described(name, toy.url)) for name in BODIES]
    toy.tricks["toy.bin"] = ("stall", HALF)
    context = multiprocessing.get_context("spawn")
    folder, staging = tmp_path / "toy", tmp_path / "staging"
    process = context.Process(target=_fetch_in_process, args=(files, folder, staging, None))
    process.start()
    part, end = staging / "toy.bin.part", time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.02)
    process.kill()
    process.join()
    toy.release.set()
    del toy.tricks["toy.bin"], toy.asked[:]
    kept = part.stat().st_size
    assert 0 < kept <= HALF
    assert not folder.exists()
    assert len(downloads.fetch_files(files, folder, staging)) == 2
    assert toy.asked == [("toy.bin", f"bytes={kept}-")]


@pytest.mark.full
def test_who_waits_in_vain_downloads_alone(toy, tmp_path):
    files = [ModelFile(**described(name, toy.url)) for name in BODIES]
    staging = tmp_path / "partial/toy"
    with downloads._claimed(staging, 1) as mine:
        (mine / "toy.bin.part").write_bytes(b"half")
        paths = downloads.fetch_files(files, tmp_path / "toy", staging, timeout=0.5)
        assert [path.read_bytes() for path in paths] == [XML, BIN]
    assert sorted(path.name for path in staging.parent.iterdir()) == ["toy", "toy.lock"]
    assert [path.name for path in staging.iterdir()] == ["toy.bin.part"]


def test_file_system_without_locks(toy, monkeypatch):
    def no_locks(lock, **options):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(FileLock, "acquire", no_locks)
    assert catalog.fetch("toy").verified


def test_fetched_elsewhere_meanwhile(toy, monkeypatch):
    """Another process without our lock publishes just before we do."""
    real = downloads._publish

    def late(files, staging, folder):
        if not folder.exists():
            folder.mkdir(parents=True)
            for name, body in BODIES.items():
                (folder / name).write_bytes(body)
        real(files, staging, folder)

    monkeypatch.setattr(downloads, "_publish", late)
    assert catalog.fetch("toy").verified
    assert partial() == {}


def test_sizes_as_text():
    sizes = [0, 999, 1000, 899_999, 923_231, 1_300_000, 4 * 10**9]
    texts = ["0 bytes", "999 bytes", "1 kB", "900 kB", "0.9 MB", "1.3 MB", "4.0 GB"]
    assert [bytes_text(size) for size in sizes] == texts


def test_paths_of_a_relative_cache_are_absolute(toy, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WASINN_NB_CACHE", "cache")
    assert catalog.fetch("toy").path == Path(tmp_path / "cache/models/toy/FP16/toy.xml")
