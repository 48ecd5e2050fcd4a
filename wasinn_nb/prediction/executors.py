"""Where shards run: processes of our own, or any executor of `concurrent.futures`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError, Remedy, RuntimeFailure, UnsupportedOperationError
from wasinn_nb.prediction.main_module import refuse_unguarded
from wasinn_nb.runtimes import processors

__all__ = ["Pool", "dask_executor"]

_FRESH: Final = 5.0
"""Seconds after which a cluster is asked again how many workers it has."""


class Pool:
    """What runs shards.

    Parameters
    ----------
    executor : Executor, optional
        Default: processes of our own.
    workers : int, optional
        How many workers there are, or how many share a machine.  Default: what the executor says.

    Raises
    ------
    InvalidArgumentError
        If it is not an executor, or one that forks; or its processes would run the script again.
    """

    def __init__(self, executor: Executor | None, workers: int | None) -> None:
        if workers is not None and (isinstance(workers, bool) or not 0 < int(workers) <= 4096):
            raise InvalidArgumentError(f"expected how many workers, got {workers!r:.80}")
        if executor is not None and not callable(getattr(executor, "submit", None)):
            raise InvalidArgumentError(
                f"expected a concurrent.futures.Executor, got {type(executor).__name__}; a "
                f"Dask client gives one: client.get_executor()"
            )
        context = getattr(executor, "_mp_context", None)
        if context is not None and context.get_start_method() == "fork":
            raise InvalidArgumentError(
                "expected processes that are started anew; this executor forks, and engines do not "
                "work in forked processes",
                remedy=Remedy(
                    "use ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn')), or "
                    "workers= in its place"
                ),
            )
        if executor is None or context is not None:
            refuse_unguarded()
        self._given, self._workers = executor, workers
        self._own: ProcessPoolExecutor | None = None
        self._known: tuple[float, int, int] | None = None

    @property
    def width(self) -> int:
        """How many shards can run at once."""
        return self._counts()[0]

    @property
    def sharers(self) -> int:
        """How many workers share the processors of one machine."""
        return self._counts()[1]

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        """Submit a call.

        Raises
        ------
        RuntimeFailure
            If the executor takes no more calls.
        """
        if self._given is None:
            if self._own is None:
                self._own = ProcessPoolExecutor(
                    self.width, mp_context=get_context("spawn"), initializer=_end_with_parent
                )
            try:
                return self._own.submit(function, *arguments)
            except BrokenProcessPool:  # one of them ended, and with it the pool
                self._own.shutdown(wait=False)
                self._own = None
                return self.submit(function, *arguments)
        try:
            return self._given.submit(function, *arguments)
        except Exception as error:
            raise RuntimeFailure(
                f"the executor takes no more work: {str(error) or type(error).__name__}; what is "
                f"finished is kept: call predict again with a new executor to go on"
            ) from error

    def stop(self) -> None:
        """End processes of our own at once; leave an executor that was given to its owner."""
        if self._own is None:
            return
        processes = list((getattr(self._own, "_processes", None) or {}).values())
        self._own.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            with suppress(OSError, ValueError):
                process.terminate()
        for process in processes:
            with suppress(OSError, ValueError, AssertionError):
                process.join(1)
        self._own = None

    def close(self) -> None:
        """Wait for processes of our own to end."""
        if self._own is not None:
            self._own.shutdown(wait=True)
            self._own = None

    def _counts(self) -> tuple[int, int]:
        """Return how many shards can run at once, and how many workers share a machine."""
        if self._given is None:
            count = self._workers or processors()
            return count, count
        client = getattr(self._given, "_client", None)
        if client is None or not hasattr(client, "nthreads"):
            count = self._workers or getattr(self._given, "_max_workers", None) or 1
            return int(count), int(count)
        if self._known is None or time.monotonic() - self._known[0] > _FRESH:
            threads = client.nthreads()
            hosts = Counter(address.rpartition(":")[0] for address in threads)
            sharers = self._workers or max(hosts.values(), default=1)
            self._known = (time.monotonic(), max(1, sum(threads.values())), sharers)
        return self._known[1:]


def _end_with_parent() -> None:
    """End this process with the one that started it, also where that one is killed."""
    parent = parent_process()
    if parent is not None:

        def watch() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=watch, name="wasinn-nb parent", daemon=True).start()


@contextmanager
def dask_executor(address: str, workers: int | None = None) -> Iterator[Executor]:
    """Yield an executor of a Dask cluster.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://10.0.0.1:8786``; ``local`` starts workers here.
    workers : int, optional
        How many to start here.  Default: one for each processor.

    Raises
    ------
    UnsupportedOperationError
        If Dask is not installed.
    RuntimeFailure
        If there is no scheduler.
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise UnsupportedOperationError(
            "Dask is not installed",
            remedy=Remedy("install it with: pip install 'wasinn-nb[dask]'"),
        ) from error
    dask: Any = distributed
    if address == "local":
        count = workers or processors()
        with (
            dask.LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,  # of workers that end with it
            ) as cluster,
            dask.Client(cluster) as client,
        ):
            yield client.get_executor()
        return
    try:
        client = dask.Client(address, timeout=10)
    except (OSError, ValueError, TimeoutError) as error:
        raise RuntimeFailure(
            f"no Dask scheduler answers at {address!s:.200}: {error}; check the address, such as "
            f"tcp://10.0.0.1:8786"
        ) from error
    with client:
        yield client.get_executor()
