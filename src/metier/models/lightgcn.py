"""LightGCN: embeddings smoothed over the graph of people and jobs."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from metier.data import CSR, Dataset, Floats, Query
from metier.errors import MissingExtraError
from metier.models.base import Factored, ModelConfig
from metier.models.search import Search


class LightGCNConfig(ModelConfig):
    """Depth, size and training."""

    embedding_size: Annotated[int, Search(16, 256, log=True)] = Field(default=64, ge=1)
    """Length d of each embedding."""
    layers: Annotated[int, Search(1, 4)] = Field(default=2, ge=1)
    """Number of propagations K."""
    loss: Annotated[Literal["softmax", "bpr"], Search(choices=("softmax", "bpr"))] = "softmax"
    """bpr is the paper's (its equation 15); softmax ranks an application above all its negatives at once."""
    negatives: int = Field(default=16, ge=1)
    """Jobs of the catalogue that each application is ranked against."""
    epochs: Annotated[int, Search(10, 120, log=True)] = Field(default=40, ge=1)
    """Passes over all applications."""
    batch: int = Field(default=4096, ge=1)
    """Applications a step; each step propagates over the whole graph."""
    learning_rate: Annotated[float, Search(1e-3, 0.1, log=True)] = Field(default=0.03, gt=0)
    """Adam's step."""
    reg: Annotated[float, Search(1e-7, 1e-3, log=True)] = Field(default=1e-5, ge=0)
    """L2 on the first embeddings, all that is learned."""


class LightGCN(Factored):
    """Graph convolution of ids, with nothing but the averaging kept (He et al. 2020).

    E^(k+1) = D^-1/2 A D^-1/2 E^(k) and E = (E^(0) + ... + E^(K)) / (K + 1)   (equations 8 and 4), A being the graph of
    people and jobs; y(u, i) = <e_u, e_i>.

    A person's layers above the first are sums over their jobs, so they are made from the history that is asked with:

    e_u = e_u^(0) / (K + 1) + sum_{i in N_u} g_i / sqrt|N_u|,   g_i = (e_i^(0) + ... + e_i^(K-1)) / ((K + 1) sqrt|N_i|)

    which for a known person with their own history is equation 4, and for a new one with e_u^(0) = 0 the nearest to it
    that needs no training.
    """

    config: LightGCNConfig
    scores_new_users: ClassVar[bool] = True
    scores_new_items: ClassVar[bool] = False

    user_vectors_: Floats  # (U, d) e_u^(0) / (K + 1)
    history_vectors_: Floats  # (I, d) g_i; zeros for jobs nobody applied to
    item_vectors_: Floats  # (I, d) e_i; NaN for jobs nobody applied to

    def __init__(self, config: LightGCNConfig = LightGCNConfig()) -> None:
        self.config = config

    def fit(self, data: Dataset, *, rng: np.random.Generator) -> Self:
        """Learn E^(0); MissingExtraError without torch."""
        graph, n_users, layers = normalised_graph(data.matrix), len(data.users), self.config.layers
        first = train(graph, data, self.config, rng)  # (U + I, d)
        embeddings = propagate(graph, first, layers)[n_users:]
        below = propagate(graph, first, layers - 1)[n_users:] * (layers / (layers + 1))
        applications = np.bincount(data.interactions.items, minlength=len(data.items))
        self.user_vectors_ = (first[:n_users] / (layers + 1)).astype(np.float32)
        self.history_vectors_ = (below / np.sqrt(np.maximum(applications, 1))[:, None]).astype(np.float32)
        self.history_vectors_[applications == 0] = 0
        self.item_vectors_ = embeddings
        self.item_vectors_[applications == 0] = np.nan
        return self

    def query_vectors(self, query: Query) -> Floats:
        """(b, d) e_u; NaN for a person without a history."""
        sizes = np.diff(query.history.indptr)
        links = CSR(
            (np.ones_like(query.history.data), query.history.indices, query.history.indptr), query.history.shape
        )
        known = (query.users >= 0)[:, None]
        own = np.where(known, self.user_vectors_[np.maximum(query.users, 0)], np.float32(0))
        vectors: Floats = (
            own + (links @ self.history_vectors_) / np.sqrt(np.maximum(sizes, 1), dtype=np.float32)[:, None]
        )
        vectors[sizes == 0] = np.nan
        return vectors

    def item_vectors(self) -> Floats:
        """(I, d) e_i."""
        return self.item_vectors_


