"""Rows that an import sets aside, and the account of every file: accepted + quarantined = input rows.

A row that cannot be trusted is quarantined with file, line, column, code and reason; a value that cannot be read in a
column that is not needed becomes null and is counted as a warning. Neither ever holds text of a person or posting.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from metier.data import Tables
from metier.data.workspace import Workspace
from metier.errors import DataRejectedError

Code = Literal["fields", "id", "value", "future", "window", "unknown-person", "unknown-job", "duplicate"]
"""Why a row was set aside."""

Progress = Callable[[str, int, int], None]
"""Called with a file's name, bytes read so far and bytes in all."""

LINE = "(line)"
"""Column of the line (or, in Parquet, row) number that every raw frame carries; the header is line 1."""

SCHEMA = {"file": pl.String, "line": pl.Int64, "column": pl.String, "code": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class FileReport:
    """What became of the rows of one file.

    Parameters
    ----------
    quarantined : code -> rows set aside.
    warnings : "column: what" -> values that were unreadable and became null, or bytes that were replaced.
    """

    file: str
    rows: int
    accepted: int
    quarantined: dict[str, int]
    warnings: dict[str, int]

    @property
    def duplicates(self) -> int:
        """Rows that repeat an earlier one; set aside, but no sign of bad data."""
        return self.quarantined.get("duplicate", 0)

    @property
    def bad(self) -> int:
        """Rows set aside for any other reason."""
        return sum(self.quarantined.values()) - self.duplicates


@dataclass(frozen=True)
class ImportReport:
    """The account of one import.

    Parameters
    ----------
    quarantine : file, line, column, code, reason, one row for each input row set aside.
    facts : what the source said about itself and the tables do not hold (the challenge's test users, for one).
    """

    files: tuple[FileReport, ...]
    quarantine: pl.DataFrame
    facts: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """JSON-ready counts for `dataset.json`."""
        keys = ("file", "rows", "accepted", "quarantined", "warnings")
        return {"files": [{key: getattr(file, key) for key in keys} for file in self.files], **self.facts}

    def check(self, max_bad: float) -> None:
        """Raise ImportRejectedError when a file has a larger share of bad rows (duplicates apart) than `max_bad`."""
        for file in self.files:
            if file.bad > max_bad * file.rows:
                most = max((n, code) for code, n in file.quarantined.items() if code != "duplicate")
                raise ImportRejectedError(
                    f"{file.file}: {file.bad:,} of {file.rows:,} rows are bad ({file.bad / file.rows:.1%}, most often "
                    f"{most[1]!r}) and --max-bad allows {max_bad:.1%}; nothing was imported; cure: mend the rows "
                    "listed in quarantine.jsonl, or allow more",
                    self,
                )


class ImportRejectedError(DataRejectedError):
    """Too large a share of a file is bad; `report` says which rows and why."""

    def __init__(self, message: str, report: ImportReport) -> None:
        super().__init__(message)
        self.report = report


class FileLog:
    """The account of one file while it is being read: every check hands back the rows that passed."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.rows = 0
        self.warnings: dict[str, int] = {}
        self.names: dict[str, str] = {}
        """New column -> the file's own column, which is the one that messages name."""
        self._aside: list[pl.DataFrame] = []

    def set_aside(
        self, frame: pl.DataFrame, bad: pl.Expr | pl.Series, *, column: str, code: Code, reason: str | pl.Expr
    ) -> pl.DataFrame:
        """`frame` without the rows where `bad` is true (null is false), which go to quarantine."""
        mask = frame.select(bad.fill_null(False).alias("bad")).to_series()
        if not mask.any():
            return frame
        self._aside.append(
            frame.filter(mask).select(
                file=pl.lit(self.file),
                line=pl.col(LINE).cast(pl.Int64),
                column=pl.lit(self.names.get(column, column)),
                code=pl.lit(code),
                reason=pl.lit(reason) if isinstance(reason, str) else reason.cast(pl.String),
            )
        )
        return frame.filter(~mask)

    def warn(self, what: str, count: int) -> None:
        """Count values that were set to null, or changed, in rows that stay."""
        if count:
            self.warnings[what] = self.warnings.get(what, 0) + count

    def add(self, part: "FileLog") -> None:
        """Take in the account of a part of the file."""
        self.rows += part.rows
        self.names |= part.names
        self._aside += part._aside
        for what, count in part.warnings.items():
            self.warn(what, count)

    def dump(self) -> str:
        """The account as JSON."""
        aside = [row for frame in self._aside for row in frame.rows()]
        return json.dumps([self.file, self.rows, self.warnings, self.names, aside])

    @classmethod
    def parse(cls, text: str) -> "FileLog":
        """The account that `dump` wrote."""
        file, rows, warnings, names, aside = json.loads(text)
        log = cls(file)
        log.rows, log.warnings, log.names = rows, warnings, names
        log._aside = [pl.DataFrame(aside, schema=SCHEMA, orient="row")] if aside else []
        return log

    def report(self, accepted: int) -> tuple[FileReport, pl.DataFrame]:
        """The account of the file, which must balance, and its quarantined rows in line order."""
        aside = pl.concat([pl.DataFrame(schema=SCHEMA), *self._aside]).sort("line", maintain_order=True)
        if accepted + len(aside) != self.rows:
            raise AssertionError(f"{self.file}: {accepted} accepted + {len(aside)} quarantined != {self.rows} rows")
        codes = aside["code"].value_counts()
        counts = dict(zip(codes["code"], codes["count"], strict=True))
        ordered = {code: counts[code] for code in get_args(Code) if code in counts}
        return FileReport(self.file, self.rows, accepted, ordered, self.warnings), aside


class Ledger:
    """The accounts of all files of an import."""

    def __init__(self) -> None:
        self._files: list[FileReport] = []
        self._aside: list[pl.DataFrame] = [pl.DataFrame(schema=SCHEMA)]

    def close(self, log: FileLog, accepted: pl.DataFrame) -> pl.DataFrame:
        """Settle the account of a file with the rows that are left, and hand them back."""
        report, aside = log.report(len(accepted))
        self._files.append(report)
        self._aside.append(aside)
        return accepted

    def report(self, **facts: Any) -> ImportReport:
        """The account of the import so far."""
        return ImportReport(tuple(self._files), pl.concat(self._aside), facts)


def store(workspace: Workspace, name: str, tables: Tables, report: ImportReport, about: dict[str, Any]) -> Path:
    """Write a dataset with its `quarantine.jsonl` to the workspace; returns the folder."""

    def quarantine(folder: Path) -> None:
        report.quarantine.write_ndjson(folder / "quarantine.jsonl")

    return workspace.save(name, tables, {**about, **report.summary()}, extras=quarantine)


def store_rejected(workspace: Workspace, name: str, report: ImportReport) -> Path:
    """Write only the quarantine of a rejected import, beside the datasets and never over one; returns the file."""
    folder = workspace.home / "rejected" / workspace.dataset(name).name
    folder.mkdir(parents=True, exist_ok=True)
    report.quarantine.write_ndjson(folder / "quarantine.jsonl")
    return folder / "quarantine.jsonl"
