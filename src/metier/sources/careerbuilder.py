"""The official files of the CareerBuilder 2012 job recommendation challenge (Kaggle), unpacked or as downloaded.

    users.tsv  user_history.tsv  jobs.tsv or jobs1.tsv ... jobs7.tsv  apps.tsv  window_dates.tsv  test_users.tsv

Tab separated, never quoted: tab, LF, CR and backslash inside a text are escaped with a backslash, but HTML may hold a
raw CR, so only LF ends a line. Zip codes are text (leading zeros), and "None" is a degree level, not a missing one.
The `Split` column says who the challenge tested; those are counted and the column is kept away from models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import polars as pl

from metier.data import Tables
from metier.errors import DataRejectedError
from metier.sources.checks import (
    category,
    number,
    read_values,
    require,
    require_distinct,
    require_first_time,
    require_known,
    require_past,
)
from metier.sources.files import InputFile, catalogue, split_blocks
from metier.sources.kept_blocks import KeptBlocks
from metier.sources.quarantine import LINE, FileLog, ImportReport, Ledger, Progress
from metier.sources.text import plain_text

HISTORY_DAYS = timedelta(days=5)
"""From the start of a window to its cut-off. The public files hold applications of the nine training days only, so the
last four of them stand in for the challenge's hidden test days."""

_SEE_DESCRIPTION = "Please refer to the Job Description to view the requirements for this job"


def read_careerbuilder(
    path: Path, *, max_bad: float = 0.05, progress: Progress | None = None, kept: Path | None = None
) -> tuple[Tables, ImportReport]:
    """Tables of the challenge files in a folder (or in the zip files it holds), or in one zip file.

    People have the attributes degree, major, graduated, history_count, experience_years, employed, managed_others and
    managed_count. Of each (person, job) the first application is kept; a window has its cut-off five days in. Users,
    applications and jobs are needed; without window dates nobody has a window, and that is counted as a warning.

    Parameters
    ----------
    max_bad : largest share of a file's rows that may be bad, duplicates apart.
    kept : folder for the blocks of jobs that are finished, which a reading after a killed one finds again; yours to
        remove. None of them is about a person.

    Raises
    ------
    UsageError : `path` does not exist.
    DataRejectedError : a file is missing or broken, or lacks a column.
    ImportRejectedError : more than `max_bad` of a file's rows are bad; carries the report.
    """
    files = catalogue(Path(path), ".tsv")
    job_names = ["jobs.tsv"] if "jobs.tsv" in files else sorted(files.keys() & {f"jobs{n}.tsv" for n in range(1, 8)})
    missing = [name for name in ("users.tsv", "apps.tsv", *(job_names or ["jobs.tsv"])) if name not in files]
    if missing:
        raise DataRejectedError(
            f"{path}: no {', '.join(missing)}, plain, .gz or in a zip; found {', '.join(files) or 'no .tsv file'}; "
            "cure: give the folder with the files of kaggle.com/c/job-recommendation"
        )
    desk = _Desk(Ledger(), progress, KeptBlocks(kept) if kept else None)
    windows = desk.windows(files["window_dates.tsv"]) if "window_dates.tsv" in files else None
    people, tested = desk.users(files["users.tsv"], windows)
    jobs = desk.jobs([files[name] for name in job_names], windows)
    history = desk.history(files["user_history.tsv"], people["id"]) if "user_history.tsv" in files else None
    interactions = desk.apps(files["apps.tsv"], people["id"], jobs["id"])
    if "test_users.tsv" in files:
        desk.test_users(files["test_users.tsv"], people["id"])
    report = desk.ledger.report(test_users=tested)
    report.check(max_bad)
    return Tables.build(people, jobs, interactions, history, windows), report


