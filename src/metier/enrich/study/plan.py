"""A study as a typed TOML file: which models read which texts, how often, and with how much tuning."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from metier.data.splits import Protocol
from metier.enrich.study.texts import CONDITIONS, Condition
from metier.errors import ConfigError, UsageError
from metier.evaluate.experiment import Label
from metier.evaluate.summary import SEGMENTS, Segment
from metier.models.registry import MODELS, available, create

MAIN = "main"
"""The grid whose models compete for the answer, and to which `--models` adds names of the registry."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class StudyModel(_Strict):
    """`[models.<label>]`."""

    model: str | None = None
    """Name in the registry (`metier models`); the label itself when left out."""

    settings: dict[str, Any] = {}
    """Settings over the model's defaults; the same with every text."""

    needs: tuple[str, ...] = ()
    """Python packages without which this label is left out."""


class Grid(_Strict):
    """`[grids.<name>]`: every one of its models with every one of its texts."""

    models: tuple[Label, ...]
    """Labels of `[models]`."""

    texts: tuple[Condition, ...]
    """none, raw, raw-shuffled, skills, simple, interactive, shuffled, random."""


class StudyPlan(_Strict):
    """Everything that decides the figures."""

    datasets: dict[str, Protocol] = {}
    """Name of an imported dataset -> temporal, leave-last-out or given."""

    models: dict[Label, StudyModel]
    """Label -> model."""

    grids: dict[Label, Grid] = Field(min_length=1)
    """The grid "main" has the models of which one gives the answer; a cell that two grids share runs once."""

    seeds: int = Field(3, ge=1, le=100)
    """Every cell is fitted so often, with the seeds 0, 1, ...; values are averaged over them."""

    trials: int = Field(0, ge=0)
    """Trials of each model with each text on the inner split; 0 gives every one its defaults."""

    k: int = Field(25, ge=1, le=1000)
    """Cut of every metric."""

    segments: tuple[Segment, ...] = SEGMENTS
    """Groups of people reported apart, by number of past applications."""

    @model_validator(mode="after")
    def _labels_are_there(self) -> Self:
        for name, grid in self.grids.items():
            for label in grid.models:
                if label not in self.models:
                    raise ValueError(f"grid {name} has {label}, which is not among the models {', '.join(self.models)}")
        return self

    @classmethod
    def read(cls, path: Path) -> "StudyPlan":
        """Read a TOML file; ConfigError names the file, the key and what it may be."""
        try:
            return cls.check(path.read_text(encoding="utf-8"), str(path))
        except OSError as error:
            raise ConfigError(f"plan {path}: {error.strerror}; cure: give the path of a TOML file") from None

    @classmethod
    def shipped(cls, name: str) -> "StudyPlan":
        """A plan that comes with metier: "default" or "quick"."""
        return cls.check((files("metier.enrich.study") / "plans" / f"{name}.toml").read_text(encoding="utf-8"), name)

    @classmethod
    def check(cls, text: str, place: str) -> "StudyPlan":
        """A plan from the text of a TOML file; ConfigError names `place` and the key."""
        try:
            return cls.model_validate(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"plan {place} is not TOML: {error}") from None
        except ValidationError as error:
            details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ConfigError(f"plan {place}: {details}; keys are {', '.join(cls.model_fields)}") from None

    def toml(self) -> str:
        """The file that repeats this study."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    def only(self, *, models: Sequence[str] = (), texts: Sequence[str] = ()) -> "StudyPlan":
        """The plan with these models and these texts alone; all when none are named.

        A name that no label has but the registry does is a further model of the main grid. UsageError lists the names
        when one is unknown.
        """
        unknown = [text for text in texts if text not in CONDITIONS]
        if unknown:
            raise UsageError(f"no text condition {unknown[0]!r}; there are {', '.join(CONDITIONS)}")
        strange = [name for name in models if name not in self.models and name not in MODELS]
        if strange:
            raise UsageError(f"no model {strange[0]!r}; there are {', '.join(dict.fromkeys([*self.models, *MODELS]))}")
        further = [name for name in models if name not in self.models]
        labels = self.models | {name: StudyModel() for name in further}
        grids = dict(self.grids)
        if further:
            main = grids.get(MAIN, Grid(models=(), texts=CONDITIONS))
            grids[MAIN] = main.model_copy(update={"models": (*main.models, *further)})
        return self._with(labels, grids, set(models or labels), set(texts or CONDITIONS))

    def here(self) -> tuple["StudyPlan", dict[str, str]]:
        """The plan without what cannot run here, and why, by label.

        UsageError: a label names no model, or nothing is left. ConfigError: wrong settings.
        """
        trained, absent = available(), {}
        for label, entry in self.models.items():
            name, lacking = entry.model or label, [package for package in entry.needs if find_spec(package) is None]
            if name not in MODELS:
                raise UsageError(f"no model {name!r}; there are {', '.join(MODELS)}")
            if name not in trained:
                absent[label] = f"the extra that trains {name!r} is not installed"
            elif lacking:
                absent[label] = f"{lacking[0]} is not installed"
            else:
                create(name, entry.settings)
        left = self._with(self.models, self.grids, set(self.models) - set(absent), set(CONDITIONS))
        return left, absent

    def pairs(self) -> Iterator[tuple[Label, Condition]]:
        """Every model with each of its texts, once, grid by grid."""
        yield from dict.fromkeys((m, t) for grid in self.grids.values() for m in grid.models for t in grid.texts)

    def _with(
        self, models: dict[str, StudyModel], grids: dict[str, Grid], labels: set[str], texts: Iterable[str]
    ) -> "StudyPlan":
        """Only these labels and texts; a grid without either goes."""
        kept = {
            name: Grid(
                models=tuple(one for one in grid.models if one in labels),
                texts=tuple(one for one in grid.texts if one in set(texts)),
            )
            for name, grid in grids.items()
        }
        kept = {name: grid for name, grid in kept.items() if grid.models and grid.texts}
        if not kept:
            raise UsageError(
                "no model and text of the plan are left; cure: other --models or --texts, or install extras"
            )
        used = {label for grid in kept.values() for label in grid.models}
        return self.model_copy(
            update={"models": {name: one for name, one in models.items() if name in used}, "grids": kept}
        )
