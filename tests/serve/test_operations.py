"""What each operation does, asked over HTTP."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from metier.operate.erasures import receipts
from metier.serve.ndjson import LONGEST_LINE
from metier.sources.job_posting import JobPosting
from metier.store import database
from metier.store.tokens import hash_password

PASSWORD = "correct horse battery"
NURSE = {"text": "I am a nurse", "titles": ["nurse"], "state": "OH", "city": "OH-1", "country": "US"}
WELDER = JobPosting(title="Welder wanted", description="<p>We hire a welder in OH</p>").document()
PEOPLE, JOBS, EVENTS = "/api/v1/people", "/api/v1/jobs", "/api/v1/events"


async def made(client, profile=NURSE, **more):
    answer = await client.post(PEOPLE, json=profile | more)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def recommended(client, person, **asked):
    answer = await client.get(f"{PEOPLE}/{person}/recommendations", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["job"] for one in answer.json()["items"]]


def test_person_is_made_read_replaced_and_erased(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            answer = await client.post(PEOPLE, json=NURSE | {"id": "n/a"})
            assert answer.status_code == 422
            answer = await client.post(PEOPLE, json=NURSE | {"id": "ann"})
            assert answer.headers["location"] == f"{PEOPLE}/ann"
            assert (await client.post(PEOPLE, json={"id": "ann"})).status_code == 409
            got = (await client.get(f"{PEOPLE}/ann")).json()
            assert {name: got[name] for name in NURSE} == NURSE
            await client.put(f"{PEOPLE}/ann", json=NURSE | {"text": "I am a welder"})
            assert (await client.get(f"{PEOPLE}/ann")).json()["text"] == "I am a welder"
            assert (await client.get(f"{PEOPLE}/ann/export")).json()["people"][0]["id"] == "ann"
            receipt = (await client.delete(f"{PEOPLE}/ann")).json()
            assert receipt["erased"]["people"] == 1
            assert "metier person finish" in receipt["remains"][0]
            [told] = receipts(world.service.settings.home)
            assert (told.tenant, told.receipt.id, told.whole) == ("main", receipt["id"], False)
            assert told.receipt.counts == receipt["erased"]
            assert (await client.get(f"{PEOPLE}/ann")).status_code == 404
            assert (await client.delete(f"{PEOPLE}/ann")).status_code == 404

    asyncio.run(story())


def test_person_of_the_bundle_is_known_until_erased(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            assert (await client.get(f"{PEOPLE}/p1")).json()["updated"] is None
            assert await recommended(client, "p1")
            assert (await client.delete(f"{PEOPLE}/p1")).status_code == 200
            assert (await client.get(f"{PEOPLE}/p1")).status_code == 404
            assert (await client.get(f"{PEOPLE}/p1/recommendations")).status_code == 404

    asyncio.run(story())


def test_event_changes_the_next_answer(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client)
            before = await recommended(client, person)
            world.service.afterwards.flush()
            assert await recommended(client, person) == before
            world.service.afterwards.flush()
            with world.store.read(world.tenant) as rows:
                assert rows.exposures.since(0) == dict.fromkeys(before, 2), "once fresh and once stored"
            for kind, job in (("dismissed", before[0]), ("applied", before[1])):
                answer = await client.post(EVENTS, json={"kind": kind, "person": person, "job": job})
                assert answer.json() == {"accepted": 1}
                assert job not in await recommended(client, person)

    asyncio.run(story())


def test_what_is_taken_back_is_suggested_again(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client)
            job, *_ = before = await recommended(client, person)
            for kind in ("dismissed", "applied"):
                await client.post(EVENTS, json={"kind": kind, "person": person, "job": job})
                assert job not in await recommended(client, person)
                await client.post(EVENTS, json={"kind": f"un{kind}", "person": person, "job": job})
                assert await recommended(client, person) == before

    asyncio.run(story())


def test_account_of_a_long_name_does_not_end_the_list(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            with world.store.write(world.tenant) as rows:
                rows.accounts.add("𐐨" * 200, "", "operator")
                rows.accounts.add("𐐩", "", "operator")
            path, cursor, seen = "/api/v1/accounts", None, []
            while cursor or not seen:
                answer = await client.get(path, params={"limit": 1} | ({"cursor": cursor} if cursor else {}))
                assert answer.status_code == 200, answer.text
                seen += [one["login"] for one in answer.json()["items"]]
                cursor = answer.json()["next"]
            assert seen == sorted(seen)
            assert len(seen) == 6

    asyncio.run(story())


def test_stored_answer_is_served_as_the_same_bytes_until_something_changes(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            path = f"{PEOPLE}/{await made(client)}/recommendations"
            first = (await client.get(path)).content
            world.service.afterwards.flush()
            assert (await client.get(path)).content == first
            counted = [line for line in world.service.metrics.text().decode().splitlines() if "tions_total{how" in line]
            assert sorted(counted) == [
                'metier_recommendations_total{how="fresh"} 1.0',
                'metier_recommendations_total{how="stored"} 1.0',
            ]
            job = (await client.post(JOBS, json=WELDER)).json()["id"]
            await client.get(path)
            assert world.service.metrics.served["fresh"]._value.get() == 2
            assert (await client.get(f"{JOBS}/{job}")).json()["title"] == "Welder wanted"

    asyncio.run(story())


def test_job_is_suggested_as_soon_as_it_is_posted_and_never_after_it_is_withdrawn(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client, NURSE | {"text": "I am a welder", "titles": ["welder"]})
            job = (await client.post(JOBS, json=WELDER | {"@id": "new"})).json()["id"]
            assert job in await recommended(client, person, k=200)
            assert (await client.delete(f"{JOBS}/{job}")).status_code == 204
            assert job not in await recommended(client, person, k=200)
            assert (await client.get(f"{JOBS}/{job}")).status_code == 404
            gone = (await recommended(client, person))[0]
            assert (await client.delete(f"{JOBS}/{gone}")).status_code == 204
            assert gone not in await recommended(client, person, k=200)

    asyncio.run(story())


def test_filter_and_csv(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client)
            posting = world.service.models.held(world.tenant).posting
            assert {posting(job).state for job in await recommended(client, person, state="TX")} == {"TX"}
            assert {posting(job).state for job in await recommended(client, person)} - {"TX"}
            answer = await client.get(f"{PEOPLE}/{person}/recommendations", params={"format": "csv", "k": 3})
            assert answer.headers["content-type"].startswith("text/csv")
            assert len(answer.text.splitlines()) == 4

    asyncio.run(story())


def test_the_order_closest_is_kept_beside_the_other(make_world):
    """It goes by words alone, says so, and neither stored answer is taken for the other."""

    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client)
            path = f"{PEOPLE}/{person}/recommendations"
            asked, both = {"reasons": True, "k": 60}, ["likely", "closest"]
            likely, closest = [(await client.get(path, params=asked | {"order": one})).json() for one in both]
            assert [likely["order"], closest["order"]] == both
            assert likely["items"] != closest["items"]
            assert all(set(one["reasons"]["shares"]) >= {"text"} for one in closest["items"])
            assert {one["reasons"]["shares"]["place"] for one in closest["items"]} == {0}
            assert [one["reasons"]["score"] for one in closest["items"]] == pytest.approx(
                [one["score"] for one in closest["items"]], abs=1e-3
            )
            world.service.afterwards.flush()
            again = [(await client.get(path, params=asked | {"order": one})).json() for one in both]
            assert again == [likely, closest]
            body = {"profile": {"text": "I weld pipe"}, "asked": {"order": "closest"}}
            assert (await client.post("/api/v1/recommendations", json=body)).json()["order"] == "closest"
            silent = await client.post("/api/v1/recommendations", json=body | {"profile": {}})
            assert silent.json()["order"] == "likely"
            assert (await client.get(path, params={"order": "best"})).status_code == 422

    asyncio.run(story())


def test_why_and_what_would_raise_it(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client, titles=[])
            path = f"{PEOPLE}/{person}"
            asked = {"reasons": True, "k": 60}
            items = (await client.get(f"{path}/recommendations", params=asked)).json()["items"]
            one = next(item for item in items if item["reasons"]["grounds"])
            assert [item["reasons"]["particular"] for item in items] == ["Nurse" in item["title"] for item in items]
            assert all(ground["weight"] > 0 and ground["spans"] for ground in one["reasons"]["grounds"])
            why = (await client.get(f"{path}/reasons", params={"job": one["job"]})).json()
            assert [ground["name"] for ground in why["grounds"]] == [g["name"] for g in one["reasons"]["grounds"]]
            assert (await client.get(f"{path}/raises", params={"job": one["job"]})).status_code == 200
            assert (await client.get(f"{path}/reasons", params={"job": "none"})).status_code == 404

    asyncio.run(story())


def test_upload_leads_to_other_jobs(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client, {"text": "hello"})
            before = await recommended(client, person)
            resume = b"Ann Lee\nann@example.org\n\nExperience\nWelder, Steel Works, 2015 - 2020\nI am a welder\n"
            answer = await client.post(f"{PEOPLE}/{person}/resumes", files={"file": ("cv.exe", resume)})
            assert answer.status_code == 202
            for _ in range(200):
                state = (await client.get(answer.headers["location"])).json()
                if state["state"] in ("done", "refused"):
                    break
                await asyncio.sleep(0.1)
            assert state["state"] == "done", state
            assert "welder" in state["text"]
            assert state["candidate"]["contact"]["email"] == "ann@example.org"
            after = await recommended(client, person)
            assert after != before
            titles = [world.service.models.held(world.tenant).posting(job).title for job in after[:5]]
            assert all(title == "Welder wanted" for title in titles), titles

    asyncio.run(story())


def test_file_that_is_no_resume_is_refused_with_a_reason(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            person = await made(client)
            content = b"\x7fELF" + bytes(100)
            answer = await client.post(f"{PEOPLE}/{person}/resumes", files={"file": ("cv.pdf", content)})
            for _ in range(100):
                state = (await client.get(answer.headers["location"])).json()
                if state["state"] == "refused":
                    break
                await asyncio.sleep(0.1)
            assert "a program" in state["reason"]
            empty = await client.post(f"{PEOPLE}/{person}/resumes", files={"file": ("cv.pdf", b"")})
            assert empty.status_code == 422

    asyncio.run(story())


def test_same_key_and_body_get_the_same_answer(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            key = {"Idempotency-Key": "a"}
            first = await client.post(PEOPLE, json=NURSE, headers=key)
            again = await client.post(PEOPLE, json=NURSE, headers=key)
            assert (again.content, again.headers["location"]) == (first.content, first.headers["location"])
            assert (await client.post(PEOPLE, json={}, headers=key)).status_code == 409
            assert (await client.post(JOBS, json=WELDER, headers=key)).status_code == 409
            assert len((await client.get(PEOPLE)).json()["items"]) == 1
            for _ in range(2):  # another boundary each time, the same file
                answer = await client.post(
                    f"{PEOPLE}/{first.json()['id']}/resumes",
                    files={"file": ("a", b"text")},
                    headers={"Idempotency-Key": "b"},
                )
                assert answer.status_code == 202, answer.text

    asyncio.run(story())


def test_pages_hold_everybody_once(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            ids = {await made(client, id=f"x{i}") for i in range(7)}
            seen, cursor = [], None
            while True:
                page = (await client.get(PEOPLE, params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
                seen += [one["id"] for one in page["items"]]
                cursor = page["next"]
                if cursor is None:
                    break
            assert (len(seen), set(seen)) == (7, ids)
            assert (await client.get(PEOPLE, params={"cursor": "!"})).status_code == 422

    asyncio.run(story())


def test_bulk_sets_bad_lines_aside_with_number_and_reason(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            lines = [
                '{"id": "a", "text": "nurse"}',
                "",
                "no json CANARY",
                '{"text": "no id CANARY"}',
                '{"id": "b", "CANARY": 1}',
                '{"id": "c", "discoverable": "CANARY"}',
                '{"id": "d"}',
            ]
            kind = {"Content-Type": "application/x-ndjson"}
            answer = await client.post(f"{PEOPLE}/bulk", content="\n".join(lines), headers=kind)
            done = answer.json()
            assert (done["state"], done["accepted"], done["refused"]) == ("done", 2, 4)
            assert [one["line"] for one in done["refusals"]] == [3, 4, 5, 6]
            assert "CANARY" not in json.dumps([one["reason"] for one in done["refusals"] if one["line"] != 5])
            assert (await client.get(answer.headers["location"])).json() == done
            page = (await client.get(answer.headers["location"], params={"limit": 1})).json()
            assert (len(page["refusals"]), page["next"] is None) == (1, False)
            assert (await client.post(f"{PEOPLE}/bulk", content="{}")).status_code == 415

    asyncio.run(story())


def test_bulk_events_count_duplicates_and_refuse_the_unknown(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            event = {"id": "e1", "kind": "applied", "person": "p1", "job": "j1", "time": "2026-01-01T00:00:00Z"}
            others = [event, event | {"id": "e2", "person": "nobody"}, event | {"id": "e3", "job": "none"}]
            body = "\n".join(map(json.dumps, [event, *others]))
            answer = (
                await client.post(f"{EVENTS}/bulk", content=body, headers={"Content-Type": "application/x-ndjson"})
            ).json()
            assert (answer["accepted"], answer["duplicates"], answer["refused"]) == (1, 1, 2)
            assert [one["reason"] for one in answer["refusals"]] == ["person: is nobody known", "job: is no job known"]

    asyncio.run(story())


def test_a_log_that_somebody_read_is_cleared_by_the_service_itself(make_world, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)

    async def story():
        async with make_world(follow_seconds=0.1) as world, world.client("full") as client:
            person = await made(client, text="xylophone " * 200)
            file = world.store.database.engine.url.database
            log = Path(f"{file}-wal")
            with closing(sqlite3.connect(file, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM people").fetchall()
                assert (await client.delete(f"{PEOPLE}/{person}")).json()["cleared"] is False
                await asyncio.sleep(0.5)
                assert world.service.traces
                assert b"xylophone" in log.read_bytes()
            for _ in range(100):
                if not world.service.traces:
                    break
                await asyncio.sleep(0.1)
            assert b"xylophone" not in log.read_bytes() + Path(file).read_bytes()
            assert not world.service.traces

    asyncio.run(story())


def test_what_came_before_an_endless_line_is_imported(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            body = '{"id": "a"}\n{"id": "b"}\n{"text": "' + "x" * LONGEST_LINE
            kind = {"Content-Type": "application/x-ndjson"}
            answer = await client.post(f"{PEOPLE}/bulk", content=body, headers=kind)
            assert answer.status_code == 413
            assert [one["id"] for one in (await client.get(PEOPLE)).json()["items"]] == ["a", "b"]
            id = answer.json()["detail"].removesuffix(".").split()[-1]
            kept = (await client.get(f"/api/v1/imports/{id}")).json()
            assert (kept["state"], kept["accepted"]) == ("failed", 2)

    asyncio.run(story())


def test_bulk_sets_a_line_with_nul_aside(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            lines = [{"@id": "a", "title": "Welder"}, {"@id": "b", "title": "Wel\0der"}]
            body, kind = "\n".join(map(json.dumps, lines)), {"Content-Type": "application/x-ndjson"}
            answer = (await client.post(f"{JOBS}/bulk", content=body, headers=kind)).json()
            assert (answer["accepted"], answer["refused"]) == (1, 1)
            assert answer["refusals"][0]["reason"].startswith("title: holds a NUL")

    asyncio.run(story())


def test_somebody_without_a_profile_who_did_something_gets_recommendations(make_world):
    async def story():
        async with make_world() as world:
            with world.store.write(world.tenant) as rows:
                rows.accounts.add("newcomer", hash_password(PASSWORD), "seeker", "newcomer")
            client = await world.signed_in("newcomer")
            path = f"{PEOPLE}/newcomer/recommendations"
            assert (await client.get(path)).status_code == 404
            event = {"kind": "applied", "person": "newcomer", "job": "j1"}
            assert (await client.post(EVENTS, json=event)).status_code == 201
            jobs = await recommended(client, "newcomer")
            assert jobs
            assert "j1" not in jobs
            answer = await client.get(f"{PEOPLE}/newcomer/reasons", params={"job": jobs[0]})
            assert answer.status_code == 200
            async with world.client("full") as board:
                assert (await board.delete(f"{PEOPLE}/newcomer")).status_code == 200
                assert (await board.get(path)).status_code == 404

    asyncio.run(story())


def test_seeker_cannot_take_the_ids_of_the_board_s_events(make_world):
    async def story():
        async with make_world() as world, world.client("full") as board:
            seeker = await world.signed_in("seeker")
            event = {"id": "e1", "kind": "viewed", "person": "p0", "job": "j1"}
            for client in (seeker, board):
                assert (await client.post(EVENTS, json=event)).json() == {"accepted": 1}
                assert (await client.post(EVENTS, json=event)).json() == {"accepted": 0}
            lines = json.dumps(event), json.dumps(event | {"id": "e2"})
            kind = {"Content-Type": "application/x-ndjson"}
            done = (await board.post(f"{EVENTS}/bulk", content="\n".join(lines), headers=kind)).json()
            assert (done["accepted"], done["duplicates"]) == (1, 1)

    asyncio.run(story())


def test_candidates_are_only_those_who_want_to_be_found(make_world):
    async def story():
        async with make_world() as world, world.client("full") as client:
            hidden, found = await made(client), await made(client, discoverable=True)
            recruiter = await world.signed_in("recruiter")
            answer = (await recruiter.get(f"{JOBS}/j1/candidates")).json()
            assert [one["id"] for one in answer["items"]] == [found]
            assert (await recruiter.get(f"{PEOPLE}/{found}")).status_code == 200
            assert (await recruiter.get(f"{PEOPLE}/{hidden}")).status_code == 404
            ann = {"text": "Ann Example\nann@example.org\nWelder; she likes steel.", "zip": "85001", "wishes": "python"}
            named = await made(client, discoverable=True, city="Mesa", titles=["Welder", "555 010 9999"], **ann)
            seen = (await recruiter.get(f"{PEOPLE}/{named}")).json()
            assert (seen["text"], seen["titles"]) == ("Welder; likes steel.", ["Welder"])
            assert (seen["city"], seen["zip"], seen["wishes"]) == ("Mesa", None, "")
            assert (await client.get(f"{PEOPLE}/{named}")).json()["text"] == ann["text"]
            world.service.afterwards.flush()
            rows = (await client.get("/api/v1/audit", params={"object": found})).json()["items"]
            assert "person.viewed" in [row["action"] for row in rows]
            verdict = (await client.post("/api/v1/audit/verify")).json()
            assert verdict["broken"] is None
            assert verdict["rows"] > 3
            similar = (await client.get(f"{JOBS}/j1/similar")).json()
            assert similar["items"]
            assert similar["version"] == answer["version"]

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["key", "session", "account"])
def test_revoked_credentials_are_refused_at_once(make_world, kind):
    async def story():
        async with make_world() as world:
            admin = await world.signed_in("admin")
            if kind == "key":
                made_key = (await admin.post("/api/v1/keys", json={"label": "a", "scopes": ["read", "jobs"]})).json()
                client = world.client()
                client.headers["Authorization"] = f"Bearer {made_key['key']}"
                assert (await client.get(JOBS)).status_code == 200
                assert (await admin.delete(f"/api/v1/keys/{made_key['id']}")).status_code == 204
            else:
                client = await world.signed_in("operator")
                assert (await client.get(JOBS)).status_code == 200
                if kind == "session":
                    kept = dict(client.cookies)
                    assert (await client.delete("/api/v1/sessions/current")).status_code == 204
                    client = world.client()
                    client.cookies.update(kept)
                else:
                    accounts = (await admin.get("/api/v1/accounts")).json()["items"]
                    (mine,) = [one["id"] for one in accounts if one["login"] == "operator"]
                    assert (await admin.delete(f"/api/v1/accounts/{mine}")).status_code == 204
            assert (await client.get(JOBS)).status_code == 401

    asyncio.run(story())


def test_session_writes_only_with_its_token(make_world):
    async def story():
        async with make_world() as world:
            recruiter = await world.signed_in("recruiter")
            token = recruiter.headers.pop("X-CSRF-Token")
            assert (await recruiter.post(JOBS, json=WELDER)).status_code == 403
            assert (await recruiter.post(JOBS, json=WELDER, headers={"X-CSRF-Token": b"\xe9"})).status_code == 403
            assert (await recruiter.post(JOBS, json=WELDER, headers={"X-CSRF-Token": token})).status_code == 201
            cookie = recruiter.cookies.jar._cookies["metier.test"]["/"]["metier_session"]
            assert "HttpOnly" in cookie._rest
            assert cookie._rest["SameSite"].lower() == "lax"

    asyncio.run(story())


def test_first_administrator_needs_the_token_and_exists_once(tmp_path, town_bundles, monkeypatch):
    import shutil

    from metier.serve.app import from_environment
    from metier.serve.first_start import prepare
    from metier.serve.settings import read_settings

    shutil.copytree(town_bundles, tmp_path / "models")
    monkeypatch.setenv("METIER_SERVE_HOME", str(tmp_path))
    settings = read_settings()
    token = prepare(settings, "first")

    async def story():
        import httpx2

        app = from_environment()
        async with app.router.lifespan_context(app):
            client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://metier.test")
            account = {"login": "Root", "password": "correct horse battery"}
            assert (await client.post("/api/v1/accounts/first", json=account | {"token": "x"})).status_code == 404
            assert (await client.post("/api/v1/accounts/first", json=account | {"token": token})).status_code == 201
            assert (await client.post("/api/v1/accounts/first", json=account | {"token": token})).status_code == 404
            credentials = {"login": "root", "password": account["password"]}
            assert (await client.post("/api/v1/sessions", json=credentials | {"password": "wrong"})).status_code == 401
            assert (await client.post("/api/v1/sessions", json=credentials)).status_code == 201
            assert (await client.get("/health/ready")).status_code == 200

    asyncio.run(story())
    assert prepare(settings, "first") is None
