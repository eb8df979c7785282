"""An experiment as a typed TOML file: what to judge, how, and with which settings."""

import json
import shlex
import tomllib
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metier.data import Tables
from metier.data.splits import Protocol
from metier.errors import ConfigError
from metier.evaluate.evaluation import Evaluation, Factory, Progress, evaluate
from metier.evaluate.summary import SEGMENTS, Segment
from metier.models.registry import available

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ModelEntry(_Strict):
    """One row of the table, `[models.<label>]`."""

    model: str | None = None
    """Name in the registry (`metier models`); the label itself when left out."""

    settings: dict[str, Any] = {}
    """Settings over the model's defaults."""

    trials: int | None = Field(default=None, ge=1)
    """Number of trials that these settings are the best of; written by `metier tune`."""


class Budget(_Strict):
    """What each tuned model was given, `[budget]`; written by `metier tune`, printed in the report."""

    trials: int = Field(ge=1)
    """Most trials of a model."""

    seconds: float = Field(gt=0)
    """A model started no trial after this many seconds of fitting and ranking."""

    seed: int = Field(ge=0)
    """Drew the settings."""


class Experiment(_Strict):
    """Everything that decides the figures."""

    dataset: str
    """Name of an imported dataset."""

    protocol: Protocol
    """temporal, leave-last-out or given."""

    k: int = Field(25, ge=1, le=1000)
    """Cut of every metric."""

    seed: int = Field(0, ge=0)
    """Seed of fits, ties and resampling."""

    inner: bool = False
    """Judge on a cut inside the history, for tuning: the truth that is reported without it is never seen."""

    segments: tuple[Segment, ...] = SEGMENTS
    """Groups of people reported apart, by number of past applications."""

    budget: Budget | None = None
    """Of the tuned rows."""

    models: dict[Label, ModelEntry] = Field(min_length=1)
    """Label -> model; a label is letters, digits, '.', '_' and '-'."""

    @classmethod
    def read(cls, path: Path) -> "Experiment":
        """Read a TOML file; ConfigError names the file, the key and what it may be."""
        try:
            return cls.check(tomllib.loads(path.read_text(encoding="utf-8")), str(path))
        except OSError as error:
            raise ConfigError(f"experiment {path}: {error.strerror}; cure: give the path of a TOML file") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"experiment {path} is not TOML: {error}") from None

    @classmethod
    def check(cls, given: dict[str, Any], place: str) -> "Experiment":
        """An experiment from plain values; ConfigError names `place` and the key."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigError(f"{place}: {details}; keys are {', '.join(cls.model_fields)}") from None

    def toml(self) -> str:
        """The file that repeats this experiment."""
        plain = self.model_dump(mode="json", exclude_none=True)
        for entry in plain["models"].values():  # TOML has no null; a setting of null is its absence
            entry["settings"] = {key: value for key, value in entry["settings"].items() if value is not None}
        return tomli_w.dumps(plain)

    @property
    def command(self) -> str:
        """The command line that repeats it; the file is needed when a label differs from its model's name."""
        if self.budget or any(entry.model not in (None, label) for label, entry in self.models.items()):
            return "metier evaluate --experiment experiment.toml"
        settings = "".join(
            f" --set {shlex.quote(f'{label}.{key}={json.dumps(value)}')}"
            for label, entry in self.models.items()
            for key, value in entry.settings.items()
        )
        names = "" if list(self.models) == available() else f" --models {','.join(self.models)}"
        inner = " --inner" if self.inner else ""
        return (
            f"metier evaluate {self.dataset} --protocol {self.protocol}{inner}{names} -k {self.k} --seed {self.seed}"
            f"{settings}"
        )

    def run(
        self, tables: Tables, *, extra: dict[str, Factory] | None = None, progress: Progress | None = None
    ) -> Evaluation:
        """Judge the models on the dataset's tables."""
        models = {label: (entry.model or label, entry.settings) for label, entry in self.models.items()}
        return evaluate(
            tables,
            self.protocol,
            models,
            k=self.k,
            seed=self.seed,
            inner=self.inner,
            extra=extra,
            progress=progress,
        )


def default_protocol(tables: Tables) -> Protocol:
    """temporal where the data have windows, given where they have a split, else leave-last-out."""
    if not tables.windows.is_empty():
        return "temporal"
    return "given" if (tables.interactions["split"] == "test").any() else "leave-last-out"
