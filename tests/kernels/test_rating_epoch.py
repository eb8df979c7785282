"""The compiled rating epoch does what its twin does."""

import numpy as np
import pytest

from metier.data import CSR
from metier.kernels.rating import RatingModel, rating_epoch, rating_epoch_reference


def world(implicit: bool):
    rng = np.random.default_rng(2)
    matrix = CSR((rng.random((6, 8)) < 0.4) * rng.integers(1, 6, (6, 8)), dtype=np.float32)
    owner = np.repeat(np.arange(6, dtype=np.int32), np.diff(matrix.indptr))
    places = rng.permutation(matrix.nnz).astype(np.int32)
    sizes = [(6,), (8,), (6, 3), (8, 3), (8 if implicit else 0, 3)]
    model = RatingModel(*(rng.standard_normal(size).astype(np.float32) * 0.3 for size in sizes))
    return matrix, owner[places], places, 3.0, model, 0.05, 0.02


@pytest.mark.parametrize("implicit", [False, True])
def test_compiled_epoch_equals_its_twin(implicit: bool) -> None:
    fast, slow = world(implicit), world(implicit)
    errors = []
    for _ in range(3):
        errors.append(rating_epoch(*fast))
        assert errors[-1] == pytest.approx(rating_epoch_reference(*slow), rel=1e-4)
    for name, mine, twin in zip(RatingModel._fields, fast[4], slow[4], strict=True):
        np.testing.assert_allclose(mine, twin, rtol=1e-3, atol=1e-4, err_msg=name)
    assert errors[-1] < errors[0]
