"""What `fit` learned, as arrays for safetensors and facts for JSON."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from metier.data import CSR
from metier.models.base import Fitted, Recommender

Tensors = dict[str, NDArray[Any]]
Facts = dict[str, Any]
M = TypeVar("M", bound=Recommender | Fitted)


def state(model: Recommender | Fitted) -> tuple[Tensors, Facts]:
    """The attributes that end in an underscore.

    Arrays and CSR matrices go to tensors; strings, numbers and tuples of strings go to facts; a part of a model that
    has learned attributes of its own (`Fitted`) gives them under "name/". TypeError for others.
    """
    tensors: Tensors = {}
    facts: Facts = {}
    for name, value in vars(model).items():
        if not _is_learned(name):
            continue
        if isinstance(value, Fitted):
            inner = state(value)
            tensors |= {f"{name}/{key}": array for key, array in inner[0].items()}
            facts |= {f"{name}/{key}": fact for key, fact in inner[1].items()}
        elif sparse.issparse(value):
            tensors |= pack(name, value)
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
    """Put a stored state into a fresh model.

    ValueError for a name that `fit` cannot have learned (so no method is ever replaced), for a part that the model does
    not have, for infinities and for three tensors that are no CSR matrix. NaN stays: it means "cannot score".
    """
    for part in {name.split("/")[0] for name in tensors | facts if "/" in name}:
        if not isinstance(vars(model).get(part), Fitted) or not _is_learned(part):
            raise ValueError(f"{part!r} is no part of the model")
        restore(vars(model)[part], _under(part, tensors), _under(part, facts))
    tensors, facts = ({name: one for name, one in both.items() if "/" not in name} for both in (tensors, facts))
    for name, array in tensors.items():
        if array.dtype.kind not in "fiub" or np.isinf(array).any():
            raise ValueError(f"tensor {name!r} ({array.dtype}) holds infinities or is no number")
    for name in {name.split(".")[0] for name in tensors | facts}:
        if not _is_learned(name):
            raise ValueError(f"{name!r} is no learned attribute")
    for name, value in facts.items():
        if name.endswith(".shape"):
            base = name.removesuffix(".shape")
            setattr(model, base, unpack(base, tensors, tuple(value)))
        else:
            setattr(model, name, tuple(value) if isinstance(value, list) else value)
    for name, array in tensors.items():
        if "." not in name:
            setattr(model, name, array)
    return model


def _under(part: str, both: dict[str, Any]) -> dict[str, Any]:
    """The entries of a part, without its name."""
    return {name.removeprefix(f"{part}/"): one for name, one in both.items() if name.startswith(f"{part}/")}


def pack(name: str, matrix: CSR) -> Tensors:
    """A CSR matrix as three tensors."""
    return {f"{name}.data": matrix.data, f"{name}.indices": matrix.indices, f"{name}.indptr": matrix.indptr}


def unpack(name: str, tensors: Tensors, shape: tuple[int, int]) -> CSR:
    """The CSR matrix of three tensors; ValueError when they do not make one of this shape."""
    matrix = CSR(tuple(tensors[f"{name}.{part}"] for part in ("data", "indices", "indptr")), shape=shape)
    matrix.check_format(full_check=True)
    return matrix


def _is_learned(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")
