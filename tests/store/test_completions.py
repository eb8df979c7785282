"""What is kept of a completion, under which key, and that two processes may write at once."""

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.store import Completion, CompletionStore, Database, Spending, completion_key

PARTS = {
    "input": {"person": "p1", "lines": {"P1": "degree: none"}},
    "prompt_version": "simple-1-abc",
    "model": "m",
    "parameters": {"temperature": 0.0, "seed": 1},
    "cutoff": "2012-04-06T00:00:00",
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def made(key: str, **changes) -> Completion:
    whole = Completion(
        key=key,
        dataset="town",
        person="p1",
        prompt="simple",
        prompt_version="1",
        model="m",
        parameters={"seed": 1},
        cutoff="c",
        state="done",
        input={"P1": "x"},
        content={"skills": [{"text": "é"}]},
        audit={"items": 1},
        input_tokens=10,
        output_tokens=5,
        cost=0.25,
        started=NOW,
        finished=NOW,
    )
    return replace(whole, **changes)


@pytest.mark.parametrize("part", PARTS)
def test_a_key_changes_with_each_of_its_parts(part):
    other = {"parameters": {"temperature": 0.1, "seed": 1}, "input": {"person": "p2", "lines": {"P1": "degree: none"}}}
    changed = PARTS | {part: other.get(part, "another")}
    assert completion_key(**changed) != completion_key(**PARTS)


@given(
    st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
)
def test_a_key_does_not_depend_on_the_order_of_settings(parameters):
    turned = dict(reversed(parameters.items()))
    assert completion_key(**PARTS | {"parameters": parameters}) == completion_key(**PARTS | {"parameters": turned})


def test_a_request_is_in_the_ledger_before_its_answer(database):
    store = CompletionStore(database)
    store.sent("k", "r1", 1, "m", Spending(60, 40, 1.0, 1))  # and then the process is killed
    assert [(row["id"], row["state"], row["attempt"], row["ended"]) for row in store.ledger(["k"])] == [
        ("r1", "sent", 1, None)
    ]
    assert store.states(["k"]) == {}
    for request, status, spent in (("r2", "HTTP 429", Spending(calls=1)), ("r3", "ok", Spending(10, 5, 0.25, 1))):
        store.sent("k", request, 1, "m", Spending(60, 40, 1.0, 1))
        store.ended(request, status, spent)
    assert [(row["id"], row["state"], row["status"], row["cost"]) for row in store.ledger(["k"])] == [
        ("r1", "sent", "", 1.0),
        ("r2", "failed", "HTTP 429", 0.0),
        ("r3", "answered", "ok", 0.25),
    ]
    assert store.spent(["k", "other"]) == Spending(70, 45, 1.25, 3), "an unknown end counts as the worst"


def test_a_model_has_one_bill_whomever_it_was_asked_about(database):
    store = CompletionStore(database)
    assert store.spent_on("m") == Spending()
    for key, model in (("k1", "m"), ("k2", "m"), ("k3", "other")):
        store.sent(key, f"r-{key}", 1, model, Spending(6, 4, 0.5, 1))
    store.save([made("k1")])
    store.erase("town", "p1")
    assert store.spent_on("m") == Spending(12, 8, 1.0, 2)


def test_what_is_read_is_what_was_saved(database):
    store = CompletionStore(database)
    store.save([made("k")])
    [kept] = store.read(["k"])
    assert replace(kept, started=NOW, finished=NOW) == made("k")


def test_a_later_result_replaces_an_earlier_one(database):
    store = CompletionStore(database)
    store.save([made("k", state="failed", reason="no answer")])
    store.save([made("k")])
    assert store.states(["k", "other"]) == {"k": "done"}


def test_many_keys_are_found(database):
    store = CompletionStore(database)
    keys = [f"k{i}" for i in range(1201)]
    store.save(made(key) for key in keys)
    assert len(store.states(keys)) == 1201


def test_a_person_can_be_erased(database):
    store = CompletionStore(database)
    store.save([made("k1"), made("k2", person="p2")])
    store.sent("k1", "r1", 1, "m", Spending())
    store.sent("k2", "r2", 1, "m", Spending())
    assert store.erase("town", "p1") == 1
    assert store.states(["k1", "k2"]) == {"k2": "done"}
    assert [row["id"] for row in store.ledger(["k1", "k2"])] == ["r2"]


def _write(url, gate, own, results):
    database = Database.open(url)
    store = CompletionStore(database)
    gate.wait()
    try:
        for i in range(30):
            store.sent(f"{own}{i}", f"{own}-{i}", 1, "m", Spending())
            store.ended(f"{own}-{i}", "ok", Spending(1, 1, 0.5, 1))
            store.save([made(f"{own}{i}"), made(f"both{i}")])
        results.put("")
    except Exception as error:
        results.put(repr(error))
    database.close()


def test_two_processes_may_write_at_once(database, database_url):
    spawn = multiprocessing.get_context("spawn")
    gate, results = spawn.Barrier(2), spawn.Queue()
    workers = [spawn.Process(target=_write, args=(database_url, gate, own, results)) for own in "ab"]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=60) for _ in workers] == ["", ""]
    for worker in workers:
        worker.join()
    store = CompletionStore(database)
    keys = [f"{who}{i}" for who in ("a", "b", "both") for i in range(30)]
    assert len(store.states(keys)) == 90
    assert store.spent(keys) == Spending(60, 60, 30.0, 60)


def test_what_is_erased_is_not_in_the_file_any_more(tmp_path):
    path = tmp_path / "metier.db"
    for erase in (False, True):
        database = Database.open(path)
        store = CompletionStore(database)
        store.save([made(f"k{i}", content={"skills": [f"xylophone repair {i}"]}) for i in range(50)])
        if erase:
            assert store.erase("town", "p1") == 50
        database.close()
        assert (b"xylophone repair" in path.read_bytes()) != erase


def test_many_threads_may_write_at_once(tmp_path):
    database = Database.open(tmp_path / "metier.db")
    store, gate = CompletionStore(database), Barrier(64)

    def write(number: int) -> None:
        gate.wait(60)
        for attempt in range(3):
            store.sent(f"k{number}", f"r{number}-{attempt}", attempt, "m", Spending(calls=1))

    with ThreadPoolExecutor(64) as pool, database.write():
        done = [pool.submit(write, number) for number in range(64)]
        time.sleep(0.2)
        assert database.engine.pool.checkedout() == 1, "those that wait hold no connection"
    for one in done:
        one.result()
    assert store.spent_on("m").calls == 192
