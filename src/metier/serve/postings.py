"""A job between schema.org, the store and the models."""

from html import escape
from typing import Any

from metier.features.level import levels
from metier.live import Posting
from metier.serve.records import moment
from metier.sources.job_posting import JobPosting
from metier.store.jobs import Job


def job_of(id: str, posting: JobPosting) -> Job:
    """The store's row of a posting that came in."""
    place = posting.jobLocation.address if posting.jobLocation else None
    low, high = posting.salary
    return Job(
        id=id,
        title=posting.title,
        text=posting.text,
        employer=posting.hiringOrganization.name if posting.hiringOrganization else None,
        city=place.addressLocality if place else None,
        state=place.addressRegion if place else None,
        country=place.addressCountry if place else None,
        zip=place.postalCode if place else None,
        remote=True if posting.jobLocationType else None,
        salary_min=low,
        salary_max=high,
        currency=posting.baseSalary.currency if posting.baseSalary else None,
        level=int(levels([posting.title])[0]) if posting.title.strip() else None,
        start=posting.start,
        end=posting.end,
        original=posting.model_copy(update={"id": id}).document(),
        html=posting.description,
    )


def document_of(posting: Posting) -> dict[str, Any]:
    """A job that only the bundle holds, as JSON-LD; its text is plain, so it is escaped on the way to HTML."""
    address = {
        "addressLocality": posting.city,
        "addressRegion": posting.state,
        "addressCountry": posting.country,
        "postalCode": posting.zip,
    }
    known = {name: value for name, value in address.items() if value}
    made = {
        "@context": "https://schema.org",
        "@type": "JobPosting",
        "@id": posting.id,
        "title": posting.title,
        "description": escape(posting.text, quote=False),
        "hiringOrganization": {"@type": "Organization", "name": posting.employer} if posting.employer else None,
        "jobLocation": {"@type": "Place", "address": {"@type": "PostalAddress", **known}} if known else None,
        "jobLocationType": "TELECOMMUTE" if posting.remote else None,
        "datePosted": None if posting.start is None else moment(posting.start),
        "validThrough": None if posting.end is None else moment(posting.end),
    }
    return {name: value for name, value in made.items() if value is not None}
