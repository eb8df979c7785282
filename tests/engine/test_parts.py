"""Partitions are whole wherever they lie; memory:// stands for the object stores."""

from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from metier.engine import Work, map_table, open_engine
from metier.engine import parts as storage
from metier.engine.kept import forget, kept

TABLE = pl.DataFrame({"x": range(5)})


@pytest.fixture(params=["file", "memory"])
def folder(request, tmp_path):
    return str(tmp_path / "deep" / "folder") if request.param == "file" else f"memory://{uuid4().hex}/folder"


def test_a_table_comes_back(folder):
    with open_engine() as engine:
        work = Work("metier.testing.batch_work:doubled")
        assert_frame_equal(map_table(engine, work, TABLE, folder, rows=2), TABLE * 2)
        assert_frame_equal(map_table(engine, work, TABLE[:1], folder, rows=2), TABLE[:1] * 2)
    assert storage.fingerprint(storage.named(folder + "/out", 0)) is not None
    assert storage.fingerprint(storage.named(folder + "/out", 1)) is None
    with pytest.raises(FileNotFoundError):
        storage.load(storage.named(folder + "/out", 1))


def test_a_failed_write_leaves_the_old_one(tmp_path, monkeypatch):
    url = storage.named(str(tmp_path), 0)
    storage.save(url, TABLE, "old")
    monkeypatch.setattr(Path, "replace", _full)
    with pytest.raises(OSError, match="disk full"):
        storage.save(url, TABLE * 2, "new")
    assert storage.fingerprint(url) == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["part-00000.parquet"]


def _full(*_):
    raise OSError("disk full")


def test_one_thing_of_a_kind_is_kept_and_dropped_before_the_next():
    alive, found = set(), []

    class Thing:
        def __init__(self, name):
            found.append((name, len(alive)))
            alive.add(id(self))

        def __del__(self):
            alive.discard(id(self))

    assert kept("thing", 1, lambda: Thing("a")) is kept("thing", 1, lambda: Thing("never"))
    kept("thing", 2, lambda: Thing("b"))
    assert found == [("a", 0), ("b", 0)]
    forget()
    assert not alive
