import json

import polars as pl
import pytest

from metier.data.workspace import Workspace
from metier.errors import DataRejectedError
from metier.sources.quarantine import LINE, FileLog, ImportRejectedError, Ledger, store, store_rejected
from metier.testing.worlds import small_town


def ledger(bad: int, duplicates: int, rows: int = 100) -> Ledger:
    made, log = Ledger(), FileLog("apps.tsv")
    frame = pl.DataFrame({LINE: range(2, rows + 2)})
    log.rows = rows
    frame = log.set_aside(frame, pl.col(LINE) < 2 + bad, column="time", code="future", reason="later")
    frame = log.set_aside(frame, pl.col(LINE) < 2 + bad + duplicates, column="id", code="duplicate", reason="again")
    made.close(log, frame)
    return made


def test_an_account_that_does_not_balance_is_a_bug() -> None:
    log = FileLog("apps.tsv")
    log.rows = 3
    with pytest.raises(AssertionError, match=r"2 accepted \+ 0 quarantined != 3 rows"):
        log.report(accepted=2)


def test_only_bad_rows_count_against_the_limit() -> None:
    ledger(bad=5, duplicates=90).report().check(0.05)
    with pytest.raises(
        ImportRejectedError, match=r"apps.tsv: 6 of 100 rows are bad \(6.0%, most often 'future'\)"
    ) as error:
        ledger(bad=6, duplicates=0).report().check(0.05)
    assert isinstance(error.value, DataRejectedError)
    assert error.value.exit_code == 3
    assert len(error.value.report.quarantine) == 6


def test_messages_name_the_files_own_column() -> None:
    log = FileLog("apps.tsv")
    log.rows, log.names = 1, {"time": "ApplicationDate"}
    log.set_aside(pl.DataFrame({LINE: [2]}), pl.lit(True), column="time", code="future", reason="later")
    assert log.report(0)[1]["column"].to_list() == ["ApplicationDate"]


def test_stored_beside_the_dataset(tmp_path) -> None:
    report = ledger(bad=2, duplicates=1).report(test_users=7)
    folder = store(Workspace(tmp_path), "town", small_town(), report, {"source": "test"})
    lines = [json.loads(line) for line in (folder / "quarantine.jsonl").read_text().splitlines()]
    assert lines[0] == {"file": "apps.tsv", "line": 2, "column": "time", "code": "future", "reason": "later"}
    assert [line["line"] for line in lines] == [2, 3, 4]
    about = Workspace(tmp_path).about("town")
    assert about["files"][0]["quarantined"] == {"future": 2, "duplicate": 1}
    assert (about["source"], about["test_users"]) == ("test", 7)


def test_a_dataset_that_cannot_keep_its_quarantine_is_not_stored(tmp_path, monkeypatch) -> None:
    def full(*arguments) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(pl.DataFrame, "write_ndjson", full)
    with pytest.raises(OSError, match="no space"):
        store(Workspace(tmp_path), "town", small_town(), ledger(0, 0).report(), {})
    assert list((tmp_path / "datasets").iterdir()) == []


def test_a_rejected_import_leaves_an_old_dataset_alone(tmp_path) -> None:
    workspace = Workspace(tmp_path)
    store(workspace, "town", small_town(), ledger(0, 0).report(), {})
    path = store_rejected(workspace, "town", ledger(9, 0).report())
    assert len(path.read_text().splitlines()) == 9
    assert workspace.names("datasets") == ["town"]
    assert (workspace.dataset("town") / "quarantine.jsonl").read_text() == ""
