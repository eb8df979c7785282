"""The compiled epoch does what its readable twin does, its gradients are those of its loss, threads change nothing."""

import numpy as np
import pytest
from scipy import sparse

from metier.data import CSR
from metier.kernels.afm import afm_epoch, afm_epoch_reference
from metier.kernels.afm_data import Examples, Fields, Parameters, Settings, no_sums, pairs_of, square_sums
from metier.kernels.fm_data import Histories, rows_of
from metier.kernels.ranking_loss import LOSSES


def world(loss: str = "softmax", seed: int = 0, **changes: float):
    """Nine people, 14 jobs and 30 features, each in one of 3 fields of the person, 2 of past jobs and 2 of jobs."""
    rng = np.random.default_rng(seed)
    people, jobs, columns, size, width, m = 9, 14, 30, 6, 5, 4
    rows = [
        rows_of(CSR(sparse.random_array((n, columns), density=0.15, rng=rng, dtype=np.float32)))
        for n in (people, jobs, jobs)
    ]
    counts = np.array([0, 1, 2, 5, 3, 1, 4, 2, 6])
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    item = np.concatenate([rng.choice(jobs, n, replace=False) for n in counts]).astype(np.int32)
    place = np.concatenate([np.arange(n) for n in counts]).astype(np.int32)
    n, order = len(item), rng.permutation(len(item))
    draw = [rng.integers(0, top, columns).astype(np.int32) for top in (3, 2, 2)]
    examples = Examples(
        order.astype(np.int64),
        np.repeat(np.arange(people, dtype=np.int32), counts)[order],
        rng.integers(0, jobs, (n, m)).astype(np.int32),
        rng.random(n) < 0.5,
        (rng.random((n, size)) < 0.7).astype(np.float32) / np.float32(0.7),
        rng.normal(size=(n, m + 1)).astype(np.float32),
    )
    shapes = [(columns, size), (columns,), (width, size), (width,), (width,), (size,), (1,)]
    parameters = Parameters(*(rng.normal(0, 0.6, shape).astype(np.float32) for shape in shapes))
    settings = Settings(LOSSES.index(loss), 0.1, 0.15, 0.01, 0.02, 0.5, 2.0, 7.0, 5)._replace(**changes)
    return (
        *rows,
        Fields(draw[0], 3 + draw[1], draw[2], 5, 2),
        Histories(start, item, place),
        examples,
        np.array([1, 1, 0.7, 0.4], np.float32),
        parameters,
        square_sums(parameters),
        settings,
    )


def epoch(arguments, inside_person: bool = True, inside_job: bool = True, lanes: int = 2):
    *given, parameters, squares, settings = arguments
    pairs = pairs_of(given[3], given[5].offset.shape[1], inside_person, inside_job)
    return afm_epoch(*given, pairs, parameters, squares, no_sums(parameters), settings, lanes)


@pytest.mark.parametrize("inside_person", [False, True])
@pytest.mark.parametrize("inside_job", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_compiled_epoch_equals_its_twin(loss: str, inside_person: bool, inside_job: bool) -> None:
    fast, slow = world(loss), world(loss)
    for _ in range(2):
        mine = epoch(fast, inside_person, inside_job)
        twin = afm_epoch_reference(*slow, inside_person=inside_person, inside_job=inside_job)
        for one, two in zip(mine, twin, strict=True):
            np.testing.assert_allclose(one, two, rtol=2e-3, atol=1e-4)
    for name, mine, twin, before in zip(Parameters._fields, fast[-3], slow[-3], world(loss)[-3], strict=True):
        np.testing.assert_allclose(mine, twin, rtol=5e-3, atol=5e-4, err_msg=name)
        assert not np.allclose(mine, before), f"{name} did not move"


@pytest.mark.parametrize("name", Parameters._fields)
def test_gradient_is_the_finite_difference(name: str) -> None:
    """All examples in one batch, steps too small to matter: parameters move along minus the gradient of the loss."""
    changes = {"batch": 100, "reg": 0.0, "attention_reg": 0.0, "learning_rate": 1.0, "attention_rate": 1.0}
    arguments = world(**changes)
    huge = square_sums(arguments[-3], 1e12)
    before = Parameters(*(part.astype(np.float64) for part in arguments[-3]))
    wide = Parameters(*(part.copy() for part in before))
    slope = _gradient(arguments, huge, name)

    def loss(at: tuple, step: float) -> float:
        moved = Parameters(*(part.copy() for part in wide))
        getattr(moved, name)[at] += step
        still = world(**changes | {"learning_rate": 0.0, "attention_rate": 0.0})
        values, _ = afm_epoch_reference(*still[:-3], moved, square_sums(moved), still[-1], **BOTH)
        return float(values.astype(np.float64).sum())

    part = getattr(before, name)
    chosen = np.random.default_rng(2).permutation(list(np.ndindex(part.shape)))[:8]
    assert np.abs(slope).max() > 0.05
    for at in map(tuple, chosen):
        expected = (loss(at, 1e-3) - loss(at, -1e-3)) / 2e-3
        assert slope[at] == pytest.approx(expected, abs=2e-2, rel=2e-2), at


BOTH = {"inside_person": True, "inside_job": True}


def _gradient(arguments, huge: Parameters, name: str) -> np.ndarray:
    """What the compiled epoch moved, over the step size of 1e-6."""
    # Steps of 1e-6 vanish in float32 beside the parameters, so they start from 0 in a difference of two worlds.
    *given, parameters, _, settings = arguments
    before = getattr(parameters, name).copy()
    huge = Parameters(*(part / np.float32(1e6) for part in huge))
    epoch((*given, parameters, huge, settings))
    return (before.astype(np.float64) - getattr(parameters, name)) * 1e3


@pytest.mark.parametrize("lanes", [1, 3])
def test_any_number_of_threads_gives_the_same_bytes(lanes: int) -> None:
    one, two = world(), world()
    epoch(one, lanes=2)
    epoch(two, lanes=lanes)
    for mine, theirs in zip(one[-3], two[-3], strict=True):
        np.testing.assert_array_equal(mine, theirs)
