"""Arrays of a bundle that stay on disk until some of their rows are asked for."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from metier.bundle.answer import ProfilePart
from metier.bundle.storage import PROFILE_IN, check_same
from metier.data import Floats, Nums


def profile_vectors(part: ProfilePart) -> Callable[[Nums], Floats]:
    """Row numbers (n,) -> (n, d) topics and static word vectors of these jobs, read from disk at each call.

    BundleError where another bundle has taken the folder's place.
    """
    file = part.folder / "model.safetensors"
    topics, meaning = (_mapped(file, PROFILE_IN[part.name] + name) for name in ("topic_", "meaning_"))
    check_same(part.folder, part.digest)
    return lambda rows: np.hstack([topics[rows], meaning[rows]])


def _mapped(file: Path, name: str) -> Floats:
    """A float32 tensor of a safetensors file that was read before: its header, as JSON, says where each one lies."""
    with file.open("rb") as opened:
        size = int.from_bytes(opened.read(8), "little")
        about = json.loads(opened.read(size))[name]
    shape = tuple(about["shape"])
    if 0 in shape:  # nothing to map
        return np.zeros(shape, np.float32)
    return np.memmap(file, np.float32, "r", 8 + size + about["data_offsets"][0], shape)
