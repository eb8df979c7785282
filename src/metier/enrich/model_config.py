"""Which language model to ask, how, and what it may cost: the settings of `OpenAIModel`, from a TOML file or code."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from metier.errors import ConfigError
from metier.features.openai_compatible import is_local, key_in, plain_url, refuse_key_in_clear


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
        return plain_url(value)

    def model_post_init(self, _context: object) -> None:
        """Settings that contradict each other are refused at once, not in the middle of a paid run."""
        if self.api_key_env:
            refuse_key_in_clear(self.base_url, self.api_key_env)
        if self.budget_cost is not None and not self.input_price + self.output_price:
            raise ConfigError("budget_cost is set, but input_price and output_price are not; cure: set the prices")

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine: nothing sent to it can be read on a network."""
        return is_local(self.base_url)

    def api_key(self) -> SecretStr | None:
        """The key in the environment variable `api_key_env`, None when that is not set.

        Raises
        ------
        ConfigError : the variable is absent or empty.
        """
        return None if self.api_key_env is None else SecretStr(key_in(self.api_key_env))

    @classmethod
    def load(cls, path: Path) -> "LanguageModelConfig":
        """The settings in a TOML file, one line a field; the word "none" is TOML's missing null.

        Raises
        ------
        ConfigError : no such file, not TOML, or a setting is wrong; the message names it.
        """
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ConfigError(f"there is no file {path}; cure: see docs/how-to/language-models.md") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not TOML: {error}") from error
        return cls.checked(str(path), {name: None if value == "none" else value for name, value in written.items()})

    @classmethod
    def checked(cls, where: str, settings: Mapping[str, object]) -> "LanguageModelConfig":
        """Settings that somebody wrote somewhere; the errors name the place and the setting, never its value.

        Raises
        ------
        ConfigError : a setting is wrong.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, e['loc']))}: {e['msg'].removeprefix('Value error, ')}"
                for e in error.errors(include_input=False)
            )
            raise ConfigError(f"{where}: {wrong}") from None  # the cause would show what was written, perhaps a key
