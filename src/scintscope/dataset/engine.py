"""Dask: tasks for samples and shards on a cluster of our own or on one that is running."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from scintscope.dataset.worker import ENVIRONMENT, Done, prepare_process, probe
from scintscope.errors import InputError

Task = tuple[Callable[..., Done], tuple[Any, ...]]

_AHEAD_PER_THREAD = 2
"""Tasks handed out before others return: enough to keep workers busy, few enough for any size."""

_CONNECT_TIMEOUT_S = 20


class Engine(Protocol):
    """Runs tasks; yields what they return in the order they finish."""

    def run(self, tasks: Iterator[Task], more: Callable[[Done], list[Task]]) -> Iterator[Done]:
        """Run tasks and those that ``more`` adds when one is done."""
        ...


class HereEngine:
    """Runs tasks one after another in this process."""

    def run(self, tasks: Iterator[Task], more: Callable[[Done], list[Task]]) -> Iterator[Done]:
        """See `Engine`."""
        waiting: list[Task] = []
        while True:
            task = waiting.pop() if waiting else next(tasks, None)
            if task is None:
                return
            function, arguments = task
            done = function(*arguments)
            waiting += more(done)
            yield done


class DaskEngine:
    """Runs tasks on a Dask cluster, never more at a time than its threads ask for.

    Parameters
    ----------
    client : distributed.Client
        Of the cluster.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, tasks: Iterator[Task], more: Callable[[Done], list[Task]]) -> Iterator[Done]:
        """See `Engine`."""
        from distributed import as_completed

        pool = as_completed(with_results=False)
        first = [self._submit(task) for task in _take(tasks, self._ahead())]
        for future in first:
            pool.add(future)
        for future in pool:
            done: Done = future.result()
            future.release()
            added = more(done)
            room = self._ahead() - pool.count() - len(added)
            for task in [*added, *_take(tasks, max(room, 0))]:
                pool.add(self._submit(task))
            yield done

    def _ahead(self) -> int:
        threads: int = sum(self._client.nthreads().values())
        return max(threads, 1) * _AHEAD_PER_THREAD

    def _submit(self, task: Task) -> Any:
        function, arguments = task
        return self._client.submit(function, *arguments, pure=False)


def _take(tasks: Iterator[Task], count: int) -> list[Task]:
    return list(itertools.islice(tasks, count))


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[DaskEngine]:
    """Give an engine on a cluster of processes of this machine, one core each.

    Parameters
    ----------
    workers : int
        Processes; 0 gives one for each core.
    """
    import dask
    from distributed import Client, LocalCluster

    count = workers or len(os.sched_getaffinity(0))
    quiet = {
        "distributed.nanny.pre-spawn-environ": {**_one_thread(), **ENVIRONMENT},
        "distributed.worker.daemon": True,
        "distributed.admin.tick.limit": "1h",  # a sample holds the interpreter for seconds
        "distributed.scheduler.allowed-failures": 3,
    }
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with (
        dask.config.set(quiet),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # its HTTP server: any port
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        client.run(prepare_process)
        yield DaskEngine(client)


def _one_thread() -> dict[str, str]:
    from scintscope.threads import BLAS_THREADS, BLAS_VARIABLES, JAX_CPU_THREADS, JAX_VARIABLE

    return {name: str(BLAS_THREADS) for name in BLAS_VARIABLES} | {
        JAX_VARIABLE: str(JAX_CPU_THREADS)
    }


@contextlib.contextmanager
def running_cluster(address: str, folder: str) -> Iterator[DaskEngine]:
    """Give an engine on a scheduler that is running, its workers checked.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.
    folder : str
        The store, which every worker must see.

    Raises
    ------
    InputError
        If it cannot be reached, has no workers, or they have another version or do not see the
        store.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=_CONNECT_TIMEOUT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(
            f"--scheduler {address}: cannot be reached ({error}). Start one with "
            "'dask scheduler' and workers with 'dask worker ADDRESS --nthreads 1'."
        ) from None
    with client:
        check_workers(client.run(probe, folder), address)
        yield DaskEngine(client)


def check_workers(found: dict[str, dict[str, Any]], address: str) -> None:
    """Refuse workers that would make other samples than this process, or write elsewhere."""
    from scintscope.outputs import versions

    if not found:
        raise InputError(
            f"--scheduler {address} has no workers. Start some with 'dask worker {address} "
            "--nthreads 1'."
        )
    for worker, told in found.items():
        for name, have in versions().items():
            if told["versions"].get(name) != have:
                raise InputError(
                    f"worker {worker} has {name} {told['versions'].get(name)}, this process "
                    f"{have}: its samples would be others. Install the same lock file everywhere."
                )
        if not told["sees_store"]:
            raise InputError(
                f"worker {worker} does not see the store. --out must lie on a file system that all "
                "workers share, under the same path."
            )
