"""API keys: shown once, found by their hash, ended at once."""

import sqlalchemy as sa

from metier.store.schema import api_keys
from metier.store.tokens import digest


def test_a_key_opens_for_its_tenant(store, tenant):
    with store.write(tenant) as rows:
        key, secret = rows.keys.add("nightly", ["jobs", "read", "read"], "a1")
    assert store.authentication.key(secret) == (tenant, key)
    assert (key.scopes, key.label, key.account) == (["jobs", "read"], "nightly", "a1")
    assert secret.startswith(key.prefix)
    assert len(secret) - len(key.prefix) >= 36, "at least 216 bits stay unknown"


def test_the_secret_is_kept_nowhere(store, tenant):
    with store.write(tenant) as rows:
        _, secret = rows.keys.add("nightly", ["read"], "a1")
        [row] = rows.rows(sa.select(api_keys))
    assert secret not in repr(row)
    assert row["hash"] == digest(secret)


def test_an_unknown_key_opens_nothing(store, tenant):
    with store.write(tenant) as rows:
        key, secret = rows.keys.add("nightly", ["read"], "a1")
    for wrong in ("", key.prefix, secret[:-1], secret + "A", digest(secret), secret.upper()):
        assert store.authentication.key(wrong) is None


def test_a_key_ends_when_it_expires(store, tenant, clock):
    with store.write(tenant) as rows:
        _, secret = rows.keys.add("nightly", ["read"], "a1", expires=clock.now + 10)
    assert store.authentication.key(secret)
    clock.now += 10
    assert store.authentication.key(secret) is None


def test_a_key_ends_when_it_is_revoked(store, tenant, other):
    with store.write(tenant) as rows:
        key, secret = rows.keys.add("nightly", ["read"], "a1")
    with store.write(other) as rows:
        assert not rows.keys.revoke(key.id), "not by another tenant"
    assert store.authentication.key(secret)
    with store.write(tenant) as rows:
        assert rows.keys.revoke(key.id)
        assert not rows.keys.revoke(key.id), "once"
        assert rows.keys.get(key.id).revoked == store.clock()
        assert [one.id for one in rows.keys.page().items] == [key.id]
    assert store.authentication.key(secret) is None
