"""`metier tenant` by the command line."""

import json
import shutil

import pytest

from metier.data.workspace import Workspace
from metier.store import Store
from metier.store.tokens import Hashed

HASH = Hashed("$argon2id$none")


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    store = Store.open(home / "metier.db")
    store.add_tenant("main")
    store.close()
    return home


@pytest.fixture
def bundle(metier, town_home, home):
    """A bundle of the home that can answer live."""
    if "served" not in Workspace(town_home).names("models"):
        assert metier("train", "town", "--model", "profile", "--as", "served").code == 0
    shutil.copytree(Workspace(town_home).model("served"), Workspace(home).model("served"))
    return "served"


def complete(home, token):
    store = Store.open(home / "metier.db")
    made = store.setup.complete(token, "root", HASH)
    store.close()
    return made and made[0].name


def test_a_token_is_printed_until_there_is_an_administrator(metier, home):
    ran = metier("tenant", "add", "acme", "--home", home)
    assert ran.code == 0, ran.err
    first = ran.out.strip()
    assert first not in ran.err
    assert "metier tenant give acme" in ran.err
    second = json.loads(metier("tenant", "add", "acme", "--home", home, "--json").out)["token"]
    assert complete(home, first) is None
    assert complete(home, second) == "acme"
    ran = metier("tenant", "add", "acme", "--home", home)
    assert (ran.code, ran.out) == (2, "")
    assert "has an administrator" in ran.err


def test_a_bundle_is_one_tenant_s(metier, home, bundle):
    ran = metier("tenant", "add", "acme", "--bundle", bundle, "--home", home, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["model"].startswith("served@")
    ran = metier("tenant", "give", "acme", bundle, "--home", home, "--json")
    assert json.loads(ran.out)["state"] == "live"
    ran = metier("tenant", "give", "main", bundle, "--home", home)
    assert (ran.code, "is the tenant acme's" in ran.err) == (2, True)
    listed = {one["tenant"]: one for one in json.loads(metier("tenant", "list", "--home", home, "--json").out)}
    assert (listed["acme"]["model"][:7], listed["acme"]["administrator"]) == ("served@", False)
    assert listed["main"]["model"] is None
    assert "none yet" in metier("tenant", "list", "--home", home).out


def test_database_by_its_own_option(metier, home, tmp_path):
    ran = metier("tenant", "add", "acme", "--database", home / "metier.db", "--home", tmp_path / "elsewhere")
    assert ran.code == 0, ran.err
    assert complete(home, ran.out.strip()) == "acme"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "a b"], "no name for a tenant"),
        (["add", "acme", "--bundle", "none"], "no bundle 'none'"),
        (["give", "nobody", "none"], "no tenant 'nobody'"),
        (["give", "main", "none"], "no bundle 'none'"),
    ],
)
def test_wrong_use(metier, home, arguments, said):
    ran = metier("tenant", *arguments, "--home", home)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_no_database_is_made(metier, tmp_path):
    assert "no database" in metier("tenant", "list", "--home", tmp_path / "nowhere").err
    assert not (tmp_path / "nowhere").exists()
