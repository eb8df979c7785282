"""What an operator may set: a TOML file, over it the environment (METIER_SERVE_NAME), over that the flags."""

import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from metier.errors import ConfigError
from metier.store.tenants import NAME

PREFIX = "METIER_SERVE_"


class Settings(BaseSettings):
    """Settings of `metier serve`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, use_attribute_docstrings=True)

    host: str = "127.0.0.1"
    """Address to listen at; until the tenant has an administrator it is 127.0.0.1 whatever is set."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to listen at; 0 takes a free one."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes. Each holds its own copy of the models and notices what others did after `follow_seconds`."""
    processes: int = Field(default=0, ge=0, le=10_000)
    """Processes that answer behind one address, those of all machines together; each grants its part of the limits of
    requests and sign-ins, so that all of them grant what is set. 0: `workers`."""
    shard: str = Field(default="", pattern=r"^([1-9]\d{0,2}/[1-9]\d{0,2})?$")
    """`2/4`: this process answers nobody and searches the second of four parts of every catalogue; empty: it is no
    shard."""
    shards: str = ""
    """Addresses, apart by commas, of the processes that search the parts, the first one first; empty: all jobs are
    searched here."""
    shard_secret: str = ""
    """What a shard wants to hear before it answers, at least 16 characters; the same for all and for who asks them."""
    home: Path = Path("metier-home")
    """The workspace: bundles are read from its `models`."""
    database: str = ""
    """URL or SQLite file of the store; empty: `metier.db` in the workspace."""
    tenant: str = Field(default="main", pattern=NAME)
    """The main tenant, made at the first start: the workspace is its, and the newest bundle there its first model."""
    body_bytes: int = Field(default=1_000_000, ge=1)
    """Largest body of a request, uploads and bulk apart."""
    upload_bytes: int = Field(default=10_500_000, ge=1)
    """Largest body of a résumé's upload."""
    bulk_bytes: int = Field(default=64_000_000, ge=1)
    """Largest body of NDJSON."""
    requests_per_minute: int = Field(default=600, ge=1)
    """Of one address that gives no valid key or session; a burst of a quarter of it is let through."""
    key_requests_per_minute: int = Field(default=120_000, ge=1)
    """Of one API key or account."""
    sign_ins_per_minute: int = Field(default=10, ge=1)
    """Passwords and tokens tried from one address, or by one account."""
    key_cache_seconds: float = Field(default=5.0, ge=0, le=300)
    """How long another process may still take a key or session that was revoked here."""
    sign_up: bool = True
    """Whether somebody who looks for a job may make an account by themselves."""
    session_hours: float = Field(default=12.0, gt=0)
    """How long somebody stays signed in."""
    secure_cookies: bool = False
    """Send the session's cookie over HTTPS only; set it behind a proxy that ends TLS."""
    trusted_proxies: str = ""
    """Addresses, apart by commas, whose X-Forwarded-For says who asks; empty: nobody's."""
    parses: int = Field(default=0, ge=0, le=64)
    """Résumés parsed at once; 0: one per core."""
    parse_queue: int = Field(default=64, ge=1)
    """Résumés of a tenant that may wait to be parsed; one more is answered 503."""
    audit_seconds: float = Field(default=1.0, gt=0, le=1.0)
    """How often the audit of reads is written."""
    follow_seconds: float = Field(default=2.0, gt=0)
    """How often a process looks for models and jobs that another process brought, and for people to forget."""
    page: int = Field(default=50, ge=1, le=1000)
    """Entries of a page when the request does not say."""
    answer_minutes: float = Field(default=60.0, gt=0)
    """How long a stored answer is served again, if nothing else voids it: postings end."""
    exposure_cap: int | None = Field(default=None, ge=1)
    """A job that was shown more often than this in `exposure_days` gives way to others; none: no cap."""
    exposure_days: int = Field(default=7, ge=1, le=366)
    """Days over which showings are counted; they are written every five seconds."""
    groups: Path | None = None
    """CSV file with a column `person` and a column for each category; the dashboard then shows impact ratios."""
    impact_days: int = Field(default=365, ge=1)
    """Days over which impact ratios count what recruiters were shown."""
    candidates: int = Field(default=100_000, ge=1, le=10_000_000)
    """Discoverable people that are compared for a posting, at most: those about whom something was written last."""
    candidate_seconds: float = Field(default=5.0, gt=0, le=60)
    """How long a recruiter waits for people who are new or changed to be read; the others are read afterwards."""
    moment: Literal["clock", "data", "auto"] = "auto"
    """When it is: `clock`; `data`, the bundle's newest interaction; `auto`, the former, unless that and every
    `datePosted` since, of jobs not withdrawn and not still to come, are more than a year ago."""

    @field_validator("shard")
    @classmethod
    def _exists(cls, shard: str) -> str:
        """A shard has a number up to their count."""
        number, _, count = shard.partition("/")
        if shard and int(number) > int(count):
            raise ValueError(f"there is no part {number} of {count}, the last one is {count}/{count}")
        return shard

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """A process is a shard or asks shards, not both; either way it knows their secret."""
        if self.shard and self.shards:
            raise ValueError("a process is a shard or asks shards: leave out shard or shards")
        if (self.shard or self.shards) and len(self.shard_secret) < 16:
            raise ValueError("shards need shard_secret, at least 16 characters")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file that METIER_SERVE_CONFIG names."""
        file = os.environ.get(f"{PREFIX}CONFIG") or None
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)

    def part(self, limit: float) -> float:
        """What this process grants of a limit."""
        return limit / (self.processes or self.workers)

    @property
    def where(self) -> str | Path:
        """The database's URL or file."""
        return self.database or self.home / "metier.db"

    def largest(self, path: str) -> int:
        """Bytes that a request to a path may send."""
        if path.endswith("/resumes"):
            return self.upload_bytes
        return self.bulk_bytes if path.endswith("/bulk") else self.body_bytes


def read_settings(**flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given.

    Raises
    ------
    ConfigError : a setting is unknown or out of bounds, or the file cannot be read; the value is not repeated.
    """
    file = os.environ.get(f"{PREFIX}CONFIG")
    if file and not Path(file).is_file():
        raise ConfigError(f"no file {file}; cure: --config with a TOML file, or none")
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is no TOML: {error}") from None
    except ValidationError as error:
        said = "; ".join(
            ": ".join(filter(None, [".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")]))
            for one in error.errors(include_input=False)
        )
        raise ConfigError(f"settings of metier serve: {said}; cure: metier serve --print-schema") from None
