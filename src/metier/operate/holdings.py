"""Where a person is in the files of a workspace: datasets, runs, studies, tuning, exports, and bundles.

Every Parquet file with a column `person`, or named people.parquet with a column `id`, holds people, and so does every
TREC file. Exports lie in `exports`, in a folder named after the SHA-256 of the person's id; those of a tenant that is
not the main one within a folder named after the tenant's id. A bundle is never changed: it is one piece under its
manifest, and what it learned from a person is in all its numbers.
"""

import fcntl
import json
import shutil
import tomllib
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from metier.bundle import digest as manifest_digest
from metier.bundle import version
from metier.data.workspace import Workspace
from metier.errors import UsageError
from metier.store.store import Store
from metier.store.tenants import Tenant
from metier.store.tokens import digest


@dataclass(frozen=True)
class HeldBundle:
    """A bundle that was trained on the person."""

    name: str
    version: str
    """Name and the first 12 digits of the SHA-256 of its manifest."""


@dataclass(frozen=True)
class Some:
    """These names, or all but these."""

    names: frozenset[str] = frozenset()
    all_but: bool = False

    def __contains__(self, name: str) -> bool:
        return (name in self.names) != self.all_but

    def holds(self, column: sa.Column[str]) -> sa.ColumnElement[bool]:
        """The same of a column of names, for a query."""
        names = sorted(self.names)
        return column.not_in(names) if self.all_but else column.in_(names)


EVERY = Some(all_but=True)


@dataclass(frozen=True)
class Holdings:
    """The files of a workspace in which an id means one and the same person.

    Parameters
    ----------
    datasets : the datasets that are meant, with their runs and studies.
    models : the bundles that are meant.
    tenant : id of the tenant whose exports are meant; empty for the main one, or the only one.
    """

    workspace: Workspace
    datasets: Some = EVERY
    models: Some = EVERY
    tenant: str = ""

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

    def in_files(self) -> set[str]:
        """Ids of everybody in the files, bundles apart."""
        found: set[str] = set()
        for folder in self._folders():
            for path, column in _tables(folder):
                found.update(pl.scan_parquet(path).select(pl.col(column).drop_nulls().unique()).collect()[column])
            for path in _lists(folder):
                found.update(map(_person, path.read_text(encoding="utf-8").splitlines()))
        return found

    def in_bundles(self) -> set[str]:
        """Ids of everybody on whom a bundle was trained."""
        found: set[str] = set()
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
        folder = self._exports / subject
        if not folder.is_dir():
            return {}
        count = len(list(folder.iterdir()))
        shutil.rmtree(folder)
        return {self._name(folder): count}

    def exports(self, person: str) -> Path:
        """The folder of a person's exports, whether it exists or not."""
        return self._exports / digest(person)

    def bundles(self, person: str) -> list[HeldBundle]:
        """The bundles that hold a person."""
        return [
            HeldBundle(folder.name, version(folder.name, manifest_digest(folder)))
            for folder in self._bundles()
            if _holds(folder / "people.parquet", person)
        ]

    @property
    def _exports(self) -> Path:
        return self.workspace.home / "exports" / self.tenant

    def _bundles(self) -> Iterator[Path]:
        for name in self.workspace.names("models"):
            folder = self.workspace.home / "models" / name
            if name in self.models and (folder / "people.parquet").is_file() and (folder / "manifest.json").is_file():
                yield folder

    def _folders(self) -> Iterator[Path]:
        for kind in ("datasets", "runs", "studies", "tuning"):
            for name in self.workspace.names(kind):
                folder = self.workspace.home / kind / name
                about = _names(kind, folder)
                if any(one in self.datasets for one in about) or (not about and self.datasets.all_but):
                    yield folder

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.workspace.home))


def holdings(
    store: Store, workspace: Workspace, tenant: str, named: Collection[str] = (), *, main: str = "main"
) -> Holdings:
    """The files in which an id means a person of the tenant, given by its id.

    Where there is one tenant, those are all files of the workspace. With several the same id may be somebody else in
    another's dataset. A tenant's are its own bundles, the datasets that they were trained on, those imported from its
    store and those that are `named`; all that is so no other tenant's is the main one's.

    Parameters
    ----------
    main : name of the main tenant, the setting `tenant` of the service.

    Raises
    ------
    UsageError : a dataset is named that is not there, or there are several tenants and none is called `main`.
    """
    there = workspace.names("datasets")
    for name in named:
        if name not in there:
            raise UsageError(f"no dataset {name!r} in {workspace.home}; cure: one of {there}")
    tenants = store.tenants()
    if len(tenants) == 1:
        return Holdings(workspace)
    if main not in {one.name for one in tenants}:
        raise UsageError(
            f"no main tenant {main!r} (there: {', '.join(one.name for one in tenants)}), to whom all files belong that "
            "are nobody else's; cure: METIER_SERVE_TENANT or METIER_SERVE_CONFIG as for the service"
        )
    own = {one.id: _own(store, workspace, one) for one in tenants}
    datasets, models = own.pop(tenant)
    datasets |= set(named)
    if tenant not in {one.id for one in tenants if one.name == main}:
        return Holdings(workspace, Some(frozenset(datasets)), Some(frozenset(models)), tenant)
    theirs = frozenset[str]().union(*(one for one, _ in own.values()))
    trained = frozenset[str]().union(*(one for _, one in own.values()))
    return Holdings(workspace, Some(theirs - datasets, all_but=True), Some(trained - models, all_but=True))


def _own(store: Store, workspace: Workspace, tenant: Tenant) -> tuple[set[str], set[str]]:
    """Datasets and bundles that are a tenant's whether it is the main one or not."""
    with store.read(tenant.id) as rows:
        models = {one.bundle for one in rows.models.all()}
    datasets = set()
    for name in models:
        with suppress(OSError, ValueError, LookupError, TypeError):  # one that is gone or altered names no dataset
            config = json.loads((workspace.home / "models" / name / "config.json").read_bytes())
            datasets.add(str(config["about"]["dataset"]))
    for name in workspace.names("datasets"):
        with suppress(OSError, ValueError, LookupError, TypeError):  # nor is a folder without dataset.json anybody's
            about = json.loads((workspace.home / "datasets" / name / "dataset.json").read_bytes())
            if about["tenant"] == tenant.name:
                datasets.add(name)
    return datasets, models


@contextmanager
def only_eraser(workspace: Workspace) -> Iterator[None]:
    """Wait until nobody else erases from files; the system gives the lock back when the process ends.

    A file is read, filtered and replaced, so of two at once one would bring back whom the other took out.
    """
    folder = workspace.home / "receipts"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def erase_in(folder: Path, person: str) -> dict[Path, int]:
    """Take a person out of every file of a folder and those below, each replaced whole: file -> rows taken out.

    The caller is the `only_eraser`.
    """
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
    return found - {""}


def _holds(people: Path, person: str) -> bool:
    return not pl.scan_parquet(people).filter(pl.col("id") == person).select("id").head(1).collect().is_empty()


def _person(line: str) -> str:
    return line.split(" ", 1)[0]
