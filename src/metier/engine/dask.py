"""A dask cluster: worker processes of this machine, or one that is joined at its address.

Only orders travel through the scheduler: names, URLs and JSON. metier is installed where the workers run.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING
from uuid import uuid4

from metier.engine.base import Progress, Work
from metier.engine.local import BLAS_THREADS, OUR_THREADS, thread_limits
from metier.engine.order import DEATHS, carry_out, given_up, orders, raised, results
from metier.errors import MetierError, MissingExtraError

if TYPE_CHECKING:
    from distributed import Client


class DaskEngine:
    """Runs work on the workers of a dask cluster."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    @property
    def workers(self) -> int:
        """Worker processes there are now, at least 1."""
        return max(1, len(self._client.scheduler_info(n_workers=-1)["workers"]))

    def map_batches(self, work: Work, parts: Sequence[str], out: str, *, progress: Progress | None = None) -> list[str]:
        """As `metier.engine.Engine` says."""
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        planned = orders(work, parts, out)
        run = uuid4().hex  # a key that was used before would give that call's answer
        asked = {
            self._client.submit(carry_out, order, key=f"{work.name}-{run}-{number}", pure=False): order
            for number, order in enumerate(planned)
        }
        done = 0
        try:
            if progress and planned:
                progress(0, len(parts), planned[0]["pairs"][0][0])
            for future in as_completed(asked):
                order = asked[future]
                try:
                    failure = future.result()
                except KilledWorker:
                    raise given_up(order) from None
                if failure:
                    raise raised(failure["kind"], failure["message"])
                done += len(order["pairs"])
                if progress:
                    progress(done, len(parts), order["pairs"][-1][0])
        finally:
            self._client.cancel(list(asked))
        return results(planned, out)


@contextmanager
def own_cluster(workers: int) -> Iterator[DaskEngine]:
    """A cluster of worker processes on 127.0.0.1, ended with the context; nothing listens elsewhere."""
    _require()
    import dask
    from distributed import Client, LocalCluster

    limits = {  # dask brings NumPy along, so BLAS is told before a worker starts; that stays set in this process, too
        "distributed.nanny.pre-spawn-environ": thread_limits(BLAS_THREADS, workers),
        "distributed.nanny.environ": thread_limits(OUR_THREADS, workers),
        "distributed.scheduler.allowed-failures": DEATHS - 1,
    }
    with (
        dask.config.set(limits),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            worker_dashboard_address=None,
            memory_limit=0,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield DaskEngine(client)


@contextmanager
def joined(address: str) -> Iterator[DaskEngine]:
    """The cluster at "tcp://host:port" or "tls://host:port"; MetierError when it does not answer."""
    _require()
    from distributed import Client

    try:
        client = Client(address)
    except (OSError, TimeoutError, ValueError) as error:
        raise MetierError(
            f"no dask scheduler answers at {address}: {error}; cure: start one with `dask scheduler`, workers with "
            f"`dask worker {address} --nthreads 1`; certificates of tls:// are set in dask's own configuration"
        ) from None
    with client:
        yield DaskEngine(client)


def _require() -> None:
    if find_spec("distributed") is None:
        raise MissingExtraError("the engine dask", "dask")
