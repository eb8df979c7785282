"""Forms for passwords and accounts, and a second tenant from its token to its first page."""

import pytest
from open_site import PASSWORD, site_of

from metier.serve.first_start import give
from metier.store.tokens import hash_password

OTHER = "another horse battery"


@pytest.fixture
def site(town_bundles, tmp_path):
    with site_of(town_bundles, tmp_path) as made:
        yield made


def test_own_password_by_its_form(site):
    visitor, elsewhere = site.signed_in("seeker"), site.signed_in("seeker")
    visitor.open("/password").send("/password", {"present": "wrong", "password": OTHER}, status=422)
    assert "not your present password" in visitor.page.css_first("#present-error").text()
    visitor.send("/password", {"present": PASSWORD, "password": "short"}, status=422)
    assert visitor.page.css_first("#password").attributes["aria-invalid"] == "true"
    visitor.send("/password", {"present": PASSWORD, "password": OTHER})
    assert "Your password is changed" in visitor.text
    assert elsewhere.open("/profile").path == "/sign-in"
    assert visitor.open("/profile").path == "/profile"


def test_administrator_makes_changes_and_removes_an_account(site):
    admin = site.signed_in("admin").open("/accounts")
    admin.send("/accounts", {"login": "rita", "password": "short", "role": "recruiter"}, status=422)
    admin.send("/accounts", {"login": "admin", "password": PASSWORD, "role": "recruiter"}, status=422)
    assert "taken" in admin.page.css_first("#login-error").text()
    admin.send("/accounts", {"login": "rita", "password": PASSWORD, "role": "recruiter"})
    rita = site.visitor().open("/sign-in").send("/sign-in", {"login": "rita", "password": PASSWORD})
    assert rita.path == "/postings"
    link = next(one for one in admin.page.css("table a") if "rita" in one.text())
    admin.open(link.attributes["href"])
    admin.send("/account/role", {"role": "operator"})
    assert rita.open("/dashboard").path == "/dashboard"
    admin.send("/account/password", {"password": "short"}, status=422)
    admin.send("/account/password", {"password": OTHER})
    assert rita.open("/dashboard").path == "/sign-in"
    rita.send("/sign-in", {"login": "rita", "password": OTHER})
    admin.send("/account/sessions")
    assert rita.open("/dashboard").path == "/sign-in"
    rita.send("/sign-in", {"login": "rita", "password": OTHER})
    admin.send("/account/access", press=("enabled", "false"))
    assert "The account is disabled" in admin.text
    assert rita.open("/dashboard").path == "/sign-in"
    rita.send("/sign-in", {"login": "rita", "password": OTHER}, status=422)
    assert (
        "disabled" in next(one for one in admin.open("/accounts").page.css("table tr") if "rita" in one.text()).text()
    )
    admin.open(link.attributes["href"]).send("/account/access", press=("enabled", "true"))
    rita.send("/sign-in", {"login": "rita", "password": OTHER})
    assert rita.path == "/dashboard"
    admin.send("/account/remove", status=422)
    admin.send("/account/remove", {"sure": "true"})
    assert "rita" not in admin.text
    assert admin.path == "/accounts"


def test_accounts_are_listed_by_name_as_the_page_says(site):
    with site.store.write(site.tenant) as rows:
        for login in ("mia", "ann", "zoe", "bob"):
            rows.accounts.add(login, "", "recruiter")
    page = site.signed_in("admin").open("/accounts").page
    logins = [one.text() for one in page.css("tbody th")]
    assert logins == sorted(logins)
    assert {"mia", "ann", "zoe", "bob"} < set(logins)
    assert "by name" in page.css_first("caption").text()


