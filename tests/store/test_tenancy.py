"""No tenant sees or changes a row of another: every method of every repository, asked by a second tenant."""

import inspect
from functools import cached_property

import sqlalchemy as sa

from metier.errors import UnknownIdError, UsageError
from metier.store import Rows
from metier.store.audit import Entry
from metier.store.erasure import Receipt
from metier.store.events import Event
from metier.store.idempotency import Kept
from metier.store.imports import Refusal
from metier.store.jobs import Job
from metier.store.people import Person
from metier.store.schema import metadata
from metier.store.scope import Page
from metier.store.tokens import Hashed, digest

HASH = Hashed("$argon2id$none")
READ = {"kind": "pdf", "how": "OCR", "text": "new", "hidden": [], "candidate": {}}


def fill(rows):
    """One row of each kind; the ids that the store chose."""
    rows.people.save([Person("p1", "secret", discoverable=True)])
    resume = rows.resumes.add("p1", b"secret").id
    rows.resumes.done(rows.resumes.add("p1", b"read").id, **READ)
    rows.jobs.save([Job("j1", "secret", "")])
    rows.events.add([Event("e1", "applied", "p1", "j1", 1.0)])
    rows.exposures.add({"j1": 5}, 1)
    for version in ("m@1", "m@2"):
        rows.models.add(version, "m")
        rows.models.promote(version, "root")
    made = rows.imports.start("jobs").id
    rows.imports.count(made, 1, 0, [Refusal(1, "secret")])
    account = rows.accounts.add("ann", HASH, "admin", "p1").id
    key, _ = rows.keys.add("secret", ["read"], account)
    rows.idempotency.keep("ann", "k", "r", "b", Kept(200, b"secret"), person="p1")
    rows.audit.append("ann", "person.viewed", "p1")
    rows.audit.append("ann", "candidates.served", "j1", people=[("p1", 0.5)])
    erased = rows.erasure.erase("p2").id
    assert rows.recommendations.put("p1", "f", "m@2", b"secret", rows.recommendations.stamp("p1"))
    return {"resume": resume, "account": account, "key": key.id, "import": made, "erased": erased}


