import gzip
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutate
from official import world, write

from metier.errors import DataRejectedError, UsageError
from metier.sources.careerbuilder import read_careerbuilder
from metier.sources.quarantine import ImportRejectedError, ImportReport


def aside(report: ImportReport) -> list[tuple[str, int, str, str]]:
    return report.quarantine.select("file", "line", "column", "code").rows()


def test_one_row_of_each_table(tmp_path) -> None:
    files = world(1)
    files["users.tsv"][1] = (
        "7\t1\tTest\tLa Mesa\tCA\tUS\t08094\tMaster's\tArt \\\\ \\tDesign\t2011-01-01 00:00:00\t3\t8.0\tYes\tNo\t0"
    )
    files["apps.tsv"][1] = "7\t1\tTest\t2012-04-04 15:56:23.537\t1"
    files["user_history.tsv"] = [
        files["user_history.tsv"][0],
        '7\t1\tTest\t2\t"Chef\\n\\\\next"',
        "7\t1\tTest\t1\tCook",
    ]
    tables, report = read_careerbuilder(write(tmp_path, files))
    assert tables.people.to_dicts() == [
        {
            "id": "7", "window": 1, "city": "La Mesa", "state": "CA", "country": "US", "zip": "08094", "text": None,
            "degree": "Master's", "major": "Art \\ \tDesign", "graduated": datetime(2011, 1, 1), "history_count": 3,
            "experience_years": 8.0, "employed": "Yes", "managed_others": "No", "managed_count": 0,
        }
    ]  # fmt: skip
    assert tables.jobs.to_dicts() == [
        {
            "id": "1", "window": 1, "city": "Erie", "state": "PA", "country": "US", "zip": "01234",
            "text": "Bread and cake", "title": "Baker", "start": datetime(2012, 3, 7, 13, 17, 1, 643000),
            "end": datetime(2012, 4, 6, 23, 59, 59),
        }
    ]  # fmt: skip
    assert tables.history.select("person", "sequence", "title").rows() == [("7", 2, '"Chef\n\\next"'), ("7", 1, "Cook")]
    assert tables.interactions.rows() == [("7", "1", datetime(2012, 4, 4, 15, 56, 23, 537000), 1.0, None)]
    assert tables.windows.rows() == [(1, datetime(2012, 4, 1), datetime(2012, 4, 6), datetime(2012, 4, 10))]
    assert report.facts == {"test_users": 1}
    assert report.quarantine.is_empty()


def test_unknown_is_null_and_none_is_a_degree(tmp_path) -> None:
    files = world(2)
    files["users.tsv"][1:] = ["1\t1\tTrain\t\t\t\t\t\t\t\t\t\t\t\t", files["users.tsv"][2]]
    first, second = read_careerbuilder(write(tmp_path, files))[0].people.to_dicts()
    assert {value for name, value in first.items() if name not in ("id", "window")} == {None}
    assert (second["degree"], second["major"], second["zip"]) == ("None", None, "00002")


@pytest.mark.parametrize(
    ("written", "microseconds"), [("", 0), (".5", 500000), (".88", 880000), (".003", 3000), (".123456", 123456)]
)
def test_dates_have_any_number_of_decimals(tmp_path, written, microseconds) -> None:
    files = world(1)
    files["apps.tsv"][1] = f"1\t1\tTrain\t2012-04-04 15:56:23{written}\t1"
    tables, _ = read_careerbuilder(write(tmp_path, files))
    assert tables.interactions["time"].to_list() == [datetime(2012, 4, 4, 15, 56, 23, microseconds)]


def test_requirements_that_say_something_are_kept(tmp_path) -> None:
    files = world(2)
    cells = files["jobs.tsv"][2].split("\t")
    cells[3:5] = ["<p>Bake.</p>", "<ul><li>Oven</li><li>Flour</li></ul>"]
    files["jobs.tsv"][2] = "\t".join(cells)
    jobs = read_careerbuilder(write(tmp_path, files))[0].jobs
    assert jobs["text"].to_list() == ["Bread and cake", "Bake.\nOven Flour"]