def test_keys_of_an_account_are_shown_revoked_and_end_with_it(site):
    with site.store.write(site.tenant) as rows:
        rita = rows.accounts.add("rita", hash_password(PASSWORD), "admin").id
        secrets = [rows.keys.add(label, ["read", "jobs"], rita)[1] for label in ("<nightly>", "board")]
        rows.keys.add("another's", ["read"], "system")

    def opens():
        return [site.store.authentication.key(one) is not None for one in secrets]

    admin = site.signed_in("admin").open(f"/account?id={rita}")
    assert "another's" not in admin.text
    assert "<nightly>" in admin.text
    assert "jobs, read" in admin.text
    assert secrets[0] not in admin.page.html
    button = next(one for one in admin.page.css('button[name="key"]') if "<nightly>" in one.text())
    admin.send("/account/key", press=("key", button.attributes["value"]), within="nightly")
    assert "The key is revoked." in admin.text
    assert "nightly" not in admin.text
    assert opens() == [False, True]
    admin.send("/account/remove", {"sure": "true"})
    assert "its keys are revoked" in admin.text
    assert opens() == [False, False]


def test_last_administrator_stays(site):
    admin = site.signed_in("admin").open("/accounts")
    admin.open(next(one for one in admin.page.css("table a") if "admin" in one.text()).attributes["href"])
    assert "/account/password" not in {one.attributes["action"] for one in admin.page.css("form")}
    admin.send("/account/role", {"role": "operator"}, status=422)
    assert "last admin" in admin.page.css_first(".summary").text()
    admin.send("/account/access", press=("enabled", "false"), status=422)
    assert "last admin" in admin.page.css_first(".summary").text()
    admin.send("/account/remove", {"sure": "true"}, status=422)
    admin.open("/account?id=nobody", 404)


def test_seeker_has_no_role_to_change(site):
    with site.store.read(site.tenant) as rows:
        (seeker,) = [one for one in rows.accounts.page().items if one.role == "seeker"]
    admin = site.signed_in("admin").open(f"/account?id={seeker.id}")
    assert "/account/role" not in {one.attributes["action"] for one in admin.page.css("form")}


def test_second_tenant_from_its_token_to_its_dashboard(site, tmp_path):
    (tmp_path / "home" / "runs" / "secret-run").mkdir(parents=True)
    tenant = site.store.add_tenant("acme")
    give(site.store, tmp_path / "home" / "models" / "other", tenant)
    site.client.app.state.service.models.follow()
    site.visitor().open("/first-start", 404)
    token = site.store.setup.token(tenant.id)
    visitor = site.visitor().open("/")
    assert visitor.path == "/", "only whoever has a token goes there"
    visitor.open("/first-start").send("/first-start", {"token": token, "login": "root", "password": PASSWORD})
    assert visitor.path == "/dashboard"
    assert "other" in visitor.page.css_first(".figures").text()
    heads = {one.text() for one in visitor.page.css("h2")}
    own = {one.text() for one in site.signed_in("operator").page.css("h2")}
    assert own - heads == {"How good they are", "Who is shown to recruiters", "Completed résumés"}
    visitor.open("/dashboard/map.svg?run=secret-run", 404)
    with site.store.read(tenant.id) as rows:
        assert [one.login for one in rows.accounts.page().items] == ["root"]
    with site.store.read(site.tenant) as rows:
        assert "root" not in [one.login for one in rows.accounts.page().items]
    site.visitor().open("/first-start", 404)


def test_sign_in_says_nothing_of_other_tenants(site):
    """The same login in two tenants has two passwords; a wrong tenant is answered as a wrong password is."""
    with site.store.write(site.store.add_tenant("acme").id) as rows:
        rows.accounts.add("operator", hash_password(OTHER), "operator")
    told = set()
    for tenant, password in (("", OTHER), ("acme", PASSWORD), ("nobody", OTHER), ("a\tb", OTHER)):
        visitor = site.visitor().open("/sign-in")
        typed = {"login": "operator", "password": password, "tenant": tenant}
        visitor.send("/sign-in", typed, status=422)
        told.add(visitor.page.css_first(".summary").text())
    assert len(told) == 1
    for tenant, password in (("main", PASSWORD), ("", PASSWORD), (" acme ", OTHER)):
        visitor = site.visitor().open("/sign-in")
        visitor.send("/sign-in", {"login": "operator", "password": password, "tenant": tenant})
        assert visitor.path == "/dashboard"
