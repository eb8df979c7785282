"""Jobs and reasons as a page shows them: facts in words, and the very words that each piece of evidence came from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from html import escape

from metier.features.distance import kilometres
from metier.live import Asker, LiveModel, Posting, Raise
from metier.serve.pages.templates import day
from metier.serve.records import Reason, ReasonsOut, SuggestionOut
from metier.sources.job_posting import cleaned
from metier.store.jobs import Job

AROUND = 60
"""Characters shown on each side of a quotation."""
MOST_GROUNDS, MOST_QUOTES = 8, 3
KINDS = {
    "application": "You applied for",
    "line": "Your profile says",
    "skill": "What you can do and it names",
    "place": "The place that you gave",
    "wish": "Your wish",
}
THEIRS = {"skill": "What they can do and it names", "place": "The place"}
"""What a recruiter reads of a person; their lines may name them, and where else they applied and what they wish is not
the recruiter's to know."""
SOURCES = {"asker": "the profile", "posting": "the posting"}
GROUPS = {
    "profile": "Profile",
    "text": "Words",
    "past": "Past applications",
    "place": "Place",
    "attributes": "Facts about you and the job",
    "level": "Level",
    "co-application": "What others applied for",
    "factors": "People with like applications",
    "session": "What you applied for last",
    "number": "Number of the posting",
    "popularity": "How many applied",
    "time": "Time",
    "activity": "How active you are",
}
"""Groups of features, as `LiveModel.reasons` names them."""
USUAL = {"place": "its place", "popularity": "how many applied", "time": "how new it is"}
"""Groups that speak for a job to many people."""
LEAST_SHARE = 0.005
QUOTED = {"skill", "wish"}
"""Kinds whose words are shown where they stand; the others are their own quotation."""


READ_AS = {
    "pdf": "a PDF",
    "docx": "a Word document",
    "odt": "an OpenDocument text",
    "rtf": "an RTF document",
    "html": "an HTML page",
    "text": "plain text",
    "json-resume": "a JSON Resume",
    "png": "a PNG image",
    "jpeg": "a JPEG image",
}
"""Kinds of documents, which are told by content and not by name."""


@dataclass(frozen=True)
class Quote:
    """Words in their surroundings."""

    before: str
    words: str
    after: str
    of: str
    """Whose words they are."""


@dataclass(frozen=True)
class GroundShown:
    """A piece of evidence."""

    kind: str
    name: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True)
