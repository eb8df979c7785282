"""The database door: migrations up and down, who may write when, and what a wrong address says."""

import multiprocessing
import sqlite3
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import closing

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from metier.errors import ConfigError, MetierError, StoreFullError
from metier.store import CompletionStore, Spending
from metier.store.database import Database, connect
from metier.store.schema import metadata


def test_migrations_make_the_tables_of_the_schema(database):
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrations_go_down_and_up_again(database):
    database.downgrade("base")
    assert set(sa.inspect(database.engine).get_table_names()) == {"alembic_version"}
    database.upgrade()
    assert {"completions", "calls"} <= set(sa.inspect(database.engine).get_table_names())


def test_a_database_of_a_newer_release_is_refused(database, database_url):
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer metier"):
        Database.open(database_url)


def _open(url, gate, results):
    gate.wait()
    try:
        Database.open(url).close()
        results.put("")
    except Exception as error:
        results.put(repr(error))


def test_four_processes_may_open_a_new_database_at_once(database_url):
    spawn = multiprocessing.get_context("spawn")
    gate, results = spawn.Barrier(4), spawn.Queue()
    workers = [spawn.Process(target=_open, args=(database_url, gate, results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=60) for _ in workers] == [""] * 4
    for worker in workers:
        worker.join()


def test_a_file_that_another_process_writes_is_waited_for_before_its_log_is_kept(tmp_path):
    path = tmp_path / "metier.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE theirs (number)")
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor() as pool:
        opened = pool.submit(Database.open, path)
        with pytest.raises(FutureTimeout):
            opened.result(timeout=0.5)
        other.execute("COMMIT")
        opened.result(timeout=60).close()


def test_a_file_that_may_not_be_written_is_not_waited_for(tmp_path):
    path = tmp_path / "metier.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (number)")
    started = time.perf_counter()
    with pytest.raises(MetierError, match="may not be written; cure: ask for the right"):
        Database.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert time.perf_counter() - started < 5


def test_sqlite_keeps_a_log_syncs_it_and_makes_the_folder(tmp_path):
    database = Database.open(tmp_path / "new" / "metier.db")
    with database.read() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000}


def test_on_sqlite_a_reader_does_not_wait_for_a_writer(tmp_path):
    database = Database.open(tmp_path / "metier.db")
    with database.write(), database.read() as reading:
        started = time.perf_counter()
        assert reading.execute(sa.text("SELECT count(*) FROM calls")).scalar_one() == 0
        assert time.perf_counter() - started < 1


def test_on_sqlite_a_writer_has_the_lock_from_the_start(tmp_path):
    first = Database.open(tmp_path / "metier.db")
    second = Database(connect(tmp_path / "metier.db"))
    with second.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    with first.write(), pytest.raises(MetierError, match=r"locked by another process.*cure: wait"), second.write():
        pass


@pytest.mark.parametrize("door", ["read", "write"])
def test_an_error_tells_its_kind_and_place_but_no_value(database, door):
    twice = sa.text("INSERT INTO alembic_version (version_num) VALUES (:text), (:text)")

    def insert() -> None:
        with getattr(database, door)() as connection:
            connection.execute(twice, {"text": "canary"})

    with pytest.raises(MetierError, match=r"database .* (refuses|may not be written).*cure: .*\(\w+\)") as caught:
        insert()
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_full_disk_is_told(tmp_path):
    database = Database.open(tmp_path / "metier.db")
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    store = CompletionStore(database)
    with pytest.raises(StoreFullError, match="no room left; cure: free some space"):
        store.sent("k" * 100_000, "r", 1, "m", Spending())


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("mysql://host/name", ConfigError, "'mysql' is not supported"),
        ("postgresql+nodriver://host/name", ConfigError, "no driver"),
        ("nonsense:://", ConfigError, "cannot be read|not supported"),
        ("postgresql://metier:secret@127.0.0.1:1/name", MetierError, "does not answer"),
    ],
)
def test_a_wrong_address_is_told_without_its_password(url, kind, message):
    with pytest.raises(kind, match=message) as caught:
        Database.open(url)
    assert "secret" not in str(caught.value)
