"""One request to an OpenAI-compatible endpoint, and the few ways it can end. Patience and money are `openai_client`'s.

The openai package speaks the protocol, bounded as `features.openai_compatible` says. Its own retries are off, since a
budget must see every request.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, NonNegativeInt

from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.pace import retry_after
from metier.features.openai_compatible import connect, omitted_headers, read_body

LONGEST_BODY = 8_000_000
"""Bytes of an endpoint's answer that are read at most."""

RETRIED = frozenset({408, 409, 425, 429})
"""The 4xx statuses that may pass by themselves; all 5xx may, too."""


@dataclass(frozen=True)
class Answer:
    """What a model said, and the tokens it took (None where the endpoint does not tell)."""

    text: str
    finish: str | None
    refused: bool
    input_tokens: int | None
    output_tokens: int | None


class EndpointError(Exception):
    """A request without an answer. Holds nothing of what was sent or received but the status."""

    def __init__(self, status: str, *, sent: bool = True, code: int | None = None, wait: float | None = None) -> None:
        super().__init__(status)
        self.status = status
        """The HTTP status, or "timeout", "connection", "garbled"."""
        self.code = code
        """The HTTP status as a number, None without one."""
        self.retry_after = wait
        """Seconds that the endpoint asks to wait."""
        self.may_cost = sent and code is None
        """Whether the model may have worked (and be paid) for it."""
        self.transient = code is None or code in RETRIED or code >= 500
        """Whether the same request may succeed later."""
        self.answers = code is not None and code < 500
        """Whether the endpoint is alive."""


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: NonNegativeInt
    completion_tokens: NonNegativeInt


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class ChatEndpoint:
    """An endpoint's `/chat/completions`; safe to share between threads."""

    def __init__(self, config: LanguageModelConfig) -> None:
        self._config = config
        key = config.api_key()
        secret = key.get_secret_value() if key else None
        self._headers = omitted_headers(secret)
        self._client = connect(config.base_url, secret, timeout=config.timeout, kept=config.concurrency)

    def send(self, messages: list[dict[str, str]], form: dict[str, Any] | None, request_id: str) -> Answer:
        """The model's answer to a conversation.

        Parameters
        ----------
        form : the request's `response_format`.
        request_id : sent as the header X-Client-Request-Id, to find the call again in the endpoint's own log.

        Raises
        ------
        EndpointError : every other end.
        """
        import httpx2
        import openai

        sampling = {"temperature": self._config.temperature, "seed": self._config.seed, "response_format": form}
        request: dict[str, Any] = {name: value for name, value in sampling.items() if value is not None}
        request["extra_body"] = {self._config.max_tokens_field: self._config.max_tokens}
        request["extra_headers"] = {**self._headers, "X-Client-Request-Id": request_id}
        deadline = time.monotonic() + self._config.timeout
        create: Any = self._client.chat.completions.with_streaming_response.create
        try:
            with create(model=self._config.model, messages=messages, **request) as response:
                return _answer(read_body(response, deadline, LONGEST_BODY))
        except openai.APIStatusError as error:
            code, wait = error.status_code, retry_after(error.response.headers)
            raise EndpointError(f"HTTP {code}", code=code, wait=wait) from None
        except openai.APIConnectionError as error:
            sent = not isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout)
            slow = isinstance(error, openai.APITimeoutError)
            raise EndpointError("timeout" if slow else "connection", sent=sent) from None
        except (httpx2.TimeoutException, TimeoutError):
            raise EndpointError("timeout") from None
        except httpx2.RequestError:  # the connection broke within the answer
            raise EndpointError("connection") from None
        except ValueError:  # too long, or another form (pydantic's ValidationError is one, too)
            raise EndpointError("garbled") from None


def _answer(body: bytes) -> Answer:
    completion = _Completion.model_validate_json(body)
    choice, usage = completion.choices[0], completion.usage
    return Answer(
        text=choice.message.content or "",
        finish=choice.finish_reason,
        refused=bool(choice.message.refusal) or choice.finish_reason == "content_filter",
        input_tokens=usage.prompt_tokens if usage else None,
        output_tokens=usage.completion_tokens if usage else None,
    )


def cure(code: int | None, config: LanguageModelConfig) -> str:
    """What to do about a status that no retry mends."""
    known: Mapping[int, str] = {
        400: "the request is not accepted; cure: check `model`, `max_tokens_field` and the prompt's length",
        401: f"the key is not accepted; cure: check the variable {config.api_key_env or '(api_key_env is not set)'}",
        403: "the key may not use this model; cure: ask for the right, or change `model`",
        404: "no such model or path; cure: check `model`, and that `base_url` ends as the endpoint wants it (/v1)",
        413: "the prompt is too long; cure: another model, or shorter texts",
    }
    redirected = code is not None and 300 <= code < 400
    moved = "the endpoint redirects, which is not followed; cure: put its new address in `base_url`"
    return moved if redirected else known.get(code or 0, "cure: see the endpoint's own log")
