"""Fresh answers from a trained bundle."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from metier.live.records import Answer, Asker, Filter, Posting, Raise, Reasons


class LiveModel:
    """An immutable snapshot: a bundle, and the jobs that came, changed or went since it was trained.

    Safe to use from many threads; the scan of the catalogue runs without the GIL.
    """

    version: str
    """ "<bundle's folder>@<first 12 hex digits of the SHA-256 of its manifest.json>" """

    @classmethod
    def load(cls, folder: Path) -> Self:
        """A bundle of `profile` or `ranker`.

        Raises
        ------
        BundleError : the folder is no bundle, altered or incomplete.
        UsageError : another model.
        """
        ...

    def with_jobs(self, posted: Sequence[Posting], withdrawn: Iterable[str] = ()) -> Self:
        """This and `posted` (a known id is replaced, of two equal ids the last counts) without `withdrawn`.

        Cumulative and cheap: arrays are shared, only what is new is encoded. An id in both is withdrawn.
        """
        ...

    def posting(self, job: str) -> Posting | None:
        """A job that is not withdrawn, open or not."""
        ...

    def asker(self, person: str) -> Asker | None:
        """What the bundle knows of a person: text and place; their applications are added when they ask."""
        ...

    def jobs(
        self,
        asker: Asker,
        filter: Filter,
        k: int,
        *,
        now: float,
        shown: Mapping[str, int] | None = None,
        cap: int | None = None,
    ) -> Answer:
        """The k best open jobs, none applied to, dismissed or withdrawn.

        Parameters
        ----------
        now : seconds since 1970 UTC.
        shown, cap : to how many people each job was shown, and how many are enough; no cap when None.
        """
        ...

    def people(self, job: str, askers: Mapping[str, Asker], k: int) -> list[tuple[str, float]]:
        """The k best of the people given, with their scores for a posting; UnknownIdError for a job not there."""
        ...

    def similar(self, job: str, k: int, *, now: float) -> list[tuple[str, float]]:
        """The k open jobs of most alike words, with cosines; UnknownIdError for a job not there."""
        ...

    def reasons(self, asker: Asker, jobs: Sequence[str]) -> list[Reasons]:
        """Why each job fits, measured by deletion; UnknownIdError for a job not there."""
        ...

    def raises(self, asker: Asker, job: str) -> list[Raise]:
        """Missing skills by how much the score would rise with them, largest first; only rises > 0."""
        ...

    def popular(self, k: int, now: float) -> list[str]:
        """The k open jobs with most applications in training."""
        ...
