"""Jobs for everybody, exactly, through the engine, beside the matrix product alone.

    python benchmarks/everybody.py [--people 100000] [--jobs 1090000] [--workers 2] [--quick]

People and jobs are ids with 1.6 applications for each job, popular jobs first; an iALS of 64 numbers learns vectors.
`metier recommend --everybody` then writes the 25 best jobs of each person, from a bundle that its workers map. The
floor is NumPy's float32 product of as many vectors on all cores, tile by tile and thrown away; it is timed on a tenth
of the people and multiplied by ten. Reading the bundle and writing Parquet are part of metier's seconds.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from environments import machine, table
from metier.data import Tables
from metier.data.workspace import Workspace

SIZE, TILE = 64, 2048


def board(people: int, jobs: int, rng: np.random.Generator) -> Tables:
    """Ids, and applications whose jobs follow a power law."""
    count = round(1.6 * jobs)
    popular = rng.permutation(jobs)[(jobs * rng.random(count) ** 3).astype(np.int64)]
    pairs = pl.DataFrame({"person": rng.integers(0, people, count), "job": popular}).unique(maintain_order=True)
    ids = (pl.DataFrame({"id": np.arange(n)}).cast(pl.String) for n in (people, jobs))
    return Tables.build(*ids, pairs.cast(pl.String))


def metier(arguments: list[str], home: Path) -> float:
    """Wall seconds of a metier command."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "metier", *arguments]
    subprocess.run(command, env=os.environ | {"METIER_HOME": str(home)}, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def product(people: int, jobs: int, rng: np.random.Generator) -> float:
    """Seconds of (people, SIZE) @ (SIZE, jobs) in float32, from a tenth of the people."""
    asked, items = (rng.standard_normal((n, SIZE), np.float32) for n in (max(TILE, people // 10), jobs))
    out = np.empty((TILE, TILE), np.float32)
    started, done = time.perf_counter(), 0
    for row in range(0, len(asked) - TILE + 1, TILE):
        for column in range(0, jobs - TILE + 1, TILE):
            np.matmul(asked[row : row + TILE], items[column : column + TILE].T, out=out)
        done += TILE
    return (time.perf_counter() - started) * people / done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=1_090_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--quick", action="store_true", help="a twentieth of both")
    given = parser.parse_args()
    people, jobs = (given.people // 20, given.jobs // 20) if given.quick else (given.people, given.jobs)
    rng = np.random.default_rng(0)
    with TemporaryDirectory() as temporary:
        home = Path(temporary)
        Workspace(home).save("board", board(people, jobs, rng), {"source": "benchmark"})
        fit = metier(["train", "board", "--model", "ials", "--set", f"embedding_size={SIZE}", "--as", "m"], home)
        out = home / "everybody"
        ask = ["recommend", "m", "--everybody", "--out", str(out), "--workers", str(given.workers)]
        ranked = metier(ask, home)
        rows = pl.scan_parquet(out / "*.parquet").select(pl.len(), pl.col("person").n_unique()).collect().row(0)
    floor = product(people, jobs, rng)
    print(f"{machine()}. {people:,} people, {jobs:,} jobs, {SIZE} numbers, top 25, {given.workers} workers.\n")
    print(f"{rows[1]:,} people got {rows[0]:,} jobs; training took {fit:,.0f} s.\n")
    lines = [["metier recommend --everybody", f"{ranked:,.1f}", f"{ranked / floor:.2f} ×"]]
    lines.append(["float32 product alone", f"{floor:,.1f}", "1.00 ×"])
    print(table(["", "wall s", "ratio"], lines))


if __name__ == "__main__":
    main()
