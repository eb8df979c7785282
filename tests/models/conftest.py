"""A tiny world by hand: rows are people, columns jobs."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from metier.data import Dataset, Features, Interactions, Vocabulary
from metier.data.types import Floats

MATRIX = np.array(
    [
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 1, 1, 1, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [1, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ],
    dtype=np.float32,
)
"""Person 5 applied to nothing, nobody applied to job 5."""

Build = Callable[..., Dataset]


@pytest.fixture
def build() -> Build:
    """`build(matrix, item_texts=...)` makes a dataset; times are days 0, 1, 2, ... in row order."""

    def make(
        matrix: Floats = MATRIX,
        user_features: Features | None = None,
        item_features: Features | None = None,
        user_texts: Sequence[str] | None = None,
        item_texts: Sequence[str] | None = None,
    ) -> Dataset:
        n_users, n_items = matrix.shape
        users, items = (side.astype(np.int32) for side in matrix.nonzero())
        return Dataset(
            Vocabulary("person", [f"p{u}" for u in range(n_users)]),
            Vocabulary("job", [f"j{i}" for i in range(n_items)]),
            Interactions(users, items, matrix[users, items], np.arange(len(users)) * 86400.0),
            user_features or Features.empty(n_users),
            item_features or Features.empty(n_items),
            user_texts or [""] * n_users,
            item_texts or [""] * n_items,
        )

    return make


@pytest.fixture
def tiny(build: Build) -> Dataset:
    """MATRIX as a dataset without features and texts."""
    return build()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
