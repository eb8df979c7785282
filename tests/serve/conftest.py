"""A service over a small town's bundles, with two tenants and an actor of each kind."""

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
import numpy as np
import pytest
from real_server import Server

from metier.bundle import save
from metier.features.assemble import assemble
from metier.models.registry import create
from metier.serve.app import create_app
from metier.serve.first_start import give
from metier.serve.models import Models
from metier.serve.policy import SCOPES
from metier.serve.settings import Settings
from metier.store.store import Store
from metier.store.tokens import hash_password
from metier.testing.worlds import small_town

PASSWORD = "correct horse battery"
HASHED = hash_password(PASSWORD)
ROLES = ("seeker", "recruiter", "operator", "admin")


@pytest.fixture(scope="session")
def town_bundles(tmp_path_factory):
    """Folder with the bundles first, second (another seed), and other, of the model profile."""
    folder = tmp_path_factory.mktemp("bundles")
    tables = small_town()
    data = assemble(tables, "newest")
    for name, seed in (("first", 0), ("second", 1), ("other", 2)):
        model = create("profile", {"topics": 8}).fit(data.dataset, rng=np.random.default_rng(seed))
        save(folder / name, model, tables, data, {"seed": seed})
    return folder


@pytest.fixture(scope="module")
def server(town_bundles, tmp_path_factory):
    """`metier serve` over copies of the bundles, not running yet."""
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(town_bundles, home / "models")
    return Server(home)


@dataclass
class World:
    """A running service and who may ask it."""

    app: object
    store: Store
    tenant: str
    other: str
    keys: dict[str, str] = field(default_factory=dict)
    """name -> API key: "full", one for each scope alone, and "other" of the other tenant"""

    @property
    def service(self):
        return self.app.state.service

    def client(self, key=None, address="192.0.2.1"):
        """An HTTP client that sends a key."""
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        transport = httpx2.ASGITransport(app=self.app, client=(address, 1))
        return httpx2.AsyncClient(transport=transport, base_url="http://metier.test", headers=headers)

    async def signed_in(self, role, tenant="main"):
        """A client with the session of an account, named as its role or otherwise, and its CSRF token as a header."""
        client = self.client(address=f"192.0.2.{10 + ROLES.index(role) if role in ROLES else 9}")
        answer = await client.post("/api/v1/sessions", json={"login": role, "password": PASSWORD, "tenant": tenant})
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client


@pytest.fixture
def make_world(town_bundles, tmp_path, monkeypatch):
    """`async with make_world(settings...) as world:` the service runs inside; it does not rehearse or settle."""
    monkeypatch.setattr("metier.serve.app.rehearse", lambda model: None)
    monkeypatch.setattr("metier.serve.app.settle", lambda: None)

    @asynccontextmanager
    async def make(**settings):
        home = tmp_path / "home"
        if not home.exists():
            shutil.copytree(town_bundles, home / "models")
        given = {"home": home, "moment": "data", "sign_ins_per_minute": 1000, "requests_per_minute": 100_000}
        chosen = Settings(**(given | settings))
        store = Store.open(chosen.where)
        models = Models(home / "models", store, main=chosen.tenant)
        tenants = {one.name: one.id for one in store.tenants()}
        for name, bundle in (("main", "first"), ("other", "other")):
            if name not in tenants:
                tenant = store.add_tenant(name)
                tenants[name] = tenant.id
                give(store, home / "models" / bundle, tenant)
        world = World(create_app(chosen, store.database, models), store, tenants["main"], tenants["other"])
        for tenant in tenants.values():
            with store.write(tenant) as rows:
                if not rows.accounts.page().items:
                    for role in ROLES:
                        rows.accounts.add(role, HASHED, role, "p0" if role == "seeker" else None)
                _, world.keys["full" if tenant == world.tenant else "other"] = rows.keys.add("", SCOPES, "system")
                if tenant == world.tenant:
                    for scope in SCOPES:
                        _, world.keys[scope] = rows.keys.add("", [scope], "system")
        async with world.app.router.lifespan_context(world.app):
            yield world

    return make


@pytest.fixture
def running():
    """Run a coroutine to its end."""
    return asyncio.run
