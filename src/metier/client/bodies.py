"""What is sent. Written by `make client`; what is changed here is lost."""

from typing import Literal, NotRequired, TypedDict

Address = TypedDict(
    "Address",
    {
        "@type": NotRequired[Literal["PostalAddress"]],
        "addressLocality": NotRequired[str | None],
        "addressRegion": NotRequired[str | None],
        "addressCountry": NotRequired[str | None],
        "postalCode": NotRequired[str | None],
    },
)
"""A postal address, as far as it says where a job is."""


class Asked(TypedDict):
    """How many jobs, under which conditions."""

    city: NotRequired[str | None]
    """Exact, in any case, as are state, country and employer."""
    state: NotRequired[str | None]
    """One of the US by its letters or its name."""
    country: NotRequired[str | None]
    within_km: NotRequired[float | None]
    """Of the person's own place; a person or a job whose place is not in the gazetteer finds nothing."""
    remote: NotRequired[bool | None]
    salary_min: NotRequired[float | None]
    """The posting's highest (else lowest) salary a year is at least this; currencies are not converted."""
    level_min: NotRequired[int | None]
    level_max: NotRequired[int | None]
    posted_after: NotRequired[float | None]
    """Seconds since 1970 UTC."""
    employer: NotRequired[str | None]
    words: NotRequired[list[str]]
    """Each must occur in title or text as whole words, in any case."""
    k: NotRequired[int]
    """Number of jobs."""
    order: NotRequired[Literal["likely", "closest"]]
    """likely: first what the person is likeliest to choose, by all that is known; closest: first what is closest to
    their words, whatever its place, its popularity or their applications. Who says nothing gets likely."""
    reasons: NotRequired[bool]
    """Also say why, for each job."""
    format: NotRequired[Literal["json", "csv"]]


class Profile(TypedDict):
    """What somebody says of themselves."""

    text: NotRequired[str]
    """In their own words."""
    titles: NotRequired[list[str]]
    """Of the jobs they held, newest first."""
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    country: NotRequired[str | None]
    zip: NotRequired[str | None]
    wishes: NotRequired[str]
    """As typed: "no travel; python, not java"."""
    discoverable: NotRequired[bool]
    """Whether recruiters of the tenant may find them."""


class Bundle(TypedDict):
    """A bundle by the name of its folder in the workspace's `models`."""

    bundle: str


class Credentials(TypedDict):
    """Who wants to sign in."""

    login: str
    password: str
    tenant: NotRequired[str | None]
    """Name of the tenant; the one of the first start if it is not said."""


class FirstAccount(TypedDict):
    """The first administrator."""

    token: str
    """The one-time token that `metier serve` or `metier tenant add` printed."""
    login: str
    password: str


Identifier = TypedDict(
    "Identifier",
    {
        "@type": NotRequired[Literal["PropertyValue"]],
        "name": NotRequired[str | None],
        "value": str,
    },
)
"""The employer's own name for the posting."""


Organization = TypedDict(
    "Organization",
    {
        "@type": NotRequired[Literal["Organization"]],
        "name": str,
    },
)
"""Who hires."""


class NewAccess(TypedDict):
    """Whether an account opens."""

    enabled: bool


class NewAccount(TypedDict):
    """Somebody who may sign in."""

    login: str
    password: str
    role: Literal["seeker", "recruiter", "operator", "admin"]
    person: NotRequired[str | None]
    """A seeker's person; one is made up if there is none."""


class NewEvent(TypedDict):
    """Something that a person did."""

    id: NotRequired[str | None]
    """The event's own id; the same id counts once: of all keys, or of one account. One is made if there is none."""
    kind: Literal["applied", "viewed", "saved", "dismissed", "unapplied", "unsaved", "undismissed"]
    """`unapplied`, `unsaved` and `undismissed` take back what the person did with the job before."""
    person: str
    job: str
    time: NotRequired[str | None]
    """When it happened; now, if it is not said."""


class NewKey(TypedDict):
    """A program that shall act for the tenant."""

    label: str
    scopes: list[Literal["read", "write", "people", "jobs", "events", "models", "admin"]]
    expires: NotRequired[str | None]


class NewPassword(TypedDict):
    """A password that an administrator chose."""

    password: str


class NewPerson(TypedDict):
    """A profile with the caller's own id for the person, or none: then one is made."""

    text: NotRequired[str]
    """In their own words."""
    titles: NotRequired[list[str]]
    """Of the jobs they held, newest first."""
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    country: NotRequired[str | None]
    zip: NotRequired[str | None]
    wishes: NotRequired[str]
    """As typed: "no travel; python, not java"."""
    discoverable: NotRequired[bool]
    """Whether recruiters of the tenant may find them."""
    id: NotRequired[str | None]


class NewRole(TypedDict):
    """What somebody shall be."""

    role: Literal["seeker", "recruiter", "operator", "admin"]


class OwnPassword(TypedDict):
    """Another password for whoever knows the present one."""

    present: str
    password: str


Quantity = TypedDict(
    "Quantity",
    {
        "@type": NotRequired[Literal["QuantitativeValue"]],
        "value": NotRequired[float | None],
        "minValue": NotRequired[float | None],
        "maxValue": NotRequired[float | None],
        "unitText": NotRequired[Literal["HOUR", "DAY", "WEEK", "MONTH", "YEAR"]],
    },
)
"""An amount or a range of amounts for a unit of time."""


Place = TypedDict(
    "Place",
    {
        "@type": NotRequired[Literal["Place"]],
        "address": Address,
    },
)
"""Where the work is done."""


class Anybody(TypedDict):
    """Somebody whom the service does not know and will not keep."""

    profile: Profile
    applied: NotRequired[list[str]]
    """Jobs they applied to, oldest first."""
    asked: NotRequired[Asked]
    """Number of jobs and conditions."""


Salary = TypedDict(
    "Salary",
    {
        "@type": NotRequired[Literal["MonetaryAmount"]],
        "currency": str,
        "value": Quantity,
    },
)
"""What a job pays."""


JobPosting = TypedDict(
    "JobPosting",
    {
        "@context": NotRequired[Literal["https://schema.org", "https://schema.org/", "http://schema.org"]],
        "@type": NotRequired[Literal["JobPosting"]],
        "@id": NotRequired[str | None],
        "title": str,
        "description": NotRequired[str],
        "hiringOrganization": NotRequired[Organization | None],
        "jobLocation": NotRequired[Place | None],
        "jobLocationType": NotRequired[Literal["TELECOMMUTE"] | None],
        "baseSalary": NotRequired[Salary | None],
        "datePosted": NotRequired[str | None],
        "validThrough": NotRequired[str | None],
        "employmentType": NotRequired[list[str] | None],
        "identifier": NotRequired[Identifier | None],
    },
)
"""A job as it is published."""
