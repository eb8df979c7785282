"""Accounts: one for a login, and never a tenant without an admin."""

import pytest

from metier.errors import UsageError
from metier.store.tokens import Hashed

HASH = Hashed("$argon2id$none")


def test_an_account_is_found_again_without_its_hash(store, tenant):
    with store.write(tenant) as rows:
        made = rows.accounts.add(" Ann@Example.ORG ", HASH, "seeker", person="p1")
    with store.read(tenant) as rows:
        assert rows.accounts.get(made.id) == made
        assert rows.accounts.page().items == (made,)
        assert rows.accounts.get("nobody") is None
    assert (made.login, made.role, made.person, made.enabled) == ("ann@example.org", "seeker", "p1", True)
    assert HASH not in repr(made)


@pytest.mark.parametrize("login", ["ann", "ANN", " ann", "ａｎｎ"])
def test_a_login_is_one_in_any_case_of_letters(store, tenant, login):
    with store.write(tenant) as rows:
        rows.accounts.add("ann", HASH, "seeker")
        with pytest.raises(UsageError, match="taken"):
            rows.accounts.add(login, HASH, "seeker")


def test_accounts_are_listed_by_login_page_after_page(store, tenant):
    logins = ["mia", "bob", "zoe", "ann", "eve"]
    with store.write(tenant) as rows:
        for login in logins:
            rows.accounts.add(login, HASH, "seeker")
    with store.read(tenant) as rows:
        first = rows.accounts.page(limit=3)
        listed = [*first.items, *rows.accounts.page(first.next, limit=3).items]
    assert [one.login for one in listed] == sorted(logins)


def test_a_login_is_not_empty(store, tenant):
    with store.write(tenant) as rows, pytest.raises(UsageError, match="empty"):
        rows.accounts.add("  ", HASH, "seeker")


def test_two_tenants_may_have_the_same_login(store, tenant, other):
    made = {}
    for one in (tenant, other):
        with store.write(one) as rows:
            made[one] = rows.accounts.add("ann", HASH, "seeker").id
    assert made[tenant] != made[other]
    for one in (tenant, other):
        with store.read(one) as rows:
            assert [(account.id, account.login) for account in rows.accounts.page().items] == [(made[one], "ann")]


@pytest.mark.parametrize(
    "lose",
    [
        lambda accounts, id: accounts.delete(id),
        lambda accounts, id: accounts.set_enabled(id, False),
        lambda accounts, id: accounts.set_role(id, "operator"),
    ],
)
def test_the_last_admin_stays(store, tenant, lose):
    with store.write(tenant) as rows:
        first = rows.accounts.add("ann", HASH, "admin")
        with pytest.raises(UsageError, match="last admin"):
            lose(rows.accounts, first.id)
        locked_out = rows.accounts.add("bob", HASH, "admin")
        rows.accounts.set_enabled(locked_out.id, False)
        with pytest.raises(UsageError, match="last admin"):
            lose(rows.accounts, first.id)
        rows.accounts.add("cid", HASH, "admin")
        assert lose(rows.accounts, first.id)


def test_changes_say_whether_there_was_an_account(store, tenant):
    with store.write(tenant) as rows:
        made = rows.accounts.add("ann", HASH, "operator")
        assert rows.accounts.set_role(made.id, "recruiter")
        assert rows.accounts.set_enabled(made.id, False)
        changed = rows.accounts.get(made.id)
        assert (changed.role, changed.enabled) == ("recruiter", False)
        assert rows.accounts.delete(made.id)
        assert not rows.accounts.delete(made.id)
        assert not rows.accounts.set_role("nobody", "recruiter")
        assert not rows.accounts.set_password("nobody", HASH)
        assert rows.accounts.hashed("nobody") is None


@pytest.mark.parametrize(("old", "new"), [("seeker", "admin"), ("operator", "seeker")])
def test_a_seeker_s_account_stays_one_with_their_person(store, tenant, old, new):
    with store.write(tenant) as rows:
        made = rows.accounts.add("ann", HASH, old, "p1" if old == "seeker" else None)
        with pytest.raises(UsageError, match="seeker"):
            rows.accounts.set_role(made.id, new)
        assert rows.accounts.set_role(made.id, old)
        assert rows.accounts.get(made.id) == made


def test_a_password_changes_only_where_it_is_the_one_that_was_confirmed(store, tenant):
    with store.write(tenant) as rows:
        made = rows.accounts.add("ann", HASH, "seeker")
        assert not rows.accounts.set_password(made.id, Hashed("$new"), before=Hashed("$other"))
        assert rows.accounts.hashed(made.id) == HASH
        assert rows.accounts.set_password(made.id, Hashed("$new"), before=HASH)
        assert rows.accounts.hashed(made.id) == "$new"
