"""Sign-in and sessions: who may not come in learns nothing from the answer or its time."""

import pytest
import sqlalchemy as sa

from metier.store import authentication, tokens
from metier.store.schema import accounts, sessions
from metier.store.tokens import digest, hash_password

PASSWORD = "correct horse battery"


@pytest.fixture
def ann(store, tenant):
    hashed = hash_password(PASSWORD)
    with store.write(tenant) as rows:
        return rows.accounts.add("ann", hashed, "seeker", person="p1")


def sign_in(store, password=PASSWORD, login="ann", name="north"):
    return store.authentication.sign_in(name, login, password, lasting=60)


def test_a_session_lasts_until_it_expires(store, tenant, ann, clock):
    session, token = sign_in(store, login="ANN ")
    assert store.authentication.session(token) == session
    assert (session.tenant, session.account, session.role, session.person) == (tenant, ann.id, "seeker", "p1")
    assert session.expires == clock.now + 60
    clock.now += 60
    assert store.authentication.session(token) is None


def test_every_session_has_its_own_token_and_csrf_secret(store, ann):
    (first, token), (second, other_token) = sign_in(store), sign_in(store)
    assert len({token, other_token, first.csrf, second.csrf}) == 4
    store.authentication.sign_out(token)
    assert store.authentication.session(token) is None
    assert store.authentication.session(other_token) == second


def test_the_token_is_kept_nowhere(store, tenant, ann):
    _, token = sign_in(store)
    with store.read(tenant) as rows:
        [row] = rows.rows(sa.select(sessions))
    assert row["hash"] == digest(token)
    assert token not in repr(row)


def test_expired_sessions_are_swept(store, tenant, ann, clock):
    sign_in(store)
    clock.now += 61
    sign_in(store)
    with store.read(tenant) as rows:
        assert len(rows.rows(sa.select(sessions))) == 1


@pytest.mark.parametrize("wrong", [{"password": PASSWORD + "x"}, {"login": "bob"}, {"name": "south"}, {"name": "?"}])
def test_the_wrong_word_opens_nothing(store, ann, other, wrong):
    assert sign_in(store, **wrong) is None


def test_an_unknown_login_takes_as_long_as_a_wrong_password(store, ann, monkeypatch):
    verified = []

    class Counting:
        def verify(self, hashed, password):
            verified.append(hashed[:30])  # the parameters, on which the time depends
            return real.verify(hashed, password)

    real = tokens._HASHER
    monkeypatch.setattr(tokens, "_HASHER", Counting())
    assert sign_in(store, login="bob") is None
    assert sign_in(store, password="wrong horse battery") is None
    assert len(verified) == 2
    assert verified[0] == verified[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda rows, id: rows.accounts.set_enabled(id, False),
        lambda rows, id: rows.accounts.set_password(id, hash_password("another good password")),
        lambda rows, id: rows.accounts.delete(id),
    ],
)
def test_a_change_of_the_account_ends_its_sessions(store, tenant, ann, change):
    _, token = sign_in(store)
    with store.write(tenant) as rows:
        assert change(rows, ann.id)
    assert store.authentication.session(token) is None
    assert sign_in(store) is None, "locked out, gone, or by the old password"


def test_a_changed_role_counts_at_once(store, tenant):
    hashed = hash_password(PASSWORD)
    with store.write(tenant) as rows:
        bob = rows.accounts.add("bob", hashed, "operator")
    _, token = sign_in(store, login="bob")
    with store.write(tenant) as rows:
        rows.accounts.set_role(bob.id, "recruiter")
    assert store.authentication.session(token).role == "recruiter"


def test_an_account_locked_out_while_its_password_is_checked_stays_out(store, tenant, ann, monkeypatch):
    def slow(password, hashed):
        with store.write(tenant) as rows:
            rows.accounts.set_enabled(ann.id, False)
        return tokens.fits(password, hashed)

    monkeypatch.setattr(authentication, "fits", slow)
    assert sign_in(store) is None


def test_an_outdated_hash_is_replaced(store, tenant, ann, monkeypatch):
    monkeypatch.setattr(authentication, "outdated", lambda hashed: True)
    with store.read(tenant) as rows:
        [old] = rows.rows(rows.select(accounts, accounts.c.password))
    assert sign_in(store)
    with store.read(tenant) as rows:
        [new] = rows.rows(rows.select(accounts, accounts.c.password))
    assert new != old
    assert sign_in(store)
