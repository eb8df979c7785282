"""Factorization machines on several workers: rounds from common parameters, whose copies are merged.

    with over(engine, workers, folder):
        FM(config).fit(data, rng=rng)

The first epoch, in which everything goes far from where it began, is run by the caller: copies that all start at the
beginning do not add up. The people of every other epoch are dealt to W workers in W/2 rounds, at least one. In a round
each worker runs the same compiled epoch over its share, from the same parameters, on a copy of its own; then the copies
become the next common parameters. With d_f what a worker changed in v_f, and D_f what it added to the sum of squared
gradients s_f:

    s_f += sum D_f
    v_f += sum d_f * (sqrt(s_f + sum D_f) - sqrt(s_f)) / sum (sqrt(s_f + D_f) - sqrt(s_f))

A row that one worker met is that worker's. Of a row that several met the changes are added up, at the step that Adagrad
would have come down to had one process met them all: a gradient of even size that takes s from a to b moves v by
2 rate (sqrt(b) - sqrt(a)) / |g|. Results depend on W and the seed, and not on where or when the shares are run.

What is shared lies in `folder`, memory-mapped: every worker must reach it by the same path.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from metier.data import Floats, Nums
from metier.engine import Engine, Work, kept, parts, work
from metier.kernels.fm_data import DealtRows, Histories, Parameters, Settings
from metier.models.factorization import Descent, HistoryUse, Near, learning

ROWS = 65_536
"""Rows of the parameters that are merged at a time."""
SIDES = ("people", "jobs", "pasts")
MAPPED = 2**20
"""Bytes from which an array is mapped instead of read."""


@contextmanager
def over(engine: Engine, workers: int, folder: Path) -> Iterator[None]:
    """Factorization machines that are fitted in this context are trained by so many `workers` of the engine.

    Parameters
    ----------
    folder : made if need be; what the rounds write there is gone at the end.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".rounds-", dir=folder) as temporary:
        token = learning.set(_Rounds(engine, workers, Path(temporary).resolve()))
        try:
            yield
        finally:
            learning.reset(token)


