"""What is asked and answered: postings, people, filters, suggestions. Unknown is None, never guessed."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from metier.live.wishes import Wishes

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Order = Literal["likely", "closest"]
"""What stands first: what the person is likeliest to choose, or what is closest to their words alone."""


@dataclass(frozen=True)
class Asker:
    """One person now.

    `applied` holds (job id, seconds since 1970 UTC), oldest first; what the bundle knows of `person` is added to it.
    """

    text: str = ""
    """What they say: self-description, past titles, visible résumé text, one a line."""
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None
    applied: tuple[tuple[str, float], ...] = ()
    hidden: frozenset[str] = frozenset()
    """Dismissed jobs: never shown."""
    wishes: Wishes = field(default_factory=Wishes)
    person: str | None = None
    """Their id in the bundle, when it knows them: their attributes are features."""


class Filter(BaseModel):
    """Hard conditions; a job that does not state what is asked for is left out. All that are given must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    city: Name | None = None
    """Exact, in any case, as are state, country and employer."""
    state: Name | None = None
    """One of the US by its letters or its name."""
    country: Name | None = None
    within_km: Annotated[float, Field(gt=0, le=20_038)] | None = None
    """Of the person's own place; a person or a job whose place is not in the gazetteer finds nothing."""
    remote: bool | None = None
    salary_min: Annotated[float, Field(ge=0)] | None = None
    """The posting's highest (else lowest) salary a year is at least this; currencies are not converted."""
    level_min: Annotated[int, Field(ge=0, le=3)] | None = None
    level_max: Annotated[int, Field(ge=0, le=3)] | None = None
    posted_after: float | None = None
    """Seconds since 1970 UTC."""
    employer: Name | None = None
    words: Annotated[tuple[Name, ...], Field(max_length=10)] = ()
    """Each must occur in title or text as whole words, in any case."""


@dataclass(frozen=True)
class Suggestion:
    """A job, its score, and the open reposts that stand behind it.

    Scores can be compared inside one answer only, where they never rise. In an answer of a ranker, a job that it was
    not trained on has no score of its own: it carries that of the job it comes behind (of the one it comes before, at
    the head of the list), and its `Reasons.score` is the profile's.
    """

    job: str
    score: float
    folded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """The best first; `version` names the model that answered, `order` what the suggestions are ordered by."""

    version: str
    suggestions: tuple[Suggestion, ...]
    order: Order = "likely"


@dataclass(frozen=True)
class Span:
    """Characters [start, end) of one field of what was compared."""

    of: Literal["asker", "posting", "past"]
    field: str
    """"text", "title", "city", "state", "country", "zip" or "wishes"."""
    start: int
    end: int
    job: str | None = None
    """The past application's id where `of` is "past"."""


Kind = Literal["application", "line", "skill", "place", "wish"]


@dataclass(frozen=True)
class Ground:
    """One piece of evidence and what the score loses without it (> 0), measured."""

    kind: Kind
    name: str
    """The statement, the skills (apart by commas), the place, the wish, or the title of the past application."""
    weight: float
    spans: tuple[Span, ...]
    """Where it stands; never empty."""


@dataclass(frozen=True)
class SkillSpan:
    """A skill of our own vocabulary and the characters of the posting's words and, if they have it, of the person's
    text that name it."""

    id: str
    name: str
    posting: Span
    asker: Span | None


@dataclass(frozen=True)
class Reasons:
    """Why a job was suggested.

    Parameters
    ----------
    score : by the model that scores this job for this person; see `Suggestion`.
    grounds : heaviest first; only evidence without which the score is lower by a twentieth of the standard deviation
        of the person's scores over a sample of jobs.
    particular : whether all that they say and did speaks for this job more than for the mean of that sample, by as
        much, or it holds a wish. Where not, it stands here for its place, its popularity or its age.
    shares : share of each feature group in the sum of magnitudes of all contributions to the score; sums to 1 or empty.
    matched, missing : skills that the posting names, by whether the person's text names them too.
    """

    job: str
    score: float
    grounds: tuple[Ground, ...]
    particular: bool
    shares: dict[str, float]
    matched: tuple[SkillSpan, ...]
    missing: tuple[SkillSpan, ...]


@dataclass(frozen=True)
class Raise:
    """A skill that a posting asks for and the text lacks, and by how much the score would rise were it truly there."""

    id: str
    name: str
    rise: float
    posting: Span
