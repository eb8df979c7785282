"""Texts -> vectors by a server that speaks OpenAI's embeddings protocol (vLLM, Ollama, llama.cpp, a hosted one)."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from metier.data import Floats
from metier.errors import ConfigError, ModelAnswerError, UsageError

KEY = "METIER_EMBEDDINGS_KEY"
"""The environment variable that holds the server's key; a server without one needs none."""


class EndpointEmbedder:
    """Vectors of a model behind an address. Texts leave this machine unless the address is on it.

    Parameters
    ----------
    base_url : such as http://127.0.0.1:8080/v1.
    model : the model's name, as the server knows it.
    batch : texts a request.
    longest : characters of a text that are sent; servers refuse what is longer than their model reads.
    """

    def __init__(
        self, base_url: str, model: str, *, batch: int = 64, longest: int = 2000, timeout: float = 60.0
    ) -> None:
        from openai import OpenAI

        if not base_url.startswith(("http://", "https://")):
            raise UsageError(f"base URL {base_url!r} is no http address; cure: http://HOST:PORT/v1")
        if batch < 1 or longest < 1:
            raise ConfigError(f"batch {batch} and longest {longest} must be at least 1")
        self.base_url, self.model, self.batch, self.longest = base_url, model, batch, longest
        self._client: Any = OpenAI(
            base_url=base_url, api_key=os.environ.get(KEY) or "none", timeout=timeout, max_retries=4
        )

    def embed(self, texts: Sequence[str]) -> Floats:
        """(n, d) float32 of length 1; an empty text is a row of zeros.

        Raises
        ------
        ModelAnswerError : the server is out of reach, refuses, or sends other than one vector a text. The message
            holds no text and no key.
        """
        spoken = [row for row, text in enumerate(texts) if text.strip()]
        parts = [
            self._asked([texts[row][: self.longest] for row in spoken[start : start + self.batch]])
            for start in range(0, len(spoken), self.batch)
        ]
        if not parts:
            return np.zeros((len(texts), 0), np.float32)
        if len({part.shape[1] for part in parts}) != 1:
            raise ModelAnswerError(f"{self.base_url}: the model {self.model!r} sent vectors of several sizes")
        found = np.concatenate(parts)
        vectors = np.zeros((len(texts), found.shape[1]), np.float32)
        vectors[spoken] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
        return vectors

    def _asked(self, texts: list[str]) -> Floats:
        from openai import OpenAIError

        cure = "cure: check --base-url, --model and " + KEY
        try:
            answer = self._client.embeddings.create(model=self.model, input=texts, encoding_format="float")
            rows = sorted(answer.data, key=lambda one: one.index)
            vectors = np.array([row.embedding for row in rows], np.float32)
        except OpenAIError as error:
            status = getattr(error, "status_code", None)
            raise ModelAnswerError(
                f"{self.base_url}: no vectors from {self.model!r} ({type(error).__name__}"
                f"{f', status {status}' if status else ''}); {cure}"
            ) from None
        except (AttributeError, TypeError, ValueError):
            raise ModelAnswerError(f"{self.base_url}: the answer of {self.model!r} holds no vectors; {cure}") from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ModelAnswerError(
                f"{self.base_url}: {len(texts)} texts were sent to {self.model!r} and "
                f"vectors of shape {vectors.shape} came back; {cure}"
            )
        return vectors
