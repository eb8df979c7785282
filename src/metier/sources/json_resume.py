"""JSON Resume 1.0.0 (https://jsonresume.org/schema) <-> `Candidate`.

What a `Candidate` holds goes out and comes back unchanged. What it has no place for (volunteer work, awards, levels of
skills, fluency) is left out on the way in.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from metier.errors import DataRejectedError
from metier.sources.candidate import Candidate, Contact, Education, Line, Month, Prose, Work

SCHEMA = "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _given(value: Any) -> Any:
    """Unknown is written as "" by many programs, and as null by some."""
    return None if isinstance(value, str) and not value.strip() else value


def _month(value: Any) -> Any:
    return value[:7] if isinstance(value, str) and _DAY.match(value) else _given(value)


_Line = Annotated[Line | None, BeforeValidator(_given)]
_Prose = Annotated[Prose | None, BeforeValidator(_given)]
_Date = Annotated[Month | None, BeforeValidator(_month)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="ignore", populate_by_name=True)


class _Location(_Section):
    city: _Line = None
    region: _Line = None
    country: _Line = Field(None, validation_alias=AliasChoices("country", "countryCode"))
    zip: _Line = Field(None, alias="postalCode")


class _Basics(_Section):
    name: _Line = None
    label: _Line = None
    email: _Line = None
    phone: _Line = None
    url: _Line = Field(None, validation_alias=AliasChoices("url", "website"))
    summary: _Prose = None
    location: _Location | None = None


class _Work(_Section):
    employer: _Line = Field(None, validation_alias=AliasChoices("name", "company"))
    title: _Line = Field(None, alias="position")
    start: _Date = Field(None, alias="startDate")
    end: _Date = Field(None, alias="endDate")
    summary: _Prose = None
    highlights: list[str] | None = None


class _Education(_Section):
    school: _Line = Field(None, alias="institution")
    field: _Line = Field(None, alias="area")
    degree: _Line = Field(None, alias="studyType")
    start: _Date = Field(None, alias="startDate")
    end: _Date = Field(None, alias="endDate")


class _Skill(_Section):
    name: _Line = None
    keywords: list[_Line] | None = None


class _Language(_Section):
    language: _Line = None


class _Resume(_Section):
    basics: _Basics | None = None
    work: list[_Work] | None = None
    education: list[_Education] | None = None
    skills: list[_Skill] | None = None
    languages: list[_Language] | None = None


def from_json_resume(value: object) -> Candidate:
    """The record that a JSON Resume states; highlights follow the summary of their job, a line each.

    Parameters
    ----------
    value : parsed JSON.

    Raises
    ------
    DataRejectedError : none of the sections is there, or a value is of the wrong type, form or length.
    """
    if not isinstance(value, Mapping) or not _Resume.model_fields.keys() & value.keys():
        raise DataRejectedError(
            f"is no JSON Resume: none of {', '.join(_Resume.model_fields)} is there; cure: see {SCHEMA}"
        )
    try:
        resume = _Resume.model_validate(value)
        basics = resume.basics or _Basics()
        location = basics.location or _Location()
        contact = Contact(
            **basics.model_dump(include={"name", "email", "phone", "url"}),
            **location.model_dump(include={"city", "country", "zip"}),
            state=location.region,
        )
        skills = [name for skill in resume.skills or () for name in (skill.name, *(skill.keywords or ())) if name]
        return Candidate(
            contact=contact,
            headline=basics.label,
            summary=basics.summary,
            work=tuple(_job(job) for job in resume.work or ()),
            education=tuple(Education(**course.model_dump()) for course in resume.education or ()),
            skills=tuple(skills),
            languages=tuple(spoken.language for spoken in resume.languages or () if spoken.language),
        )
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "a section"
        raise DataRejectedError(f"{place} of the JSON Resume: {first['msg']}; cure: correct it in the file") from None


def _job(job: _Work) -> Work:
    lines = [job.summary or "", *(job.highlights or ())]
    summary = "\n".join(line for line in lines if line.strip()) or None
    return Work(title=job.title, employer=job.employer, start=job.start, end=job.end, summary=summary)


def to_json_resume(candidate: Candidate) -> dict[str, Any]:
    """The record as a JSON Resume; unknown values are left out.

    A country of two capital letters is its code; any other way to write it goes to "country", which the schema allows.
    """
    contact = candidate.contact
    coded = bool(re.fullmatch(r"[A-Z]{2}", contact.country or ""))
    location = {
        "city": contact.city,
        "region": contact.state,
        "countryCode" if coded else "country": contact.country,
        "postalCode": contact.zip,
    }
    basics = {
        "name": contact.name,
        "label": candidate.headline,
        "email": contact.email,
        "phone": contact.phone,
        "url": contact.url,
        "summary": candidate.summary,
        "location": _known(location),
    }
    work = [
        {"name": job.employer, "position": job.title, **_period(job.start, job.end), "summary": job.summary}
        for job in candidate.work
    ]
    education = [
        {"institution": one.school, "area": one.field, "studyType": one.degree, **_period(one.start, one.end)}
        for one in candidate.education
    ]
    return {
        "$schema": SCHEMA,
        "basics": _known(basics),
        "work": [_known(job) for job in work],
        "education": [_known(course) for course in education],
        "skills": [{"name": skill} for skill in candidate.skills],
        "languages": [{"language": language} for language in candidate.languages],
    }


def _period(start: str | None, end: str | None) -> dict[str, str | None]:
    return {"startDate": start, "endDate": end}


def _known(section: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if value not in (None, {})}


def as_text(candidate: Candidate) -> str:
    """The record as the text of a résumé, in the sections and lines that `recognise.candidate` reads."""
    contact = candidate.contact
    place = ", ".join(part for part in (contact.city, contact.state, contact.country, contact.zip) if part)
    head = [contact.name, candidate.headline, contact.email, contact.phone, contact.url, place]
    blocks = ["\n".join(line for line in head if line)]
    if candidate.summary:
        blocks.append(f"Summary\n{candidate.summary}")
    for heading, entries in (
        ("Experience", [((job.title, job.employer), job.start, job.end, job.summary) for job in candidate.work]),
        ("Education", [((e.degree, e.field, e.school), e.start, e.end, None) for e in candidate.education]),
    ):
        lines = [_entry(names, start, end, prose) for names, start, end, prose in entries]
        blocks += [f"{heading}\n" + "\n\n".join(lines)] if lines else []
    for heading, items in (("Skills", candidate.skills), ("Languages", candidate.languages)):
        blocks += [f"{heading}\n" + ", ".join(items)] if items else []
    return "\n\n".join(block for block in blocks if block)


def _entry(names: tuple[str | None, ...], start: str | None, end: str | None, prose: str | None) -> str:
    dates = " - ".join(date for date in (start, end or (start and "present")) if date)
    title = " | ".join(part for part in (*names, dates) if part)
    return f"{title}\n{prose}" if prose else title
