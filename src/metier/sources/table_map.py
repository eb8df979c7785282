"""The TOML map from the columns of somebody's files to people, jobs, history and interactions.

A column of the file is named by a string; an attribute says its kind as well:

    [people]
    file = "users.csv.gz"
    id = "UserID"
    city = "HomeTown"
    text = ["About"]
    [people.attributes]
    degree = "Degree"
    wishes = { from = "Wishes", kind = "list", separator = ";" }
    [[people.joins]]
    file = "certificates.csv"
    id = "UserID"
    many = true
    attributes = { certificates = { from = "Name", kind = "list" } }

Joins and attributes carry no time. What people say at a moment (a wish, a past job) is history, from one file or
several (`[[history]]`): only there does a split drop what was said after its cut-off.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from metier.data.tables import JOBS
from metier.errors import ConfigError

Kind = Literal["category", "number", "list", "date"]
Origin = Literal["interactions", "history", "joins"]


class Part(BaseModel):
    """Base of every part of a map: an unknown key is an error that lists the known ones."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        allowed = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = [key for key in value if key not in allowed] if isinstance(value, dict) else []
        if unknown:
            raise ValueError(f"unknown key {unknown[0]!r}; allowed: {', '.join(allowed)}")
        return value


def _from_name(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


class Moment(Part):
    """A date column."""

    column: str = Field(alias="from")
    """Column of the file."""
    format: str = "iso"
    """"epoch" (seconds since 1970), "iso", or strptime codes such as "%d.%m.%Y %H:%M"."""


class Attribute(Part):
    """An attribute of people or jobs."""

    columns: Annotated[tuple[str, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)] = Field(
        alias="from", min_length=1
    )
    """Column of the file; a list attribute may gather several."""
    kind: Kind = "category"
    """What models make of it: one value, a number to bin, several values at once, or a date."""
    separator: str | None = None
    """What stands between the values of a list in one cell; without it the cell is one value."""
    format: str = "iso"
    """Format of a date, as in `Moment`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.columns) > 1 and self.kind != "list":
            raise ValueError("several columns need kind = 'list'")
        if self.separator is not None and self.kind != "list":
            raise ValueError("a separator needs kind = 'list'")
        return self


ColumnMoment = Annotated[Moment, BeforeValidator(_from_name)]
Attributes = dict[str, Annotated[Attribute, BeforeValidator(_from_name)]]


class Join(Part):
    """A further file that describes the same people or jobs."""

    file: str
    id: str
    """Column that holds the id of the person or job."""
    many: bool = False
    """Whether one id may have many rows; their values are gathered in list attributes."""
    attributes: Attributes

    @model_validator(mode="after")
    def _lists(self) -> Self:
        for name, attribute in self.attributes.items():
            if self.many and attribute.kind != "list":
                raise ValueError(f"attribute {name!r}: many = true needs kind = 'list', not {attribute.kind!r}")
        return self


class Described(Part):
    """What people and jobs have in common."""

    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None
    text: tuple[str, ...] = ()
    """Columns of the file, or attributes, joined with a space."""
    html: bool = False
    """Whether the text is HTML."""
    attributes: Attributes = {}
    joins: tuple[Join, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [*self.attributes, *(name for join in self.joins for name in join.attributes)]
        for name in names:
            if name in JOBS or name in ("person", "(line)") or names.count(name) > 1:
                raise ValueError(f"attribute {name!r} is used twice or is a fixed name ({', '.join(JOBS)})")
        return self


class People(Described):
    """People, from a file of their own or from the ids that other files name."""

    file: str | None = None
    id: str | None = None
    origins: tuple[Origin, ...] = Field(default=(), alias="from")
    """Instead of `file`: everybody who appears in these."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.file is None) != (self.id is None) or (self.file is None) == (not self.origins):
            raise ValueError('give either file and id, or from = ["interactions", ...]')
        if self.file is None:
            joined = [name for join in self.joins for name in join.attributes]
            columns = [name for name in ("city", "state", "country", "zip", "attributes") if getattr(self, name)]
            if columns:
                raise ValueError(f"{columns[0]} needs a file of people; with `from`, attributes come from joins")
            unknown = [name for name in self.text if name not in joined]
            if unknown:
                raise ValueError(
                    f"text: {unknown[0]!r} is no joined attribute ({', '.join(joined) or 'there are none'}); "
                    "a column needs a file of people"
                )
        return self


class Jobs(Described):
    """Postings."""

    file: str
    id: str
    title: str | None = None
    start: ColumnMoment | None = None
    end: ColumnMoment | None = None


class History(Part):
    """Past jobs or wishes of people, in the order of the file unless a sequence column says otherwise."""

    file: str
    person: str
    title: str | None = None
    text: tuple[str, ...] = ()
    html: bool = False
    time: ColumnMoment | None = None
    sequence: str | None = None


class InteractionColumns(Part):
    """Who applied to, or viewed, what."""

    file: str
    person: str
    job: str
    time: ColumnMoment | None = None
    weight: str | None = None
    split: str | None = None
    """Column whose value "test" marks what the `given` protocol predicts."""


class Format(Part):
    """How the files are written; gzip is told by ".gz", Parquet by ".parquet"."""

    separator: str | None = Field(default=None, min_length=1, max_length=1)
    """Between fields; by default a tab in .tsv and a comma elsewhere."""
    quote: str = Field(default='"', max_length=1)
    """Around fields; "" when nothing is quoted and every line is a row."""
    nulls: tuple[str, ...] = ("",)
    """Cells that mean unknown."""


class TableMap(Part):
    """A whole map."""

    format: Format = Format()
    people: People
    jobs: Jobs
    history: Annotated[tuple[History, ...], BeforeValidator(lambda v: (v,) if isinstance(v, dict) else v)] = ()
    interactions: InteractionColumns


def read_map(path: Path) -> TableMap:
    """The map in a TOML file; ConfigError names the key that is wrong and the keys there are."""
    try:
        return TableMap.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"map {path}: cannot be read ({error})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"map {path}: is not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'top level'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise ConfigError(f"map {path}: {wrong}") from None
