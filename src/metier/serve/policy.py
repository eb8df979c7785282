"""Who may do what: one row for each operation. An operation without a row cannot be mounted.

A row lets in the accounts of some roles, and the keys that carry all of some scopes. Whose rows they then reach is the
operation's own business; but where a path names a person, the guard lets a seeker no further than their own. What an
actor may not do looks to them as if it did not exist.
"""

from dataclasses import dataclass, field
from typing import get_args

from metier.store.accounts import Role
from metier.store.keys import KeyScope

SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)


@dataclass(frozen=True)
class Actor:
    """Who asks: an account that signed in, or a key that acts for its tenant.

    Parameters
    ----------
    id : of the account or the key, as the audit names it.
    role : None for a key.
    person : the seeker's own person, if there is one.
    main : of the tenant of the settings, to which belongs what the machine has no other tenant for: the workspace.
    csrf : what a session must send with an unsafe request; None for a key.
    """

    id: str
    tenant: str
    role: Role | None = None
    scopes: frozenset[str] = frozenset()
    person: str | None = None
    main: bool = False
    csrf: str | None = field(default=None, repr=False)

    def may_see(self, person: str) -> bool:
        """Whether a person is theirs to see as far as their role goes; recruiters must also ask `discoverable`."""
        return self.role != "seeker" or person == self.person


@dataclass(frozen=True)
class Rule:
    """Roles that may, and scopes of which a key needs all; no scopes: no key may. `main`: only of the main tenant."""

    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    public: bool = False
    main: bool = False

    def admits(self, actor: Actor) -> bool:
        """Whether the row lets an actor in."""
        if self.main and not actor.main:
            return False
        if actor.role is not None:
            return actor.role in self.roles
        return bool(self.scopes) and self.scopes <= actor.scopes


def _rule(roles: str, scopes: str, *, main: bool = False) -> Rule:
    return Rule(frozenset(roles.split()), frozenset(scopes.split()), main=main)


EVERYBODY = Rule(public=True)
POLICY: dict[str, Rule] = {
    # people and what is about them; a seeker: their own, a recruiter: who is discoverable
    "list_people": _rule("", "read people"),
    "create_person": _rule("", "write people"),
    "get_person": _rule("seeker recruiter", "read people"),
    "replace_person": _rule("seeker", "write people"),
    "erase_person": _rule("seeker admin", "write people"),
    "export_person": _rule("seeker", "read people"),
    "bulk_people": _rule("", "write people"),
    "upload_resume": _rule("seeker", "write people"),
    "list_resumes": _rule("seeker", "read people"),
    "get_resume": _rule("seeker", "read people"),
    "get_recommendations": _rule("seeker", "read people"),
    "get_reasons": _rule("seeker", "read people"),
    "get_raises": _rule("seeker", "read people"),
    "recommend_to_anybody": _rule("seeker recruiter operator admin", "read jobs"),
    # jobs
    "list_jobs": _rule("seeker recruiter operator admin", "read jobs"),
    "create_job": _rule("recruiter", "write jobs"),
    "get_job": _rule("seeker recruiter operator admin", "read jobs"),
    "replace_job": _rule("recruiter", "write jobs"),
    "withdraw_job": _rule("recruiter", "write jobs"),
    "bulk_jobs": _rule("recruiter", "write jobs"),
    "get_candidates": _rule("recruiter", "read jobs people"),
    "get_similar_jobs": _rule("seeker recruiter operator admin", "read jobs"),
    # events
    "record_event": _rule("seeker", "write events"),
    "bulk_events": _rule("", "write events"),
    "get_import": _rule("recruiter operator admin", "read"),
    # models
    "list_models": _rule("operator admin", "read models"),
    "promote_model": _rule("operator admin", "write models"),
    "roll_back_model": _rule("operator admin", "write models"),
    # accounts, keys, sessions
    "create_first_account": EVERYBODY,
    "list_accounts": _rule("admin", "admin"),
    "create_account": _rule("admin", "admin"),
    "change_role": _rule("admin", "admin"),
    "change_access": _rule("admin", "admin"),
    "reset_password": _rule("admin", "admin"),
    "end_sessions": _rule("admin", "admin"),
    "remove_account": _rule("admin", "admin"),
    "change_password": _rule("seeker recruiter operator admin", ""),
    "list_keys": _rule("admin", "admin"),
    "create_key": _rule("admin", "admin"),
    "revoke_key": _rule("admin", "admin"),
    "sign_in": EVERYBODY,
    "get_session": _rule("seeker recruiter operator admin", ""),
    "sign_out": _rule("seeker recruiter operator admin", ""),
    # audit, operation
    "list_audit": _rule("operator admin", "read admin"),
    "verify_audit": _rule("operator admin", "read admin"),
    "get_metrics": _rule("operator admin", "read models", main=True),
    "is_live": EVERYBODY,
    "is_ready": EVERYBODY,
}
"""Operation id -> who may."""
