"""A service's home with one person who left traces everywhere."""

from datetime import UTC, datetime

import polars as pl
import pytest
from traces import PERSON

from metier.cli.app import run
from metier.data.workspace import Workspace
from metier.sources.candidate import Candidate, Contact, Work
from metier.store import Completion, CompletionStore, Store
from metier.store.events import Event
from metier.store.people import Person
from metier.store.tokens import hash_password
from metier.testing.worlds import small_town


@pytest.fixture
def workspace(tmp_path):
    """The dataset "town" with the person among its people, a completed text, and a run that judged them."""
    workspace = Workspace(tmp_path / "home")
    rename = {"p3": PERSON}
    town = small_town()
    texts = pl.when(pl.col("id") == "p3").then(pl.lit("nurse canarytext")).otherwise(pl.col("text"))
    town = town.replace(
        people=town.people.with_columns(text=texts).with_columns(pl.col("id").replace(rename)),
        history=town.history.with_columns(pl.col("person").replace(rename)),
        interactions=town.interactions.with_columns(pl.col("person").replace(rename)),
    )
    workspace.save("town", town, {"source": "test"})
    completions = workspace.dataset("town") / "completions"
    completions.mkdir()
    made = {"person": [PERSON, "p4"], "state": ["done"] * 2, "text": ["canarycompleted", "fine"]}
    pl.DataFrame(made).write_parquet(completions / "simple.parquet")
    folder = workspace.run("judged")
    (folder / "runs").mkdir(parents=True)
    (folder / "experiment.toml").write_text('dataset = "town"\n')
    pl.DataFrame({"person": [PERSON, "p4"], "AP": [0.5, 0.1]}).write_parquet(folder / "per_user.parquet")
    (folder / "runs" / "fm.trec").write_text(f"{PERSON} Q0 j1 1 0.5 fm\np4 Q0 j2 1 0.5 fm\n")
    (folder / "qrels.txt").write_text(f"{PERSON} 0 j1 1\n")
    return workspace


@pytest.fixture
def trained(workspace):
    """A bundle that knows the person."""
    run(["train", "town", "--model", "popularity", "--as", "old", "--home", str(workspace.home), "--json"])
    return workspace.model("old")


@pytest.fixture
def store(workspace):
    """The service's database, held open as by a running service, with rows of the person wherever there can be any."""
    store = Store.open(workspace.home / "metier.db")
    tenant = store.add_tenant("main").id
    resume = Candidate(contact=Contact(name="Ann canaryname", email="canary@example.org"), work=(Work(title="Nurse"),))
    with store.write(tenant) as rows:
        rows.people.save(
            [Person(PERSON, text="I am canarytext", city="Ohio", discoverable=True), Person("other", "fine")]
        )
        rows.events.add([Event("e1", "applied", PERSON, "j1", 1e9), Event("e2", "applied", "other", "j1", 1e9)])
        read = rows.resumes.add(PERSON, b"canarytext as a file")
        waiting = rows.resumes.add(PERSON, b"canaryhidden, still in the queue")
        assert waiting.state == "waiting"
        rows.resumes.done(
            read.id, kind="txt", how="text layer", text="canarytext",
            hidden=[{"reason": "white", "text": "canaryhidden"}], candidate=resume.model_dump(mode="json"),
        )  # fmt: skip
        rows.recommendations.put(
            PERSON, "0" * 64, "old@1", b'{"because": "canarytext"}', rows.recommendations.stamp(PERSON)
        )
        rows.accounts.add("canarylogin", hash_password("correct horse battery"), "seeker", PERSON)
        rows.audit.append("system", "recommendations.served", PERSON, jobs=["j1"])
    now = datetime.now(UTC)
    for person, text in ((PERSON, "canarycompleted"), ("p4", "fine")):
        made = Completion(
            person.ljust(64, "k"), "town", person, "simple", "1", "none", {}, "2012", "done", {"fact": text}, now, now,
            content={"headline": text}, audit={"unsupported": [], "items": 1},
        )  # fmt: skip
        CompletionStore(store.database).save([made])
    yield store
    store.close()
