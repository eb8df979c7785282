"""The first admin of a tenant: one token, one use, and none once somebody is in."""

import pytest

from metier.errors import UsageError
from metier.store.tokens import Hashed

HASH = Hashed("$argon2id$none")


def test_the_first_admin_needs_the_token(store, tenant):
    token = store.setup.token(tenant)
    assert store.setup.needed()
    assert store.setup.waiting()
    assert store.setup.complete("guess", "root", HASH) is None
    made, account = store.setup.complete(token, "root", HASH)
    assert (made.id, made.name, account.role) == (tenant, "north", "admin")
    assert not store.setup.needed()
    assert not store.setup.waiting()
    with store.read(tenant) as rows:
        assert rows.accounts.get(account.id) == account
        assert rows.accounts.has_admin()
        assert rows.audit.verify().broken is None
        assert [one.action for one in rows.audit.page().items] == ["account.first-admin"]


def test_a_token_works_once(store, tenant):
    token = store.setup.token(tenant)
    assert store.setup.complete(token, "root", HASH)
    assert store.setup.complete(token, "toor", HASH) is None
    assert store.setup.token(tenant) is None


def test_a_new_token_ends_the_last_of_the_same_tenant_alone(store, tenant, other):
    first, elsewhere, second = (store.setup.token(one) for one in (tenant, other, tenant))
    assert store.setup.complete(first, "root", HASH) is None
    assert store.setup.complete(second, "root", HASH)[0].id == tenant
    assert not store.setup.needed()
    assert store.setup.waiting()
    assert store.setup.complete(elsewhere, "root", HASH)[0].id == other
    with store.read(tenant) as rows:
        assert len(rows.accounts.page().items) == 1


def test_a_token_ends_once_the_tenant_has_an_admin(store, tenant, other):
    token, elsewhere = store.setup.token(tenant), store.setup.token(other)
    with store.write(tenant) as rows:
        rows.accounts.add("ann", HASH, "admin")
    assert store.setup.complete(token, "root", HASH) is None
    assert store.setup.complete(elsewhere, "root", HASH), "another tenant's admin is none of this one"


def test_a_login_that_is_taken_leaves_the_token(store, tenant):
    token = store.setup.token(tenant)
    with store.write(tenant) as rows:
        rows.accounts.add("root", HASH, "seeker", "p1")
    with pytest.raises(UsageError, match="taken"):
        store.setup.complete(token, "root", HASH)
    assert store.setup.complete(token, "toor", HASH)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 65, "a\n"])
def test_a_tenant_has_a_name_that_can_be_typed(store, name):
    with pytest.raises(UsageError, match="no name for a tenant"):
        store.add_tenant(name)
    assert store.tenant(name) is None