CALLS = {
    "accounts.add": lambda rows, id: rows.accounts.add("ann", HASH, "seeker", "p1"),
    "accounts.get": lambda rows, id: rows.accounts.get(id["account"]),
    "accounts.page": lambda rows, id: rows.accounts.page(),
    "accounts.has_admin": lambda rows, id: rows.accounts.has_admin(),
    "accounts.hashed": lambda rows, id: rows.accounts.hashed(id["account"]),
    "accounts.end_sessions": lambda rows, id: rows.accounts.end_sessions(id["account"]),
    "accounts.set_password": lambda rows, id: rows.accounts.set_password(id["account"], HASH),
    "accounts.set_role": lambda rows, id: rows.accounts.set_role(id["account"], "seeker"),
    "accounts.set_enabled": lambda rows, id: rows.accounts.set_enabled(id["account"], False),
    "accounts.delete": lambda rows, id: rows.accounts.delete(id["account"]),
    "keys.add": lambda rows, id: rows.keys.add("nightly", ["read"], "a"),
    "keys.get": lambda rows, id: rows.keys.get(id["key"]),
    "keys.of": lambda rows, id: rows.keys.of(id["account"]),
    "keys.page": lambda rows, id: rows.keys.page(),
    "keys.revoke": lambda rows, id: rows.keys.revoke(id["key"]),
    "people.get": lambda rows, id: rows.people.get("p1"),
    "people.among": lambda rows, id: rows.people.among(["p1"]),
    "people.page": lambda rows, id: rows.people.page(),
    "people.discoverable": lambda rows, id: rows.people.discoverable(9),
    "people.save": lambda rows, id: rows.people.save([Person("p1", "mine")]),
    "people.touch": lambda rows, id: rows.people.touch(["p1"], 99),
    "people.discoverable_since": lambda rows, id: rows.people.discoverable_since(),
    "resumes.add": lambda rows, id: rows.resumes.add("p1", b"secret"),
    "resumes.get": lambda rows, id: rows.resumes.get(id["resume"]),
    "resumes.of_person": lambda rows, id: rows.resumes.of_person("p1"),
    "resumes.newest": lambda rows, id: rows.resumes.newest(["p1"]) or rows.resumes.newest(),
    "resumes.waiting": lambda rows, id: rows.resumes.waiting(),
    "resumes.claim": lambda rows, id: rows.resumes.claim(id["resume"], 60),
    "resumes.done": lambda rows, id: rows.resumes.done(id["resume"], **READ),
    "resumes.refuse": lambda rows, id: rows.resumes.refuse(id["resume"], "mine"),
    "resumes.delete": lambda rows, id: rows.resumes.delete(id["resume"]),
    "jobs.get": lambda rows, id: rows.jobs.get("j1"),
    "jobs.page": lambda rows, id: rows.jobs.page(),
    "jobs.save": lambda rows, id: rows.jobs.save([Job("j1", "mine", "")]),
    "jobs.withdraw": lambda rows, id: rows.jobs.withdraw("j1"),
    "jobs.last": lambda rows, id: rows.jobs.last(),
    "jobs.changed": lambda rows, id: rows.jobs.changed().posted,
    "events.add": lambda rows, id: rows.events.add([Event("e1", "viewed", "p1", "j1", 2.0)]).duplicates,
    "events.of_person": lambda rows, id: rows.events.of_person("p1"),
    "events.of_people": lambda rows, id: rows.events.of_people(["p1"])["p1"],
    "events.page": lambda rows, id: rows.events.page("p1"),
    "events.since": lambda rows, id: rows.events.since(),
    "recommendations.get": lambda rows, id: rows.recommendations.get("p1", "f"),
    "recommendations.stamp": lambda rows, id: rows.recommendations.stamp("p1") != "0:0:0:0:0",
    "recommendations.put": lambda rows, id: (
        not rows.recommendations.put("p1", "f", "m@1", b"mine", rows.recommendations.stamp("p1"))
    ),
    "recommendations.void": lambda rows, id: rows.recommendations.void(["p1"]),
    "recommendations.void_all": lambda rows, id: rows.recommendations.void_all(),
    "recommendations.purge": lambda rows, id: rows.recommendations.purge(),
    "exposures.add": lambda rows, id: rows.exposures.add({"j1": 1}, 1),
    "exposures.since": lambda rows, id: rows.exposures.since(0),
    "exposures.forget": lambda rows, id: rows.exposures.forget(9),
    "models.add": lambda rows, id: rows.models.add("m@1", "mine").state != "candidate",
    "models.get": lambda rows, id: rows.models.get("m@1"),
    "models.live": lambda rows, id: rows.models.live(),
    "models.all": lambda rows, id: rows.models.all(),
    "models.promote": lambda rows, id: rows.models.promote("m@1", "root"),
    "models.roll_back": lambda rows, id: rows.models.roll_back("root"),
    "models.history": lambda rows, id: rows.models.history(),
    "imports.start": lambda rows, id: rows.imports.start("jobs"),
    "imports.get": lambda rows, id: rows.imports.get(id["import"]),
    "imports.page": lambda rows, id: rows.imports.page(),
    "imports.count": lambda rows, id: rows.imports.count(id["import"], 1, 1, [Refusal(2, "mine")]),
    "imports.end": lambda rows, id: rows.imports.end(id["import"], "done"),
    "imports.refusals": lambda rows, id: rows.imports.refusals(id["import"]),
    "idempotency.find": lambda rows, id: rows.idempotency.find("ann", "k", "r", "b"),
    "idempotency.keep": lambda rows, id: rows.idempotency.keep("ann", "k", "r", "b", Kept(1, b""), person=None),
    "audit.append": lambda rows, id: rows.audit.append("bob", "person.viewed", "p1"),
    "audit.append_many": lambda rows, id: rows.audit.append_many([Entry("bob", "person.viewed")]),
    "audit.page": lambda rows, id: rows.audit.page(),
    "audit.lists_of_candidates": lambda rows, id: list(rows.audit.lists_of_candidates(0.0)),
    "audit.count_of_lists": lambda rows, id: rows.audit.count_of_lists(0.0)[0],
    "audit.verify": lambda rows, id: rows.audit.verify().rows,
    "erasure.export": lambda rows, id: [row for rows_ in rows.erasure.export("p1").values() for row in rows_],
    "erasure.erase": lambda rows, id: sum(rows.erasure.erase("p1").counts.values()),
    "erasure.erased": lambda rows, id: rows.erasure.erased(),
    "erasure.was_erased": lambda rows, id: rows.erasure.was_erased("p2"),
    "erasure.everybody": lambda rows, id: rows.erasure.everybody(),
    "erasure.unknown": lambda rows, id: not rows.erasure.unknown([Receipt(id["erased"], "", 0, 0.0, {})]),
    "erasure.repeat": lambda rows, id: rows.erasure.repeat([Receipt("again", digest("p1"), 0, 0.0, {})]),
    "erasure.page": lambda rows, id: rows.erasure.page(),
    "learned": lambda rows, id: sum(
        map(len, (rows.learned().people, rows.learned().jobs, rows.learned().interactions))
    ),
}
MAKES_A_ROW = {"accounts.add", "keys.add", "resumes.add", "imports.start"}
"""What these return is the second tenant's own new row."""
TOLD = {
    "people.among", "people.discoverable", "people.discoverable_since", "resumes.newest", "resumes.waiting",
    "jobs.changed", "jobs.last", "models.live", "models.all", "models.history", "imports.refusals", "idempotency.find",
    "erasure.export", "erasure.erased", "erasure.was_erased", "erasure.unknown", "erasure.everybody", "learned",
    "audit.verify", "audit.lists_of_candidates", "audit.count_of_lists", "recommendations.stamp",
    "accounts.has_admin", "accounts.hashed",
}  # fmt: skip
"""What tells something about rows, besides get, page, of_ and since."""


