"""The 25 largest inner products of many queries: topk.py runs this file in the peer's own environment.

    python benchmarks/peers/topk.py PEER VECTORS.npy QUERIES.npy FOUND.npy

VECTORS is (I, d), QUERIES (b, d) float32. Writes the answers to FOUND, (n, 25) row numbers, and prints the seconds as
JSON. A function here takes the vectors and returns what answers queries. What answers in batches of 256 stops after a
minute: n is then smaller than b.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

K, MINUTE = 25, 60.0

Array = Any
Answer = Callable[[Array], Array]


def main(peer: str, vectors_file: str, queries_file: str, found_file: str) -> None:
    vectors, queries = np.load(vectors_file), np.load(queries_file)
    package, build = PEERS[peer]
    build(vectors[:1000].copy())(queries[:16])  # nobody's compiler is on the clock
    start = time.perf_counter()
    answer = build(vectors)
    built, cpu = time.perf_counter(), time.process_time()
    found = answer(queries)
    done = time.perf_counter()
    np.save(found_file, np.asarray(found, np.int32))
    figures = {"build": built - start, "wall": done - built, "cpu": time.process_time() - cpu}
    print(json.dumps(figures | {"version": version(package.split("==")[0])}))


def metier(vectors: Array) -> Answer:
    from metier.data import CSR
    from metier.kernels.mips import catalogue, top_products

    numbers = np.arange(len(vectors), dtype=np.int32)
    jobs = catalogue(vectors, numbers, numbers)
    return lambda queries: top_products(jobs, queries, CSR((len(queries), len(vectors)), dtype=np.float32), K)[0]


def implicit(vectors: Array) -> Answer:
    from implicit.cpu.topk import topk

    return lambda queries: topk(vectors, queries, K)[0]


def faiss_flat(vectors: Array) -> Answer:
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return in_batches(lambda queries: index.search(queries, K)[1])


def faiss_hnsw(vectors: Array) -> Answer:
    import faiss

    index = faiss.IndexHNSWFlat(vectors.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 256
    index.add(vectors)
    return in_batches(lambda queries: index.search(queries, K)[1])


def torch(vectors: Array) -> Answer:
    import torch

    items = torch.from_numpy(vectors)
    return in_batches(lambda queries: torch.topk(torch.from_numpy(queries) @ items.T, K).indices.numpy())


def numpy(vectors: Array) -> Answer:
    def best(queries: Array) -> Array:
        scores = queries @ vectors.T
        some = np.argpartition(-scores, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(scores, some, axis=1), axis=1)
        return np.take_along_axis(some, order, axis=1)

    return in_batches(best)


def in_batches(best: Answer) -> Answer:
    def answer(queries: Array) -> Array:
        stop, found = time.perf_counter() + MINUTE, []
        for start in range(0, len(queries), 256):
            found.append(best(queries[start : start + 256]))
            if time.perf_counter() > stop:
                break
        return np.concatenate(found)

    return answer


PEERS: dict[str, tuple[str, Callable[[Array], Answer]]] = {
    "metier": ("metier", metier),
    "implicit.cpu.topk": ("implicit", implicit),
    "torch matmul, topk": ("torch==2.13.0", torch),
    "faiss IndexFlatIP": ("faiss-cpu==1.15.1", faiss_flat),
    "NumPy matmul, argpartition": ("numpy", numpy),
    "faiss HNSW 16, efSearch 256": ("faiss-cpu==1.15.1", faiss_hnsw),
}
"""Row of the table -> distribution, pinned unless metier needs it, and what makes the vectors searchable."""

if __name__ == "__main__":
    main(*sys.argv[1:])
