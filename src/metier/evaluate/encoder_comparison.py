"""Which text encoder finds a person's own jobs? Quality beside speed and size, on a cut inside the history.

The truth that evaluations report is never seen: each fold is cut once more before it (`folds(..., inner=True)`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
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
    size : numbers a vector has. people : judged ones, the same for every encoder of one `asked`.
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
    """Judge every encoder at its own size and at smaller ones, on the first inner fold that has people to judge.

    Parameters
    ----------
    encoders : name -> embedder; None is TF-IDF learned from the postings of the fold.
    sizes : smaller vectors, each by keeping the first numbers (not for TF-IDF, whose order means nothing) and by
        principal components of the postings (for TF-IDF by truncated SVD).
    most_people : a seeded sample of so many people is judged; everybody when None.

    Raises
    ------
    UsageError : nobody can be judged, or a size is below 1.
    """
    if any(size < 1 for size in sizes):
        raise UsageError(f"sizes {list(sizes)} must be at least 1")
    world = _world(tables, protocol, seed, most_people)
    for name, embedder in encoders.items():
        start = time.perf_counter()
        vectors = _encoded(embedder, world.data)
        speed = (len(world.data.item_texts) + len(world.data.user_texts)) / max(time.perf_counter() - start, 1e-9)
        for reduction, jobs, people in _reduced(*vectors, sizes, seed):
            for asked in ("history", "person"):
                yield _judged(world, name, reduction, asked, jobs, people, k, speed)


@dataclass(frozen=True)
class _World:
    """The inner fold: its data, the judged people, their history (U, I) and truth (U, I), and the open jobs."""

    data: Dataset
    users: Nums
    truth: CSR
    open: NDArray[np.bool_]
    tie: Nums


def _world(tables: Tables, protocol: Protocol, seed: int, most_people: int | None) -> _World:
    fold = next((one for one in folds(tables, protocol, inner=True) if len(one.truth)), None)
    if fold is None:
        raise UsageError(f"nobody has a held-out job under {protocol!r}; cure: another --protocol or more interactions")
    data = assemble(fold.train).dataset
    truth = _truth(fold, data)
    users = np.flatnonzero(np.diff(truth.indptr)).astype(np.int32)
    if most_people is not None and most_people < len(users):
        users = np.sort(np.random.default_rng(seed).choice(users, most_people, replace=False))
    open_ = np.zeros(data.shape[1], np.bool_)
    open_[data.items.numbers(fold.candidates)] = True
    return _World(data, users, truth, open_, tie_order(data.shape[1], seed))


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
) -> Iterator[tuple[Reduction, CSR | Floats, CSR | Floats]]:
    yield "none", jobs, people
    for size in (one for one in sizes if one < min(jobs.shape)):
        if isinstance(jobs, np.ndarray) and isinstance(people, np.ndarray):
            yield "truncated", jobs[:, :size], people[:, :size]
        yield "PCA", *_projected(jobs, people, size, seed)


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


def _judged(
    world: _World,
    name: str,
    reduction: Reduction,
    asked: Asked,
    jobs: CSR | Floats,
    people: CSR | Floats,
    k: int,
    speed: float,
) -> EncoderScore:
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
    means = np.concatenate(values).mean(axis=0) if len(users) else np.zeros(2)
    return EncoderScore(name, reduction, int(jobs.shape[1]), asked, len(users), float(means[0]), float(means[1]), speed)


def _unit(vectors: CSR | Floats) -> CSR | Floats:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(np.asarray((vectors * vectors).sum(axis=1)).ravel())
    scaled: CSR | Floats = sparse.diags_array((1 / np.where(lengths > 0, lengths, 1)).astype(np.float32)) @ vectors
    return scaled
