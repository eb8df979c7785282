"""One live query after the other on one thread: query.py runs this file in the peer's own environment.

    python benchmarks/peers/query.py PEER FOLDER

FOLDER holds vectors.npy (n, d) float32 in the order of their states, starts.npy (s + 1,) first row of each state,
queries.npy (b, d) and states.npy (b,) the state of each query. Writes the answers with the state and without to
state.npy and all.npy, (b, 25) row numbers, and their milliseconds, (b,), to state_ms.npy and all_ms.npy; prints the
rest as JSON. A function here takes vectors and starts and returns `search(query, state or None) -> (25,)`.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

K, FETCHED = 25, 500

Array = Any
Search = Callable[[Array, int | None], Array]


def main(peer: str, where: str) -> None:
    folder = Path(where)
    vectors, starts, queries, states = (
        np.load(folder / f"{n}.npy") for n in ("vectors", "starts", "queries", "states")
    )
    package, build = PEERS[peer]
    start = time.perf_counter()
    search = build(vectors, starts)
    built = time.perf_counter() - start
    for name, asked in (("state", states.tolist()), ("all", [None] * len(queries))):
        found, milliseconds = np.full((len(queries), K), -1, np.int64), np.empty(len(queries))
        for row in range(5):  # nobody's compiler is on the clock
            search(queries[row], asked[row])
        for row, (query, state) in enumerate(zip(queries, asked, strict=True)):
            begun = time.perf_counter()
            best = search(query, state)
            milliseconds[row] = (time.perf_counter() - begun) * 1000
            found[row, : len(best)] = best
        np.save(folder / f"{name}.npy", found)
        np.save(folder / f"{name}_ms.npy", milliseconds)
    print(json.dumps({"build": built, "version": version(package.split("==")[0])}))


def metier(vectors: Array, starts: Array) -> Search:
    from metier.kernels.scan import VectorIndex

    groups = np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
    index = VectorIndex.build(vectors, groups)
    return lambda query, state: index.query(query, K, None if state is None else np.array([state], np.int32))[0]


def numpy(vectors: Array, starts: Array) -> Search:
    def search(query: Array, state: int | None) -> Array:
        first, end = (0, len(vectors)) if state is None else starts[state : state + 2]
        scores = vectors[first:end] @ query
        best = np.argpartition(-scores, min(K, len(scores) - 1))[:K]
        return first + best[np.argsort(-scores[best])]

    return search


def faiss(kind: str) -> Callable[[Array, Array], Search]:
    def build(vectors: Array, starts: Array) -> Search:
        import faiss

        faiss.omp_set_num_threads(1)
        size = vectors.shape[1]
        if kind == "flat":
            index, parameters, more = faiss.IndexFlatIP(size), faiss.SearchParameters, {}
        else:
            index = faiss.IndexHNSWFlat(size, 16, faiss.METRIC_INNER_PRODUCT)
            parameters, more = faiss.SearchParametersHNSW, {"efSearch": 256}
        index.add(vectors)

        def search(query: Array, state: int | None) -> Array:
            rows = {} if state is None else {"sel": faiss.IDSelectorRange(int(starts[state]), int(starts[state + 1]))}
            return index.search(query[None], K, params=parameters(**rows, **more))[1][0]

        return search

    return build


def usearch_exact(vectors: Array, starts: Array) -> Search:
    from usearch.index import MetricKind, search

    def best(query: Array, state: int | None) -> Array:
        first, end = (0, len(vectors)) if state is None else starts[state : state + 2]
        return first + search(vectors[first:end], query, K, MetricKind.IP, exact=True, threads=1).keys.astype(np.int64)

    return best


def usearch_hnsw(vectors: Array, starts: Array) -> Search:
    from usearch.index import Index

    index = Index(ndim=vectors.shape[1], metric="ip", dtype="i8", connectivity=16, expansion_search=256)
    index.add(np.arange(len(vectors)), vectors, threads=1)

    def search(query: Array, state: int | None) -> Array:
        if state is None:
            return index.search(query, K, threads=1).keys.astype(np.int64)
        keys = index.search(query, FETCHED, threads=1).keys.astype(np.int64)  # it has no filter
        return keys[(keys >= starts[state]) & (keys < starts[state + 1])][:K]

    return search


PEERS: dict[str, tuple[str, Callable[[Array, Array], Search]]] = {
    "metier": ("metier", metier),
    "faiss IndexFlatIP, IDSelectorRange": ("faiss-cpu==1.15.1", faiss("flat")),
    "usearch exact, slices": ("usearch==2.26.6", usearch_exact),
    "NumPy, slices": ("numpy", numpy),
    "faiss HNSW 16, efSearch 256": ("faiss-cpu==1.15.1", faiss("HNSW")),
    f"usearch HNSW 16 in int8, 256, {FETCHED} fetched": ("usearch==2.26.6", usearch_hnsw),
}
"""Row of the table -> distribution, pinned unless metier needs it, and what makes the vectors searchable."""

if __name__ == "__main__":
    main(*sys.argv[1:])
