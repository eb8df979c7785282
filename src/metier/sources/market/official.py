"""A market -> the files of the CareerBuilder 2012 challenge, to the letter of their format."""

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import polars as pl

from metier.sources.market.generate import Market, wording
from metier.sources.market.world import load_world

_MILLISECONDS, _SECONDS = "%Y-%m-%d %H:%M:%S%.3f", "%Y-%m-%d %H:%M:%S"
_PLACE = {"city": "City", "state": "State", "country": "Country"}


def write_official(
    windows: Iterable[Market], folder: Path, *, zipped: bool = False, quirks: bool = False
) -> list[Path]:
    """Write users, user_history, jobs, apps, window_dates and test_users as .tsv; returns the paths.

    Tab separated, nothing quoted; backslash, tab, LF and CR inside a text are escaped with a backslash.

    Parameters
    ----------
    windows : a market window by window (`generate_windows`); each is written before the next one is asked for. A whole
        market is one window here.
    zipped : each file in a zip of its own, the jobs as jobs1.tsv, jobs2.tsv ... (one a window) in jobs.zip.
    quirks : add what is wrong in the real files: each file of jobs gets a line with a twelfth field (a job that is
        nowhere else), users and applications repeat their last line. An importer sets those lines aside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        files: dict[str, _File] = {}
        for number, market in enumerate(windows, start=1):
            for group, frame in _frames(market):
                if group not in files:
                    files[group] = stack.enter_context(_File(folder, group, zipped=zipped, quirks=quirks))
                elif zipped and group == "jobs":
                    files[group].end()
                files[group].write(frame, f"jobs{number}.tsv" if zipped and group == "jobs" else f"{group}.tsv")
    return [file.path for file in files.values()]


class _File:
    """A .tsv, or a zip with one or several of them, written piece by piece."""

    def __init__(self, folder: Path, group: str, *, zipped: bool, quirks: bool) -> None:
        self.path = folder / (f"{group}.zip" if zipped else f"{group}.tsv")
        self._archive = zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) if zipped else None
        self._quirk = quirks and {"jobs": "9{}\tstray\n", "users": "{}\n", "apps": "{}\n"}.get(group)
        self._stream: IO[bytes] | None = None
        self._last = ""

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()
        if self._archive is not None:
            self._archive.close()

    def write(self, frame: pl.DataFrame, name: str) -> None:
        """Append rows to the member or file that is being written; the first ones begin it with a header."""
        begins = self._stream is None
        if self._stream is None:
            self._stream = self.path.open("wb") if self._archive is None else self._archive.open(name, "w")
        lines = _tsv(frame, header=begins)
        self._last = lines.rstrip("\n").rsplit("\n", 1)[-1]
        self._stream.write(lines.encode())

    def end(self) -> None:
        """Finish the member or file: with quirks, its last row once more, or as another job with a stray tab."""
        if self._stream is None:
            return
        if self._quirk:
            self._stream.write(self._quirk.format(self._last).encode())
        self._stream.close()
        self._stream = None


def _frames(market: Market) -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and rows of each file."""
    split = market.truth.people.select("id", Split=pl.when("is_test").then(pl.lit("Test")).otherwise(pl.lit("Train")))
    yield "users", _users(market, split)
    yield "user_history", _history(market, split)
    yield "jobs", _jobs(market)
    yield "apps", _apps(market, split)
    yield "window_dates", _window_dates(market)
    yield "test_users", _test_users(market)


def _users(market: Market, split: pl.DataFrame) -> pl.DataFrame:
    # People with a high school degree said "Not Applicable", the published spelling of no major; without one, nothing.
    major = pl.when(pl.col("degree") == "High School").then(pl.lit("Not Applicable"))
    return market.tables.people.join(split, on="id", maintain_order="left").select(
        UserID="id",
        WindowID="window",
        Split="Split",
        **{official: pl.col(name) for name, official in _PLACE.items()},
        ZipCode="zip",
        DegreeType="degree",
        Major=pl.coalesce("major", major),
        GraduationDate=pl.col("graduated").dt.strftime(_SECONDS),
        WorkHistoryCount="history_count",
        TotalYearsExperience="experience_years",
        CurrentlyEmployed="employed",
        ManagedOthers="managed_others",
        ManagedHowMany="managed_count",
    )


def _history(market: Market, split: pl.DataFrame) -> pl.DataFrame:
    people = market.tables.people.select("id", "window").join(split, on="id", maintain_order="left")
    return market.tables.history.join(people, left_on="person", right_on="id", maintain_order="left").select(
        UserID="person", WindowID="window", Split="Split", Sequence="sequence", JobTitle="title"
    )


def _apps(market: Market, split: pl.DataFrame) -> pl.DataFrame:
    people = market.tables.people.select("id", "window").join(split, on="id", maintain_order="left")
    return market.tables.interactions.join(people, left_on="person", right_on="id", maintain_order="left").select(
        UserID="person",
        WindowID="window",
        Split="Split",
        ApplicationDate=pl.col("time").dt.strftime(_MILLISECONDS),
        JobID="job",
    )


def _window_dates(market: Market) -> pl.DataFrame:
    days = load_world().published["windows"]["days"]
    start, end = pl.col("start").dt.strftime(_SECONDS), pl.col("end").dt.strftime(_SECONDS)
    test_end = (pl.col("start") + pl.duration(days=days)).dt.strftime(_SECONDS)
    columns = {"Window": pl.col("window"), "Train Start": start, "Train End / Test Start": end, "Test End": test_end}
    return market.tables.windows.select(**columns)


def _test_users(market: Market) -> pl.DataFrame:
    return market.truth.people.filter("is_test").select(UserID="id", WindowID="window")


def _jobs(market: Market) -> pl.DataFrame:
    """The jobs, their HTML written again from the truth."""
    written = [wording(market.truth, window) for window in market.tables.windows["window"]]
    return market.tables.jobs.select(
        JobID="id",
        WindowID="window",
        Title="title",
        Description=pl.Series([text for one in written for text in one.descriptions], dtype=pl.String),
        Requirements=pl.Series([text for one in written for text in one.requirements], dtype=pl.String),
        **{official: pl.col(name) for name, official in _PLACE.items()},
        Zip5="zip",
        StartDate=pl.col("start").dt.strftime(_MILLISECONDS),
        EndDate=pl.col("end").dt.strftime(_SECONDS),
    )


def _tsv(frame: pl.DataFrame, *, header: bool) -> str:
    """Rows, each ended by LF, after the header if asked for."""
    text = pl.col(pl.String)
    for raw, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.str.replace_all(raw, escaped, literal=True)
    return frame.with_columns(text).write_csv(
        separator="\t", quote_style="never", line_terminator="\n", include_header=header
    )