def everything(store, tenant):
    with store.database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table).where(owner == tenant))))
            for table in metadata.sorted_tables
            for owner in [table.c.id if table.name == "tenants" else table.c.get("tenant")]
            if owner is not None
        }


def told_to(rows, name, ids):
    try:
        told = CALLS[name](rows, ids)
    except (UnknownIdError, UsageError):
        return None
    if name in MAKES_A_ROW:
        return "secret" in repr(told) or getattr(told, "id", None) in ids.values()
    return told.items if isinstance(told, Page) else told


def test_another_tenant_is_told_nothing_and_changes_nothing(store, tenant):
    with store.write(tenant) as rows:
        ids = fill(rows)
    before = everything(store, tenant)
    leaks, changes = {}, {}
    for name in CALLS:
        with store.write(store.add_tenant(name).id) as rows:
            told = told_to(rows, name, ids)
        after = everything(store, tenant)
        leaks |= {name: told} if told else {}
        changes |= {name: [table for table in before if before[table] != after[table]]} if after != before else {}
    assert (leaks, changes) == ({}, {})


def test_the_first_tenant_is_told(store, tenant):
    """Or else the test above could not fail."""
    with store.write(tenant) as rows:
        ids = fill(rows)
    silent = set()
    for name in CALLS:
        if name in TOLD or name.partition(".")[2].startswith(("get", "page", "of_", "since")):
            with store.read(tenant) as rows:
                if not told_to(rows, name, ids):
                    silent.add(name)
    assert silent == set()


def test_no_method_is_left_out():
    repositories = {
        name: inspect.get_annotations(member.func, eval_str=True)["return"]
        for name, member in vars(Rows).items()
        if isinstance(member, cached_property)
    }
    methods = {
        f"{name}.{method}"
        for name, kind in repositories.items()
        for method, member in vars(kind).items()
        if inspect.isfunction(member) and not method.startswith("_")
    }
    assert methods | {"learned"} == set(CALLS)
