"""Collaborative filters beside their peers: seconds to fit and to recommend, CPU, memory and MAP@25.

    python benchmarks/cf.py [--scale 0.1] [--peers metier,implicit] [--seconds 1800] [--quick]

The data are those of world.py; every peer gets the same matrix, is warmed up alike and answers for the same people (a
fifth of all) with 25 jobs of the whole catalogue they have not applied to. MAP@25 is metier's own metric over those
lists. Each peer runs in its own environment (made under .bench/ on the first run) and process, all cores allowed.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import sparse

from environments import CACHE, PeerError, child, environment, machine, table
from metier.data import CSR, Nums
from metier.evaluate.metrics import average_precision
from peers.cf import PEERS
from world import world

REQUIREMENTS = {
    "implicit": ["implicit==0.7.3 threadpoolctl"],
    "lenskit": ["torch==2.13.0", "lenskit==2025.8.1"],
    "rectools": ["rectools==0.19.0 numpy<2"],
    "scikit-surprise": ["scikit-surprise==1.1.5 pandas"],
    "cornac": ["cornac==3.0.1"],
}
"""pip steps of each distribution; LensKit would fetch a newer torch if it were not there already."""

COLUMNS = ["", "version", "fit s", "recommend s", "CPU s", "peak MB", "MAP@25"]


def mean_average_precision(items: Nums, truth: CSR) -> float:
    """MAP@25 of (n, 25) lists against the first n rows of the (m, I) truth."""
    n, columns = len(items), np.int64(truth.shape[1])
    rows = np.repeat(np.arange(n), np.diff(truth.indptr[: n + 1]))
    relevant = rows * columns + truth.indices[: len(rows)]
    hits = np.isin(np.arange(n)[:, None] * columns + items, relevant) & (items >= 0)
    return float(average_precision(hits, np.diff(truth.indptr[: n + 1]), items.shape[1]).mean())


def measured(peer: str, cache: Path, folder: Path, truth: CSR, seconds: float) -> list[str]:
    """One line of the table; figures of a peer that answered some people only are scaled up and marked."""
    package = PEERS[peer][0]
    try:
        python = Path(sys.executable) if package == "metier" else environment(package, REQUIREMENTS[package], cache)
        files = [str(folder / name) for name in ("train.npz", "users.npy", "items.npy")]
        got = child(python, Path(__file__).parent / "peers" / "cf.py", [peer, *files], seconds)
    except PeerError as error:
        return [peer, "", f"failed: {error}", "", "", "", ""]
    people, judged = truth.shape[0], got["judged"]
    quality = mean_average_precision(np.load(folder / "items.npy"), truth)
    seconds_all = f"{got['recommend'] * people / judged:,.1f}"
    cpu = f"{got['cpu']:,.1f}"
    if judged < people:
        seconds_all, cpu = f"{seconds_all} (from {judged:,} people)", "–"
    return [peer, got["version"], f"{got['fit']:.1f}", seconds_all, cpu, f"{got['peak_mb']:,.0f}", f"{quality:.4f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 320,000 people and 365,000 jobs")
    parser.add_argument("--peers", default="", help="rows that start with one of these words, comma separated")
    parser.add_argument("--seconds", type=float, default=1800, help="limit of each peer")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the peers' environments")
    parser.add_argument("--quick", action="store_true", help="scale 0.01, metier and implicit only")
    given = parser.parse_args()
    scale, wanted = (0.01, "metier,implicit") if given.quick else (given.scale, given.peers)
    rows = [peer for peer in PEERS if peer.lower().startswith(tuple(wanted.lower().split(",")))]
    data, test_users, truth = world(scale)
    print(
        f"{machine()}. {data.shape[0]:,} people, {data.shape[1]:,} jobs, {data.matrix.nnz:,} applications; "
        f"top 25 for {len(test_users):,} people.\n"
    )
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        sparse.save_npz(folder / "train.npz", data.matrix)
        np.save(folder / "users.npy", test_users)
        print(table(COLUMNS, []))
        for peer in rows:  # line by line: what was measured stays when the rest is given up
            print(peer, file=sys.stderr)
            print("| " + " | ".join(measured(peer, given.cache, folder, truth, given.seconds)) + " |", flush=True)


if __name__ == "__main__":
    main()
