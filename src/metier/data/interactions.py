"""Who applied to what, when: the signal every model learns from."""

from dataclasses import dataclass

from metier.data.types import CSR, Floats, Nums, Times


@dataclass(frozen=True)
class Interactions:
    """Distinct (user, item) pairs.

    Parameters
    ----------
    users, items : (nnz,) int32 row numbers.
    weights : (nnz,) float32, 1 for a plain application.
    times : (nnz,) float64 seconds since 1970 UTC, NaN where unknown.
    """

    users: Nums
    items: Nums
    weights: Floats
    times: Times

    def __post_init__(self) -> None:
        shapes = {self.users.shape, self.items.shape, self.weights.shape, self.times.shape}
        if len(shapes) != 1 or self.users.ndim != 1:
            raise ValueError(f"interactions need four arrays of one length, got {sorted(shapes)}")

    def __len__(self) -> int:
        return len(self.users)

    def matrix(self, shape: tuple[int, int], values: Floats | Times | None = None) -> CSR:
        """(U, I) CSR of the weights, or of other `values` (nnz,), with column numbers ascending in each row."""
        matrix = CSR((self.weights if values is None else values, (self.users, self.items)), shape=shape)
        matrix.sort_indices()
        return matrix