class WhyShown:
    """Why a job fits; `shares` are the feature groups, largest first."""

    title: str
    grounds: tuple[GroundShown, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    shares: tuple[tuple[str, float], ...]
    particular: bool = True
    """Whether what the person says, did or wishes speaks for the job more than for most."""
    own: bool = True
    """Whether the reader is the person."""
    usual: tuple[str, ...] = ()
    """What of the score is the same for many people."""

    @property
    def main(self) -> GroundShown | None:
        """What a reader asks for first: the skills, else the heaviest piece of evidence."""
        able = (one for one in self.grounds if one.kind in (KINDS["skill"], THEIRS["skill"]))
        return next(able, next(iter(self.grounds), None))


@dataclass(frozen=True)
class JobShown:
    """A job of a list."""

    id: str
    title: str
    facts: tuple[str, ...]
    folded: tuple[str, ...] = ()
    """Titles and places of the same posting elsewhere, by id."""
    why: WhyShown | None = None
    events: frozenset[str] = field(default_factory=frozenset)
    """What the person did with it."""


def suggested(
    model: LiveModel, who: Asker, items: Iterable[SuggestionOut], events: dict[str, frozenset[str]] | None = None
) -> list[JobShown]:
    """The jobs of an answer of the API, for a page."""
    shown = []
    for item in items:
        posting = model.posting(item.job)
        if posting is None:
            continue
        others = [one for one in (model.posting(id) for id in item.folded) if one is not None]
        shown.append(
            JobShown(
                item.job,
                title_of(posting),
                facts(posting, who),
                tuple(", ".join([title_of(one), *facts(one, who)]) for one in others),
                why(who, posting, item.reasons) if item.reasons else None,
                (events or {}).get(item.job, frozenset()),
            )
        )
    return shown


def read_as(kind: str, how: str) -> str:
    """What a document was read as."""
    return READ_AS.get(kind, kind) + (", its letters recognised in the picture" if how == "OCR" else "")


def title_of(posting: Posting) -> str:
    """A posting's title, which may be missing."""
    return posting.title.strip() or "A job without a title"


def facts(posting: Posting, who: Asker | None = None) -> tuple[str, ...]:
    """Employer, place, distance, pay and date, as far as they are known."""
    place = ", ".join(part for part in (posting.city, posting.state, posting.country) if part)
    far = kilometres(who, posting) if who is not None else None
    found = [
        posting.employer,
        place,
        None if far is None else "less than 5 km away" if far < 5 else f"{far:,.0f} km away",
        "can be done from home" if posting.remote else None,
        salary(posting),
        f"posted on {day(posting.start)}" if posting.start is not None else None,
    ]
    return tuple(one for one in found if one)


def salary(posting: Posting) -> str | None:
    """What a job pays a year, in words."""
    amounts = [one for one in (posting.salary_min, posting.salary_max) if one is not None]
    if not amounts:
        return None
    said = " to ".join(f"{one:,.0f}" for one in dict.fromkeys(amounts))
    return f"{said} {posting.currency or ''}".strip() + " a year"


def why(who: Asker, posting: Posting, reasons: ReasonsOut, *, own: bool = True) -> WhyShown:
    """Reasons as the API gives them, each with the words it came from; of what speaks for most jobs only the place.

    `own`: for the person. A recruiter reads their skills without the words around them, and their place without the
    ZIP code.
    """
    kinds = KINDS if own else THEIRS
    grounds: dict[tuple[str, str], GroundShown] = {}
    for one in reasons.grounds:  # a line that stands in a text twice is said once
        if one.kind not in kinds or not (reasons.particular or one.kind == "place"):
            continue
        quoted = quotes(who, posting, one) if one.kind in QUOTED else ()
        name = one.name
        if not own:
            quoted = tuple(
                replace(quote, before="", after="") if quote.of == SOURCES["asker"] else quote for quote in quoted
            )
            if one.kind == "place":
                name = ", ".join(part for part in (who.city, who.state, who.country) if part) or "near"
        grounds.setdefault((one.kind, name), GroundShown(kinds[one.kind], name, quoted))
    return WhyShown(
        title_of(posting),
        tuple(grounds.values())[:MOST_GROUNDS],
        tuple(one.name for one in reasons.matched),
        tuple(one.name for one in reasons.missing),
        tuple(
            (GROUPS.get(name, name), share)
            for name, share in sorted(reasons.shares.items(), key=lambda one: -one[1])
            if share >= LEAST_SHARE
        ),
        reasons.particular,
        own,
        tuple(
            said for name, said in USUAL.items() if reasons.shares.get(name, 0) >= LEAST_SHARE and _is_said(who, name)
        ),
    )


def _is_said(who: Asker, group: str) -> bool:
    """Whether a group of features can have a say: nobody's place counts who named none."""
    return group != "place" or bool(who.city or who.state or who.country or who.zip)


def quotes(who: Asker, posting: Posting, reason: Reason) -> tuple[Quote, ...]:
    """The words of a piece of evidence where they stand, each once."""
    found: dict[tuple[str, str], Quote] = {}
    for span in reason.spans:
        source = who if span["of"] == "asker" else posting
        text = getattr(source, str(span["field"]))
        quote = _quote(text, int(str(span["start"])), int(str(span["end"])), SOURCES[str(span["of"])])
        found.setdefault((quote.of, quote.words.casefold()), quote)
    return tuple(found.values())[:MOST_QUOTES]


def raised(raises: Sequence[Raise], posting: Posting) -> list[tuple[str, Quote]]:
    """Skills that would raise the match, with the posting's words that ask for them."""
    found = []
    for one in raises:
        span = one.posting
        text = getattr(posting, span.field)
        found.append((one.name, _quote(text, span.start, span.end, SOURCES["posting"])))
    return found


def description(stored: Job | None, posting: Posting) -> str:
    """A posting's text as HTML that does nothing: cleaned again, whoever wrote it into the store."""
    if stored is not None and stored.html:
        return cleaned(stored.html)
    paragraphs = (escape(part.strip()) for part in posting.text.split("\n") if part.strip())
    return "".join(f"<p>{part}</p>" for part in paragraphs)


def _quote(text: str, start: int, end: int, of: str) -> Quote:
    """Words with what stands around them on their line, cut between words."""
    line_start = max(text.rfind("\n", 0, start) + 1, start - AROUND)
    line_end = text.find("\n", end)
    line_end = min(len(text) if line_end < 0 else line_end, end + AROUND)
    before, after = text[line_start:start], text[end:line_end]
    if line_start and text[line_start - 1] != "\n":
        before = "…" + before.partition(" ")[2]
    if line_end < len(text) and text[line_end] != "\n":
        after = after.rpartition(" ")[0] + "…"
    return Quote(before.lstrip(), text[start:end], after.rstrip(), of)
