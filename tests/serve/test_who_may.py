"""Every operation of the OpenAPI document, asked by every kind of actor, about their own, others' and absent things.

Who may is written down here a second time, by hand, so that a slip in the policy's table shows.
"""

import asyncio
import json

import pytest

from metier.errors import UsageError
from metier.serve.app import openapi
from metier.serve.first_start import give
from metier.serve.policy import POLICY, SCOPES
from metier.serve.postings import job_of
from metier.sources.job_posting import JobPosting
from metier.store.people import Person
from metier.store.tokens import new_id

OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, methods in openapi()["paths"].items()
    for method, operation in methods.items()
}
ROLES = ("seeker", "recruiter", "operator", "admin")
PASSWORD = "correct horse battery"
LAST = ("withdraw_job", "revoke_key", "remove_account", "erase_person", "sign_out")
"""What ends things comes after what needs them."""
PUBLIC = {"create_first_account", "sign_in", "is_live", "is_ready"}
ANY_ROLE = {"recommend_to_anybody", "list_jobs", "get_job", "get_similar_jobs", "get_session", "sign_out"}
ANY_ROLE |= {"change_password"}
OPERATE = {"list_models", "promote_model", "roll_back_model", "list_audit", "verify_audit", "get_metrics", "get_import"}
ACCOUNTS = {
    "list_accounts", "create_account", "change_role", "change_access", "reset_password", "end_sessions",
    "remove_account", "list_keys", "create_key", "revoke_key",
}  # fmt: skip
OWN = {
    "get_person", "replace_person", "erase_person", "export_person", "upload_resume", "list_resumes", "get_resume",
    "get_recommendations", "get_reasons", "get_raises", "record_event",
}  # fmt: skip
MAY = {
    "none": PUBLIC,
    "seeker": PUBLIC | ANY_ROLE | OWN,
    "recruiter": PUBLIC | ANY_ROLE | {"get_person", "create_job", "replace_job", "withdraw_job", "bulk_jobs"}
    | {"get_candidates", "get_import"},
    "operator": PUBLIC | ANY_ROLE | OPERATE,
    "admin": PUBLIC | ANY_ROLE | OPERATE | ACCOUNTS | {"erase_person"},
    "full": set(OPERATIONS) - {"get_session", "sign_out", "change_password"},
    **{f"key {scope}": PUBLIC for scope in SCOPES},
    "key read": PUBLIC | {"get_import"},
    "key admin": PUBLIC | ACCOUNTS,
}  # fmt: skip
POSTING = JobPosting(title="Welder wanted", description="steel")


async def targets(world, owner):
    """Ids of things that are there, the same for a first and a later call, and of things of the other tenant."""
    ids = {}
    for where, tenant, person in (("here", world.tenant, owner), ("elsewhere", world.other, "olga")):
        with world.store.write(tenant) as rows:
            rows.people.save([Person(person, text="welder", discoverable=True)])
            rows.jobs.save([job_of(f"job-{where}", POSTING)])
            resume = rows.resumes.add(person, b"text")
            rows.resumes.done(resume.id, kind="text", how="text layer", text="welder", hidden=[], candidate={})
            account = rows.accounts.add(f"gone-{len(rows.accounts.page().items)}", "", "operator")
            key, _ = rows.keys.add("gone", ["read"], "system")
            done = rows.imports.start("jobs")
            rows.imports.end(done.id, "done")
        ids[where] = {
            "person": person, "job": f"job-{where}", "resume": resume.id, "account": account.id, "key": key.id,
            "import_id": done.id, "bundle": "second" if where == "here" else "other",
        }  # fmt: skip
    ids["absent"] = dict.fromkeys(ids["here"], "0" * 32)
    return ids


def request_of(operation, ids, actor):
    """Method, path and arguments of a request that fits the operation's schema."""
    method, path = OPERATIONS[operation]
    lines = {"Content-Type": "application/x-ndjson"}
    bodies = {
        "create_person": {"json": {"text": "nurse"}},
        "replace_person": {"json": {"text": "nurse", "discoverable": True}},
        "bulk_people": {"content": b'{"id": "x"}', "headers": lines},
        "upload_resume": {"files": {"file": ("cv", b"text")}},
        "recommend_to_anybody": {"json": {"profile": {"text": "nurse"}}},
        "create_job": {"json": POSTING.document()},
        "replace_job": {"json": POSTING.document()},
        "bulk_jobs": {"content": json.dumps(POSTING.document() | {"@id": "x"}).encode(), "headers": lines},
        "record_event": {"json": {"kind": "viewed", "person": ids["person"], "job": ids["job"]}},
        "bulk_events": {"content": b"{}", "headers": lines},
        "promote_model": {"json": {"bundle": ids["bundle"]}},
        "create_account": {"json": {"login": new_id(), "password": PASSWORD, "role": "operator"}},
        "change_role": {"json": {"role": "recruiter"}},
        "change_access": {"json": {"enabled": False}},
        "reset_password": {"json": {"password": PASSWORD}},
        "change_password": {"json": {"present": PASSWORD, "password": PASSWORD}},
        "create_key": {"json": {"label": "a", "scopes": ["admin"]}},
        "create_first_account": {"json": {"token": "x", "login": "a", "password": PASSWORD}},
        "sign_in": {"json": {"login": actor if actor in ROLES else "admin", "password": PASSWORD}},
    }
    arguments = bodies.get(operation, {})
    if operation in ("get_reasons", "get_raises"):
        arguments = {"params": {"job": ids["job"]}}
    return method, path.format(**ids), arguments


