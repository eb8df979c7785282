"""What goes in and out over HTTP. Bodies are strict: no value is turned into another type, no field is unknown."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, field_validator

from metier.live import Filter, Order
from metier.sources.storable import storable_moment, storable_text
from metier.store.events import EventKind
from metier.store.resumes import ResumeState as State

NO_CONTROL = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f/]+$"
"""No slash, which would be another path, and no control characters, which some databases refuse."""
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_CONTROL)]
Word = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prose = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00]*$")]


def _moment(value: str) -> str:
    if storable_moment(value).tzinfo is None:
        raise ValueError("has no offset from UTC; cure: a moment such as 2026-11-23T09:00:00Z")
    return value


Moment = Annotated[
    str, Field(max_length=40), AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""ISO 8601 with an offset, of the years 1900 to 2200."""


def seconds(moment: str) -> float:
    """Seconds since 1970 UTC of a `Moment`."""
    return datetime.fromisoformat(moment).timestamp()


def moment(seconds: float) -> str:
    """A `Moment` of seconds since 1970 UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Record(BaseModel):
    """What is sent to the service."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True)
    _storable = field_validator("*")(storable_text)


class Sent(BaseModel):
    """What the service sends; every field is always there."""

    model_config = ConfigDict(use_attribute_docstrings=True, json_schema_serialization_defaults_required=True)


# --- people -----------------------------------------------------------------------------------------------------------


class Profile(Record):
    """What somebody says of themselves."""

    text: Prose = ""
    """In their own words."""
    titles: Annotated[list[Word], Field(max_length=50)] = []
    """Of the jobs they held, newest first."""
    city: Word | None = None
    state: Word | None = None
    country: Word | None = None
    zip: Word | None = None
    wishes: Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    """As typed: "no travel; python, not java"."""
    discoverable: bool = False
    """Whether recruiters of the tenant may find them."""


class NewPerson(Profile):
    """A profile with the caller's own id for the person, or none: then one is made."""

    id: Id | None = None


class PersonOut(Sent):
    """A person."""

    id: str
    text: str
    titles: list[str]
    city: str | None
    state: str | None
    country: str | None
    zip: str | None
    wishes: str
    discoverable: bool
    updated: str | None
    """None: as the model was trained on them."""


class Passage(Sent):
    """Text of a résumé that no reader sees."""

    reason: str
    text: str


class ResumeState(Sent):
    """An uploaded résumé."""

    id: str
    state: State
    reason: str
    """Why it was refused."""
    made: str


class ResumeOut(ResumeState):
    """A résumé as it was read."""

    kind: str
    how: str
    text: str
    """What a reader sees."""
    hidden: list[Passage]
    """What was removed, because no reader sees it."""
    candidate: dict[str, object]
    """What was recognised: contact, work, education, skills, languages."""


# --- recommendations --------------------------------------------------------------------------------------------------


class Asked(Filter):
    """How many jobs, under which conditions."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    k: Annotated[int, Field(ge=1, le=200)] = 20
    """Number of jobs."""
    order: Order = "likely"
    """likely: first what the person is likeliest to choose, by all that is known; closest: first what is closest to
    their words, whatever its place, its popularity or their applications. Who says nothing gets likely."""
    reasons: bool = False
    """Also say why, for each job."""
    format: Literal["json", "csv"] = "json"

    @property
    def condition(self) -> Filter:
        """The conditions alone."""
        return Filter.model_construct(**{name: getattr(self, name) for name in Filter.model_fields})


class Anybody(Record):
    """Somebody whom the service does not know and will not keep."""

    profile: Profile
    applied: Annotated[list[Id], Field(max_length=200)] = []
    """Jobs they applied to, oldest first."""
    asked: Asked = Asked()
    """Number of jobs and conditions."""


class Reason(Sent):
    """One piece of evidence."""

    kind: str
    name: str
    weight: float
    """What the score loses without it, measured."""
    spans: list[dict[str, object]]
    """Where it stands: of, field, start, end, job."""


class Skill(Sent):
    """A skill that the posting names."""

    id: str
    name: str


class ReasonsOut(Sent):
    """Why a job fits."""

    job: str
    score: float
    """By the model that scores this job for this person; not the one before it, as for a job posted since training."""
    grounds: list[Reason]
    particular: bool = True
    """Whether what the person says, did or wishes speaks for this job more than for most."""
    shares: dict[str, float]
    """Share of each group of features in the score."""
    matched: list[Skill]
    missing: list[Skill]


class SuggestionOut(Sent):
    """A job at its place."""

    rank: int
    job: str
    score: float
    """Comparable inside one answer only. A job that a ranker was not trained on carries that of the job before it."""
    title: str
    employer: str | None
    city: str | None
    state: str | None
    country: str | None
    folded: list[str]
    """Other postings of the same job."""
    reasons: ReasonsOut | None


class Recommendations(Sent):
    """Jobs, the best first."""

    version: str
    """The model that answered."""
    order: Order = "likely"
    """What the jobs are ordered by."""
    items: list[SuggestionOut]


class RaiseOut(Sent):
    """A skill that would raise the match if the person truly had it."""

    id: str
    name: str
    rise: float


class Raises(Sent):
    """What would raise a match, most first."""

    version: str
    job: str
    items: list[RaiseOut]


class Scored(Sent):
    """An id and its score."""

    id: str
    score: float


class Ranking(Sent):
    """People or jobs, the best first."""

    version: str
    items: list[Scored]


# --- events, imports --------------------------------------------------------------------------------------------------


class NewEvent(Record):
    """Something that a person did."""

    id: Id | None = None
    """The event's own id; the same id counts once: of all keys, or of one account. One is made if there is none."""
    kind: EventKind
    """`unapplied`, `unsaved` and `undismissed` take back what the person did with the job before."""
    person: Id
    job: Id
    time: Moment | None = None
    """When it happened; now, if it is not said."""


class Recorded(Sent):
    """What became of an event."""

    accepted: int
    """1, or 0 where one of this id was there."""


class Refusal(Sent):
    """A line that was set aside; the reason names a field and a rule, never a value."""

    line: int
    reason: str


class ImportOut(Sent):
    """A bulk call and what became of its lines."""

    id: str
    kind: str
    state: str
    accepted: int
    duplicates: int
    refused: int
    made: str
    refusals: list[Refusal]
    """The first of them, or a page of them."""
    next: str | None
