"""Both engines keep the promises of the port: order, nothing done twice, killed workers, errors with a place."""

import os
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from metier.data import Tables
from metier.engine import Work, map_table, open_engine
from metier.engine import parts as storage
from metier.errors import DataRejectedError, MetierError, UsageError

TABLE = pl.DataFrame({"x": range(10)})
NAMES = {"doubled": "metier.testing.batch_work:doubled", "dying": "metier.testing.batch_work:dying"}

SEVERAL = pytest.mark.parametrize("engine", ["local", "dask"], indirect=True, scope="module")


@pytest.fixture(scope="module", params=["one process", "local", "dask"])
def engine(request):
    if request.param == "dask":
        request.getfixturevalue("distributed")
    workers = 1 if request.param == "one process" else 2
    with open_engine("dask" if request.param == "dask" else "local", workers=workers) as opened:
        assert opened.workers == workers
        yield opened


@pytest.fixture
def urls(tmp_path):
    return storage.save_table(TABLE, str(tmp_path / "in"), rows=2)


def seen(path: Path) -> list[str]:
    return sorted(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else []


def test_results_are_in_order_and_whole(engine, tmp_path):
    done = []
    table = map_table(
        engine,
        Work(NAMES["doubled"]),
        TABLE,
        str(tmp_path),
        rows=3,
        progress=lambda *step: done.append(step[:2]),
    )
    assert_frame_equal(table, pl.DataFrame({"x": [2 * x for x in range(10)]}))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"part-{n:05d}.parquet" for n in range(4)]
    assert done[0] == (0, 4)
    assert done == sorted(done)


def test_an_empty_table_keeps_its_columns(engine, tmp_path):
    assert_frame_equal(map_table(engine, Work(NAMES["doubled"]), TABLE.clear(), str(tmp_path), rows=3), TABLE.clear())


def test_what_is_done_is_not_done_again(engine, urls, tmp_path):
    out, calls = str(tmp_path / "out"), tmp_path / "calls"
    work = Work(NAMES["doubled"], {"seen": str(calls)})
    results = engine.map_batches(work, urls, out)
    assert seen(calls) == list("02468")
    assert engine.map_batches(work, urls, out) == results
    assert seen(calls) == list("02468")
    Path(results[1]).unlink()
    storage.save(urls[3], pl.DataFrame({"x": [60, 7]}))
    Path(results[4]).write_bytes(Path(results[4]).read_bytes()[:100])  # half-written by somebody else
    engine.map_batches(work, urls, out)
    assert seen(calls) == sorted([*"02468", "2", "60", "8"])
    assert [storage.load(url)["x"][0] for url in results] == [0, 4, 8, 120, 16]


def test_other_settings_are_other_work(engine, urls, tmp_path):
    out, calls = str(tmp_path / "out"), [tmp_path / "a", tmp_path / "b"]
    for path in calls:
        engine.map_batches(Work(NAMES["doubled"], {"seen": str(path)}), urls, out)
    assert [seen(path) for path in calls] == [list("02468")] * 2


def test_leftovers_go(engine, urls, tmp_path):
    out = tmp_path / "out"
    engine.map_batches(Work(NAMES["doubled"]), urls, str(out))
    (out / ".part-00000.parquet.abc.partial").write_bytes(b"half")
    (out / "mine.txt").write_text("kept")
    engine.map_batches(Work(NAMES["doubled"]), urls[:2], str(out))
    assert sorted(path.name for path in out.iterdir()) == ["mine.txt", "part-00000.parquet", "part-00001.parquet"]


def test_partitions_that_belong_together_go_to_one_worker(engine, urls, tmp_path):
    calls = tmp_path / "calls"
    engine.map_batches(Work(NAMES["doubled"], {"seen": str(calls)}, together=3), urls, str(tmp_path / "out"))
    by_first = {line.split()[0]: line.split()[1] for line in calls.read_text().splitlines()}
    assert len(by_first) == 5
    assert by_first["0"] == by_first["2"] == by_first["4"]
    assert by_first["6"] == by_first["8"]


def test_an_error_names_the_partition_and_a_cure(engine, urls, tmp_path):
    out = str(tmp_path / "out")
    with pytest.raises(MetierError, match=r"part-00002\.parquet: .*ZeroDivisionError: oh; cure: "):
        engine.map_batches(Work("metier.testing.batch_work:refusing", {"bad": 4}), urls, out)
    with pytest.raises(DataRejectedError, match=r"part-00002\.parquet: 4 is bad; cure: another number"):
        engine.map_batches(Work("metier.testing.batch_work:refusing", {"bad": 4, "on_purpose": True}), urls, out)
    assert len(engine.map_batches(Work(NAMES["doubled"]), urls, out)) == 5  # and the engine goes on


@SEVERAL
@pytest.mark.parametrize("together", [1, 2])
def test_a_killed_worker_changes_nothing(engine, urls, tmp_path, together):
    work = Work(NAMES["dying"], {"at": 4, "times": 2, "tally": str(tmp_path / "tally")}, together=together)
    results = engine.map_batches(work, urls, str(tmp_path / "out"))
    assert (tmp_path / "tally").stat().st_size == 2
    assert_frame_equal(pl.concat([storage.load(url) for url in results]), TABLE)


@SEVERAL
def test_the_third_death_is_the_last(engine, urls, tmp_path):
    work = Work(NAMES["dying"], {"at": 4, "times": 9, "tally": str(tmp_path / "tally")})
    with pytest.raises(MetierError, match=r"3 workers died over partition .*\.parquet .*cure: "):
        engine.map_batches(work, urls, str(tmp_path / "out"))
    assert (tmp_path / "tally").stat().st_size == 3


@SEVERAL
def test_workers_share_the_cores(engine, urls, tmp_path):
    calls = tmp_path / "calls"
    engine.map_batches(Work(NAMES["doubled"], {"seen": str(calls)}), urls, str(tmp_path / "out"))
    shares = {line.split()[2] for line in calls.read_text().splitlines()}
    assert shares == {str(max(1, (os.cpu_count() or 1) // 2))}
    assert "NUMBA_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("os:system", "is not of metier"),
        ("metierextra.module:function", "is not of metier"),
        ("metier.testing.batch_work:nothing", "there is no work"),
        ("metier.nowhere:nothing", "there is no work"),
        ("metier.engine.parts:sweep", "is not batch work; cure: mark it"),
    ],
)
def test_only_work_of_metier_runs(name, why):
    with pytest.raises(UsageError, match=why):
        Work(name)


@pytest.mark.parametrize("value", [(1, 2), float("nan"), TABLE, Tables])
def test_settings_are_json(value):
    with pytest.raises(UsageError, match="must be plain JSON"):
        Work(NAMES["doubled"], {"seen": value})
