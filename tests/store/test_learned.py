"""What the service learned, as tables: by itself and together with the dataset that the bundle was trained on."""

from datetime import datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from metier.data.tables import Tables
from metier.store.events import Event
from metier.store.jobs import Job
from metier.store.people import Person
from metier.testing.worlds import small_town

WORK = [
    {"title": "Nurse", "start": "2015-03", "end": "2019-07", "summary": "Wards."},
    {"title": "Aide", "start": "2012"},
    {"title": "Helper", "start": "0000-07"},
    {"title": "Child", "end": "long ago"},
]


@pytest.fixture
def learned(store, tenant):
    with store.write(tenant) as rows:
        rows.people.save(
            [
                Person(
                    "p1",
                    "I nurse.",
                    "Riga",
                    "RI",
                    "LV",
                    "1001",
                    attributes={"years": 10, "degree": "BSc", "langs": ["lv"]},
                ),
                Person("p2", attributes={"years": 2.5, "degree": 3}),
            ]
        )
        old, made = rows.resumes.add("p1", b"o"), rows.resumes.add("p1", b"x")
        for one, text, work in ((made, "Ward nurse", [*WORK, {"employer": "X"}]), (old, "Read later", [])):
            rows.resumes.done(one.id, kind="pdf", how="OCR", text=text, hidden=[], candidate={"work": work})
        rows.resumes.add("p2", b"y")
        rows.jobs.save(
            [
                Job("j1", "Nurse", "Nights.", "Clinic", "Riga", start=0.5, level=1, remote=True, currency="EUR"),
                Job("j2", "Cook", ""),
            ]
        )
        rows.jobs.withdraw("j2")
        rows.jobs.withdraw("of the bundle")
        rows.events.add(
            [
                Event("e1", "applied", "p1", "j1", 86_400.0),
                Event("e2", "applied", "p1", "j1", 43_200.5),
                Event("e3", "viewed", "p1", "j2", 1.0),
                Event("e4", "applied", "p2", "of the bundle", 2.0),
                Event("e5", "applied", "p2", "j1", 3.0),
                Event("e6", "unapplied", "p2", "j1", 4.0),
            ]
        )
    with store.read(tenant) as rows:
        return rows.learned()


def test_people_jobs_history_and_applications(learned):
    assert learned.people.to_dicts() == [
        {"id": "p1", "window": None, "city": "Riga", "state": "RI", "country": "LV", "zip": "1001",
         "text": "I nurse.\nWard nurse", "degree": "BSc", "langs": ["lv"], "years": 10.0},
        {"id": "p2", "window": None, "city": None, "state": None, "country": None, "zip": None,
         "text": "", "degree": "3", "langs": None, "years": 2.5},
    ]  # fmt: skip
    assert learned.jobs.select("id", "title", "text", "city", "start", "end", "employer", "level").rows() == [
        ("j1", "Nurse", "Nights.", "Riga", datetime(1970, 1, 1, 0, 0, 0, 500_000), None, "Clinic", 1),
        ("j2", "Cook", "", None, None, None, None, None),
    ]
    assert learned.jobs.select("remote", "currency").rows() == [(True, "EUR"), (None, None)]
    assert learned.history.rows() == [
        ("p1", 1, "Nurse", "Wards.", datetime(2019, 7, 1)),
        ("p1", 2, "Aide", None, datetime(2012, 1, 1)),
        ("p1", 3, "Helper", None, None),
        ("p1", 4, "Child", None, None),
    ]
    assert learned.interactions.select("person", "job", "time", "weight").rows() == [
        ("p2", "of the bundle", datetime(1970, 1, 1, 0, 0, 2), 1.0),
        ("p1", "j1", datetime(1970, 1, 1, 12, 0, 0, 500_000), 1.0),
    ]


def test_an_empty_store_gives_empty_tables(store, tenant):
    with store.read(tenant) as rows:
        learned = rows.learned()
    empty = Tables.build(pl.DataFrame(), pl.DataFrame(), pl.DataFrame())
    for name in ("people", "interactions", "history", "windows"):
        assert_frame_equal(getattr(learned, name), getattr(empty, name))
    assert learned.jobs.is_empty()


