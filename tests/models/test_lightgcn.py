"""LightGCN propagates as equations 4 and 8 say, and folds in people it has never seen."""

import sys

import numpy as np
import pytest

from metier.data import Query
from metier.errors import MissingExtraError
from metier.features.assemble import assemble
from metier.models.lightgcn import LightGCN, LightGCNConfig, normalised_graph, propagate, train
from metier.testing.worlds import small_town

pytestmark = pytest.mark.usefixtures("torch")


def dense_propagation(matrix, first, layers):
    """Equation 8 and 4, with dense matrices."""
    n_users, n_items = matrix.shape
    a = np.block([[np.zeros((n_users, n_users)), matrix], [matrix.T, np.zeros((n_items, n_items))]])
    degree = a.sum(axis=1)
    root = np.diag(np.where(degree > 0, np.maximum(degree, 1) ** -0.5, 0))
    return sum(np.linalg.matrix_power(root @ a @ root, k) @ first for k in range(layers + 1)) / (layers + 1)


@pytest.mark.parametrize("layers", [1, 3])
def test_propagation_is_that_of_the_paper(tiny, rng, layers):
    first = rng.standard_normal((12, 5)).astype(np.float32)
    found = propagate(normalised_graph(tiny.matrix), first, layers)
    np.testing.assert_allclose(found, dense_propagation(tiny.matrix.toarray(), first, layers), rtol=1e-4, atol=1e-5)


def test_the_operator_is_its_own_adjoint(tiny, rng):
    """<P x, y> = <x, P y>: what lets the gradient cross the graph by `propagate`."""
    graph = normalised_graph(tiny.matrix)
    x, y = rng.standard_normal((2, 12, 3)).astype(np.float32)
    np.testing.assert_allclose((propagate(graph, x, 3) * y).sum(), (x * propagate(graph, y, 3)).sum(), rtol=1e-4)


def test_people_are_equation_4_of_their_history(tiny, rng, monkeypatch):
    first = rng.standard_normal((12, 5)).astype(np.float32)
    monkeypatch.setattr("metier.models.lightgcn.train", lambda *_: first)
    model = LightGCN(LightGCNConfig(layers=3)).fit(tiny, rng=rng)
    expected = dense_propagation(tiny.matrix.toarray(), first, 3)
    asked = tiny.query(np.arange(6, dtype=np.int32))
    found = model.query_vectors(asked)
    np.testing.assert_allclose(found[:5], expected[:5], rtol=1e-4, atol=1e-5)
    assert np.isnan(found[5]).all()  # applied to nothing
    np.testing.assert_allclose(model.item_vectors()[:5], expected[6:11], rtol=1e-4, atol=1e-5)
    assert np.isnan(model.item_vectors()[5]).all()  # nobody applied to it
    stranger = model.query_vectors(Query(np.full(6, -1, np.int32), asked.history))
    np.testing.assert_allclose(stranger[:5], expected[:5] - first[:5] / 4, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_training_ranks_applications_above_other_jobs(loss):
    data = assemble(small_town()).dataset
    pairs = data.interactions

    def ranked_right(epochs: int) -> float:
        config = LightGCNConfig(loss=loss, epochs=epochs, batch=100)
        scores = LightGCN(config).fit(data, rng=np.random.default_rng(0)).score(data.query(pairs.users))
        return float(np.nanmean(scores < scores[np.arange(len(pairs)), pairs.items][:, None]))

    few, many = ranked_right(1), ranked_right(30)
    assert many > 0.95
    assert many > few


def test_a_step_follows_the_gradient_through_the_graph(tiny, torch):
    """Adam's first step is the sign of the gradient, here taken by torch through the dense operator."""
    config = LightGCNConfig(embedding_size=3, epochs=1, learning_rate=1e-3, reg=0, negatives=4)
    moved = train(normalised_graph(tiny.matrix), tiny, config, np.random.default_rng(2))
    rng = np.random.default_rng(2)  # the draws of `train`, in its order
    first = rng.standard_normal((12, 3), dtype=np.float32) * np.float32(0.1)
    order = rng.permutation(len(tiny.interactions))
    users, items = tiny.interactions.users[order], tiny.interactions.items[order]
    negatives = rng.integers(0, 6, (len(order), 4))
    operator = torch.from_numpy(dense_propagation(tiny.matrix.toarray(), np.eye(12), config.layers).astype(np.float32))
    start = torch.from_numpy(first.copy()).requires_grad_()
    scores = ((operator @ start)[:6] @ (operator @ start)[6:].T)[users]  # (nnz, I)
    loss = torch.zeros(())
    for row, drawn in enumerate(negatives):
        other = [j for j in drawn if not tiny.matrix[users[row], j]]
        loss = loss - scores[row, items[row]] + torch.logsumexp(scores[row, [items[row], *other]], dim=0)
    loss.backward()
    gradient = start.grad.numpy()
    clear = np.abs(gradient) > 1e-4
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(np.sign(first - moved)[clear], np.sign(gradient)[clear])


def test_without_torch_the_cure_is_named(tiny, rng, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"lightgcn needs .* pip install 'metier\[torch\]'"):
        LightGCN().fit(tiny, rng=rng)
