"""A trained model on disk: safetensors + JSON + a SHA-256 manifest. No pickle is written or read."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from metier.data import CSR
from metier.models.base import Recommender

Tensors = dict[str, NDArray[Any]]
Facts = dict[str, Any]
M = TypeVar("M", bound=Recommender)


def state(model: Recommender) -> tuple[Tensors, Facts]:
    """What `fit` learned: the attributes that end in an underscore.

    Arrays and CSR matrices go to tensors; strings, numbers and tuples of strings go to facts.
    """
    tensors: Tensors = {}
    facts: Facts = {}
    for name, value in vars(model).items():
        if not name.endswith("_") or name.startswith("_"):
            continue
        if sparse.issparse(value):
            tensors |= {f"{name}.data": value.data, f"{name}.indices": value.indices, f"{name}.indptr": value.indptr}
            facts[f"{name}.shape"] = list(value.shape)
        elif isinstance(value, np.ndarray):
            tensors[name] = np.ascontiguousarray(value)
        elif isinstance(value, (str, int, float)) or (
            isinstance(value, tuple) and all(isinstance(v, str) for v in value)
        ):
            facts[name] = value
        else:
            raise TypeError(
                f"{type(model).__name__}.{name} is a {type(value).__name__}; a bundle holds arrays, CSR, "
                "strings, numbers and tuples of strings"
            )
    return tensors, facts


def restore(model: M, tensors: Tensors, facts: Facts) -> M:
    """Put a stored state into a fresh model."""
    for name, value in facts.items():
        if name.endswith(".shape"):
            base = name.removesuffix(".shape")
            parts = tuple(tensors[f"{base}.{part}"] for part in ("data", "indices", "indptr"))
            setattr(model, base, CSR(parts, shape=tuple(value)))
        else:
            setattr(model, name, tuple(value) if isinstance(value, list) else value)
    for name, array in tensors.items():
        if "." not in name:
            setattr(model, name, array)
    return model
