"""Workers train copies of a factorization machine; what is merged is what one process would have come to."""

from pathlib import Path

import numpy as np
import pytest

from metier.bundle import load, state
from metier.data import Dataset
from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.features.assemble import assemble
from metier.kernels.fm_data import Parameters
from metier.models import rounds
from metier.models.base import recommend
from metier.models.factorization import in_this_process, learning
from metier.models.fm import FM, FMConfig
from metier.testing.worlds import small_town

SIZE, RATE = 2, 0.1


def parameters() -> Parameters:
    """Three rows: a vector (2,), its weight, both sums of squares."""
    table = np.zeros((3, 16), np.float32)
    table[:, : SIZE + 1] = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    table[:, SIZE + 1 : SIZE + 3] = 0.25
    return Parameters(table, SIZE)


def descended(at: Parameters, row: int, steps: int, gradient: float) -> np.ndarray:
    """A copy of the table after Adagrad's steps along one gradient."""
    made = Parameters(at.table.copy(), SIZE)
    for _ in range(steps):
        made.vector_squares[row] += gradient**2
        made.vectors[row] -= RATE * gradient / np.sqrt(made.vector_squares[row])
        made.weight_squares[row] += gradient**2
        made.weights[row] -= RATE * gradient / np.sqrt(made.weight_squares[row])
    return made.table


def fitted(data: Dataset, folder: Path, workers: int, **settings) -> FM:
    with open_engine("local") as engine, rounds.over(engine, workers, folder):
        return FM(FMConfig(**settings)).fit(data, rng=np.random.default_rng(0))


def test_rows_that_one_worker_met_are_that_worker_s():
    common = parameters()
    copies = [descended(common, 0, 9, 0.3), descended(common, 1, 5, -0.2)]
    rounds.merge(common, copies)
    np.testing.assert_allclose(common.table[0], copies[0][0], rtol=1e-6)
    np.testing.assert_allclose(common.table[1], copies[1][1], rtol=1e-6)
    np.testing.assert_array_equal(common.table[2], parameters().table[2])


@pytest.mark.parametrize("shares", [(50, 50), (90, 10), (40, 30, 30)])
@pytest.mark.parametrize("gradient", [0.01, 1.0])
def test_rows_that_all_met_go_as_far_as_in_one_process(shares, gradient):
    common, wanted = parameters(), descended(parameters(), 1, 100, gradient)
    rounds.merge(common, [descended(common, 1, steps, gradient) for steps in shares])
    np.testing.assert_allclose(common.vector_squares, wanted[:, SIZE + 1], rtol=1e-4)
    moved, far = common.table - parameters().table, wanted - parameters().table
    np.testing.assert_allclose(moved[1, : SIZE + 1], far[1, : SIZE + 1], rtol=0.05)


def test_workers_learn_what_one_process_learns(tmp_path):
    """People known by words alone get jobs of the trade they name, as test_fm.py asks of one process."""
    data = assemble(small_town(people=300)).dataset
    asked = data.query(np.flatnonzero(np.diff(data.matrix.indptr) == 0).astype(np.int32))
    best = recommend(fitted(data, tmp_path, 3, attributes=False), asked, 5).items
    trades = [text.split()[3] for text in asked.texts]
    assert np.mean([trade in data.item_texts[j] for trade, row in zip(trades, best, strict=True) for j in row]) > 0.8
    assert not list(tmp_path.iterdir())  # what the rounds wrote is gone
    assert learning.get() is in_this_process


@pytest.mark.parametrize(("workers", "shares"), [(1, 1), (2, 2), (3, 3), (4, 8)])
def test_every_application_is_learned_once_an_epoch(workers, shares, tmp_path, monkeypatch):
    data, met, learn = assemble(small_town()).dataset, [], rounds.Descent.learn
    monkeypatch.setattr(
        rounds.Descent, "learn", lambda self, order, *rest: met.append(order) or learn(self, order, *rest)
    )
    fitted(data, tmp_path, workers, epochs=3)
    assert len(met) == 1 + 2 * shares  # the first epoch is not dealt
    for epoch in (met[:1], met[1 : 1 + shares], met[1 + shares :]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(len(data.users)))


@pytest.mark.usefixtures("distributed")
def test_a_cluster_learns_the_same_bytes(metier, town_home, tmp_path):
    ran = metier("train", "town", "--as", "fm", "-m", "fm", "--set", "epochs=2", "--engine", "dask", "--workers", "2")
    assert ran.code == 0
    data = assemble(Workspace(town_home).load("town"), "newest").dataset
    here, there = state(fitted(data, tmp_path, 2, epochs=2))[0], state(load(Workspace(town_home).model("fm")).model)[0]
    assert here.keys() == there.keys()
    for name, array in here.items():
        assert array.tobytes() == there[name].tobytes(), name


def test_what_workers_cannot_train_is_named(metier):
    ran = metier("train", "town", "--as", "never", "-m", "popularity", "--workers", "2")
    assert ran.code == 2
    assert "fm" in ran.err
