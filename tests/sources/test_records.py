import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import DataRejectedError
from metier.sources.files import InputFile
from metier.sources.quarantine import LINE, FileLog
from metier.sources.records import UNIT, read_records


def read(path: Path, content: bytes, *columns: str, separator: str = ",", quote: str = '"'):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    log = FileLog(path.name)
    frame = read_records(InputFile(path), log, columns, separator=separator, quote=quote)
    return frame, *log.report(len(frame))


def test_quoted_fields_hold_separators_quotes_and_line_ends(tmp_path) -> None:
    content = b'\xef\xbb\xbfid,text,extra\r\n1,"a, ""b""\r\nc",x\r\n2,plain "quote",y\n"3",,z'
    frame, report, _ = read(tmp_path / "a.csv.gz", content, "text", "id")
    assert frame.columns == [LINE, "text", "id"]
    assert frame.rows() == [(2, 'a, "b"\r\nc', "1"), (4, 'plain "quote"', "2"), (5, "", "3")]
    assert (report.rows, report.quarantined) == (3, {})


def test_a_row_with_missing_fields_costs_only_itself(tmp_path) -> None:
    frame, report, aside = read(tmp_path / "a.csv", b"a,b\n1,2\n3\n4,5,6\n\n7,8\n", "a", "b")
    assert frame.rows() == [(2, "1", "2"), (6, "7", "8")]
    assert report.rows == 5
    assert aside.select("line", "code").rows() == [(3, "fields"), (4, "fields"), (5, "fields")]


@pytest.mark.parametrize("later", [b'5,"six"', b"5,six"])
def test_a_quote_that_is_never_closed_costs_only_its_line(tmp_path, later) -> None:
    content = b'a,b\n1,2\n"3,4\n' + later + b"\n7,8\n"
    frame, report, aside = read(tmp_path / "a.csv", content, "a", "b")
    assert frame.rows() == [(2, "1", "2"), (4, "5", "six"), (5, "7", "8")]
    assert aside["line"].to_list() == [3]
    assert report.rows == 4


def test_a_quote_open_at_the_end_of_the_file_costs_only_its_line(tmp_path) -> None:
    frame, report, aside = read(tmp_path / "a.csv", b'a,b\n1,"x\n2,y\n3,z\n', "a", "b")
    assert frame.rows() == [(3, "2", "y"), (4, "3", "z")]
    assert (report.rows, report.accepted, report.quarantined) == (3, 2, {"fields": 1})
    assert aside["line"].to_list() == [2]


def test_text_after_a_closing_quote_costs_its_line(tmp_path) -> None:
    frame, report, aside = read(tmp_path / "a.csv", b'a,b\n"1"x,2\n3,4\n', "a", "b")
    assert (frame.rows(), report.rows, aside["line"].to_list()) == ([(3, "3", "4")], 2, [2])


def test_a_field_longer_than_the_limit_of_the_csv_module_is_read(tmp_path) -> None:
    long = "x" * 200_000
    frame, _, _ = read(tmp_path / "a.csv", f'a,b\n1,"{long}"\n'.encode(), "b")
    assert frame["b"].to_list() == [long]


def test_a_raw_cr_inside_an_unquoted_field_costs_its_line(tmp_path) -> None:
    frame, _, aside = read(tmp_path / "a.csv", b"a,b\n1\r2,3\n4,5\n", "a")
    assert (frame["a"].to_list(), aside["line"].to_list()) == (["4"], [2])


def test_without_quotes_every_line_is_a_row(tmp_path) -> None:
    frame, report, _ = read(tmp_path / "a.txt", b'a|b\n"1|2\n3|4"\n', "b", "a", separator="|", quote="")
    assert frame.rows() == [(2, "2", '"1'), (3, '4"', "3")]
    assert report.rows == 2


def test_parquet_columns_become_text(tmp_path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": [1, None], "tags": [["x", "y"], None], "at": [None, 2.5]}).write_parquet(path)
    log = FileLog("a.parquet")
    frame = read_records(InputFile(path), log, ["id", "tags", "at"], separator=",", quote='"')
    assert frame.rows() == [(1, "1", f"x{UNIT}y", ""), (2, "", "", "2.5")]
    path.write_bytes(b"PAR1 torn")
    with pytest.raises(DataRejectedError, match=r"a.parquet: is no Parquet file"):
        read_records(InputFile(path), log, ["id"], separator=",", quote='"')


def test_a_missing_column_names_the_columns_found(tmp_path) -> None:
    with pytest.raises(DataRejectedError, match=r"a.csv: no column 'user id'; found 'user', 'job'"):
        read(tmp_path / "a.csv", b"user,job\n1,2\n", "user id")
    with pytest.raises(DataRejectedError, match="found none"):
        read(tmp_path / "a.csv", b"", "user")


CELL = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=8))
def test_well_formed_csv_is_read_whole(tmp_path_factory, rows) -> None:
    quoted = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    frame, report, _ = read(tmp_path_factory.mktemp("r") / "a.csv", b"a,b,c\n" + quoted.encode(), "a", "b", "c")
    assert frame.drop(LINE).rows() == rows
    assert report.accepted == len(rows)


@given(content=st.binary(max_size=300), quote=st.sampled_from(['"', ""]))
def test_any_bytes_give_rows_or_quarantine(tmp_path_factory, content: bytes, quote: str) -> None:
    content = content.replace(b"A", b'"').replace(b"B", b"\n").replace(b"C", b",")
    frame, report, aside = read(tmp_path_factory.mktemp("r") / "a.csv", b"a,b\n" + content, "a", "b", quote=quote)
    lines = [*frame[LINE].to_list(), *aside["line"].to_list()]
    assert len(set(lines)) == len(lines) == report.rows
    assert report.rows <= content.count(b"\n") + 1
