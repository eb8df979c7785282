"""What comes back. Written by `make client`; what is changed here is lost."""

from typing import Any, Literal, TypedDict


class AccountOut(TypedDict):
    """An account, without its password."""

    id: str
    login: str
    role: Literal["seeker", "recruiter", "operator", "admin"]
    person: str | None
    enabled: bool
    """Whether it opens: if not, nobody signs in to it, and the keys made with it let nobody in."""
    made: str


class AuditOut(TypedDict):
    """A row of the chain: ids, versions and numbers, never what a person wrote."""

    number: int
    time: str
    actor: str
    action: str
    object: str
    details: dict[str, Any]
    previous: str
    hash: str


class Fault(TypedDict):
    """One thing that is wrong with a request; it names the place, never what stood there."""

    where: str
    message: str


class FirstAccountOut(TypedDict):
    """The first administrator of a tenant."""

    id: str
    login: str
    role: Literal["seeker", "recruiter", "operator", "admin"]
    person: str | None
    enabled: bool
    """Whether it opens: if not, nobody signs in to it, and the keys made with it let nobody in."""
    made: str
    tenant: str
    """Its name, to be given when signing in."""


class Health(TypedDict):
    """The state of this process."""

    status: Literal["ok"]


class Refusal(TypedDict):
    """A line that was set aside; the reason names a field and a rule, never a value."""

    line: int
    reason: str


class JobSaved(TypedDict):
    """A job that was posted or replaced."""

    id: str


class KeyMade(TypedDict):
    """A new key."""

    id: str
    prefix: str
    label: str
    scopes: list[Literal["read", "write", "people", "jobs", "events", "models", "admin"]]
    account: str
    """Whose it is: of the account that made it, or that made the key that made it."""
    made: str
    expires: str | None
    revoked: str | None
    key: str
    """What the program sends as `Authorization: Bearer`; it cannot be had again."""


class KeyOut(TypedDict):
    """A key without its secret."""

    id: str
    prefix: str
    label: str
    scopes: list[Literal["read", "write", "people", "jobs", "events", "models", "admin"]]
    account: str
    """Whose it is: of the account that made it, or that made the key that made it."""
    made: str
    expires: str | None
    revoked: str | None


class ModelOut(TypedDict):
    """A model of the tenant."""

    version: str
    bundle: str
    state: Literal["candidate", "live", "retired"]
    before: str | None
    """What was live before it was promoted."""
    changed: str


class Passage(TypedDict):
    """Text of a résumé that no reader sees."""

    reason: str
    text: str


class PersonOut(TypedDict):
    """A person."""

    id: str
    text: str
    titles: list[str]
    city: str | None
    state: str | None
    country: str | None
    zip: str | None
    wishes: str
    discoverable: bool
    updated: str | None
    """None: as the model was trained on them."""


class RaiseOut(TypedDict):
    """A skill that would raise the match if the person truly had it."""

    id: str
    name: str
    rise: float


class Scored(TypedDict):
    """An id and its score."""

    id: str
    score: float


class Readiness(TypedDict):
    """What this process can answer."""

    status: Literal["ok"]
    models: int
    """Tenants whose live model is loaded."""
    missing: int
    """Tenants whose live model could not be loaded; they are answered 503, the others are served."""
    behind: int
    """Tenants that are answered by the model before: another process promoted one, and it is being loaded here or could
    not be."""


class Reason(TypedDict):
    """One piece of evidence."""

    kind: str
    name: str
    weight: float
    """What the score loses without it, measured."""
    spans: list[dict[str, Any]]
    """Where it stands: of, field, start, end, job."""


class Skill(TypedDict):
    """A skill that the posting names."""

    id: str
    name: str


class Receipt(TypedDict):
    """What was erased."""

    id: str
    erased: dict[str, int]
    """Rows, by table."""
    cleared: bool
    """Whether the database's log is rid of them as well; if not, since somebody was reading there, the service tries
    again every `follow_seconds` until it is."""
    remains: list[str]
    """What is not erased, and which command of the operator reaches it."""


class Recorded(TypedDict):
    """What became of an event."""

    accepted: int
    """1, or 0 where one of this id was there."""


class ResumeState(TypedDict):
    """An uploaded résumé."""

    id: str
    state: Literal["waiting", "reading", "done", "refused"]
    reason: str
    """Why it was refused."""
    made: str


class SessionMade(TypedDict):
    """A new session; its token is in the cookie alone."""

    account: str
    role: Literal["seeker", "recruiter", "operator", "admin"] | None
    person: str | None
    csrf: str
    """To be sent as X-CSRF-Token with every POST, PUT and DELETE."""
    expires: str


class SessionOut(TypedDict):
    """Who is signed in."""

    account: str
    role: Literal["seeker", "recruiter", "operator", "admin"] | None
    person: str | None
    csrf: str
    """To be sent as X-CSRF-Token with every POST, PUT and DELETE."""


class VerdictOut(TypedDict):
    """What a check of the whole chain found."""

    rows: int
    hash: str
    """Of the last row that fits; note it elsewhere from time to time."""
    broken: int | None
    """The first row that does not fit; null for a whole chain."""


class Problem(TypedDict):
    """What went wrong (RFC 9457)."""

    type: str
    """`urn:metier:problem:` and the title in lower case with hyphens."""
    title: str
    status: int
    detail: str
    instance: str
    """The request's id, as in the header X-Request-ID and the log."""
    errors: list[Fault]


class ImportOut(TypedDict):
    """A bulk call and what became of its lines."""

    id: str
    kind: str
    state: str
    accepted: int
    duplicates: int
    refused: int
    made: str
    refusals: list[Refusal]
    """The first of them, or a page of them."""
    next: str | None


class Models(TypedDict):
    """Models that were live, and bundles that may be promoted."""

    items: list[ModelOut]
    bundles: list[str]


class ResumeOut(TypedDict):
    """A résumé as it was read."""

    id: str
    state: Literal["waiting", "reading", "done", "refused"]
    reason: str
    """Why it was refused."""
    made: str
    kind: str
    how: str
    text: str
    """What a reader sees."""
    hidden: list[Passage]
    """What was removed, because no reader sees it."""
    candidate: dict[str, Any]
    """What was recognised: contact, work, education, skills, languages."""


class Raises(TypedDict):
    """What would raise a match, most first."""

    version: str
    job: str
    items: list[RaiseOut]


class Ranking(TypedDict):
    """People or jobs, the best first."""

    version: str
    items: list[Scored]


class ReasonsOut(TypedDict):
    """Why a job fits."""

    job: str
    score: float
    """By the model that scores this job for this person; not the one before it, as for a job posted since training."""
    grounds: list[Reason]
    particular: bool
    """Whether what the person says, did or wishes speaks for this job more than for most."""
    shares: dict[str, float]
    """Share of each group of features in the score."""
    matched: list[Skill]
    missing: list[Skill]


class SuggestionOut(TypedDict):
    """A job at its place."""

    rank: int
    job: str
    score: float
    """Comparable inside one answer only. A job that a ranker was not trained on carries that of the job before it."""
    title: str
    employer: str | None
    city: str | None
    state: str | None
    country: str | None
    folded: list[str]
    """Other postings of the same job."""
    reasons: ReasonsOut | None


class Recommendations(TypedDict):
    """Jobs, the best first."""

    version: str
    """The model that answered."""
    order: Literal["likely", "closest"]
    """What the jobs are ordered by."""
    items: list[SuggestionOut]
