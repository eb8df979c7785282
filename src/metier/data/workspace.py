"""Where data, runs and models live on disk: one folder, chosen by `--home` or METIER_HOME."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from metier.data.tables import Tables
from metier.errors import UsageError


@dataclass(frozen=True)
class Workspace:
    """<home>/datasets/<name>/*.parquet; beside it runs, tuning, studies, models, taxonomies, metier.db."""

    home: Path

    @classmethod
    def open(cls, home: Path | None = None) -> "Workspace":
        """`home`, else $METIER_HOME, else ./metier-home; created on the first write."""
        return cls(Path(home or os.environ.get("METIER_HOME") or "metier-home"))

    def dataset(self, name: str) -> Path:
        """Folder of a dataset, whether it exists or not."""
        return self.home / "datasets" / _checked(name)

    def run(self, name: str) -> Path:
        """Folder of an evaluation run."""
        return self.home / "runs" / _checked(name)

    def tuning(self, name: str) -> Path:
        """Folder of a tuning's trials."""
        return self.home / "tuning" / _checked(name)

    def study(self, name: str) -> Path:
        """Folder of a study's cells."""
        return self.home / "studies" / _checked(name)

    def model(self, name: str) -> Path:
        """Folder of a trained model's bundle."""
        return self.home / "models" / _checked(name)

    def taxonomy(self, name: str) -> Path:
        """Folder of a vocabulary of skills and occupations."""
        return self.home / "taxonomies" / _checked(name)

    def names(self, kind: str) -> list[str]:
        """What is stored under "datasets", "runs" or "models"; a folder with a dot is one that a crash left behind."""
        folder = self.home / kind
        found = folder.iterdir() if folder.is_dir() else []
        return sorted(path.name for path in found if path.is_dir() and not path.name.startswith("."))

    def save(
        self, name: str, tables: Tables, about: dict[str, Any], *, extras: Callable[[Path], None] | None = None
    ) -> Path:
        """Write Parquet files and `dataset.json`; the folder appears whole or not at all.

        Parameters
        ----------
        extras : called with the folder before it appears, writes into it what else belongs to the dataset.
        """
        target = self.dataset(name)
        partial = target.with_name(f".{target.name}.{os.getpid()}")
        partial.mkdir(parents=True, exist_ok=True)
        try:
            for frame in fields(Tables):
                getattr(tables, frame.name).write_parquet(partial / f"{frame.name}.parquet")
            (partial / "dataset.json").write_text(json.dumps(about, indent=2, ensure_ascii=False, default=str))
            if extras is not None:
                extras(partial)
            swap(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return target

    def load(self, name: str, window: int | None = None) -> Tables:
        """The tables of a dataset, or what belongs to the people and the jobs of one window.

        UsageError lists the datasets there are.
        """
        folder = self.dataset(name)
        if not (folder / "dataset.json").is_file():
            there = ", ".join(self.names("datasets")) or "none yet"
            raise UsageError(
                f"no dataset {name!r} in {self.home} (there: {there}); cure: metier import ... --as {name}"
            )
        if window is None:
            return Tables(**{frame.name: pl.read_parquet(folder / f"{frame.name}.parquet") for frame in fields(Tables)})
        tables = {frame.name: pl.scan_parquet(folder / f"{frame.name}.parquet") for frame in fields(Tables)}
        mine = {side: tables[side].filter(pl.col("window") == window) for side in ("people", "jobs", "windows")}
        for of_people in ("history", "interactions"):
            people = mine["people"].select(person="id")
            mine[of_people] = tables[of_people].join(people, on="person", how="semi", maintain_order="left")
        return Tables(**{name: frame.collect() for name, frame in mine.items()})

    def about(self, name: str) -> dict[str, Any]:
        """The `dataset.json` written at import: source, counts, quarantine summary."""
        text = (self.dataset(name) / "dataset.json").read_text()
        return dict(json.loads(text))


def swap(partial: Path, target: Path) -> None:
    """Put a finished folder in the place of an old one; a crash leaves one of the two whole."""
    old = target.with_name(f".{target.name}.old")
    if target.exists():
        if old.exists():
            shutil.rmtree(old)
        target.rename(old)
    try:
        partial.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    if old.exists():
        shutil.rmtree(old)


def _checked(name: str) -> str:
    if not name or name.startswith((".", "-")) or not all(c.isalnum() or c in "._-" for c in name):
        raise UsageError(f"name {name!r} must be letters, digits, '.', '_' or '-', and not start with '.' or '-'")
    return name
