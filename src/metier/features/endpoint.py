"""Texts -> vectors by a server that speaks OpenAI's embeddings protocol (vLLM, Ollama, llama.cpp, a hosted one)."""

import os
import time
from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from metier.data import Floats
from metier.errors import ConfigError, ModelAnswerError, UsageError
from metier.features.openai_compatible import (
    connect,
    key_in,
    omitted_headers,
    plain_url,
    read_body,
    refuse_key_in_clear,
)

KEY = "METIER_EMBEDDINGS_KEY"
"""The environment variable that holds the server's key; a server without one needs none."""
LONGEST_BODY = 32_000_000
"""Bytes of a server's answer that are read at most: 64 vectors of 16,000 numbers."""


class _Embedding(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Embedding]


class EndpointEmbedder:
    """Vectors of a model behind an address. Texts leave this machine unless the address is on it.

    Parameters
    ----------
    base_url : such as http://127.0.0.1:8080/v1; with a key, https:// or an address of this machine.
    model : the model's name, as the server knows it.
    batch : texts a request.
    longest : characters of a text that are sent; servers refuse what is longer than their model reads.
    timeout : seconds a request may take.

    Raises
    ------
    UsageError : an address that is none, or that holds a password. ConfigError : the key would be sent in clear.
    """

    def __init__(
        self, base_url: str, model: str, *, batch: int = 64, longest: int = 2000, timeout: float = 60.0
    ) -> None:
        if batch < 1 or longest < 1:
            raise ConfigError(f"batch {batch} and longest {longest} must be at least 1")
        try:
            self.base_url = plain_url(base_url)
        except ValueError as error:  # the address itself may hold a password
            raise UsageError(f"the base URL {error}; cure: http://HOST:PORT/v1") from None
        key = key_in(KEY) if os.environ.get(KEY) else None
        if key:
            refuse_key_in_clear(self.base_url, KEY)
        self.model, self.batch, self.longest, self.timeout = model, batch, longest, timeout
        self._headers = omitted_headers(key)
        self._client = connect(self.base_url, key, timeout=timeout, retries=4)

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
        import httpx2
        from openai import OpenAIError

        cure = "cure: check --base-url, --model and " + KEY
        create = self._client.embeddings.with_streaming_response.create
        # A request is retried four times, but the body of an answer must end within the time of one.
        try:
            with create(
                model=self.model, input=texts, encoding_format="float", extra_headers=self._headers
            ) as response:
                body = read_body(response, time.monotonic() + self.timeout, LONGEST_BODY)
            rows = sorted(_Answer.model_validate_json(body).data, key=lambda one: one.index)
            vectors = np.array([row.embedding for row in rows], np.float32)
        except (OpenAIError, httpx2.HTTPError, TimeoutError) as error:
            status = getattr(error, "status_code", None)
            raise ModelAnswerError(
                f"{self.base_url}: no vectors from {self.model!r} ({type(error).__name__}"
                f"{f', status {status}' if status else ''}); {cure}"
            ) from None
        except ValueError:  # too long, not of this form, or vectors of several sizes
            raise ModelAnswerError(f"{self.base_url}: the answer of {self.model!r} holds no vectors; {cure}") from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise ModelAnswerError(
                f"{self.base_url}: {len(texts)} texts were sent to {self.model!r} and "
                f"vectors of shape {vectors.shape} came back; {cure}"
            )
        return vectors
