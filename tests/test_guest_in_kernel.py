"""A guest in a real kernel: its output goes to its cell, and Interrupt Kernel stops it."""

import time

import pytest
from deadlines import STOPPED, ends_within
from hosting import GUESTS
from ipc_kernels import ipc_kernel

pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")

pytestmark = pytest.mark.slow

RUN = f"""
from wasinn_nb.host import run_guest
run = lambda *args, **options: run_guest(
    {str(GUESTS / "misbehave.wasm")!r}, args, isolation=isolation, **options
)
"""


@pytest.fixture(scope="module")
def kernel():
    with ipc_kernel() as started:
        yield started


def outputs(client, message, until="idle"):
    """Return what a cell prints as streams, and the error that it ends with."""
    printed, error = {}, None
    while True:
        reply = client.get_iopub_msg(timeout=30)
        if reply["parent_header"].get("msg_id") != message:
            continue
        kind, content = reply["msg_type"], reply["content"]
        if kind == "stream":
            printed[content["name"]] = printed.get(content["name"], "") + content["text"]
            if until == "stream":
                return printed, error
        elif kind == "error":
            error = content["ename"]
        elif kind == "status" and content["execution_state"] == "idle":
            return printed, error


@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_output_and_interrupt(kernel, isolation):
    km, client = kernel
    cell = client.execute(f"{RUN}\nisolation = {isolation!r}\nrun('panic')")
    printed, error = outputs(client, cell)
    assert printed["stderr"].startswith("thread 'main' panicked at 'misbehaving'")
    assert error == "GuestTrap"
    for mode in ("flood", "loop", "sleep"):
        cell = client.execute(f"print('begin', flush=True); run({mode!r}, output_limit=1000)")
        outputs(client, cell, until="stream")
        time.sleep(0.2)
        with ends_within(STOPPED):
            km.interrupt_kernel()
            assert outputs(client, cell)[1] == "KeyboardInterrupt"
    cell = client.execute("print(run('exit3').exit_code)")
    assert outputs(client, cell) == ({"stdout": "3\n"}, None)
