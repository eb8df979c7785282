"""The vectors of a bundle's jobs, on disk until some of them are asked for."""

from collections.abc import Callable

import numpy as np

from metier.bundle.answer import ProfilePart
from metier.bundle.mapped import mapped
from metier.bundle.storage import PROFILE_IN, check_same
from metier.data import Floats, Nums


def profile_vectors(part: ProfilePart) -> Callable[[Nums], Floats]:
    """Row numbers (n,) -> (n, d) topics and static word vectors of these jobs, read from disk at each call.

    BundleError where another bundle has taken the folder's place.
    """
    tensors = mapped(part.folder / "model.safetensors")
    topics, meaning = (tensors[PROFILE_IN[part.name] + name] for name in ("topic_", "meaning_"))
    check_same(part.folder, part.digest)
    return lambda rows: np.hstack([topics[rows], meaning[rows]])
