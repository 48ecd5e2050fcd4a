"""Kernels that talk through files: another program takes the port of one that is starting.

Jupyter looks for free ports and gives them to the kernel, which binds them a second later. A port
that another program has taken by then ends the kernel, and who waits for it waits for ever.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.manager import KernelManager

OPTION = "--KernelManager.transport=ipc"  # of a server that starts kernels


@contextmanager
def ipc_kernel(**options: str) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """Start a kernel with *options* of its process; give its manager and a client of it."""
    from jupyter_client.manager import KernelManager  # takes a second

    # Paths of sockets hold a hundred characters: no folder of pytest.
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        file = str(Path(folder) / "kernel.json")
        manager = KernelManager(kernel_name="python3", transport="ipc", connection_file=file)
        manager.start_kernel(**options)
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=60)
            yield manager, client
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
