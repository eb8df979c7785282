"""Prompts are files: TOML in `prompts/`, or anywhere for an experiment. A changed file is another prompt.

What people and postings say travels as data: one line a fact, its text a JSON string, so that no text can end the
data, forge a label or start a new line of its own.
"""

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from metier.enrich.grounds import Grounds, Kind
from metier.enrich.language_model import Prompt
from metier.enrich.resume import Section, answer_schema
from metier.errors import ConfigError, UsageError
from metier.sources.candidate import Record

WITHOUT_MODEL = "profile"
"""The prompt that needs no model: `metier.enrich.extractive`."""


class PromptFile(Record):
    """A prompt: what it shows, what it asks for, and in which words."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)
    number: int = Field(ge=1)
    """Raised with each edition."""
    shows: tuple[Kind, ...] = Field(min_length=1)
    """Kinds of facts the model sees."""
    asks: tuple[Section, ...] = Field(min_length=1)
    """Sections of the answer."""
    system: str = Field(min_length=1)
    """The instructions."""
    digest: str = ""
    """First 12 hexadecimal digits of the file's SHA-256; set by `read`."""

    @property
    def version(self) -> str:
        """Number and digest: an edited file has another version even when nobody raised its number."""
        return f"{self.number}-{self.digest}"

    @classmethod
    def read(cls, name: str) -> "PromptFile":
        """A prompt by its name, or by the path of a .toml file.

        Raises
        ------
        UsageError : no prompt of that name.
        ConfigError : the file is not a prompt.
        """
        own = files("metier.enrich") / "prompts"
        if name.endswith(".toml"):
            path = Path(name)
            if not path.is_file():
                raise UsageError(f"there is no prompt file {name}; cure: check the path")
            text = path.read_bytes()
        elif name in (names := prompt_names()):
            text = (own / f"{name}.toml").read_bytes()
        else:
            raise UsageError(f"no prompt {name!r} (there: {', '.join(names)}); cure: one of these, or a .toml file")
        try:
            settings = tomllib.loads(text.decode())
            return cls.model_validate(settings | {"digest": hashlib.sha256(text).hexdigest()[:12]})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"prompt {name} is not TOML: {error}") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise ConfigError(f"prompt {name}: {wrong}") from error

    def fill(self, grounds: Grounds) -> Prompt:
        """The prompt about one person."""
        shown = grounds.only(self.shows).lines
        lines = [f"[{line.label}] {line.kind}: {_quoted(line.text)}" for line in shown]
        return Prompt(self.system, "\n".join(["<data>", *lines, "</data>"]))

    def answer_schema(self) -> dict[str, Any]:
        """The JSON Schema of the answer."""
        return answer_schema(self.asks)


def prompt_names() -> list[str]:
    """Prompts in the package."""
    inside = (files("metier.enrich") / "prompts").iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in inside if entry.name.endswith(".toml"))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", "‹").replace(">", "›")
