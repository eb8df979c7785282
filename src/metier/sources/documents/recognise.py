"""A résumé's text -> `Candidate`, by rules: the same text gives the same record, and nothing that it does not say."""

from typing import TypeVar

from metier.errors import DataRejectedError
from metier.sources.candidate import Candidate, Education, Work
from metier.sources.documents.contact import contact_of
from metier.sources.documents.document import Document
from metier.sources.documents.education import education_in
from metier.sources.documents.sections import Section, sections_of
from metier.sources.documents.skills import labelled_languages, skills_in, spoken_in
from metier.sources.documents.titles import is_title
from metier.sources.documents.work import title_and_employer, work_in

_LONGEST_SUMMARY = 5_000
Entry = TypeVar("Entry", Work, Education)


def candidate_of(document: Document) -> Candidate:
    """The record that a JSON Resume states, or else what its text says (see `candidate`)."""
    return document.resume or candidate(document.text)


def candidate(text: str) -> Candidate:
    """What the text says of a person: contact, jobs, courses, skills, languages, summary.

    Every value but a date stands in the text, white space apart. Dates are "2019" or "2019-07". What no rule
    recognises is left out. Jobs are newest first when all have dates, else in the order of the text.

    Raises
    ------
    DataRejectedError : no contact, job, course or skill was recognised; a person is never made up.
    """
    parts = sections_of(text)
    every = [line for part in parts for line in part.lines]
    work = _work(parts)
    education = [course for lines in _named(parts, "education") for course in education_in(lines)]
    languages = [word for lines in _named(parts, "languages") for word in spoken_in(lines)]
    languages += [word for word in labelled_languages(every) if word not in languages]
    # Under "Languages" a programmer lists programming languages.
    listed = [lines for lines in _named(parts, "languages") if not spoken_in(lines)]
    skills = skills_in([line for lines in (*_named(parts, "skills"), *listed) for line in lines])
    contact = contact_of(parts)
    if not (contact.email or contact.phone or work or education or skills):
        raise DataRejectedError(
            "no contact, job, education or skill was recognised in the text: it is no résumé, or lacks headings like "
            '"Experience", "Education", "Skills"; cure: add them, or write a JSON Resume'
        )
    summary = next((prose for lines in _named(parts, "summary") if (prose := _prose(lines))), None)
    return Candidate(
        contact=contact,
        headline=_headline(parts, contact.name),
        summary=summary,
        work=tuple(work),
        education=tuple(_newest_first(education)),
        skills=tuple(skills),
        languages=tuple(dict.fromkeys(languages)),
    )


def _named(parts: list[Section], name: str) -> list[list[str]]:
    return [part.lines for part in parts if part.name == name]


def _work(parts: list[Section]) -> list[Work]:
    jobs = [job for lines in _named(parts, "work") for job in work_in(lines)]
    if not jobs:  # a résumé without headings
        jobs = [job for lines in _named(parts, "head") for job in work_in(lines) if job.title and job.start]
    pairs = [pair for part in parts if part.name != "work" for line in part.lines if (pair := title_and_employer(line))]
    for title, employer in pairs:
        place = next((i for i, job in enumerate(jobs) if (job.employer or "").casefold() == employer.casefold()), None)
        if place is None:
            jobs.insert(0, Work(title=title, employer=employer))
        elif jobs[place].title is None:
            jobs[place] = jobs[place].model_copy(update={"title": title})
    return list(_newest_first(jobs))


def _newest_first(entries: list[Entry]) -> list[Entry]:
    if not all(entry.start or entry.end for entry in entries):
        return entries
    return sorted(entries, key=lambda entry: (entry.end or "9999", entry.start or ""), reverse=True)


def _headline(parts: list[Section], name: str | None) -> str | None:
    """A title near the name, or one that stands alone below the education."""
    near = [line for line in parts[0].lines if line][:4]
    below = [line for lines in _named(parts, "education") for line in lines]
    for line in (*near, *below):
        bare = line.removeprefix(name or "").strip(" ,|-–")
        if bare and is_title(bare) and len(bare) <= 80:
            return bare
    return None


def _prose(lines: list[str]) -> str | None:
    return "\n".join(line for line in lines if line)[:_LONGEST_SUMMARY].strip() or None