def normalised_graph(matrix: CSR) -> CSR:
    """(U + I, U + I) CSR float32 D^-1/2 A D^-1/2, A having a 1 in both directions for each application."""
    links = CSR((np.ones(matrix.nnz, np.float32), matrix.indices, matrix.indptr), matrix.shape)
    both = CSR(sparse.block_array([[None, links], [links.T, None]]))
    scale = 1 / np.sqrt(np.maximum(np.diff(both.indptr), 1), dtype=np.float32)
    return CSR(both.multiply(scale[:, None]).multiply(scale[None, :]))


def propagate(graph: CSR, first: Floats, layers: int) -> Floats:
    """(n, d) mean of the embeddings of layers 0 to `layers`. The operator is symmetric, as the graph is."""
    total, layer = first.copy(), first
    for _ in range(layers):
        layer = graph @ layer
        total += layer
    return total / np.float32(layers + 1)


def train(graph: CSR, data: Dataset, config: LightGCNConfig, rng: np.random.Generator) -> Floats:
    """(U + I, d) E^(0), by Adam.

    A step's loss depends on E = P E^(0) with the symmetric operator P of `propagate`, so its gradient by E^(0) is P
    times its gradient by E: the graph is crossed by SciPy once in each direction, and torch sees the batch alone.
    """
    try:
        import torch
        from torch.nn import functional
    except ModuleNotFoundError as error:
        raise MissingExtraError("lightgcn", "torch") from error
    n_users, n_items = data.shape
    users, items = data.interactions.users.astype(np.int64), data.interactions.items.astype(np.int64)
    seen = np.sort(users * n_items + items)
    first = rng.standard_normal((n_users + n_items, config.embedding_size), dtype=np.float32) * np.float32(0.1)
    embeddings = torch.from_numpy(first).requires_grad_()  # the same memory: Adam's steps show in `first`
    optimiser = torch.optim.Adam([embeddings], lr=config.learning_rate, weight_decay=config.reg)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums then run in one order whatever the machine, so results repeat bit by bit
    for _ in range(config.epochs):
        order = rng.permutation(len(users))
        for at in (order[start : start + config.batch] for start in range(0, len(order), config.batch)):
            drawn = rng.integers(0, n_items, (len(at), config.negatives))
            owned = _contains(seen, users[at, None] * n_items + drawn)
            smooth = torch.from_numpy(propagate(graph, first, config.layers)).requires_grad_()
            people = functional.embedding(torch.from_numpy(users[at]), smooth)  # (B, d)
            shown = functional.embedding(torch.from_numpy(n_users + np.column_stack([items[at], drawn])), smooth)
            scores = torch.einsum("bd,bmd->bm", people, shown)  # (B, 1 + m), the application first
            against = scores[:, 1:].masked_fill(torch.from_numpy(owned), -torch.inf)
            if config.loss == "bpr":
                loss = functional.softplus(against - scores[:, :1]).sum() / len(at)
            else:
                loss = (torch.logsumexp(torch.cat([scores[:, :1], against], dim=1), dim=1) - scores[:, 0]).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            assert smooth.grad is not None  # noqa: S101
            embeddings.grad = torch.from_numpy(propagate(graph, smooth.grad.numpy(), config.layers))
            optimiser.step()
    torch.set_num_threads(threads)
    return first


def _contains(ascending: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each number is in the sorted array, in the shape of `wanted`."""
    place = np.searchsorted(ascending, wanted)
    found: NDArray[np.bool_] = np.append(ascending, -1)[place] == wanted
    return found
