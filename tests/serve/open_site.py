"""A service whose pages can be opened: a small town's bundle, some postings, an account of each role."""

import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

import uvicorn
from starlette.testclient import TestClient
from visitor import Visitor

from metier.serve.app import create_app
from metier.serve.models import Models
from metier.serve.postings import job_of
from metier.serve.settings import Settings
from metier.sources.job_posting import JobPosting
from metier.store.store import Store
from metier.store.tokens import hash_password

PASSWORD = "correct horse battery"
HASHED = hash_password(PASSWORD)
RESUME = """Marla Testfield
Registered Nurse
marla@example.org
Columbus, OH 43215

Summary
I am a nurse with six years in intensive care.

Experience
Registered Nurse | Scioto Valley Hospital | 2019-03 - present
Cares for ventilated patients and trains new nurses.

Education
Bachelor of Science in Nursing | Ohio River College | 2011 - 2015

Skills
Patient assessment, telemetry, IV therapy
"""
POSTINGS = (
    (
        "nurse-1",
        "Registered Nurse",
        "<p>We hire a nurse for <b>patient assessment</b>. Wound care is a plus.</p>",
        "Columbus",
        "OH",
    ),
    ("welder-1", "Pipe Welder", "<p>TIG welding of pipe. Some travel.</p>", "Houston", "TX"),
    ("teacher-1", "Teacher", "<p>We hire a teacher of mathematics.</p>", "Seattle", "WA"),
)


@dataclass
class Site:
    """A running service."""

    app: object
    store: Store
    tenant: str
    client: TestClient | None = None

    def visitor(self):
        """Somebody who has not been here before."""
        return Visitor(TestClient(self.app, client=("192.0.2.1", 1)))

    def signed_in(self, role):
        """Somebody of a role, signed in through the form."""
        visitor = self.visitor().open("/sign-in")
        return visitor.send("/sign-in", {"login": role, "password": PASSWORD})

    def post(self, id, title, html, city=None, state=None, employer="Testfield Ltd"):
        """Post a job."""
        document = {
            "title": title,
            "description": html,
            "hiringOrganization": {"name": employer},
            "jobLocation": {"address": {"addressLocality": city, "addressRegion": state, "addressCountry": "US"}},
        }
        with self.store.write(self.tenant) as rows:
            rows.jobs.save([job_of(id, JobPosting.model_validate(document))])


def prepare(bundles, folder, accounts=True, **settings):
    """An application over copies of the bundles, with postings; not running yet."""
    home = folder / "home"
    shutil.copytree(bundles, home / "models")
    given = {"home": home, "moment": "data", "sign_ins_per_minute": 1000, "requests_per_minute": 100_000}
    chosen = Settings(**(given | settings))
    store = Store.open(chosen.where)
    models = Models(home / "models", store, main=chosen.tenant)
    tenant = store.add_tenant("main").id
    models.promote(tenant, "first", "system")
    with store.write(tenant) as rows:
        for role in ("seeker", "recruiter", "operator", "admin") if accounts else ():
            rows.accounts.add(role, HASHED, role, "me" if role == "seeker" else None)
    site = Site(create_app(chosen, store.database, models), store, tenant)
    for one in POSTINGS:
        site.post(*one)
    return site


@contextmanager
def site_of(bundles, folder, **how):
    """A running service, asked inside this process."""
    site = prepare(bundles, folder, **how)
    with TestClient(site.app, client=("192.0.2.1", 1)) as site.client:
        yield site


@contextmanager
def listening(site):
    """The same behind a real port of this machine; gives its address."""
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_config=None, access_log=False))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