def test_each_fault_costs_its_row_and_no_other(tmp_path) -> None:
    files = world(9)
    files["users.tsv"][2] = files["users.tsv"][2].replace("\t1\t", "\t9\t", 1)  # person 2: a window that is not there
    files["jobs.tsv"][3] += "\tstray"  # job 3: 12 fields
    files["jobs.tsv"].append(files["jobs.tsv"][1])
    files["apps.tsv"] += [
        "1\t1\tTrain\t2012-04-03 10:00:00\t1",  # earlier than the first row, which is now the duplicate
        "99\t1\tTrain\t2012-04-03 10:00:00\t1",
        "1\t1\tTrain\t2012-04-03 10:00:00\t99",
        "1\t1\tTrain\t2999-04-03 10:00:00\t4",
        "1\t1\tTrain\tyesterday\t4",
        "1\t1\tTrain\t\t4",
        "\t1\tTrain\t2012-04-03 10:00:00\t4",
    ]
    files["user_history.tsv"].append(files["user_history.tsv"][1])
    tables, report = read_careerbuilder(write(tmp_path, files), max_bad=1.0)
    assert aside(report) == [
        ("users.tsv", 3, "WindowID", "window"),
        ("jobs.tsv", 4, "", "fields"),
        ("jobs.tsv", 11, "JobID", "duplicate"),
        ("user_history.tsv", 3, "UserID", "unknown-person"),
        ("user_history.tsv", 11, "JobTitle", "duplicate"),
        ("apps.tsv", 2, "JobID", "duplicate"),
        ("apps.tsv", 3, "UserID", "unknown-person"),
        ("apps.tsv", 4, "JobID", "unknown-job"),
        ("apps.tsv", 12, "UserID", "unknown-person"),
        ("apps.tsv", 13, "JobID", "unknown-job"),
        ("apps.tsv", 14, "ApplicationDate", "future"),
        ("apps.tsv", 15, "ApplicationDate", "value"),
        ("apps.tsv", 16, "ApplicationDate", "value"),
        ("apps.tsv", 17, "UserID", "id"),
    ]
    assert [len(frame) for frame in (tables.people, tables.jobs, tables.history, tables.interactions)] == [8, 8, 8, 7]
    assert not any(file.warnings for file in report.files)
    with pytest.raises(ImportRejectedError, match=r"users.tsv: 1 of 9 rows are bad"):
        read_careerbuilder(tmp_path)


def test_an_unreadable_extra_is_unknown_and_counted(tmp_path) -> None:
    files = world(2)
    files["users.tsv"][1] = files["users.tsv"][1].replace("10.0", "ten").replace("1999-06-01", "1999-66-01")
    tables, report = read_careerbuilder(write(tmp_path, files))
    assert tables.people.select("experience_years", "graduated").row(0) == (None, None)
    assert report.files[1].warnings == {
        "GraduationDate: unreadable, set to unknown": 1,
        "TotalYearsExperience: unreadable, set to unknown": 1,
    }


def as_kaggle_zips(folder: Path, files: dict[str, list[str]]) -> None:
    for name in ("users.tsv", "apps.tsv", "user_history.tsv", "window_dates.tsv", "test_users.tsv"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            archive.writestr(name, "\n".join(files[name]) + "\n")
    with zipfile.ZipFile(folder / "jobs.zip", "w") as archive:
        for number, rows in ((1, slice(1, 4)), (2, slice(4, None))):
            archive.writestr(f"splitjobs/jobs{number}.tsv", "\n".join(files["jobs.tsv"][:1] + files["jobs.tsv"][rows]))


def as_gzip(folder: Path, files: dict[str, list[str]]) -> None:
    for name, lines in files.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress("\r\n".join(lines).encode()))


