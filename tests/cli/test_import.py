import json
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from metier.bundle import load
from metier.data.workspace import Workspace
from metier.operate.person import erase_person
from metier.store import Store
from metier.store.events import Event
from metier.store.jobs import Job
from metier.store.people import Person

MAP = """
[people]
from = ["interactions"]
[jobs]
file = "jobs.csv"
id = "job"
[interactions]
file = "views.csv"
person = "who"
job = "what"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text("job\na\nb\n")
    (tmp_path / "views.csv").write_text("who,what\n1,a\n1,a\n2,b\n")
    (tmp_path / "map.toml").write_text(MAP)
    return tmp_path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_table_prints_the_rows_of_each_file(metier, shop, home) -> None:
    ran = metier("import", "table", shop, "--map", shop / "map.toml", "--as", "shop", "--home", home)
    assert ran.code == 0, ran.err
    assert "duplicate" in ran.out
    assert "views.csv" in ran.out
    assert len(Workspace(home).load("shop").interactions) == 2
    assert json.loads((home / "datasets" / "shop" / "quarantine.jsonl").read_text()) == {
        "file": "views.csv",
        "line": 3,
        "column": "what",
        "code": "duplicate",
        "reason": "the person and the job of a row with an earlier time",
    }


def test_json_holds_the_counts(metier, shop, home) -> None:
    ran = metier("import", "table", shop, "--map", shop / "map.toml", "--as", "shop", "--home", home, "--json")
    result = json.loads(ran.out)
    assert (result["people"], result["jobs"], result["interactions"]) == (2, 2, 2)
    assert result["files"][1] == {
        "file": "views.csv", "rows": 3, "accepted": 2, "quarantined": {"duplicate": 1}, "warnings": {},
    }  # fmt: skip


def test_too_many_bad_rows_leave_only_the_quarantine(metier, shop, home) -> None:
    (shop / "views.csv").write_text("who,what\n1,a\n2,zz\n")
    arguments = ["import", "table", shop, "--map", shop / "map.toml", "--as", "shop", "--home", home]
    ran = metier(*arguments, "--json")
    assert ran.code == 3
    assert "1 of 2 rows are bad (50.0%, most often 'unknown-job')" in json.loads(ran.err)["error"]["message"]
    assert Workspace(home).names("datasets") == []
    assert json.loads((home / "rejected" / "shop" / "quarantine.jsonl").read_text())["line"] == 3
    assert metier(*arguments, "--max-bad", "0.5").code == 0
    assert metier(*arguments, "--max-bad", "1.5").code == 2


@pytest.mark.parametrize(
    ("file", "content", "code", "message"),
    [
        ("jobs.csv", b"id\na\n", 3, "no column 'job'; found 'id'"),
        ("map.toml", MAP.replace("who", "whom").encode(), 3, "no column 'whom'; found 'who', 'what'"),
        ("map.toml", b"[people]\nfoo = 1", 2, "unknown key 'foo'; allowed:"),
        ("map.toml", MAP.replace("views.csv", "views.csv.gz").encode(), 3, "views.csv.gz: no such file"),
    ],
)
def test_broken_input_is_named(metier, shop, home, file, content, code, message) -> None:
    (shop / file).write_bytes(content)
    ran = metier("import", "table", shop, "--map", shop / "map.toml", "--as", "shop", "--home", home)
    assert (ran.code, message in ran.err) == (code, True), ran.err
    assert not home.exists()


def test_a_market_goes_out_as_official_files_and_as_recbole_and_comes_back(metier, tmp_path, home) -> None:
    official, atomic = tmp_path / "official", tmp_path / "atomic"
    made = metier("import", "market", "--people", 60, "--seed", 5, "--official", official, "--as", "m", "--home", home)
    assert made.code == 0, made.err
    assert (home / "datasets" / "m" / "oracle" / "market.json").is_file()
    assert metier("import", "careerbuilder", official, "--as", "cb", "--home", home).code == 0
    exported = metier("export", "m", "--to", atomic, "--home", home, "--json")
    assert exported.code == 0, exported.err
    assert str(atomic / "m.inter") in json.loads(exported.out)["files"]
    assert metier("export", "m", "--to", atomic, "--home", home).out.count("m.user") == 1
    assert metier("import", "recbole", atomic, "--as", "rb", "--home", home).code == 0
    market = Workspace(home).load("m")
    for name in ("cb", "rb"):
        again = Workspace(home).load(name)
        for frame in ("people", "jobs", "history", "interactions", "windows"):
            assert getattr(again, frame).equals(getattr(market, frame)), (name, frame)


@pytest.fixture
def service(town_home, home):
    """A home with the dataset town, and a service where people applied to its jobs and to one posted since."""
    shutil.copytree(Workspace(town_home).dataset("town"), Workspace(home).dataset("town"))
    store, town = Store.open(home / "metier.db"), Workspace(home).load("town")
    number = store.add_tenant("main").id
    with store.write(number) as rows:
        rows.people.save([Person("new", "I bake"), Person("gone", "I leave")])
        rows.jobs.save([Job("posted", "Baker", "Bread.")])
        jobs = ["posted", *town.jobs["id"].head(2)]
        events = [Event(f"{one}-{job}", "applied", one, job, 1.4e9) for one in ("new", "gone") for job in jobs]
        rows.events.add(events)
    for person in ("gone", town.people["id"][0]):
        store.erase(number, person, "system")
    store.close()
    return town


def test_what_the_service_learned_becomes_a_dataset_that_a_model_is_trained_on(metier, service, home) -> None:
    ran = metier("import", "store", "--as", "november", "--onto", "town", "--home", home, "--json")
    assert ran.code == 0, ran.err
    counts = json.loads(ran.out)
    assert (counts["people"], counts["jobs"]) == (len(service.people), len(service.jobs) + 1)
    ran = metier("train", "november", "--model", "item-knn", "--as", "november", "--home", home, "--json")
    assert ran.code == 0, ran.err
    bundle = load(Workspace(home).model("november"))
    people = bundle.people_table["id"].to_list()
    assert "new" in people
    assert not {"gone", service.people["id"][0]} & {*people}
    row = bundle.dataset.matrix[[people.index("new")]]
    assert {bundle.job_table["id"][int(job)] for job in row.indices} == {"posted", *service.jobs["id"].head(2)}
    assert Workspace(home).about("november") == {"source": "store", "tenant": "main", "onto": "town"}
    store = Store.open(home / "metier.db")
    with store.read(store.tenants()[0].id) as rows:
        newest = rows.audit.page(limit=1).items[0]
    assert (newest.action, newest.object) == ("dataset.imported", "november")
    store.close()


def test_who_is_erased_meanwhile_is_not_in_the_dataset(metier, service, home, monkeypatch) -> None:
    """Their erasure waits, and goes through the new files as well."""
    real, pool = Workspace.save, ThreadPoolExecutor()
    erasing = []

    def erase():
        store = Store.open(home / "metier.db")
        erase_person(store, Workspace(home), "main", "new")
        store.close()

    def slow(*arguments, **named):
        erasing.append(pool.submit(erase))
        wait(erasing, 1)
        return real(*arguments, **named)

    monkeypatch.setattr(Workspace, "save", slow)
    assert metier("import", "store", "--as", "november", "--onto", "town", "--home", home).code == 0
    erasing[0].result(60)
    assert "new" not in Workspace(home).load("november").people["id"]


def test_applications_to_jobs_of_the_bundle_alone_are_left_out_and_counted(metier, service, home) -> None:
    ran = metier("import", "store", "--as", "alone", "--home", home, "--json")
    assert (ran.code, json.loads(ran.out)["interactions"]) == (0, 1)
    assert "2 applications to jobs that the dataset does not hold were left out; cure: --onto" in ran.err
    alone = Workspace(home).load("alone")
    assert (alone.people["id"].to_list(), alone.jobs["id"].to_list()) == (["new"], ["posted"])


def test_where_nothing_was_learned_nothing_is_written(metier, tmp_path, home) -> None:
    assert metier("import", "store", "--as", "x", "--home", home).code == 2
    store = Store.open(home / "metier.db")
    store.add_tenant("main")
    store.close()
    ran = metier("import", "store", "--as", "x", "--home", home)
    assert (ran.code, "cure: --onto" in ran.err) == (2, True)
    assert metier("import", "store", "--as", "x", "--onto", "nowhere", "--home", home).code == 2
    assert metier("import", "store", "--as", "x", "--tenant", "nobody", "--home", home).code == 2
    assert Workspace(home).names("datasets") == []


def test_a_name_that_is_no_name_is_refused_before_reading(metier, shop, home) -> None:
    ran = metier("import", "careerbuilder", shop / "nowhere", "--as", "../x", "--home", home)
    assert ran.code == 2
    assert "'../x'" in ran.err
