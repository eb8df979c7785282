"""One job as a record, for those that come one at a time: the store keeps it, the models read it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Posting:
    """A job as the service knows it; a row of the store and a row of a bundle both become one. Unknown is None."""

    id: str
    title: str = ""
    text: str = ""
    """Plain text, without the title."""
    employer: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip: str | None = None
    remote: bool | None = None
    salary_min: float | None = None
    """Per year, in `currency`."""
    salary_max: float | None = None
    currency: str | None = None
    level: int | None = None
    """0 beginner, 1 plain, 2 senior, 3 leader (`metier.features.level`)."""
    start: float | None = None
    """Seconds since 1970 UTC; not shown before."""
    end: float | None = None
    """Not shown after."""

    @property
    def words(self) -> str:
        """Title, then text: what models and phrases read."""
        return f"{self.title}\n{self.text}".strip()
