"""A Dask cluster on this machine whose workers are processes, so that they can be killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

__all__ = ["local_cluster"]


@contextmanager
def local_cluster(workers: int = 2) -> Iterator[Client]:
    """Workers of one thread each, without dashboard; a worker that is lost is started anew."""
    quick = {
        "distributed.comm.timeouts.connect": "30s",
        "distributed.worker.memory.terminate": False,
        "distributed.admin.tick.limit": "60s",
        "distributed.scheduler.allowed-failures": 5,
    }
    with (
        dask.config.set(quick),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # any free port, for clusters side by side
            silence_logs=False,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client
