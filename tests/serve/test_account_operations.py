"""Passwords, roles and sessions: by their owner, and by an administrator."""

import asyncio
import json

import pytest

PASSWORD = "correct horse battery"
OTHER = "another horse battery"
ACCOUNTS, OWN = "/api/v1/accounts", "/api/v1/accounts/current/password"


async def id_of(admin, login):
    (found,) = [one["id"] for one in (await admin.get(ACCOUNTS)).json()["items"] if one["login"] == login]
    return found


async def opens(world, login, password):
    credentials = {"login": login, "password": password}
    return (await world.client().post("/api/v1/sessions", json=credentials)).status_code == 201


async def is_in(client):
    return (await client.get("/api/v1/sessions/current")).status_code == 200


def audited(world):
    with world.store.read(world.tenant) as rows:
        return [one.action for one in rows.audit.page().items]


def test_own_password_asks_for_the_present_one_and_ends_the_other_sessions(make_world):
    async def story():
        async with make_world() as world:
            here, elsewhere = await world.signed_in("recruiter"), await world.signed_in("recruiter")
            neighbour = await world.signed_in("recruiter", "other")
            answer = await here.put(OWN, json={"present": "wrong", "password": OTHER})
            assert answer.status_code == 422
            assert [one["where"] for one in answer.json()["errors"]] == ["body.present"]
            assert await is_in(elsewhere)
            assert (await here.put(OWN, json={"present": PASSWORD, "password": "short"})).status_code == 422
            assert (await here.put(OWN, json={"present": PASSWORD, "password": OTHER})).status_code == 204
            assert [await is_in(one) for one in (here, elsewhere, neighbour)] == [True, False, True]
            assert [await opens(world, "recruiter", one) for one in (PASSWORD, OTHER)] == [False, True]
            assert audited(world).count("account.password-changed") == 1
            assert (await world.client("full").put(OWN, json={"present": "x", "password": OTHER})).status_code == 404

    asyncio.run(story())


def test_guessing_the_present_password_is_slowed_from_any_address(make_world):
    async def story():
        async with make_world(sign_ins_per_minute=3) as world:
            client = await world.signed_in("recruiter")
            stolen = dict(client.cookies), client.headers["X-CSRF-Token"]
            codes = []
            for address in range(5):
                thief = world.client(address=f"198.51.100.{address}")
                thief.cookies.update(stolen[0])
                thief.headers["X-CSRF-Token"] = stolen[1]
                codes.append((await thief.put(OWN, json={"present": "guess", "password": OTHER})).status_code)
            assert codes == [422, 422, 422, 429, 429]

    asyncio.run(story())


def test_administrator_resets_a_password_but_not_their_own(make_world):
    async def story():
        async with make_world() as world:
            admin, recruiter = await world.signed_in("admin"), await world.signed_in("recruiter")
            path = f"{ACCOUNTS}/{await id_of(admin, 'recruiter')}/password"
            assert (await admin.put(path, json={"password": OTHER})).status_code == 204
            assert not await is_in(recruiter)
            assert [await opens(world, "recruiter", one) for one in (PASSWORD, OTHER)] == [False, True]
            own = f"{ACCOUNTS}/{await id_of(admin, 'admin')}/password"
            assert (await admin.put(own, json={"password": OTHER})).status_code == 422
            assert await opens(world, "admin", PASSWORD)
            assert "account.password-reset" in audited(world)

    asyncio.run(story())


def test_administrator_ends_somebody_s_sessions(make_world):
    async def story():
        async with make_world() as world:
            admin, first, second = [await world.signed_in(one) for one in ("admin", "recruiter", "recruiter")]
            path = f"{ACCOUNTS}/{await id_of(admin, 'recruiter')}/sessions"
            assert (await admin.delete(path)).status_code == 204
            assert [await is_in(one) for one in (admin, first, second)] == [True, False, False]
            assert await opens(world, "recruiter", PASSWORD)
            assert "account.sessions-ended" in audited(world)

    asyncio.run(story())


def test_another_role_counts_at_once(make_world):
    async def story():
        async with make_world() as world:
            admin, recruiter = await world.signed_in("admin"), await world.signed_in("recruiter")
            assert (await recruiter.get("/api/v1/models")).status_code == 404
            path = f"{ACCOUNTS}/{await id_of(admin, 'recruiter')}/role"
            answer = await admin.put(path, json={"role": "operator"})
            assert (answer.status_code, answer.json()["role"]) == (200, "operator")
            assert (await recruiter.get("/api/v1/models")).status_code == 200
            assert (await admin.put(path, json={"role": "seeker"})).status_code == 422
            assert (await admin.put(path, json={"role": "emperor"})).status_code == 422
            assert "account.role-changed" in audited(world)

    asyncio.run(story())


