"""Everything that is no success has one shape."""

import asyncio
from itertools import product

import pytest

from metier.errors import MetierError, StoreError, StoreFullError
from metier.serve.problems import of_metier

FORM = "multipart/form-data"
SHAPE = {"type", "title", "status", "detail", "instance", "errors"}


@pytest.mark.parametrize(
    ("status", "method", "path", "arguments"),
    [
        (404, "GET", "/nowhere", {}),
        (404, "GET", "/api/v1/people/nobody", {}),
        (405, "PATCH", "/api/v1/people", {}),
        (413, "POST", "/api/v1/people", {"content": b"x" * 1_000_001}),
        (415, "POST", "/api/v1/people/bulk", {"content": b"{}"}),
        (422, "POST", "/api/v1/people", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        (422, "POST", "/api/v1/people", {"json": {"discoverable": "CANARY"}}),
        (422, "POST", "/api/v1/people", {"json": {"text": "CANARY\x00"}}),
        (422, "POST", "/api/v1/jobs", {"json": {"title": "CANARY\x00"}}),
        (422, "POST", "/api/v1/jobs", {"json": {"title": "a", "validThrough": "9999-12-31T23:59:59-12:00"}}),
        (422, "POST", "/api/v1/keys", {"json": {"label": "a", "scopes": ["read"], "expires": "9999-12-31T23:59:59Z"}}),
        (
            422,
            "POST",
            "/api/v1/events",
            {"json": {"kind": "saved", "person": "p1", "job": "j1", "time": "0001-01-01T00:00:00+12:00"}},
        ),
        (422, "GET", "/api/v1/people", {"params": {"cursor": "YQBi"}}),
        (422, "GET", "/api/v1/audit", {"params": {"object": "CANARY\x00"}}),
        (422, "GET", "/api/v1/imports/CANARY%00", {}),
        (422, "GET", "/api/v1/people/p1/recommendations", {"params": {"k": "CANARY"}}),
        (422, "GET", "/api/v1/people/p1/recommendations", {"params": {"posted_after": "nan"}}),
        (422, "POST", "/api/v1/people/p1/resumes", {"content": b"CANARY"}),
        (422, "POST", "/api/v1/people", {"json": {}, "headers": {"Idempotency-Key": "x" * 201}}),
        (422, "POST", "/api/v1/models/rollback", {}),
        (401, "GET", "/api/v1/people", {"headers": {"Authorization": "Bearer CANARY"}}),
        (
            400,
            "POST",
            "/api/v1/people/p1/resumes",
            {"content": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        ),
    ],
)
def test_error_has_the_one_shape_and_repeats_no_value(make_world, status, method, path, arguments):
    async def story():
        async with make_world() as world, world.client("full") as client:
            answer = await client.request(method, path, **arguments)
            assert answer.status_code == status, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            problem = answer.json()
            assert set(problem) == SHAPE
            assert problem["status"] == status
            assert problem["instance"] == answer.headers["x-request-id"]
            assert problem["type"].startswith("urn:metier:problem:")
            assert "CANARY" not in answer.text
            if status == 422 and "json" in arguments:
                assert problem["errors"]

    asyncio.run(story())


def test_emptied_bucket_of_a_key_is_429(make_world):
    async def story():
        async with make_world(key_requests_per_minute=4) as world, world.client("full") as client:
            codes = [(await client.get("/api/v1/jobs")).status_code for _ in range(3)]
            assert codes == [200, 429, 429]
            answer = await client.get("/api/v1/jobs")
            assert int(answer.headers["retry-after"]) >= 1
            assert set(answer.json()) == SHAPE

    asyncio.run(story())


@pytest.mark.parametrize(
    ("path", "wrong", "refused"),
    [
        ("/api/v1/sessions", {"login": "admin", "password": "wrong"}, 401),
        ("/api/v1/accounts/first", {"login": "admin", "password": "long enough to be one", "token": "wrong"}, 404),
    ],
)
def test_guessing_passwords_and_tokens_is_slowed(make_world, path, wrong, refused):
    async def story():
        async with make_world(sign_ins_per_minute=3, requests_per_minute=100_000) as world:
            client = world.client()
            codes = [(await client.post(path, json=wrong)).status_code for _ in range(4)]
            assert codes == [refused, refused, refused, 429]
            other = world.client(address="192.0.2.99")
            assert (await other.post(path, json=wrong)).status_code == refused

    asyncio.run(story())


def test_processes_grant_a_limit_together(make_world):
    async def story():
        async with make_world(sign_ins_per_minute=6, requests_per_minute=24, processes=3) as world:
            wrong = {"login": "admin", "password": "wrong"}
            codes = [(await world.client().post("/api/v1/sessions", json=wrong)).status_code for _ in range(3)]
            assert codes == [401, 401, 429]
            guess = world.client(address="192.0.2.99")
            assert [(await guess.get("/api/v1/jobs")).status_code for _ in range(3)] == [401, 401, 429]

    asyncio.run(story())


def test_guessing_keys_is_slowed(make_world):
    async def story():
        async with make_world(requests_per_minute=4) as world:
            guess = world.client(address="192.0.2.99")
            guess.headers["Authorization"] = "Bearer metier_guess"
            assert [(await guess.get("/api/v1/jobs")).status_code for _ in range(3)] == [401, 429, 429]

    asyncio.run(story())


def test_made_up_credentials_do_not_spare_the_limit_of_strangers(make_world):
    paths = ("/health/live", "/try", "/nowhere", "/static/style.css", "/api/v1/jobs")
    given = ({"Cookie": "a=b"}, {"Authorization": "x"}, {"Cookie": "metier_session=guess"})

    async def story():
        async with make_world(requests_per_minute=8) as world:
            for place, (path, headers) in enumerate(product(paths, given)):
                client = world.client(address=f"198.51.100.{place}")
                codes = [(await client.get(path, headers=headers)).status_code for _ in range(4)]
                assert 429 not in codes[:2], (path, headers)
                assert codes[2:] == [429, 429], (path, headers)
                known = world.client("full", address=f"198.51.100.{place}")
                assert (await known.get("/api/v1/jobs")).status_code == 200

    asyncio.run(story())


def test_words_of_the_database_stay_in_the_log():
    refused = of_metier(StoreError("database postgresql://me@secret-host/db does not answer"))
    assert (refused.status_code, refused.headers) == (503, {"Retry-After": "2"})
    assert "secret-host" not in refused.detail
    assert of_metier(StoreFullError("whatever it says")).status_code == 507
    assert of_metier(MetierError("database x has no room left")).status_code == 500, "words say nothing"
