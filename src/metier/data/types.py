"""Array types used in every signature."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Nums: TypeAlias = NDArray[np.int32]
"""Row numbers; -1 means an unknown id."""

Floats: TypeAlias = NDArray[np.float32]
"""Scores, weights and vectors; NaN means unknown."""

Times: TypeAlias = NDArray[np.float64]
"""Seconds since 1970-01-01 UTC; NaN means unknown."""

CSR: TypeAlias = sparse.csr_array
"""Compressed sparse rows, float32 data."""