async def with_keys(world):
    """The administrator `first`, the id of an account `second`, its client, and three keys' clients: made by it, by
    that key, and by `first`."""
    admin = {"login": "second", "password": PASSWORD, "role": "admin"}
    first, second = await world.signed_in("admin"), world.client(address="192.0.2.9")
    made = await first.post(ACCOUNTS, json=admin)
    assert (made.status_code, made.json()["enabled"]) == (201, True)
    session = await second.post("/api/v1/sessions", json={"login": "second", "password": PASSWORD})
    second.headers["X-CSRF-Token"] = session.json()["csrf"]
    keys = []
    for maker in (second, None, first):
        answer = await (maker or keys[0]).post("/api/v1/keys", json={"label": "a", "scopes": ["admin"]})
        assert answer.status_code == 201, answer.text
        assert (answer.json()["account"] == made.json()["id"]) == (maker is not first)
        keys.append(world.client())
        keys[-1].headers["Authorization"] = f"Bearer {answer.json()['key']}"

    async def states():
        codes = [(await one.get(ACCOUNTS)).status_code for one in (second, *keys)]
        return codes, await opens(world, "second", PASSWORD)

    return first, made.json()["id"], states


def test_disabled_account_and_its_keys_are_out_at_once(make_world):
    """The keys that its key made too; another's keys go on, and all of it comes back when it is enabled."""

    async def story():
        async with make_world() as world:
            first, id, states = await with_keys(world)
            path = f"{ACCOUNTS}/{id}/access"
            assert await states() == ([200, 200, 200, 200], True)
            answer = await first.put(path, json={"enabled": False})
            assert (answer.status_code, answer.json()["enabled"]) == (200, False)
            assert await states() == ([401, 401, 401, 200], False)
            assert (await first.put(path, json={"enabled": True})).json()["enabled"]
            assert await states() == ([401, 200, 200, 200], True)
            assert {"account.disabled", "account.enabled"} <= set(audited(world))
            assert (await first.put(f"{ACCOUNTS}/nobody/access", json={"enabled": True})).status_code == 404

    asyncio.run(story())


@pytest.mark.parametrize("disabled", [False, True])
def test_removed_account_s_keys_are_revoked_at_once(make_world, disabled):
    """Also where it was disabled before, in which state its keys opened nothing already."""

    async def story():
        async with make_world() as world:
            first, id, states = await with_keys(world)
            assert await states() == ([200, 200, 200, 200], True)
            if disabled:
                assert (await first.put(f"{ACCOUNTS}/{id}/access", json={"enabled": False})).status_code == 200
            assert (await first.delete(f"{ACCOUNTS}/{id}")).status_code == 204
            assert await states() == ([401, 401, 401, 200], False)
            listed = [one for one in (await first.get("/api/v1/keys")).json()["items"] if one["label"] == "a"]
            assert [one["revoked"] is not None for one in listed if one["account"] == id] == [True, True]
            assert [one["revoked"] for one in listed if one["account"] != id] == [None]
            with world.store.read(world.tenant) as rows:
                (row,) = [one for one in rows.audit.page().items if one.action == "account.removed"]
            assert set(json.loads(row.details)["keys"]) == {one["id"] for one in listed if one["account"] == id}

    asyncio.run(story())


def test_disabled_administrator_does_not_count_as_the_last_one(make_world):
    async def story():
        async with make_world() as world:
            admin = await world.signed_in("admin")
            second = {"login": "second", "password": PASSWORD, "role": "admin"}
            other = (await admin.post(ACCOUNTS, json=second)).json()["id"]
            assert (await admin.put(f"{ACCOUNTS}/{other}/access", json={"enabled": False})).status_code == 200
            own = f"{ACCOUNTS}/{await id_of(admin, 'admin')}"
            assert (await admin.put(f"{own}/access", json={"enabled": False})).status_code == 422
            assert (await admin.delete(own)).status_code == 422
            assert await is_in(admin)

    asyncio.run(story())


@pytest.mark.parametrize("way", ["role", "access", "remove"])
def test_last_administrator_stays(make_world, way):
    async def story():
        async with make_world() as world:
            admin = await world.signed_in("admin")
            path = f"{ACCOUNTS}/{await id_of(admin, 'admin')}"

            async def lose():
                if way == "remove":
                    return await admin.delete(path)
                if way == "access":
                    return await admin.put(f"{path}/access", json={"enabled": False})
                return await admin.put(f"{path}/role", json={"role": "operator"})

            answer = await lose()
            assert answer.status_code == 422
            assert "last admin" in answer.json()["detail"]
            assert await is_in(admin)
            second = {"login": "second", "password": PASSWORD, "role": "admin"}
            assert (await admin.post(ACCOUNTS, json=second)).status_code == 201
            assert (await lose()).status_code in (200, 204)

    asyncio.run(story())
