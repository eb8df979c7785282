"""API keys: shown once, found by their hash, ended at once."""

import sqlalchemy as sa

from metier.store.schema import api_keys
from metier.store.tokens import Hashed, digest


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


def test_keys_end_with_their_account_and_no_other_s(store, tenant, other, clock):
    with store.write(other) as rows:
        _, elsewhere = rows.keys.add("elsewhere", ["read"], "a1")
    with store.write(tenant) as rows:
        ann, bob = (rows.accounts.add(login, Hashed("$none"), "operator").id for login in ("ann", "bob"))
        (nightly, first), (_, second) = rows.keys.add("nightly", ["read"], ann), rows.keys.add("board", ["read"], bob)
        expired, _ = rows.keys.add("expired", ["read"], ann, expires=clock.now)
        assert rows.keys.of(ann) == [nightly], "what is expired opens nothing anyway"
        rows.accounts.delete(ann)
        assert rows.keys.of(ann) == []
        assert rows.keys.get(nightly.id).revoked == rows.keys.get(expired.id).revoked == clock.now
    opens = [store.authentication.key(secret) is not None for secret in (first, second, elsewhere)]
    assert opens == [False, True, True]
