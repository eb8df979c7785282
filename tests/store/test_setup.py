"""The first admin: one token, one use, and none once somebody is in."""

from metier.store.tokens import Hashed

HASH = Hashed("$argon2id$none")


def test_the_first_admin_needs_the_token(store):
    token = store.setup.token()
    assert store.setup.needed()
    assert store.setup.complete("guess", "north", "root", HASH) is None
    tenant, account = store.setup.complete(token, "north", "root", HASH)
    assert account.role == "admin"
    assert [(one.id, one.name) for one in store.tenants()] == [(tenant, "north")]
    assert not store.setup.needed()
    with store.read(tenant) as rows:
        assert rows.accounts.get(account.id) == account
        assert rows.audit.verify().broken is None
        assert [one.action for one in rows.audit.page().items] == ["account.first-admin"]


def test_a_token_works_once(store):
    token = store.setup.token()
    assert store.setup.complete(token, "north", "root", HASH)
    assert store.setup.complete(token, "south", "root", HASH) is None
    assert store.setup.token() is None
    assert [one.name for one in store.tenants()] == ["north"]


def test_a_new_token_ends_the_last(store):
    first, second = store.setup.token(), store.setup.token()
    assert store.setup.complete(first, "north", "root", HASH) is None
    assert store.setup.complete(second, "north", "root", HASH)


def test_a_token_ends_once_an_admin_exists(store, tenant):
    token = store.setup.token()
    with store.write(tenant) as rows:
        rows.accounts.add("ann", HASH, "admin")
    assert store.setup.complete(token, "north", "root", HASH) is None


def test_a_tenant_of_that_name_is_joined(store, tenant):
    assert store.setup.complete(store.setup.token(), "north", "root", HASH)[0] == tenant
