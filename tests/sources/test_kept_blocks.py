import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
from official import world, write

from metier.errors import DataRejectedError
from metier.sources import careerbuilder, files
from metier.sources.careerbuilder import read_careerbuilder
from metier.sources.kept_blocks import KeptBlocks
from metier.sources.quarantine import FileLog

ROWS = 400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Jobs in about 40 blocks, with faults of every kind an account can hold."""
    monkeypatch.setattr(files, "BLOCK", 2000)
    made = world(ROWS)
    made["jobs.tsv"][100] += "\tstray"
    made["jobs.tsv"][200] = made["jobs.tsv"][200].replace("2012-03-07 13:17:01.643", "yesterday")
    made["jobs.tsv"][300] = made["jobs.tsv"][300].replace("2012-04-06 23:59:59", "tomorrow")
    made["jobs.tsv"].append(made["jobs.tsv"][1])
    return write(tmp_path, made)


def counted(monkeypatch) -> list[int]:
    """Rows of each block whose texts were made."""
    seen: list[int] = []
    make = careerbuilder._posting

    def posting(jobs: pl.DataFrame) -> pl.DataFrame:
        seen.append(len(jobs))
        return make(jobs)

    monkeypatch.setattr(careerbuilder, "_posting", posting)
    return seen


def same(one, other) -> None:
    for name in ("people", "jobs", "history", "interactions", "windows"):
        assert getattr(one[0], name).equals(getattr(other[0], name))
    assert one[1].files == other[1].files
    assert one[1].quarantine.equals(other[1].quarantine)


def test_a_second_reading_makes_no_text_and_gives_the_same(folder, tmp_path, monkeypatch) -> None:
    plain = read_careerbuilder(folder)
    assert set(plain[1].quarantine["code"]) >= {"fields", "value", "duplicate"}
    assert plain[1].files[2].warnings == {"EndDate: unreadable, set to unknown": 1}
    seen = counted(monkeypatch)
    same(plain, read_careerbuilder(folder, kept=tmp_path / "kept"))
    assert len(seen) > 30
    assert sum(seen) == ROWS - 1
    seen.clear()
    same(plain, read_careerbuilder(folder, kept=tmp_path / "kept"))
    assert sum(seen) == 0


def test_only_what_changed_and_what_was_lost_is_read_again(folder, tmp_path, monkeypatch) -> None:
    kept = tmp_path / "kept"
    read_careerbuilder(folder, kept=kept)
    blocks = sorted(kept.iterdir())
    blocks[0].unlink()
    blocks[1].write_bytes(blocks[1].read_bytes()[:50])
    lines = (folder / "jobs.tsv").read_bytes()
    at = lines.rindex(b"Bread")
    (folder / "jobs.tsv").write_bytes(lines[:at] + b"Toast" + lines[at + 5 :])
    seen = counted(monkeypatch)
    again = read_careerbuilder(folder, kept=kept)
    assert len([rows for rows in seen if rows]) == 3
    same(read_careerbuilder(folder), again)


def test_the_account_of_a_block_survives(tmp_path) -> None:
    log = FileLog("jobs.tsv")
    log.rows, log.names = 2, {"id": "JobID"}
    log.warn("EndDate: unreadable", 1)
    frame = pl.DataFrame({"(line)": [2, 3], "id": [None, "1"]})
    frame = log.set_aside(frame, pl.col("id").is_null(), column="id", code="id", reason="empty, or not UTF-8")
    kept = KeptBlocks(tmp_path / "kept")
    kept.get("a", lambda: (log, frame))
    found, rows = kept.get("a", lambda: pytest.fail("it is there"))
    assert rows.equals(frame)
    assert found.names == log.names
    for mine, theirs in zip(found.report(1), log.report(1), strict=True):
        assert mine.equals(theirs) if isinstance(mine, pl.DataFrame) else mine == theirs
    assert kept.get("b", lambda: (log, rows.clear()))[1].is_empty()


def test_an_import_goes_on_after_kill_9(metier, tmp_path) -> None:
    files_of = write(tmp_path, world(60_000))  # 13 MB of jobs: four blocks
    arguments = ["import", "careerbuilder", str(files_of), "--as", "cb", "--home"]
    kept = tmp_path / "home" / "datasets" / ".cb.import"
    running = subprocess.Popen([sys.executable, "-m", "metier", *arguments, str(tmp_path / "home")])
    deadline = time.monotonic() + 60
    while not list(kept.glob("[!.]*.parquet")) and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    there = {path.name for path in kept.glob("[!.]*.parquet")}
    assert there
    assert metier("import", "careerbuilder", files_of, "--as", "other", "--home", tmp_path / "home").code == 0
    assert metier(*arguments, tmp_path / "home").code == 0
    assert not kept.exists()
    for name in ("jobs.parquet", "interactions.parquet", "quarantine.jsonl", "dataset.json"):
        one, other = (tmp_path / "home" / "datasets" / dataset / name for dataset in ("cb", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_a_refused_import_leaves_no_blocks(metier, folder, tmp_path) -> None:
    (folder / "apps.tsv").write_text("UserID\n")
    ran = metier("import", "careerbuilder", folder, "--as", "cb", "--home", tmp_path / "home")
    assert ran.code == 3
    assert "no column" in ran.err
    assert not list((tmp_path / "home").rglob("*.parquet"))
    with pytest.raises(DataRejectedError):
        read_careerbuilder(folder, kept=tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir())