@dataclass(frozen=True)
class _Desk:
    """Reads one file after the other into one ledger."""

    ledger: Ledger
    progress: Progress | None
    kept: KeptBlocks | None

    def windows(self, file: InputFile) -> pl.DataFrame:
        values = {
            "window": number("Window", dtype=pl.Int16),
            "start": _date("Train Start"),
            "end": _date("Train End / Test Start"),
        }
        log = FileLog(file.name)
        frame = require(log, self._read(file, log, values), *values)
        frame = self.ledger.close(log, require_distinct(log, frame, "window"))
        return frame.select(*values, cutoff=pl.col("start") + HISTORY_DAYS)

    def users(self, file: InputFile, windows: pl.DataFrame | None) -> tuple[pl.DataFrame, int]:
        """People, and how many of them the challenge tested."""
        values = {
            "id": category("UserID"),
            "window": number("WindowID", dtype=pl.Int16),
            "city": _text("City"),
            "state": category("State"),
            "country": category("Country"),
            "zip": category("ZipCode"),
            "degree": category("DegreeType"),
            "major": _text("Major", nulls=("", "Not Applicable")),
            "graduated": _date("GraduationDate"),
            "history_count": number("WorkHistoryCount", dtype=pl.Int32),
            "experience_years": number("TotalYearsExperience"),
            "employed": category("CurrentlyEmployed"),
            "managed_others": category("ManagedOthers"),
            "managed_count": number("ManagedHowMany", dtype=pl.Int32),
        }
        log = FileLog(file.name)
        frame = require(log, self._read(file, log, {**values, "split": category("Split")}), "id")
        frame = require_distinct(log, _in_window(log, frame, windows), "id")
        return self.ledger.close(log, frame).select(*values), int((frame["split"] == "Test").sum())

    def jobs(self, files: Sequence[InputFile], windows: pl.DataFrame | None) -> pl.DataFrame:
        """Jobs with description and requirements as plain text, which is nearly all the work of an import."""
        values = {
            "id": category("JobID"),
            "window": number("WindowID", dtype=pl.Int16),
            "title": _text("Title"),
            "city": _text("City"),
            "state": category("State"),
            "country": category("Country"),
            "zip": category("Zip5"),
            "start": _date("StartDate"),
            "end": _date("EndDate"),
            "description": _text("Description"),
            "requirements": _text("Requirements"),
        }
        accepted: list[pl.DataFrame] = []
        for file in files:
            log = FileLog(file.name)
            frame = require(log, self._read(file, log, values, strict=["start"], then=_posting, kept=self.kept), "id")
            frame = _in_window(log, require_past(log, frame, "start"), windows)
            frame = require_distinct(log, frame, "id")
            for earlier in accepted:
                repeats = pl.col("id").is_in(earlier["id"].implode())
                frame = log.set_aside(frame, repeats, column="id", code="duplicate", reason="repeats an earlier file")
            accepted.append(self.ledger.close(log, frame).drop(LINE))
        return pl.concat(accepted)

    def history(self, file: InputFile, people: pl.Series) -> pl.DataFrame:
        values = {
            "person": category("UserID"),
            "sequence": number("Sequence", dtype=pl.Int32),
            "title": _text("JobTitle"),
        }
        log = FileLog(file.name)
        frame = require_known(log, require(log, self._read(file, log, values), "person"), "person", people)
        return self.ledger.close(log, require_distinct(log, frame, *values)).select(*values)

    def apps(self, file: InputFile, people: pl.Series, jobs: pl.Series) -> pl.DataFrame:
        values = {"person": category("UserID"), "job": category("JobID"), "time": _date("ApplicationDate")}
        log = FileLog(file.name)
        frame = require(log, self._read(file, log, values, strict=["time"]), "person", "job")
        frame = require_past(log, require(log, frame, "time", code="value"), "time")
        frame = require_known(log, require_known(log, frame, "person", people), "job", jobs)
        return self.ledger.close(log, require_first_time(log, frame)).select(*values)

    def test_users(self, file: InputFile, people: pl.Series) -> None:
        """Only counted: who was tested stands in users.tsv as well."""
        values = {"person": category("UserID")}
        log = FileLog(file.name)
        frame = require_known(log, require(log, self._read(file, log, values), "person"), "person", people)
        self.ledger.close(log, require_distinct(log, frame, "person"))

    def _read(
        self,
        file: InputFile,
        log: FileLog,
        values: dict[str, pl.Expr],
        strict: Sequence[str] = (),
        then: Callable[[pl.DataFrame], pl.DataFrame] = lambda typed: typed,
        kept: KeptBlocks | None = None,
    ) -> pl.DataFrame:
        """The typed columns of a whole file, made block by block."""

        def typed(log: FileLog, raw: pl.DataFrame) -> pl.DataFrame:
            return then(read_values(log, raw, values, strict=strict))

        return pl.concat(split_blocks(file, log, _raw_names(values), progress=self.progress, then=typed, kept=kept))


def _raw_names(values: dict[str, pl.Expr]) -> list[str]:
    return list(dict.fromkeys(name for expression in values.values() for name in expression.meta.root_names()))


def _date(column: str) -> pl.Expr:
    """A moment with up to six decimals, made six: Polars reads a fixed number four times as fast as any number."""
    padded = category(column).str.pad_end(20, ".").str.pad_end(26, "0")
    return padded.str.to_datetime("%Y-%m-%d %H:%M:%S.%6f", time_unit="us", strict=False)


def _text(column: str, nulls: Sequence[str] = ("",)) -> pl.Expr:
    """Free text with its escapes undone in one pass from left to right, so that an escaped backslash stays one."""
    plain = pl.col(column).str.replace_many([r"\\", r"\t", r"\n", r"\r"], ["\\", "\t", "\n", "\r"]).str.strip_chars()
    return pl.when(~plain.is_in(nulls)).then(plain).alias(column)


def _in_window(log: FileLog, frame: pl.DataFrame, windows: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of a window that has dates; without any dates all rows, their window unknown."""
    if windows is None:
        log.warn(f"{log.names['window']}: no window_dates.tsv, set to unknown", frame["window"].count())
        return frame.with_columns(window=pl.lit(None, dtype=pl.Int16))
    known = pl.col("window").is_in(windows["window"].implode()).fill_null(False)
    return log.set_aside(frame, ~known, column="window", code="window", reason="no such window in window_dates.tsv")


def _posting(jobs: pl.DataFrame) -> pl.DataFrame:
    """One `text`: description, then requirements, each in one line; those that only point to the description go."""
    frame = jobs.select(plain_text(jobs["description"]), plain_text(jobs["requirements"]))
    own = pl.col("requirements")
    kept = pl.when(~own.str.starts_with(_SEE_DESCRIPTION)).then(own)
    text = pl.concat_str("description", kept, separator="\n", ignore_nulls=True).replace("", None)
    return jobs.drop("description", "requirements").with_columns(frame.select(text=text))
