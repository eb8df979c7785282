"""Any delimited file or Parquet file as one raw frame: LINE and String columns."""

import csv
import io
from collections.abc import Iterator, Sequence

import polars as pl

from metier.errors import DataRejectedError
from metier.sources.files import InputFile, require_columns, split_blocks
from metier.sources.quarantine import LINE, FileLog, Progress

csv.field_size_limit(2**31 - 1)  # the limit of the csv module, 128 KiB, is shorter than a long posting

UNIT = "\x1f"
"""ASCII unit separator: joins the elements of a Parquet list in one cell."""


def read_records(
    file: InputFile,
    log: FileLog,
    columns: Sequence[str],
    *,
    separator: str,
    quote: str,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """LINE and the wanted columns (String) of a file; its suffix says whether it is Parquet or delimited text.

    Parameters
    ----------
    quote : the character around fields that hold the separator, doubled inside; "" when nothing is quoted.

    Raises
    ------
    DataRejectedError : the file is broken or lacks a column.
    """
    columns = list(dict.fromkeys(columns))
    if file.path.suffix == ".parquet":
        return _read_parquet(file, log, columns)
    if not quote:
        blocks = split_blocks(file, log, columns, separator, progress)
        return pl.concat([block.select(LINE, *columns) for block in blocks])
    with file.open() as (stream, raw, size):
        lines = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="\n").readlines()
        if progress is not None:
            progress(file.name, raw.tell() if not raw.closed else size, size)
    header = next(csv.reader(lines[:1], delimiter=separator, quotechar=quote), [])
    require_columns(file, header, columns)
    numbers, rows, broken = _parse(lines, len(header), separator, quote)
    log.rows += len(numbers) + len(broken)
    aside = pl.DataFrame({LINE: broken}, schema={LINE: pl.Int64})
    reason = f"not the {len(header)} fields of the header, or a quote that is not closed before the next separator"
    log.set_aside(aside, pl.lit(True), column="", code="fields", reason=reason)
    cells = list(zip(*rows, strict=True)) or [()] * len(header)
    schema = {LINE: pl.Int64} | dict.fromkeys(columns, pl.String)
    frame = pl.DataFrame({LINE: numbers} | {name: cells[header.index(name)] for name in columns}, schema=schema)
    garbled = pl.any_horizontal(pl.col(columns).str.contains("\ufffd", literal=True))
    log.warn("not UTF-8, replaced by U+FFFD", int(frame.select(garbled.sum()).item() or 0))
    return frame


def _parse(
    lines: Sequence[str], width: int, separator: str, quote: str
) -> tuple[list[int], list[list[str]], list[int]]:
    """Line numbers and fields of the records with `width` fields, and the line numbers of the others.

    A stray quote swallows the lines up to the next quote, or to the end of the file. So when a record over several
    lines is wrong, only its first line is given up and reading starts again at the next one.
    """
    numbers: list[int] = []
    rows: list[list[str]] = []
    broken: list[int] = []
    start = 1
    while start < len(lines):
        begin = start
        for end, record in _records(lines, start, separator, quote):
            if record is not None and len(record) == width:
                numbers.append(begin + 1)
                rows.append(record)
                begin = end
                continue
            broken.append(begin + 1)
            begin += 1
            if end > begin:
                break
        start = begin
    return numbers, rows, broken


def _records(lines: Sequence[str], start: int, separator: str, quote: str) -> Iterator[tuple[int, list[str] | None]]:
    """For each record from line `start` on: the line after it, and its fields (None when it cannot be read).

    Only a strict reader says that a quote is open at the end of the file, or that text follows a closing one.
    """
    rest = (lines[i] for i in range(start, len(lines)))
    reader = csv.reader(rest, delimiter=separator, quotechar=quote, strict=True)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            record = None
        yield start + reader.line_num, record


def _read_parquet(file: InputFile, log: FileLog, columns: Sequence[str]) -> pl.DataFrame:
    with file.open() as (stream, _, _):
        try:
            frame = pl.read_parquet(stream)
        except pl.exceptions.PolarsError as error:
            raise DataRejectedError(f"{file.path}: is no Parquet file ({error}); cure: write it again") from None
    require_columns(file, frame.columns, columns)
    log.rows += len(frame)
    texts = [
        (pl.col(name).cast(pl.List(pl.String)).list.join(UNIT) if frame[name].dtype == pl.List else pl.col(name))
        .cast(pl.String)
        .fill_null("")
        for name in columns
    ]
    return frame.select(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias(LINE), *texts)
