"""What was read from a document."""

from collections import Counter
from typing import Literal

from metier.sources.candidate import Candidate, Record

Kind = Literal["pdf", "docx", "odt", "rtf", "html", "text", "json-resume", "png", "jpeg"]
Reason = Literal[
    "invisible ink",
    "tiny",
    "colour of the background",
    "off the page",
    "covered",
    "hidden by style",
    "comment",
    "zero width",
]


class Hidden(Record):
    """Text that no reader sees."""

    reason: Reason
    text: str


class Document(Record):
    """A document's text and how it was found."""

    kind: Kind
    how: Literal["text layer", "OCR"]
    text: str
    """What a reader sees, in reading order; pages apart by a form feed."""
    pages: int
    """1 where the kind has no pages."""
    hidden: tuple[Hidden, ...] = ()
    """What was removed, for the person to see; never part of `text`."""
    notes: tuple[str, ...] = ()
    resume: Candidate | None = None
    """What a JSON Resume states; None for every other kind."""

    @property
    def hidden_counts(self) -> dict[str, int]:
        """Characters removed, by reason."""
        counts: Counter[str] = Counter()
        for passage in self.hidden:
            counts[passage.reason] += len(passage.text)
        return dict(counts)
