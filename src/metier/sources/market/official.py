"""A market -> the files of the CareerBuilder 2012 challenge, to the letter of their format."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from metier.sources.market.generate import Market, wording
from metier.sources.market.world import load_world

_MILLISECONDS, _SECONDS = "%Y-%m-%d %H:%M:%S%.3f", "%Y-%m-%d %H:%M:%S"
_PLACE = {"city": "City", "state": "State", "country": "Country"}


def write_official(market: Market, folder: Path, *, zipped: bool = False, quirks: bool = False) -> list[Path]:
    """Write users, user_history, jobs, apps, window_dates and test_users as .tsv; returns the paths.

    Tab separated, nothing quoted; backslash, tab, LF and CR inside a text are escaped with a backslash.

    Parameters
    ----------
    zipped : each file in a zip of its own, the jobs as jobs1.tsv, jobs2.tsv ... (by window) in jobs.zip.
    quirks : add what is wrong in the real files: each file of jobs gets a line with a twelfth field (a job that is
        nowhere else), users and applications repeat their last line. An importer sets those lines aside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    split = market.truth.people.select("id", Split=pl.when("is_test").then(pl.lit("Test")).otherwise(pl.lit("Train")))
    jobs = _jobs(market)
    if zipped:
        parts = [(f"jobs{number}.tsv", part) for number, part in enumerate(jobs, start=1)]
    else:
        parts = [("jobs.tsv", pl.concat(jobs))]
    groups = {
        "users": [("users.tsv", _users(market, split))],
        "user_history": [("user_history.tsv", _history(market, split))],
        "jobs": parts,
        "apps": [("apps.tsv", _apps(market, split))],
        "window_dates": [("window_dates.tsv", _window_dates(market))],
        "test_users": [("test_users.tsv", _test_users(market))],
    }
    paths = []
    for group, files in groups.items():
        texts = ((name, _tsv(frame, quirks=quirks and group in ("users", "jobs", "apps"))) for name, frame in files)
        if zipped:
            paths.append(folder / f"{group}.zip")
            with zipfile.ZipFile(paths[-1], "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in texts:
                    archive.writestr(name, text)
        else:
            for name, text in texts:
                paths.append(folder / name)
                paths[-1].write_bytes(text)
    return paths


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


def _jobs(market: Market) -> Iterator[pl.DataFrame]:
    """The jobs of one window after the other, their HTML written again from the truth."""
    for window in market.tables.windows["window"]:
        written = wording(market.truth, window)
        yield market.tables.jobs.filter(pl.col("window") == window).select(
            JobID="id",
            WindowID="window",
            Title="title",
            Description=pl.Series(written.descriptions, dtype=pl.String),
            Requirements=pl.Series(written.requirements, dtype=pl.String),
            **{official: pl.col(name) for name, official in _PLACE.items()},
            Zip5="zip",
            StartDate=pl.col("start").dt.strftime(_MILLISECONDS),
            EndDate=pl.col("end").dt.strftime(_SECONDS),
        )


def _tsv(frame: pl.DataFrame, *, quirks: bool) -> bytes:
    """Header and rows, each ended by LF; with quirks, the last row once more, or as another job with a stray tab."""
    text = pl.col(pl.String)
    for raw, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.str.replace_all(raw, escaped, literal=True)
    escaped_frame = frame.with_columns(text)
    lines = escaped_frame.write_csv(separator="\t", quote_style="never", line_terminator="\n")
    if quirks:
        last = lines.rstrip("\n").rsplit("\n", 1)[1]
        lines += f"9{last}\tstray\n" if "Zip5" in frame.columns else f"{last}\n"
    return lines.encode()
