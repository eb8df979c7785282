"""Parquet partitions by URL: read, and written whole or not at all."""

import re
from collections.abc import Collection
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import polars as pl
from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

FINGERPRINT = "metier.fingerprint"
"""Key of a result's fingerprint in the metadata of its Parquet file."""

_OURS = re.compile(r"^(part-\d{5,}\.parquet|\.part-.*\.partial)$")


def absolute(url: str) -> str:
    """A path from the root, which means the same to every worker of a machine; a URL stays."""
    files, path = url_to_fs(url)
    return path if isinstance(files, LocalFileSystem) else url


def join(folder: str, name: str) -> str:
    """The URL of something in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def named(folder: str, number: int) -> str:
    """The URL of partition `number`."""
    return join(folder, f"part-{number:05d}.parquet")


def content(url: str) -> bytes:
    """The bytes of a partition."""
    files, path = url_to_fs(url)
    return bytes(files.cat_file(path))


def load(url: str) -> pl.DataFrame:
    """The frame of a partition."""
    return pl.read_parquet(BytesIO(content(url)))


def fingerprint(url: str) -> str | None:
    """What a result carries; None where there is no result, or no whole one."""
    files, path = url_to_fs(url)
    try:
        with files.open(path, "rb") as file:
            return pl.read_parquet_metadata(file).get(FINGERPRINT)
    except (FileNotFoundError, pl.exceptions.PolarsError):
        return None


def save(url: str, frame: pl.DataFrame, stamp: str = "") -> None:
    """Write a partition with its fingerprint; a reader sees the old file or the whole new one."""
    buffer = BytesIO()
    frame.write_parquet(buffer, metadata={FINGERPRINT: stamp})
    files, path = url_to_fs(url)
    if not isinstance(files, LocalFileSystem):
        files.pipe_file(path, buffer.getvalue())  # object stores show an object when all of it is there
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid4().hex}.partial")
    try:
        partial.write_bytes(buffer.getvalue())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def save_table(table: pl.DataFrame, folder: str, rows: int) -> list[str]:
    """Write a table as partitions of so many rows, at least one; the URLs in order. Others in the folder go."""
    starts = range(0, max(len(table), 1), rows)
    urls = [named(absolute(folder), number) for number in range(len(starts))]
    for url, start in zip(urls, starts, strict=True):
        save(url, table.slice(start, rows))
    sweep(folder, urls)
    return urls


def sweep(folder: str, kept: Collection[str]) -> None:
    """Remove partitions that are not among `kept`, and what killed writers left half-written."""
    files, path = url_to_fs(folder)
    names = {url.rsplit("/", 1)[-1] for url in kept}
    for found in files.ls(path, detail=False) if files.exists(path) else []:
        name = found.rsplit("/", 1)[-1]
        if _OURS.match(name) and name not in names:
            files.rm_file(found)


def remove(folder: str) -> None:
    """Remove a folder of partitions, if it is there."""
    files, path = url_to_fs(folder)
    if files.exists(path):
        files.rm(path, recursive=True)
