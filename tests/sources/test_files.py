import gzip
import zipfile

import polars as pl
import pytest

from metier.errors import DataRejectedError, UsageError
from metier.sources import files
from metier.sources.files import InputFile, catalogue, split_blocks, text_blocks
from metier.sources.quarantine import FileLog


def lines(path) -> list[tuple[int, str]]:
    return [row for number, text in text_blocks(InputFile(path)) for row in enumerate(text.split("\n"), number)]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
def test_only_lf_ends_a_line_whatever_the_block_size(tmp_path, monkeypatch, block) -> None:
    monkeypatch.setattr(files, "BLOCK", block)
    path = tmp_path / "a.tsv"
    path.write_bytes("\ufeffh\té\n\na\rb\u2028c\x00\nlast".encode())
    assert lines(path) == [(1, "h\té"), (2, ""), (3, "a\rb\u2028c\x00"), (4, "last")] or block < 3  # a BOM has 3 bytes
    path.write_bytes("hé\n\na\rb\u2028c\x00\nlast\n".encode())
    assert lines(path) == [(1, "hé"), (2, ""), (3, "a\rb\u2028c\x00"), (4, "last")]


def test_progress_reaches_the_end(tmp_path) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(b"h\n" + b"x\n" * 1000))
    seen: list[tuple[str, int, int]] = []
    list(text_blocks(InputFile(path), lambda *args: seen.append(args)))
    assert seen[-1] == ("a.tsv.gz", path.stat().st_size, path.stat().st_size)


def test_wrong_field_counts_are_set_aside_with_their_lines(tmp_path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"x\ty\r\n1\t2\r\n1\n1\t2\t3\n\xff\t4\n\n")
    log = FileLog("a.tsv")
    frame = pl.concat(split_blocks(InputFile(tmp_path / "a.tsv"), log, None))
    assert frame.rows() == [(2, "1", "2"), (5, "\ufffd", "4")]
    report, aside = log.report(accepted=2)
    assert aside.select("line", "code", "reason").rows() == [
        (3, "fields", "1 fields where the header has 2"),
        (4, "fields", "3 fields where the header has 2"),
        (6, "fields", "1 fields where the header has 2"),
    ]
    assert report.warnings == {"not UTF-8, replaced by U+FFFD": 1}


@pytest.mark.parametrize("block", [8, 64, 1000])
def test_blocks_come_in_the_order_of_the_file(tmp_path, monkeypatch, block) -> None:
    monkeypatch.setattr(files, "BLOCK", block)
    rows = [f"{i}\t{i * i}" for i in range(500)]
    (tmp_path / "a.tsv").write_text("\n".join(["x\ty", *rows[:250], "one field", *rows[250:]]))
    log = FileLog("a.tsv")
    frame = pl.concat(split_blocks(InputFile(tmp_path / "a.tsv"), log, ["y"]))
    expected = [(2 + i + (i >= 250), str(i * i)) for i in range(500)]
    assert frame.rows() == expected
    assert log.report(accepted=500)[1]["line"].to_list() == [252]
    (tmp_path / "a.tsv").write_text("x\ty")
    assert pl.concat(split_blocks(InputFile(tmp_path / "a.tsv"), FileLog("a.tsv"), ["x"])).shape == (0, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\tb\n1\t2\n", r"bad.tsv: no column 'c'; found 'a', 'b'; cure"),
        (b"c\tc\n1\t2\n", "column 'c' appears twice"),
        (b"", "is empty"),
        ("c\n1\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_wrong_header_is_an_error(tmp_path, content, message) -> None:
    (tmp_path / "bad.tsv").write_bytes(content)
    with pytest.raises(DataRejectedError, match=message):
        list(split_blocks(InputFile(tmp_path / "bad.tsv"), FileLog("bad.tsv"), ["c"]))


def test_a_first_row_that_is_no_header_is_not_spelled_out(tmp_path) -> None:
    cells = ["I have cooked for the harbour hospital since 1999", *(f"cell {i}" for i in range(2, 40))]
    (tmp_path / "bad.tsv").write_text("\t".join(cells) + "\n")
    with pytest.raises(DataRejectedError) as error:
        list(split_blocks(InputFile(tmp_path / "bad.tsv"), FileLog("bad.tsv"), ["c"]))
    assert "found 'I have cooked for the harbo...', 'cell 2'" in str(error.value)
    assert "'cell 20', and 19 more; cure" in str(error.value)
    (tmp_path / "bad.tsv").write_text(f"c\t{cells[0]}\t{cells[0]}\n")
    with pytest.raises(DataRejectedError, match=r"column 'I have cooked for the harbo\.\.\.' appears twice"):
        list(split_blocks(InputFile(tmp_path / "bad.tsv"), FileLog("bad.tsv"), ["c"]))


def test_broken_archives_are_errors_that_name_the_file(tmp_path) -> None:
    whole = gzip.compress(bytes(range(256)) * 50)
    (tmp_path / "cut.tsv.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "not.tsv.gz").write_bytes(b"plain")
    (tmp_path / "flipped.tsv.gz").write_bytes(whole[:-6] + b"\0\0" + whole[-4:])
    for name in ("cut", "not", "flipped", "absent"):
        with pytest.raises(DataRejectedError, match=f"{name}.tsv.gz: .*cure"):
            list(text_blocks(InputFile(tmp_path / f"{name}.tsv.gz")))
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(DataRejectedError, match=r"x.zip.*download it again"):
        catalogue(tmp_path, ".tsv")


def test_plain_goes_before_gzip_and_gzip_before_zip(tmp_path) -> None:
    (tmp_path / "splitjobs").mkdir()
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("deep/a.tsv", "b.tsv", "c.tsv", "__MACOSX/._c.tsv", "notes.txt"):
            archive.writestr(name, "x\n")
    (tmp_path / "a.tsv.gz").write_bytes(gzip.compress(b"x\n"))
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(b"x\n"))
    (tmp_path / "splitjobs" / "b.tsv").write_bytes(b"x\n")
    found = catalogue(tmp_path, ".tsv")
    assert {name: file.name for name, file in found.items()} == {
        "a.tsv": "a.tsv.gz", "b.tsv": "b.tsv", "c.tsv": "all.zip/c.tsv",
    }  # fmt: skip
    with found["c.tsv"].open() as (stream, _, size):
        assert (stream.read(), size) == (b"x\n", 2)
    assert catalogue(tmp_path / "all.zip", ".tsv").keys() == {"a.tsv", "b.tsv", "c.tsv"}
    with pytest.raises(UsageError, match="does not exist"):
        catalogue(tmp_path / "nowhere", ".tsv")