def test_a_dataset_with_nothing_new_stays_as_it_is(store, tenant):
    base = small_town()
    with store.read(tenant) as rows:
        together = rows.learned(base)
    assert_frame_equal(together.people, base.people)
    assert_frame_equal(together.jobs.select(base.jobs.columns), base.jobs)
    assert_frame_equal(together.interactions, base.interactions)
    assert_frame_equal(together.history, base.history)


def test_learned_rows_take_the_place_of_old_ones_and_applications_count_once(store, tenant):
    base = small_town()
    person, job, _ = base.interactions.select("person", "job", "time").row(0)
    with store.write(tenant) as rows:
        rows.people.save([Person(person, "changed"), Person("new")])
        rows.jobs.save([Job(job, "Changed", ""), Job("posted", "New", "")])
        rows.events.add([Event("1", "applied", person, job, 9e8), Event("2", "applied", "new", job, 9e8)])
        together = rows.learned(base)
    assert len(together.people) == len(base.people) + 1
    assert together.people.filter(pl.col("id") == person)["text"].to_list() == ["changed"]
    assert len(together.jobs) == len(base.jobs) + 1
    assert together.jobs.filter(pl.col("id") == job)["title"].to_list() == ["Changed"]
    assert_frame_equal(together.interactions.head(-1), base.interactions)
    assert together.interactions.row(-1)[:2] == ("new", job)


def test_who_was_erased_is_not_trained_on(store, tenant):
    base = small_town()
    person = base.interactions["person"][0]
    store.erase(tenant, person, "root")
    with store.read(tenant) as rows:
        together = rows.learned(base)
    assert person not in together.people["id"]
    assert person not in together.interactions["person"]
    assert person not in together.history["person"]
    assert len(together.people) == len(base.people) - 1


def test_a_learned_attribute_takes_the_dtype_of_the_dataset(store, tenant):
    base = small_town()
    dtypes = {"years": pl.Int32, "langs": pl.List(pl.String), "degree": pl.String}
    base = base.replace(people=base.people.with_columns(pl.lit(None, dtype).alias(n) for n, dtype in dtypes.items()))
    odd = {"years": "many", "langs": "lv", "degree": "BSc"}
    with store.write(tenant) as rows:
        rows.people.save([Person("new", attributes={"years": 7.0, "degree": 3}), Person("odd", attributes=odd)])
        people = rows.learned(base).people.tail(2)
    assert {name: people.schema[name] for name in dtypes} == dtypes
    assert people.select(*dtypes).rows() == [(7, None, "3"), (None, None, "BSc")]


def test_people_are_those_whom_the_service_answers(store, tenant):
    """Somebody of the base with a résumé, strangers with a résumé and with an application; none has a profile here."""
    base = small_town()
    row = base.people.row(0, named=True)
    with store.write(tenant) as rows:
        for person in (row["id"], "stranger"):
            made = rows.resumes.add(person, b"x")
            read = {"work": [{"title": "Baker"}]}
            rows.resumes.done(made.id, kind="pdf", how="OCR", text="I bake", hidden=[], candidate=read)
        rows.events.add(
            [Event("1", "applied", "clicker", base.jobs["id"][0], 9e8), Event("2", "viewed", "x", "y", 9e8)]
        )
        together = rows.learned(base)
    assert together.people.row(0, named=True) == row | {"text": f"{row['text']}\nI bake"}
    assert together.people.tail(2).select("id", "text", "city").rows() == [
        ("clicker", None, None), ("stranger", "I bake", None)
    ]  # fmt: skip
    assert len(together.people) == len(base.people) + 2
    assert together.history.filter(pl.col("person") == row["id"])["title"].to_list() == ["Baker"]


def test_who_came_back_after_an_erasure_counts_with_what_came_since(store, tenant):
    base = small_town()
    person, job, _ = base.interactions.select("person", "job", "time").row(0)
    store.erase(tenant, person, "root")
    with store.write(tenant) as rows:
        rows.people.save([Person(person, "new")])
        rows.events.add([Event("1", "applied", person, job, 9e8)])
        together = rows.learned(base)
    assert together.people.filter(pl.col("id") == person)["text"].to_list() == ["new"]
    assert together.interactions.filter(pl.col("person") == person)["job"].to_list() == [job]
