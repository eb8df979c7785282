"""A person as a record: what a résumé says, whatever document it came from. Unknown is None or empty, never guessed."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Prose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}(-(0[1-9]|1[0-2]))?$")]
"""A year or a month, "2019" or "2019-07"."""


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Contact(Record):
    """How to reach a person; never a feature of a model, masked before a prompt leaves the machine."""

    name: Line | None = None
    email: Line | None = None
    phone: Line | None = None
    url: Line | None = None
    city: Line | None = None
    state: Line | None = None
    country: Line | None = None
    zip: Line | None = None


class Work(Record):
    """One job held. `end` None with a `start`: still there, or not said."""

    title: Line | None = None
    employer: Line | None = None
    start: Month | None = None
    end: Month | None = None
    summary: Prose | None = None


class Education(Record):
    """One course of study."""

    degree: Line | None = None
    field: Line | None = None
    school: Line | None = None
    start: Month | None = None
    end: Month | None = None


class Candidate(Record):
    """A résumé's content. Work and education are newest first, as résumés are."""

    contact: Contact = Contact()
    headline: Line | None = None
    summary: Prose | None = None
    work: tuple[Work, ...] = ()
    education: tuple[Education, ...] = ()
    skills: tuple[Line, ...] = ()
    languages: tuple[Line, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """Titles of the jobs held, newest first."""
        return tuple(job.title for job in self.work if job.title)
