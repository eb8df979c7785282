"""The operations. Written by `make client`; what is changed here is lost."""

# mypy: disable-error-code="no-any-return"

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from metier.client.answers import (
    AccountOut,
    AuditOut,
    FirstAccountOut,
    Health,
    ImportOut,
    JobSaved,
    KeyMade,
    KeyOut,
    ModelOut,
    Models,
    PersonOut,
    Raises,
    Ranking,
    Readiness,
    ReasonsOut,
    Receipt,
    Recommendations,
    Recorded,
    ResumeOut,
    ResumeState,
    SessionMade,
    SessionOut,
    VerdictOut,
)
from metier.client.bodies import (
    Anybody,
    Bundle,
    Credentials,
    FirstAccount,
    JobPosting,
    NewAccess,
    NewAccount,
    NewEvent,
    NewKey,
    NewPassword,
    NewPerson,
    NewRole,
    OwnPassword,
    Profile,
)
from metier.client.transport import Transport, quoted


class Operations(Transport):
    """metier 0.1.0, operation by operation."""

    def get_recommendations(
        self,
        person: str,
        *,
        city: str | None = None,
        state: str | None = None,
        country: str | None = None,
        within_km: float | None = None,
        remote: bool | None = None,
        salary_min: float | None = None,
        level_min: int | None = None,
        level_max: int | None = None,
        posted_after: float | None = None,
        employer: str | None = None,
        words: list[str] | None = None,
        k: int | None = None,
        order: Literal["likely", "closest"] | None = None,
        reasons: bool | None = None,
    ) -> Recommendations:
        """The best open jobs for a person, under conditions. Served again as they are until something about it
        changes."""
        return self._ask(
            "GET",
            f"/api/v1/people/{quoted(person)}/recommendations",
            params={
                "city": city,
                "state": state,
                "country": country,
                "within_km": within_km,
                "remote": remote,
                "salary_min": salary_min,
                "level_min": level_min,
                "level_max": level_max,
                "posted_after": posted_after,
                "employer": employer,
                "words": words,
                "k": k,
                "order": order,
                "reasons": reasons,
            },
        )

    def recommend_to_anybody(self, body: Anybody) -> Recommendations:
        """The best open jobs for somebody who is described here. Nothing of it is kept."""
        return self._ask("POST", "/api/v1/recommendations", json=body)

    def get_reasons(self, person: str, job: str) -> ReasonsOut:
        """Why a job fits a person: what in their history and words the score rests on, measured by leaving it out."""
        return self._ask("GET", f"/api/v1/people/{quoted(person)}/reasons", params={"job": job})

    def get_raises(self, person: str, job: str) -> Raises:
        """Skills that the job asks for and the person does not name, by what each would add if it were true."""
        return self._ask("GET", f"/api/v1/people/{quoted(person)}/raises", params={"job": job})

    def bulk_people(self, records: Iterable[NewPerson]) -> list[ImportOut]:
        """Make or replace people."""
        return self._lines("/api/v1/people/bulk", records)

    def bulk_jobs(self, records: Iterable[JobPosting]) -> list[ImportOut]:
        """Post or replace jobs, each with its `@id`."""
        return self._lines("/api/v1/jobs/bulk", records)

    def bulk_events(self, records: Iterable[NewEvent]) -> list[ImportOut]:
        """Record events; one whose id is known counts as a duplicate."""
        return self._lines("/api/v1/events/bulk", records)

    def get_import(self, import_id: str, *, limit: int | None = None, cursor: str | None = None) -> ImportOut:
        """A bulk call: what was taken, and the lines that were set aside, page by page."""
        return self._ask("GET", f"/api/v1/imports/{quoted(import_id)}", params={"limit": limit, "cursor": cursor})

    def list_people(self, *, limit: int | None = None) -> Iterator[PersonOut]:
        """People who came or changed since training, by id."""
        return self._pages("/api/v1/people", params={"limit": limit})

    def create_person(self, body: NewPerson) -> PersonOut:
        """Make a person; 409 if there is one of that id. A repeat under the same Idempotency-Key makes nobody."""
        return self._ask("POST", "/api/v1/people", json=body, once=True)

    def get_person(self, person: str) -> PersonOut:
        """One person. A recruiter sees only who is discoverable, without names, contact data, ZIP code and wishes, and
        that is audited."""
        return self._ask("GET", f"/api/v1/people/{quoted(person)}")

    def replace_person(self, person: str, body: Profile) -> PersonOut:
        """Make or replace a profile; it takes the place of what the model was trained on. With If-Match only if nobody
        changed it since it was read."""
        return self._ask("PUT", f"/api/v1/people/{quoted(person)}", json=body)

    def erase_person(self, person: str) -> Receipt:
        """Erase what the database keeps of a person: profile, résumés, completed ones too, events, answers, account.
        Audit rows and files stay, as the receipt says; what a bundle learned of them is no longer used."""
        return self._ask("DELETE", f"/api/v1/people/{quoted(person)}")

    def export_person(self, person: str) -> dict[str, list[dict[str, Any]]]:
        """What the database keeps of a person, table by table, and audit rows about them; audited."""
        return self._ask("GET", f"/api/v1/people/{quoted(person)}/export")

    def upload_resume(self, person: str, file: Path | bytes) -> ResumeState:
        """Queue a résumé to be read; Location says where its state is. The kind is told by content, never by name."""
        return self._ask("POST", f"/api/v1/people/{quoted(person)}/resumes", file=file, once=True)

    def list_resumes(self, person: str, *, limit: int | None = None) -> Iterator[ResumeState]:
        """A person's résumés and what became of them, newest first."""
        return self._pages(f"/api/v1/people/{quoted(person)}/resumes", params={"limit": limit})

    def get_resume(self, person: str, resume: str) -> ResumeOut:
        """A résumé: its state, and once it was read the text, what was removed as invisible, and what was
        recognised."""
        return self._ask("GET", f"/api/v1/people/{quoted(person)}/resumes/{quoted(resume)}")

    def list_jobs(self, *, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Jobs posted since training, by id, as JSON-LD."""
        return self._pages("/api/v1/jobs", params={"limit": limit})

    def create_job(self, body: JobPosting) -> JobSaved:
        """Post a job; `@id` is its id, or one is made; 409 if there is one of that id."""
        return self._ask("POST", "/api/v1/jobs", json=body, once=True)

    def get_job(self, job: str) -> dict[str, Any]:
        """A job as JSON-LD, of the store or of the bundle."""
        return self._ask("GET", f"/api/v1/jobs/{quoted(job)}")

    def replace_job(self, job: str, body: JobPosting) -> JobSaved:
        """Post a job under this id, or replace it, be it of the store or of the bundle; a withdrawn one is open again.
        With If-Match only if nobody changed it since it was read."""
        return self._ask("PUT", f"/api/v1/jobs/{quoted(job)}", json=body)

    def withdraw_job(self, job: str) -> None:
        """No longer offer a job."""
        return self._ask("DELETE", f"/api/v1/jobs/{quoted(job)}")

    def get_candidates(self, job: str, *, k: int | None = None) -> Ranking:
        """The discoverable people whom a job fits best, without those who dismissed it; nobody for a job that is not
        open. Audited with who they are."""
        return self._ask("GET", f"/api/v1/jobs/{quoted(job)}/candidates", params={"k": k})

    def get_similar_jobs(self, job: str, *, k: int | None = None) -> Ranking:
        """Open jobs whose words are most alike."""
        return self._ask("GET", f"/api/v1/jobs/{quoted(job)}/similar", params={"k": k})

    def record_event(self, body: NewEvent) -> Recorded:
        """Record that somebody applied to a job, saw, saved or dismissed it, or took it back; the next answer knows
        it."""
        return self._ask("POST", "/api/v1/events", json=body, once=True)

    def list_models(self) -> Models:
        """Models of the tenant, the last changed first, and the bundles it may promote."""
        return self._ask("GET", "/api/v1/models")

    def promote_model(self, body: Bundle) -> ModelOut:
        """Load a bundle beside the live one, let it answer a question, and make it live; 422 says why it cannot be."""
        return self._ask("POST", "/api/v1/models/promote", json=body)

    def roll_back_model(self) -> ModelOut:
        """Make that model live again which was live before this one was promoted."""
        return self._ask("POST", "/api/v1/models/rollback")

    def create_first_account(self, body: FirstAccount) -> FirstAccountOut:
        """Make the first administrator of a tenant with its one-time token; 404 for a wrong token, one that a later
        start replaced, and one that was used."""
        return self._ask("POST", "/api/v1/accounts/first", json=body)

    def change_password(self, body: OwnPassword) -> None:
        """Change one's own password, knowing the present one; ends one's other sessions. Limited as signing in is."""
        return self._ask("PUT", "/api/v1/accounts/current/password", json=body)

    def list_accounts(self, *, limit: int | None = None) -> Iterator[AccountOut]:
        """Accounts of the tenant, by login."""
        return self._pages("/api/v1/accounts", params={"limit": limit})

    def create_account(self, body: NewAccount) -> AccountOut:
        """Make an account; a seeker's person becomes theirs alone to see, recruiters apart."""
        return self._ask("POST", "/api/v1/accounts", json=body)

    def change_role(self, account: str, body: NewRole) -> AccountOut:
        """Change a role; 422 for the last administrator, and to or from a seeker, whose account is one with a
        person."""
        return self._ask("PUT", f"/api/v1/accounts/{quoted(account)}/role", json=body)

    def change_access(self, account: str, body: NewAccess) -> AccountOut:
        """Disable an account: its sessions end, and its keys are let in no more until it is enabled again; another
        process may still take a key for `key_cache_seconds`. 422 for the last administrator who is enabled."""
        return self._ask("PUT", f"/api/v1/accounts/{quoted(account)}/access", json=body)

    def reset_password(self, account: str, body: NewPassword) -> None:
        """Give somebody another password and end their sessions; 422 for one's own, which asks for the present one."""
        return self._ask("PUT", f"/api/v1/accounts/{quoted(account)}/password", json=body)

    def end_sessions(self, account: str) -> None:
        """Sign somebody out everywhere."""
        return self._ask("DELETE", f"/api/v1/accounts/{quoted(account)}/sessions")

    def remove_account(self, account: str) -> None:
        """Remove an account, end its sessions and revoke its keys, those too that its keys made; another process may
        still take a key for `key_cache_seconds`. 422 for the last administrator."""
        return self._ask("DELETE", f"/api/v1/accounts/{quoted(account)}")

    def list_keys(self, *, limit: int | None = None) -> Iterator[KeyOut]:
        """Keys of the tenant, the revoked ones too."""
        return self._pages("/api/v1/keys", params={"limit": limit})

    def create_key(self, body: NewKey) -> KeyMade:
        """Make a key. A key can only make keys that may no more than itself, and that are its account's as it is."""
        return self._ask("POST", "/api/v1/keys", json=body)

    def revoke_key(self, key: str) -> None:
        """End a key at once; another process may still take it for `key_cache_seconds`."""
        return self._ask("DELETE", f"/api/v1/keys/{quoted(key)}")

    def sign_in(self, body: Credentials) -> SessionMade:
        """Sign in; the session is an HttpOnly cookie. 401 says neither that a login exists nor that it does not."""
        return self._ask("POST", "/api/v1/sessions", json=body)

    def get_session(self) -> SessionOut:
        """Who is signed in."""
        return self._ask("GET", "/api/v1/sessions/current")

    def sign_out(self) -> None:
        """Sign out; the session ends here and everywhere."""
        return self._ask("DELETE", "/api/v1/sessions/current")

    def list_audit(self, *, limit: int | None = None, object: str | None = None) -> Iterator[AuditOut]:
        """Rows, newest first."""
        return self._pages("/api/v1/audit", params={"limit": limit, "object": object})

    def verify_audit(self) -> VerdictOut:
        """Check every row against the one before it."""
        return self._ask("POST", "/api/v1/audit/verify")

    def is_live(self) -> Health:
        """The process answers; asks neither the store nor a model."""
        return self._ask("GET", "/health/live")

    def is_ready(self) -> Readiness:
        """The store answers, the threads beside the requests run, and a live model is loaded unless there is none; else
        503."""
        return self._ask("GET", "/health/ready")

    def get_metrics(self) -> str:
        """Counters for Prometheus."""
        return self._ask("GET", "/metrics")
