"""Where a person is in the files of a workspace: datasets, runs, studies, tuning, exports, and bundles.

Every Parquet file with a column `person`, or named people.parquet with a column `id`, holds people, and so does every
TREC file. Exports lie in `exports`, in a folder named after the SHA-256 of the person's id. A bundle is never changed:
it is one piece under its manifest, and what it learned from a person is in all its numbers.
"""

import hashlib
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from metier.bundle import digest, version
from metier.data.workspace import Workspace


@dataclass(frozen=True)
class HeldBundle:
    """A bundle that was trained on the person."""

    name: str
    version: str
    """Name and the first 12 digits of the SHA-256 of its manifest."""


@dataclass(frozen=True)
class Holdings:
    """The files of a workspace in which an id means one and the same person.

    Parameters
    ----------
    datasets : the datasets that are meant, with their runs and studies; all when None.
    models : the bundles that are meant; all when None.
    """

    workspace: Workspace
    datasets: frozenset[str] | None = None
    models: frozenset[str] | None = None

    def rows(self, person: str) -> dict[str, list[dict[str, Any]]]:
        """File -> its rows about a person, as JSON can hold them once dates are text."""
        found = {}
        for path, column in self._tables():
            mine = pl.scan_parquet(path).filter(pl.col(column) == person).collect()
            if len(mine):
                found[self._name(path)] = mine.to_dicts()
        for path in self._lists():
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if _is_of(line, person)]
            if lines:
                found[self._name(path)] = [{"line": line} for line in lines]
        return found

    def erase(self, person: str) -> dict[str, int]:
        """File -> rows taken out; each file is replaced whole."""
        erased = {}
        for path, column in self._tables():
            table = pl.read_parquet(path)
            others = table.filter(pl.col(column).ne_missing(person))
            if len(others) < len(table):
                partial = path.with_name(f".{path.name}.partial")
                others.write_parquet(partial)
                partial.replace(path)
                erased[self._name(path)] = len(table) - len(others)
        for path in self._lists():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [line for line in lines if not _is_of(line, person)]
            if len(kept) < len(lines):
                partial = path.with_name(f".{path.name}.partial")  # no name that is looked for
                partial.write_text("".join(kept), encoding="utf-8")
                partial.replace(path)
                erased[self._name(path)] = len(lines) - len(kept)
        exports = self.exports(person)
        if exports.is_dir():
            erased[self._name(exports)] = len(list(exports.iterdir()))
            shutil.rmtree(exports)
        return erased

    def exports(self, person: str) -> Path:
        """The folder of a person's exports, whether it exists or not."""
        return self.workspace.home / "exports" / hashlib.sha256(person.encode()).hexdigest()

    def bundles(self, person: str) -> list[HeldBundle]:
        """The bundles that hold a person."""
        found = []
        for name in self.workspace.names("models"):
            folder = self.workspace.model(name)
            people, manifest = folder / "people.parquet", folder / "manifest.json"
            wanted = self.models is None or name in self.models
            if wanted and people.is_file() and manifest.is_file() and _holds(people, person):
                found.append(HeldBundle(name, version(name, digest(folder))))
        return found

    def _tables(self) -> Iterator[tuple[Path, str]]:
        """Parquet files that hold people, and the column with their ids."""
        for folder in self._folders():
            for path in sorted(folder.rglob("*.parquet")):
                columns = pl.read_parquet_schema(path)
                column = "id" if path.name == "people.parquet" else "person"
                if columns.get(column) == pl.String:
                    yield path, column

    def _lists(self) -> Iterator[Path]:
        """Text files with a line a person and job, the person first."""
        for folder in self._folders():
            yield from sorted([*folder.rglob("*.trec"), *folder.rglob("qrels.txt")])

    def _folders(self) -> Iterator[Path]:
        for kind in ("datasets", "runs", "studies", "tuning"):
            for name in self.workspace.names(kind):
                folder = self.workspace.home / kind / name
                if self.datasets is None or self.datasets & _names(kind, folder):
                    yield folder

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.workspace.home))


def _names(kind: str, folder: Path) -> set[str]:
    """The datasets that a folder is about: itself, or those that the TOML files of a run or a study name."""
    if kind == "datasets":
        return {folder.name}
    found: set[str] = set()
    for path in folder.glob("*.toml"):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found |= {str(content.get("dataset", ""))} | set(content.get("datasets", ()))
    return found


def _holds(people: Path, person: str) -> bool:
    return not pl.scan_parquet(people).filter(pl.col("id") == person).select("id").head(1).collect().is_empty()


def _is_of(line: str, person: str) -> bool:
    return line.split(" ", 1)[0] == person