class _Rounds:
    """`metier.models.factorization.in_this_process`, elsewhere."""

    def __init__(self, engine: Engine, workers: int, folder: Path) -> None:
        self.engine, self.workers, self.folder = engine, workers, folder
        self.descent: Descent | None = None
        self.descents = self.rounds = 0

    def __call__(self, descent: Descent, order: Nums, parameters: Parameters, rng: np.random.Generator) -> None:
        if descent is not self.descent:  # another fit begins
            self.descent, self.descents = descent, self.descents + 1
            _write(descent, self.folder / f"{self.descents}")
            descent.learn(order, parameters, rng)
            return
        seed = int(rng.integers(2**31))
        applications = np.cumsum(np.diff(descent.histories.start)[order])
        # The more add up what all of them learned, the shorter they may be on their own without going too far.
        pieces = max(1, self.workers // 2) * self.workers  # of as many applications each
        ends = np.searchsorted(applications, applications[-1] * np.arange(1, pieces) / pieces)
        shares = np.split(order, ends)
        for first in range(0, pieces, self.workers):
            self.rounds += 1
            self._round(shares[first : first + self.workers], parameters, seed)

    def _round(self, shares: Sequence[Nums], parameters: Parameters, seed: int) -> None:
        here = self.folder / f"round-{self.rounds}"
        here.mkdir()
        np.save(here / "parameters.npy", parameters.table)
        asked = []
        for number, people in enumerate(shares):
            asked.append(parts.named(str(here / "in"), number))
            parts.save(asked[-1], pl.DataFrame({"person": people}))
        settings = {"descent": str(self.folder / f"{self.descents}"), "round": str(here), "seed": [seed, self.rounds]}
        told = self.engine.map_batches(Work(f"{__name__}:learn_share", settings), asked, str(here / "out"))
        merge(parameters, [_read(Path(parts.load(url)["copy"].item())) for url in told])
        for path in sorted(here.rglob("*"), reverse=True):  # a folder after what is in it
            path.rmdir() if path.is_dir() else path.unlink()
        here.rmdir()


@work
def learn_share(frame: pl.DataFrame, *, descent: str, round: str, seed: list[int]) -> pl.DataFrame:
    """Learn from the applications of the people of a frame, and tell where the changed copy of the parameters is."""
    known = kept("descent", descent, lambda: _restored(Path(descent)))
    people = frame["person"].to_numpy()
    table, size = _read(Path(round) / "parameters.npy"), known.size
    first = int(people[0]) if len(people) else -1  # tells the shares of a round apart
    known.learn(people, Parameters(table, size), np.random.default_rng([*seed, first + 1]))
    copy, partial = Path(round) / f"copy-{first}.npy", Path(round) / f".copy-{first}.npy"
    np.save(partial, table)
    partial.replace(copy)
    return pl.DataFrame({"copy": [str(copy)]})


def merge(parameters: Parameters, copies: Sequence[Floats]) -> None:
    """Take (F, w) `copies` of the table, each trained apart from `parameters`, into `parameters`."""
    size = parameters.size
    for first in range(0, len(parameters.table), ROWS):
        rows = slice(first, first + ROWS)
        common = parameters.table[rows]
        change = np.stack([copy[rows] for copy in copies]) - common  # (W, n, w)
        # A vector and its sum of squares, then the weight and its own.
        for values, square in ((slice(0, size), size + 1), (slice(size, size + 1), size + 2)):
            before, added = common[:, square], change[:, :, square]  # (n,), (W, n)
            paths = (np.sqrt(before + added) - np.sqrt(before)).sum(axis=0)
            together = np.sqrt(before + added.sum(axis=0)) - np.sqrt(before)
            pace = np.divide(together, paths, out=np.ones_like(paths), where=paths > 0)
            common[:, values] += pace[:, None] * change[:, :, values].sum(axis=0)
            common[:, square] += added.sum(axis=0)


def _write(descent: Descent, folder: Path) -> None:
    """Arrays as .npy, numbers in descent.json."""
    folder.mkdir()
    arrays = {name: getattr(descent, name)._asdict() for name in (*SIDES, "histories")}
    arrays |= {f"near{at}": dict(zip(Near._fields[1:], near[1:], strict=True)) for at, near in enumerate(descent.near)}
    for name, of in arrays.items():
        for part, array in of.items():
            np.save(folder / f"{name}-{part}.npy", array)
    numbers = {
        "near": [near.size for near in descent.near],
        "n_jobs": descent.n_jobs,
        "negatives": descent.negatives,
        "use": descent.use._asdict(),
        "settings": descent.settings._asdict(),
        "size": descent.size,
    }
    (folder / "descent.json").write_text(json.dumps(numbers))


def _restored(folder: Path) -> Descent:
    """What `_write` wrote."""
    numbers = json.loads((folder / "descent.json").read_text())

    def arrays(name: str, parts: Sequence[str]) -> list[Any]:
        return [_read(folder / f"{name}-{part}.npy") for part in parts]

    people, jobs, pasts = (DealtRows(*arrays(name, DealtRows._fields)) for name in SIDES)
    return Descent(
        people,
        jobs,
        pasts,
        Histories(*arrays("histories", Histories._fields)),
        [Near(size, *arrays(f"near{at}", Near._fields[1:])) for at, size in enumerate(numbers["near"])],
        numbers["n_jobs"],
        numbers["negatives"],
        HistoryUse(**numbers["use"]),
        Settings(**numbers["settings"]),
        numbers["size"],
    )


def _read(path: Path) -> Any:
    """An array; a large one is mapped, and what is written to it stays in this process."""
    return np.asarray(np.load(path, mmap_mode="c" if path.stat().st_size >= MAPPED else None))
