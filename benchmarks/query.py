"""One live query on one thread, with a state and without, beside peers: milliseconds and recall.

    python benchmarks/query.py [--scale 1] [--queries 500] [--peers faiss,usearch] [--quick]

The vectors imitate embeddings of postings: 384 numbers, length 1, in clusters of occupations and niches that share a
common direction. The 20 states hold 1 to 15 % of the rows; queries ask for each alike. All rows are given in the order
of their states, so that every peer may use slices. Recall counts answers whose float64 product reaches
the 25th best, over 64 queries. Each peer runs in a process of its own; what metier's environment lacks is installed
under .bench/.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from environments import CACHE, PeerError, child, machine, python_with, table
from metier.data import Floats
from peers.query import PEERS, K

COLUMNS = ["", "version", "build s"] + [
    f"{what}, {where}" for where in ("state", "all") for what in ("p50 ms", "p99 ms", "recall", "p50 ratio")
]
SIZE, OCCUPATIONS, NICHES, STATES, JUDGED = 384, 800, 25, 20, 64
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def embeddings(rows: int, queries: int, rng: np.random.Generator) -> dict[str, NDArray[np.generic]]:
    """vectors (n, d) in the order of states, starts (s + 1,), queries (b, d), states (b,)."""

    def directions(n: int) -> Floats:
        drawn = rng.standard_normal((n, SIZE), np.float32)
        return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)

    common, occupations, niches = directions(1), directions(OCCUPATIONS), directions(OCCUPATIONS * NICHES)

    def texts(n: int) -> Floats:
        niche = rng.integers(0, len(niches), n)
        sums = 0.5 * common + occupations[niche // NICHES] + 0.6 * niches[niche] + 0.5 * directions(n)
        return sums / np.linalg.norm(sums, axis=1, keepdims=True)

    weights = np.geomspace(0.01, 0.15, STATES)
    states = np.sort(rng.choice(STATES, rows, p=weights / weights.sum()))
    starts = np.searchsorted(states, np.arange(STATES + 1))
    return {
        "vectors": texts(rows),
        "starts": starts,
        "queries": texts(queries),
        "states": rng.integers(0, STATES, queries),
    }


def products(vectors: Floats, queries: Floats) -> NDArray[np.float64]:
    """(b, n) in float64, in parts that fit beside the data."""
    parts = np.array_split(vectors, max(1, len(vectors) // 16384))
    return np.concatenate([queries.astype(np.float64) @ part.T.astype(np.float64) for part in parts], axis=1)


def recall(exact: NDArray[np.float64], found: NDArray[np.int64], bounds: NDArray[np.int64]) -> float:
    """Share of the best 25 between `bounds` (b, 2) that the answers reach but for float32 rounding."""
    hits = 0
    for scores, answer, (first, end) in zip(exact, found, bounds, strict=False):
        worst = np.partition(scores[first:end], -K)[-K]
        kept = answer[(answer >= first) & (answer < end)]
        hits += int((scores[kept] >= worst - 1e-6).sum())
    return hits / (len(exact) * K)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1, help="1 is 365,000 rows")
    parser.add_argument("--queries", type=int, default=500, help="asked one after the other")
    parser.add_argument("--peers", default="", help="rows beside metier that start with one of these words")
    parser.add_argument("--seconds", type=float, default=1800, help="limit of each peer")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the peers' environments")
    parser.add_argument("--quick", action="store_true", help="scale 0.1, metier and NumPy only")
    given = parser.parse_args()
    scale, wanted = (0.1, "numpy") if given.quick else (given.scale, given.peers)
    data = embeddings(round(365_000 * scale), given.queries, np.random.default_rng(0))
    rows, starts, states = len(data["vectors"]), data["starts"], data["states"]
    everything = np.full((len(states), 2), (0, rows))
    bounds = {"state": np.stack([starts[states], starts[states + 1]], axis=1), "all": everything}
    exact = products(data["vectors"], data["queries"][:JUDGED])
    print(f"{machine()}. {rows:,} rows × {SIZE}, {given.queries:,} queries, top {K}, one thread.\n", flush=True)
    lines, own, script = [], {}, Path(__file__).parent / "peers" / "query.py"
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, array in data.items():
            np.save(folder / f"{name}.npy", array)
        for peer in (peer for peer in PEERS if peer.lower().startswith(("metier", *wanted.lower().split(",")))):
            print(peer, file=sys.stderr)
            try:
                python = python_with(PEERS[peer][0], given.cache)
                got = child(python, script, [peer, temporary], given.seconds, ONE_THREAD)
            except PeerError as error:
                lines.append([peer, f"failed: {error}", *[""] * (len(COLUMNS) - 2)])
                continue
            line = [peer, got["version"], f"{got['build']:.1f}"]
            for where, inside in bounds.items():
                middle, late = np.quantile(np.load(folder / f"{where}_ms.npy"), [0.5, 0.99])
                share = recall(exact, np.load(folder / f"{where}.npy"), inside)
                own |= {where: middle} if peer == "metier" else {}
                ratio = middle / own.get(where, np.nan)
                line += [f"{middle:.2f}", f"{late:.2f}", f"{share:.4f}", f"{ratio:.1f} ×"]
            lines.append(line)
    print(table(COLUMNS, lines))


if __name__ == "__main__":
    main()
