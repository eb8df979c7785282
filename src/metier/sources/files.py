"""Input files, plain, gzipped or inside a zip, read as lines in blocks: bounded memory, exact line numbers."""

import gzip
import os
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TypeVar, cast

import polars as pl

from metier.errors import DataRejectedError, UsageError
from metier.sources.kept_blocks import KeptBlocks
from metier.sources.quarantine import LINE, FileLog, Progress

BLOCK = 1 << 22
"""Bytes read at a time."""

MOST, LONGEST = 20, 30
"""Names of columns that a message shows, and characters of each."""

Then = Callable[[FileLog, pl.DataFrame], pl.DataFrame]
"""The account and the raw frame of a block -> what its reader wants of it."""

S = TypeVar("S")
T = TypeVar("T")

_BROKEN = (EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class InputFile:
    """A file on disk, or a member of a zip file."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """ "jobs.zip/jobs1.tsv", for messages and reports."""
        return self.path.name if self.member is None else f"{self.path.name}/{self.member}"

    @contextmanager
    def open(self) -> Iterator[tuple[IO[bytes], IO[bytes], int]]:
        """The unpacked bytes, the stream whose `tell` shows how far reading is, and the size of that one.

        DataRejectedError when the file is missing, or cannot be unpacked.
        """
        try:
            if self.member is not None:
                with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                    yield stream, stream, archive.getinfo(self.member).file_size
                return
            with self.path.open("rb") as raw:
                size = self.path.stat().st_size
                if self.path.suffix == ".gz":
                    with gzip.open(raw) as unpacked:
                        yield cast(IO[bytes], unpacked), raw, size
                else:
                    yield raw, raw, size
        except FileNotFoundError:
            there = ", ".join(sorted(one.name for one in self.path.parent.glob("*"))) or "nothing"
            raise DataRejectedError(
                f"{self.path}: no such file; the folder has {there}; cure: give the right folder or file name"
            ) from None
        except _BROKEN as error:
            raise DataRejectedError(
                f"{self.path}: cannot be read ({error or type(error).__name__}); cure: copy or download it again"
            ) from None


def catalogue(path: Path, suffix: str) -> dict[str, InputFile]:
    """Files with this suffix (".tsv") by base name, in a folder, its subfolders, and the zip files in it.

    A plain file goes before a gzipped one, and that before a member of a zip. UsageError when `path` does not exist.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist; give the folder that holds the files, or a zip file")
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    members = [InputFile(one, member) for one in paths if one.suffix == ".zip" for member in _members(one)]
    plain = [InputFile(one) for one in paths if one.name.endswith((suffix, f"{suffix}.gz"))]
    found = sorted(plain, key=lambda file: file.path.suffix == ".gz") + members
    by_name: dict[str, InputFile] = {}
    for file in found:
        base = Path(file.member or file.path.name.removesuffix(".gz")).name
        if base.endswith(suffix) and not base.startswith("._"):
            by_name.setdefault(base, file)
    return by_name


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except _BROKEN as error:
        raise DataRejectedError(f"{path}: cannot be unpacked ({error}); cure: download it again") from None


def text_blocks(file: InputFile, progress: Progress | None = None) -> Iterator[tuple[int, str]]:
    """(number of the first line, lines joined by LF); only LF or CR LF ends a line, so a CR inside HTML stays inside.

    The last line may lack its end. Bytes that are not UTF-8 become U+FFFD.
    """
    number, rest = 1, b""
    with file.open() as (stream, raw, size):
        while True:
            block = stream.read(BLOCK)
            ended = not block
            if number == 1 and not rest:
                block = block.removeprefix(b"\xef\xbb\xbf")
                if block.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise DataRejectedError(f"{file.path}: is UTF-16; cure: save it as UTF-8")
            whole = rest + block
            cut = len(whole) if ended else whole.rfind(b"\n")
            if progress is not None:
                progress(file.name, raw.tell(), size)
            if cut > 0 or (cut == 0 and not ended):
                text = whole[:cut].decode("utf-8", "replace")
                if "\r" in text:
                    text = text.replace("\r\n", "\n").removesuffix("\r")
                yield number, text
                number += text.count("\n") + 1
            rest = whole[cut + 1 :]
            if ended:
                return


def split_blocks(
    file: InputFile,
    log: FileLog,
    columns: Sequence[str] | None,
    separator: str = "\t",
    progress: Progress | None = None,
    *,
    then: Then = lambda log, raw: raw,
    kept: KeptBlocks | None = None,
) -> Iterator[pl.DataFrame]:
    """Frames of LINE and these String columns (None for all) of an unquoted file with a header, or what `then` makes.

    "" stays "". Lines with another number of fields than the header go to quarantine. Several blocks are worked on at a
    time, and come in the order of the file.

    Parameters
    ----------
    then : called, in several threads, with the account and the frame of each block, and first with no rows at all. What
        it gives must depend on nothing else.
    kept : where finished blocks are put, and found again by a reading that comes after one that was killed.

    Raises
    ------
    DataRejectedError : a column is missing, lists those found; or the file is empty or broken.
    """
    texts = text_blocks(file, progress)
    number, text = next(texts, (0, ""))
    if not number:
        raise DataRejectedError(f"{file.path}: is empty; cure: copy or download it again")
    first, ended, rest = text.partition("\n")
    header = first.split(separator)
    require_columns(file, header, columns or ())
    names = header if columns is None else list(columns)
    empty = pl.DataFrame(schema={LINE: pl.Int64} | dict.fromkeys(names, pl.String))
    yield then(log, empty)  # a header alone is no error
    width, fields = len(header), {f"field_{header.index(name)}": name for name in names}

    def read(block: tuple[int, str]) -> tuple[FileLog, pl.DataFrame]:
        own = FileLog(file.name)
        return own, then(own, _split(own, *block, separator, width, fields))

    def read_once(block: tuple[int, str]) -> tuple[FileLog, pl.DataFrame]:
        return read(block) if kept is None else kept.get([file.name, header, names, *block], lambda: read(block))

    blocks = chain([(number + 1, rest)] if ended else [], texts)
    for own, frame in _in_turn(read_once, blocks):
        log.add(own)
        yield frame


def require_columns(file: InputFile, found: Sequence[str], required: Sequence[str]) -> None:
    """DataRejectedError unless the header has each required column, and each column once."""
    missing = [name for name in required if name not in found]
    if missing:
        raise DataRejectedError(
            f"{file.path}: no column {', '.join(map(repr, missing))}; found {shown(found)}; "
            "cure: give the right file, or the right column name and separator"
        )
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise DataRejectedError(f"{file.path}: column {shown(twice[:1])} appears twice; cure: rename one of them")


def shown(names: Sequence[str]) -> str:
    """Column names for a message, few and short: where a file has no header they are somebody's first row."""
    some = [repr(name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}...") for name in names[:MOST]]
    more = [f"and {len(names) - MOST} more"] if len(names) > MOST else []
    return ", ".join([*some, *more]) or "none"


def _split(log: FileLog, number: int, text: str, separator: str, width: int, fields: Mapping[str, str]) -> pl.DataFrame:
    """LINE and the named fields of the lines with `width` fields; the others go to quarantine."""
    lines = pl.Series("text", [text]).str.split("\n").explode()
    log.rows += len(lines)
    if "\ufffd" in text:
        log.warn("not UTF-8, replaced by U+FFFD", int(lines.str.contains("\ufffd", literal=True).sum()))
    numbers = pl.int_range(number, number + len(lines), eager=True).alias(LINE)
    cells = lines.str.split_exact(separator, width).struct.unnest()  # one more than there should be
    right = cells[f"field_{width - 1}"].is_not_null() & cells[f"field_{width}"].is_null()
    good = cells.select(numbers, *fields).rename(dict(fields))
    if right.all():
        return good
    wrong = lines.filter(~right).str.count_matches(separator, literal=True) + 1
    reason = pl.format("{} fields where the header has " + str(width), pl.col("count"))
    aside = pl.DataFrame({LINE: numbers.filter(~right), "count": wrong})
    log.set_aside(aside, pl.lit(True), column="", code="fields", reason=reason)
    return good.filter(right)


def _in_turn(function: Callable[[T], S], items: Iterable[T]) -> Iterator[S]:
    """`map`, the function running ahead on as many items as there are threads, so that memory stays bounded."""
    threads = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[S]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
