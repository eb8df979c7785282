"""Exact top 25 of the whole catalogue for many people, beside peers: seconds, CPU, queries per second and recall.

    python benchmarks/topk.py [--scale 1] [--queries 8192] [--peers implicit,torch] [--quick]

Rows "iALS": vectors of an iALS with 64 factors, trained on the data of world.py; jobs that nobody applied to are zeros.
Rows "length 1": the same people and jobs with every vector made as long as every other (zeros become random
directions), where no bound on lengths saves any work. The time of 100,000 people is build plus scaled answers. Recall
counts answers whose float64 product reaches the 25th best, over 128 queries. Each peer runs in a process of its own, on
all cores; what metier's environment lacks is installed under .bench/ on the first run.
"""

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from environments import CACHE, PeerError, child, machine, python_with, table
from metier.data import Floats, Nums
from metier.models.ials import IALS, IALSConfig
from peers.topk import PEERS, K
from world import world

COLUMNS = ["", "version", "vectors", "build s", "answer s", "CPU s", "queries/s", "100,000 people s", "recall", "ratio"]
JUDGED = 128


def factors(scale: float, queries: int) -> tuple[Floats, Floats]:
    """(I, 64) jobs and (b, 64) people of an iALS; zeros for who or what it does not know."""
    data, people, _ = world(scale)
    model = IALS(IALSConfig(embedding_size=64)).fit(data, rng=np.random.default_rng(0))
    return np.nan_to_num(model.item_vectors()), np.nan_to_num(model.query_vectors(data.query(people[:queries])))


def equally_long(vectors: Floats, rng: np.random.Generator) -> Floats:
    """Rows scaled to length 1, rows of zeros drawn anew."""
    empty = ~vectors.any(axis=1)
    drawn = np.where(empty[:, None], rng.standard_normal(vectors.shape, np.float32), vectors)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def recall(vectors: Floats, queries: Floats, found: Nums) -> float:
    """Share of the answers whose product is no smaller than the 25th best but for float32 rounding."""
    scores = queries[: len(found)].astype(np.float64) @ vectors.astype(np.float64).T
    worst = -np.partition(-scores, K - 1, axis=1)[:, K - 1 : K]
    slack = 1e-6 * np.linalg.norm(queries[: len(found)], axis=1, keepdims=True) * np.linalg.norm(vectors, axis=1).max()
    return float(((np.take_along_axis(scores, found, axis=1) >= worst - slack) & (found >= 0)).mean())


def measured(
    peer: str, name: str, vectors: Floats, queries: Floats, folder: Path, given: argparse.Namespace
) -> tuple[list[str], float]:
    """One line of the table but for the ratio, and the seconds that 100,000 people take; infinite for a failure."""
    script, files = Path(__file__).parent / "peers" / "topk.py", [str(folder / f"{part}.npy") for part in "vqf"]
    np.save(files[0], vectors)
    np.save(files[1], queries)
    try:
        got = child(python_with(PEERS[peer][0], given.cache), script, [peer, *files], given.seconds)
    except PeerError as error:
        return [peer, f"failed: {error}", name, *[""] * (len(COLUMNS) - 4)], np.inf
    found = np.load(files[2])
    rate, exact = len(found) / got["wall"], recall(vectors, queries, found[:JUDGED])
    total = got["build"] + 100_000 / rate
    seconds = [f"{got[key]:.2f}" for key in ("build", "wall", "cpu")]
    return [peer, got["version"], name, *seconds, f"{rate:,.0f}", f"{total:,.1f}", f"{exact:.4f}"], total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1, help="1 is 365,000 jobs")
    parser.add_argument("--queries", type=int, default=8192, help="people asked for")
    parser.add_argument("--peers", default="", help="rows beside metier that start with one of these words")
    parser.add_argument("--seconds", type=float, default=1800, help="limit of each peer")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the peers' environments")
    parser.add_argument("--quick", action="store_true", help="scale 0.05, metier and implicit only")
    given = parser.parse_args()
    scale, wanted = (0.05, "implicit") if given.quick else (given.scale, given.peers)
    peers = [peer for peer in PEERS if peer.lower().startswith(("metier", *wanted.lower().split(",")))]
    jobs, people = factors(scale, given.queries)
    rng = np.random.default_rng(0)
    data = {"iALS": (jobs, people), "length 1": (equally_long(jobs, rng), equally_long(people, rng))}
    print(f"{machine()}. {len(people):,} people asked, {len(jobs):,} jobs, 64 factors, top {K}.\n", flush=True)
    lines = []
    with TemporaryDirectory() as temporary:
        for name, (vectors, queries) in data.items():
            own = np.inf
            for peer in peers:
                print(f"{peer}, {name}", file=sys.stderr)
                line, total = measured(peer, name, vectors, queries, Path(temporary), given)
                own = total if peer == "metier" else own
                lines.append([*line, f"{total / own:.1f} ×" if total < np.inf else ""])
    print(table(COLUMNS, lines))


if __name__ == "__main__":
    main()
