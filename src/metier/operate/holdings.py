"""Where a person is in the files of a workspace: datasets, runs, studies, tuning, exports, and bundles.

Every Parquet file with a column `person`, or named people.parquet with a column `id`, holds people, and so does every
TREC file. Exports lie in `exports`, in a folder named after the SHA-256 of the person's id. A bundle is never changed:
it is one piece under its manifest, and what it learned from a person is in all its numbers.
"""

import json
import shutil
import tomllib
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from metier.bundle import digest as manifest_digest
from metier.bundle import version
from metier.data.workspace import Workspace
from metier.errors import UsageError
from metier.store.store import Store
from metier.store.tokens import digest


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
        for folder in self._folders():
            for path, column in _tables(folder):
                mine = pl.scan_parquet(path).filter(pl.col(column) == person).collect()
                if len(mine):
                    found[self._name(path)] = mine.to_dicts()
            for path in _lists(folder):
                lines = [line for line in path.read_text(encoding="utf-8").splitlines() if _person(line) == person]
                if lines:
                    found[self._name(path)] = [{"line": line} for line in lines]
        return found

    def people(self) -> set[str]:
        """Ids of everybody in files and bundles."""
        found: set[str] = set()
        for folder in self._folders():
            for path, column in _tables(folder):
                found.update(pl.scan_parquet(path).select(pl.col(column).drop_nulls().unique()).collect()[column])
            for path in _lists(folder):
                found.update(map(_person, path.read_text(encoding="utf-8").splitlines()))
        for folder in self._bundles():
            found.update(pl.read_parquet(folder / "people.parquet", columns=["id"])["id"])
        return found

    def erase(self, person: str) -> dict[str, int]:
        """File -> rows taken out; each file is replaced whole."""
        erased: dict[Path, int] = {}
        for folder in self._folders():
            erased |= erase_in(folder, person)
        return {self._name(path): count for path, count in erased.items()} | self.erase_exports(digest(person))

    def erase_exports(self, subject: str) -> dict[str, int]:
        """Folder -> files deleted; `subject` is the SHA-256 of the person's id."""
        folder = self.workspace.home / "exports" / subject
        if not folder.is_dir():
            return {}
        count = len(list(folder.iterdir()))
        shutil.rmtree(folder)
        return {self._name(folder): count}

    def exports(self, person: str) -> Path:
        """The folder of a person's exports, whether it exists or not."""
        return self.workspace.home / "exports" / digest(person)

    def bundles(self, person: str) -> list[HeldBundle]:
        """The bundles that hold a person."""
        return [
            HeldBundle(folder.name, version(folder.name, manifest_digest(folder)))
            for folder in self._bundles()
            if _holds(folder / "people.parquet", person)
        ]

    def _bundles(self) -> Iterator[Path]:
        for name in self.workspace.names("models"):
            folder = self.workspace.model(name)
            wanted = self.models is None or name in self.models
            if wanted and (folder / "people.parquet").is_file() and (folder / "manifest.json").is_file():
                yield folder

    def _folders(self) -> Iterator[Path]:
        for kind in ("datasets", "runs", "studies", "tuning"):
            for name in self.workspace.names(kind):
                folder = self.workspace.home / kind / name
                if self.datasets is None or self.datasets & _names(kind, folder):
                    yield folder

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.workspace.home))


def holdings(store: Store, workspace: Workspace, tenant: str, named: Collection[str] = ()) -> Holdings:
    """The files in which an id means a person of the tenant, given by its id.

    Where there is one tenant, those are all files of the workspace. With several the same id may be somebody else in
    another's dataset, so only the tenant's own bundles, the datasets that they were trained on, those imported from its
    store and those that are `named` count.

    Raises
    ------
    UsageError : a dataset is named that is not there.
    """
    there = workspace.names("datasets")
    for name in named:
        if name not in there:
            raise UsageError(f"no dataset {name!r} in {workspace.home}; cure: one of {there}")
    tenants = {one.id: one.name for one in store.tenants()}
    if len(tenants) == 1:
        return Holdings(workspace)
    with store.read(tenant) as rows:
        models = frozenset(one.bundle for one in rows.models.all())
    datasets = set(named)
    for name in models:
        with suppress(OSError, ValueError, LookupError):  # a bundle that is gone or altered names no dataset
            datasets.add(str(json.loads((workspace.model(name) / "config.json").read_bytes())["about"]["dataset"]))
    for name in there:
        with suppress(OSError, ValueError):  # nor does a folder without a readable dataset.json
            if workspace.about(name).get("tenant") == tenants[tenant]:
                datasets.add(name)
    return Holdings(workspace, frozenset(datasets), models)


def erase_in(folder: Path, person: str) -> dict[Path, int]:
    """Take a person out of every file of a folder and those below, each replaced whole: file -> rows taken out."""
    erased = {}
    for path, column in _tables(folder):
        table = pl.read_parquet(path)
        others = table.filter(pl.col(column).ne_missing(person))
        if len(others) < len(table):
            partial = path.with_name(f".{path.name}.partial")
            others.write_parquet(partial)
            partial.replace(path)
            erased[path] = len(table) - len(others)
    for path in _lists(folder):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if _person(line) != person]
        if len(kept) < len(lines):
            partial = path.with_name(f".{path.name}.partial")  # no name that is looked for
            partial.write_text("".join(kept), encoding="utf-8")
            partial.replace(path)
            erased[path] = len(lines) - len(kept)
    return erased


def _tables(folder: Path) -> Iterator[tuple[Path, str]]:
    """Parquet files that hold people, and the column with their ids."""
    for path in sorted(folder.rglob("*.parquet")):
        columns = pl.read_parquet_schema(path)
        column = "id" if path.name == "people.parquet" else "person"
        if columns.get(column) == pl.String:
            yield path, column


def _lists(folder: Path) -> list[Path]:
    """Text files with a line a person and job, the person first."""
    return sorted([*folder.rglob("*.trec"), *folder.rglob("qrels.txt")])


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


def _person(line: str) -> str:
    return line.split(" ", 1)[0]