def told(answer):
    """What an answer tells, its own id apart."""
    body = answer.json() if answer.headers["content-type"].startswith("application/problem") else None
    if body:
        body.pop("instance")
    return answer.status_code, body, sorted(set(answer.headers) - {"content-length"})


def test_every_operation_has_a_row_and_every_row_an_operation():
    assert set(OPERATIONS) == set(POLICY)


@pytest.mark.parametrize("actor", MAY)
def test_nobody_does_or_learns_what_is_not_theirs(make_world, actor):
    async def story():
        async with make_world() as world:
            owner = "p0" if actor == "seeker" else "ann"
            ids = await targets(world, owner)
            if actor in ROLES:
                client = await world.signed_in(actor)
            else:
                client = world.client(None if actor == "none" else actor.removeprefix("key "))
            order = sorted(OPERATIONS, key=lambda name: (name in LAST, LAST.index(name) if name in LAST else 0, name))
            for operation in order:
                if operation == "sign_out" and actor == "seeker":
                    continue  # their account went with the person
                may, got = operation in MAY[actor], {}
                for where in ("absent", "elsewhere", "here"):
                    method, path, arguments = request_of(operation, ids[where], actor)
                    got[where] = answer = await client.request(method, path, **arguments)
                    if operation == "sign_in" and "X-CSRF-Token" in client.headers:
                        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
                    elif operation == "sign_in":
                        client.cookies.clear()
                    elif operation == "sign_out" and may:
                        got = dict.fromkeys(("absent", "elsewhere", "here"), answer)
                        break
                here = got["here"]
                if may:
                    excused = {"create_first_account": 404, "roll_back_model": 422}.get(operation)
                    assert 200 <= here.status_code < 300 or here.status_code == excused, (operation, here.text)
                else:
                    expected = 401 if actor == "none" else 404
                    assert {one.status_code for one in got.values()} == {expected}, (operation, here.text)
                    assert told(here) == told(got["absent"]), operation
                if operation != "roll_back_model":  # names nothing, and each call does something else
                    assert told(got["elsewhere"]) == told(got["absent"]), operation

    asyncio.run(story())


def test_seeker_reaches_nobody_else(make_world):
    async def story():
        async with make_world() as world:
            ids = await targets(world, "ann")
            seeker = await world.signed_in("seeker")
            for operation in sorted(OWN):
                here, absent = [
                    told(await seeker.request(method, path, **arguments))
                    for method, path, arguments in [request_of(operation, ids[w], "seeker") for w in ("here", "absent")]
                ]
                assert here == absent, operation
                assert here[0] == 404, operation

    asyncio.run(story())


def test_recruiter_sees_no_resume_and_nobody_who_is_hidden(make_world):
    async def story():
        async with make_world() as world:
            with world.store.write(world.tenant) as rows:
                rows.people.save([Person("hidden", text="welder"), Person("found", text="welder", discoverable=True)])
                resume = rows.resumes.add("found", b"text").id
                rows.resumes.done(resume, kind="text", how="text layer", text="welder", hidden=[], candidate={})
            recruiter, board = await world.signed_in("recruiter"), world.client("full")
            assert (await recruiter.get("/api/v1/people/found")).status_code == 200
            assert (await recruiter.get("/api/v1/people/hidden")).status_code == 404
            for path in ("/resumes", f"/resumes/{resume}", "/recommendations", "/export", "/reasons?job=j1"):
                assert (await board.get(f"/api/v1/people/found{path}")).status_code == 200, path
                for person in ("found", "hidden"):
                    assert (await recruiter.get(f"/api/v1/people/{person}{path}")).status_code == 404, path
            assert (await recruiter.get("/api/v1/people/p1")).status_code == 404

    asyncio.run(story())


def test_what_is_the_machine_s_is_the_main_tenant_s(make_world):
    """Bundles that were given to nobody, and counters of the process: another tenant's operators do not see them."""

    async def story():
        async with make_world() as world:
            board, other = world.client("full"), world.client("other")
            operator, neighbour = await world.signed_in("operator"), await world.signed_in("operator", "other")
            for client in (board, operator):
                assert (await client.get("/metrics")).status_code == 200
                assert (await client.get("/api/v1/models")).json()["bundles"] == ["first", "second"]
            for client in (other, neighbour):
                assert (await client.get("/metrics")).status_code == 404
                assert (await client.get("/api/v1/models")).json()["bundles"] == ["other"]
                for bundle in ("first", "second", "none"):
                    answer = await client.post("/api/v1/models/promote", json={"bundle": bundle})
                    assert answer.status_code == 404, bundle
            give(world.store, world.service.settings.home / "models" / "second", world.store.tenant("other"))
            assert (await other.get("/api/v1/models")).json()["bundles"] == ["other", "second"]
            assert (await board.get("/api/v1/models")).json()["bundles"] == ["first"]
            assert (await other.post("/api/v1/models/promote", json={"bundle": "second"})).status_code == 200
            with pytest.raises(UsageError, match="is the tenant other's"):
                give(world.store, world.service.settings.home / "models" / "second", world.store.tenant("main"))

    asyncio.run(story())
