"""Who changes what somebody else has changed meanwhile is told, over the API by ETag and on the page by the form."""

import asyncio

import pytest

from metier.sources.job_posting import JobPosting

NURSE = {"text": "I am a nurse", "city": "OH-1"}
WELDER = JobPosting(title="Welder wanted", description="<p>We hire a welder in OH</p>").document()
PEOPLE, JOBS = "/api/v1/people", "/api/v1/jobs"


@pytest.mark.parametrize(
    ("path", "first", "second", "shown"),
    [
        (f"{PEOPLE}/ann", NURSE, NURSE | {"text": "I weld"}, "text"),
        (f"{PEOPLE}/p1", NURSE, NURSE | {"text": "I weld"}, "text"),  # whom the bundle knows
        (f"{JOBS}/new", WELDER, WELDER | {"title": "Cook wanted"}, "title"),
        (f"{JOBS}/j1", WELDER, WELDER | {"title": "Cook wanted"}, "title"),
    ],
)
def test_what_was_read_is_replaced_and_what_came_since_is_not(make_world, path, first, second, shown):
    async def story():
        async with make_world() as world, world.client("full") as client:
            nothing = (await client.get(path)).headers.get("etag", '"0"')
            assert nothing == '"0"'
            made = await client.put(path, json=first, headers={"If-Match": nothing})
            read = await client.get(path)
            assert made.headers["etag"] == read.headers["etag"] != nothing
            tag = {"If-Match": f'"7000", {read.headers["etag"]}'}
            changed = await client.put(path, json=second, headers=tag)
            assert (changed.status_code, changed.headers["etag"] != made.headers["etag"]) == (200, True)
            for old in (tag, {"If-Match": nothing}, {"If-Match": f"W/{changed.headers['etag']}"}):
                refused = await client.put(path, json=first, headers=old)
                assert refused.status_code == 412
                assert refused.json()["type"] == "urn:metier:problem:precondition-failed"
            assert (await client.get(path)).json()[shown] == second[shown]
            for wanted in ({"If-Match": "*"}, {}):
                assert (await client.put(path, json=first, headers=wanted)).status_code == 200

    asyncio.run(story())


def test_any_state_is_none_where_nothing_is(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            assert (await client.put(f"{PEOPLE}/ann", json=NURSE, headers={"If-Match": "*"})).status_code == 412
            assert (await client.get(f"{PEOPLE}/ann")).status_code == 404

    asyncio.run(story())


def test_an_erased_person_who_comes_back_is_no_state_that_was_read(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            path = f"{PEOPLE}/ann"
            tag = (await client.put(path, json=NURSE)).headers["etag"]
            await client.delete(path)
            await client.put(path, json=NURSE | {"text": "I came back"})
            assert (await client.put(path, json=NURSE, headers={"If-Match": tag})).status_code == 412

    asyncio.run(story())


def test_withdrawing_a_job_is_a_change(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            path = f"{JOBS}/new"
            tag = (await client.put(path, json=WELDER)).headers["etag"]
            await client.delete(path)
            assert (await client.put(path, json=WELDER, headers={"If-Match": tag})).status_code == 412

    asyncio.run(story())