@pytest.mark.parametrize("pack", [as_kaggle_zips, as_gzip])
def test_packed_files_give_the_same_tables(tmp_path, pack) -> None:
    for name in ("plain", "packed"):
        (tmp_path / name).mkdir()
    plain, _ = read_careerbuilder(write(tmp_path / "plain", world(6)))
    pack(tmp_path / "packed", world(6))
    packed, report = read_careerbuilder(tmp_path / "packed")
    for frame in ("people", "jobs", "history", "interactions", "windows"):
        assert getattr(packed, frame).equals(getattr(plain, frame)), frame
    assert all(file.rows == file.accepted for file in report.files)


def test_a_job_of_an_earlier_file_is_a_duplicate(tmp_path) -> None:
    files = world(4)
    files |= {"jobs1.tsv": files["jobs.tsv"][:4], "jobs2.tsv": [files["jobs.tsv"][0], *files["jobs.tsv"][3:]]}
    del files["jobs.tsv"]
    tables, report = read_careerbuilder(write(tmp_path, files))
    assert tables.jobs["id"].to_list() == ["1", "2", "3", "4"]
    assert aside(report) == [("jobs2.tsv", 2, "JobID", "duplicate")]


def test_missing_files_and_columns_are_named(tmp_path) -> None:
    files = world(3)
    del files["apps.tsv"]
    write(tmp_path, files)
    with pytest.raises(DataRejectedError, match=r"no apps.tsv, plain, .gz or in a zip; found .*users.tsv"):
        read_careerbuilder(tmp_path)
    write(tmp_path, {"apps.tsv": [line.replace("ApplicationDate", "When") for line in world(3)["apps.tsv"]]})
    with pytest.raises(DataRejectedError, match=r"apps.tsv: no column 'ApplicationDate'; found 'UserID'.*'When'"):
        read_careerbuilder(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        read_careerbuilder(tmp_path / "nowhere")


def test_only_users_jobs_and_apps_are_needed(tmp_path) -> None:
    files = {name: lines for name, lines in world(3).items() if name in ("users.tsv", "jobs.tsv", "apps.tsv")}
    tables, report = read_careerbuilder(write(tmp_path, files))
    assert tables.windows.is_empty()
    assert tables.people["window"].to_list() == tables.jobs["window"].to_list() == [None] * 3
    warning = {"WindowID: no window_dates.tsv, set to unknown": 3}
    assert {file.file: file.warnings for file in report.files if file.warnings} == {
        "users.tsv": warning, "jobs.tsv": warning,
    }  # fmt: skip
    assert tables.history.is_empty()
    assert len(tables.interactions) == 3


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_thousand_damaged_rows_are_all_accounted_for(tmp_path_factory, seed: int) -> None:
    """Ten examples of 1,000 damaged rows: accepted + quarantined = input for every file, and no crash."""
    rng = np.random.default_rng(seed)
    folder = write(tmp_path_factory.mktemp("cb"), world(400))
    expected = {}
    for name, damaged in {"users.tsv": 200, "jobs.tsv": 200, "apps.tsv": 400, "user_history.tsv": 200}.items():
        header, *rows = (folder / name).read_bytes().removesuffix(b"\n").split(b"\n")
        chosen = rng.permutation(len(rows))[:damaged]
        rows = [mutate(row, rows, b"\t", rng) if i in set(chosen) else row for i, row in enumerate(rows)]
        content = b"\n".join([header, *rows, b""])
        (folder / name).write_bytes(content)
        expected[name] = content.count(b"\n") - 1
    tables, report = read_careerbuilder(folder, max_bad=1.0)
    counted = {file.file: file for file in report.files}
    for name, rows in expected.items():
        file = counted[name]
        listed = report.quarantine.filter(pl.col("file") == name)
        assert file.rows == rows
        assert file.accepted + len(listed) == rows
        assert listed["line"].n_unique() == len(listed)
        assert listed["line"].is_between(2, rows + 1).all()
    assert len(tables.people) == counted["users.tsv"].accepted
    assert len(tables.interactions) == counted["apps.tsv"].accepted
    assert set(tables.interactions["person"]) <= set(tables.people["id"])
    assert set(tables.interactions["job"]) <= set(tables.jobs["id"])
    assert tables.interactions.select("person", "job").is_unique().all()
