"""Which language model to ask, how, and what it may cost: the settings of `OpenAIModel`, from a TOML file or code."""

import os
import tomllib
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from metier.errors import ConfigError


class LanguageModelConfig(BaseModel):
    """An OpenAI-compatible endpoint, a model on it, and the limits that every call keeps."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, protected_namespaces=())

    base_url: str
    """Where the endpoint is, up to and with "/v1", for example http://127.0.0.1:11434/v1."""
    model: str = Field(min_length=1, max_length=200)
    """The model's name as the endpoint knows it."""
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The environment variable that holds the API key; none: no key is sent. The key itself is never stored."""
    temperature: float | None = Field(default=0.0, ge=0, le=2)
    """How much chance there is in an answer; none: not sent, for models that refuse it."""
    seed: int | None = Field(default=0, ge=0)
    """The endpoint's random seed, where it knows one; none: not sent."""
    max_tokens: int = Field(default=1000, ge=16, le=100_000)
    """Longest answer, in tokens."""
    max_tokens_field: str = Field(default="max_tokens", pattern=r"^max_(completion_|output_)?tokens$")
    """What the endpoint calls that limit: OpenAI's newer models want max_completion_tokens."""
    timeout: float = Field(default=60.0, gt=0, le=3600)
    """Seconds a request may take."""
    attempts: int = Field(default=5, ge=1, le=5)
    """Times one question is sent at most when the endpoint is busy, fails or cannot be reached."""
    backoff: float = Field(default=1.0, gt=0, le=60)
    """Seconds before the second attempt; each further wait is twice as long, less up to half of it by chance."""
    max_wait: float = Field(default=600.0, ge=0, le=3600)
    """Seconds that the waits of one completion may take together; an endpoint that asks for more ends it."""
    breaker_failures: int = Field(default=10, ge=1)
    """Failures in a row, over all workers, after which every worker pauses."""
    breaker_pause: float = Field(default=60.0, gt=0, le=3600)
    """Seconds of that pause, after which one request tries whether the endpoint is back."""
    concurrency: int = Field(default=4, ge=1, le=256)
    """Requests under way at once."""
    requests_per_minute: float | None = Field(default=None, gt=0)
    """Requests sent in a minute at most, evenly spaced; none: as fast as `concurrency` allows."""
    input_price: float = Field(default=0.0, ge=0)
    """Price of a million tokens read, in any currency."""
    output_price: float = Field(default=0.0, ge=0)
    """Price of a million tokens written, in the same currency."""
    budget_tokens: int | None = Field(default=None, gt=0)
    """Tokens, read and written, that may be spent; none: no limit."""
    budget_cost: float | None = Field(default=None, gt=0)
    """Money that may be spent; needs a price; none: no limit."""

    @field_validator("base_url")
    @classmethod
    def _plain_http_url(cls, value: str) -> str:
        url = urlsplit(value.rstrip("/"))
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("must begin with http:// or https:// and name a host")
        if url.username or url.password or url.query or url.fragment:
            raise ValueError("must hold no user, password, query or fragment: URLs end up in logs; use api_key_env")
        return url.geturl()

    def model_post_init(self, _context: object) -> None:
        """Settings that contradict each other are refused at once, not in the middle of a paid run."""
        if self.api_key_env and self.base_url.startswith("http://") and not self.is_local:
            raise ConfigError(
                f"{self.base_url} is not encrypted, and the key in {self.api_key_env} would be sent in clear; "
                "cure: use https://, or an address of this machine"
            )
        if self.budget_cost is not None and not self.input_price + self.output_price:
            raise ConfigError("budget_cost is set, but input_price and output_price are not; cure: set the prices")

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine: nothing sent to it can be read on a network."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def api_key(self) -> SecretStr | None:
        """The key in the environment variable `api_key_env`, None when that is not set.

        Raises
        ------
        ConfigError : the variable is absent or empty.
        """
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise ConfigError(f"the environment variable {self.api_key_env} holds no API key; cure: export it")
        if not (key.isascii() and key.isprintable()):
            raise ConfigError(f"the environment variable {self.api_key_env} holds characters that no key has")
        return SecretStr(key)

    @classmethod
    def load(cls, path: Path) -> "LanguageModelConfig":
        """The settings in a TOML file, one line a field; the word "none" is TOML's missing null.

        Raises
        ------
        ConfigError : no such file, not TOML, or a setting is wrong; the message names it.
        """
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls.model_validate({name: None if value == "none" else value for name, value in written.items()})
        except FileNotFoundError as error:
            raise ConfigError(f"there is no file {path}; cure: see docs/how-to/language-models.md") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not TOML: {error}") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
            raise ConfigError(f"{path}: {wrong}") from None  # the cause would show what was written, perhaps a key
