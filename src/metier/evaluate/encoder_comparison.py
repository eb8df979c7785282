"""Which text encoder finds a person's own jobs? Quality beside speed and size, on a cut inside the history.

The truth that evaluations report is never seen: each fold is cut once more before it (`folds(..., inner=True)`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Fold, Nums, Tables
from metier.data.splits import Protocol, folds
from metier.errors import UsageError
from metier.evaluate.metrics import average_precision, recall
from metier.features.assemble import assemble
from metier.features.text import Embedder, Tfidf
from metier.kernels.topk import top_k
from metier.models.base import tie_order

Asked = Literal["history", "person"]
"""Whose vectors are the question: the jobs of the history (their mean), or what the person says (profile, past)."""
Reduction = Literal["none", "truncated", "PCA"]
_CHUNK = 512
"""People scored at a time."""


@dataclass(frozen=True)
class EncoderScore:
    """One line of the comparison.

    Parameters
    ----------
    size : numbers a vector has, for TF-IDF, whose words differ by window, the most. people : judged ones, the same for
        every encoder of one `asked`; a person counts once a window.
    map, recall : MAP@k and recall@k over the full catalogue. texts_per_second : of encoding, reduction apart;
        for TF-IDF learning the words is counted in.
    """

    encoder: str
    reduction: Reduction
    size: int
    asked: Asked
    people: int
    map: float
    recall: float
    texts_per_second: float

    def as_row(self) -> dict[str, str | int | float]:
        """For tables and JSON."""
        return asdict(self)


def compare_encoders(
    tables: Tables,
    protocol: Protocol,
    encoders: Mapping[str, Embedder | None],
    *,
    sizes: Sequence[int] = (),
    k: int = 25,
    seed: int = 0,
    most_people: int | None = None,
) -> Iterator[EncoderScore]:
    """Judge every encoder at its own size and at smaller ones, on all inner folds.

    Parameters
    ----------
    encoders : name -> embedder; None is TF-IDF learned from the postings of the fold.
    sizes : smaller vectors, each by keeping the first numbers (not for TF-IDF, whose order means nothing) and by
        principal components of the postings (for TF-IDF by truncated SVD); left out where a fold has fewer postings.
    most_people : a seeded sample of so many people is judged, over all folds; everybody when None.

    Raises
    ------
    UsageError : nobody can be judged, or a size is below 1.
    """
    if any(size < 1 for size in sizes):
        raise UsageError(f"sizes {list(sizes)} must be at least 1")
    worlds = _sampled(
        [_world(fold, seed) for fold in folds(tables, protocol, inner=True) if len(fold.truth)], seed, most_people
    )
    if not worlds:
        raise UsageError(f"nobody has a held-out job under {protocol!r}; cure: another --protocol or more interactions")
    for name, embedder in encoders.items():
        yield from _scores(name, embedder, worlds, sizes, k, seed)


def _scores(
    name: str, embedder: Embedder | None, worlds: Sequence["_World"], sizes: Sequence[int], k: int, seed: int
) -> Iterator[EncoderScore]:
    """The lines of one encoder, each over the people of all worlds."""
    found: dict[tuple[Reduction, int | None, Asked], list[tuple[int, NDArray[np.float64]]]] = {}
    seconds, texts = 0.0, 0
    for world in worlds:
        start = time.perf_counter()
        vectors = _encoded(embedder, world.data)
        seconds += time.perf_counter() - start
        texts += len(world.data.item_texts) + len(world.data.user_texts)
        for reduction, wanted, jobs, people in _reduced(*vectors, sizes, seed):
            for asked in ("history", "person"):
                values = _judged(world, asked, jobs, people, k)
                found.setdefault((reduction, wanted, asked), []).append((int(jobs.shape[1]), values))
    for (reduction, _, asked), parts in found.items():
        if len(parts) == len(worlds):  # else the figure would be of other people than the encoder's others
            values = np.concatenate([values for _, values in parts])
            means = values.mean(axis=0) if len(values) else np.zeros(2)
            size, speed = max(size for size, _ in parts), texts / max(seconds, 1e-9)
            yield EncoderScore(name, reduction, size, asked, len(values), float(means[0]), float(means[1]), speed)


@dataclass(frozen=True)
class _World:
    """An inner fold: its data, the judged people, their truth (U, I), and the open jobs."""

    data: Dataset
    users: Nums
    truth: CSR
    open: NDArray[np.bool_]
    tie: Nums


def _world(fold: Fold, seed: int) -> _World:
    data = assemble(fold.train).dataset
    truth = _truth(fold, data)
    users = np.flatnonzero(np.diff(truth.indptr)).astype(np.int32)
    open_ = np.zeros(data.shape[1], np.bool_)
    open_[data.items.numbers(fold.candidates)] = True
    return _World(data, users, truth, open_, tie_order(data.shape[1], seed))


def _sampled(worlds: list[_World], seed: int, most: int | None) -> list[_World]:
    """The worlds with so many judged people in all; those in which nobody is left drop out."""
    everybody = sum(len(world.users) for world in worlds)
    if most is None or most >= everybody:
        return worlds
    kept = np.zeros(everybody, np.bool_)
    kept[np.random.default_rng(seed).choice(everybody, most, replace=False)] = True
    ends = np.cumsum([len(world.users) for world in worlds])[:-1]
    masks = np.split(kept, ends)
    return [replace(one, users=one.users[mask]) for one, mask in zip(worlds, masks, strict=True) if mask.any()]


def _truth(fold: Fold, data: Dataset) -> CSR:
    """(U, I) CSR of the held-out pairs."""
    rows, columns = data.users.numbers(fold.truth["person"]), data.items.numbers(fold.truth["job"])
    return CSR((np.ones(len(rows), np.float32), (rows, columns)), shape=data.shape)


def _encoded(embedder: Embedder | None, data: Dataset) -> tuple[CSR | Floats, CSR | Floats]:
    """(I, d) of the postings and (U, d) of what people say, rows of length 1."""
    if embedder is None:
        tfidf = Tfidf.fit(data.item_texts)
        return tfidf.encode(data.item_texts), tfidf.encode(data.user_texts)
    texts = [*data.item_texts, *data.user_texts]
    vectors = embedder.embed(texts)
    return vectors[: len(data.item_texts)], vectors[len(data.item_texts) :]


def _reduced(
    jobs: CSR | Floats, people: CSR | Floats, sizes: Sequence[int], seed: int
) -> Iterator[tuple[Reduction, int | None, CSR | Floats, CSR | Floats]]:
    yield "none", None, jobs, people
    for size in (one for one in sizes if one < min(jobs.shape)):
        if isinstance(jobs, np.ndarray) and isinstance(people, np.ndarray):
            yield "truncated", size, jobs[:, :size], people[:, :size]
        yield "PCA", size, *_projected(jobs, people, size, seed)


def _projected(jobs: CSR | Floats, people: CSR | Floats, size: int, seed: int) -> tuple[Floats, Floats]:
    """Both sides on the first components of the postings; rows of zeros stay zeros."""
    from sklearn.decomposition import PCA, TruncatedSVD

    if isinstance(jobs, np.ndarray):
        fitted = PCA(size, svd_solver="randomized", random_state=seed).fit(
            jobs[np.flatnonzero(np.abs(jobs).sum(axis=1))]
        )
        middle, axes = fitted.mean_.astype(np.float32), fitted.components_.T.astype(np.float32)  # (d,), (d, size)
        left, right = (
            (side - middle * (np.abs(side).sum(axis=1, keepdims=True) > 0)) @ axes
            for side in (jobs, np.asarray(people))
        )
        return left, right
    axes = TruncatedSVD(size, random_state=seed).fit(jobs).components_.T.astype(np.float32)
    return jobs @ axes, people @ axes


def _judged(world: _World, asked: Asked, jobs: CSR | Floats, people: CSR | Floats, k: int) -> NDArray[np.float64]:
    """(n, 2) AP@k and recall@k of the judged people who have what is asked with."""
    jobs = _unit(jobs)
    history = CSR(world.data.matrix.astype(bool), dtype=np.float32)
    texts = world.data.user_texts
    lengths = np.diff(history.indptr) if asked == "history" else np.array([len(text.strip()) for text in texts])
    users = np.array([user for user in world.users if lengths[user]], np.int32)
    values = [np.empty((0, 2))]
    for start in range(0, len(users), _CHUNK):
        rows = users[start : start + _CHUNK]
        wish = _unit(history[rows] @ jobs if asked == "history" else people[rows])  # (b, d)
        product = wish @ jobs.T  # (b, I)
        scores = product if isinstance(product, np.ndarray) else product.toarray()
        items, _ = top_k(scores, CSR(history[rows]), world.open, world.tie, k)
        truth = CSR(world.truth[rows])
        hits = np.array([np.isin(line, truth[[at]].indices) for at, line in enumerate(items)])
        relevant = np.diff(truth.indptr)
        values.append(np.column_stack([average_precision(hits, relevant, k), recall(hits, relevant, k)]))
    return np.concatenate(values)


def _unit(vectors: CSR | Floats) -> CSR | Floats:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(np.asarray((vectors * vectors).sum(axis=1)).ravel())
    scaled: CSR | Floats = sparse.diags_array((1 / np.where(lengths > 0, lengths, 1)).astype(np.float32)) @ vectors
    return scaled
