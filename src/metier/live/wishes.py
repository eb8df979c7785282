"""What a person wants and does not want of a job, in their own words, as phrases of the posting."""

from typing import Self

from metier.sources.candidate import Record


class Wishes(Record):
    """Phrases that a posting should or should not hold. They order the answer, they never hide a job."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "no travel; python, not java; remote"; anything can be said, nothing is refused."""
        return cls()
