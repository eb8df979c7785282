"""Bringing files in: apps.tsv beside polars' bare read, HTML to text beside BeautifulSoup. One table.

    python benchmarks/ingest.py [--apps 1600000] [--jobs 365000] [--quick]

apps.tsv is in the challenge's format; one row in fifty is wrong: a pair that is there already, a person nobody knows, a
date that is none, a stray tab. jobs.tsv has the HTML of the synthetic market, six postings in one so that a row has
the 2.3 kB it has on a real board. Each way runs in a process of its own, once to warm up and three times measured, the
fastest counts. BeautifulSoup reads a sample; its seconds are scaled up to all rows and marked.
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from environments import CACHE, PeerError, child, environment, machine, table
from metier.sources.market import MarketKnobs, generate
from metier.sources.market.generate import wording

SAMPLE = 2_000
"""Postings that BeautifulSoup reads."""

COLUMNS = ["", "rows", "wall s", "CPU s", "rows/s", "peak MB", "wall, ratio", "CPU, ratio"]


def write_apps(folder: Path, rows: int, rng: np.random.Generator) -> Path:
    """apps.tsv, and the known ids as people.parquet and jobs.parquet."""
    people, jobs = rows // 5, rows * 365 // 1600
    for name, count in (("people", people), ("jobs", jobs)):
        pl.DataFrame({"id": np.arange(count)}).cast(pl.String).write_parquet(folder / f"{name}.parquet")
    times = np.datetime64(datetime(2012, 4, 1), "ms") + rng.integers(0, 90 * 86_400_000, rows)
    frame = pl.DataFrame(
        {
            "UserID": rng.integers(0, people, rows),
            "WindowID": rng.integers(1, 8, rows),
            "Split": "Train",
            "ApplicationDate": times,
            "JobID": rng.integers(0, jobs, rows),
        }
    ).with_columns(pl.col("ApplicationDate").dt.strftime("%Y-%m-%d %H:%M:%S%.3f"))
    fault = pl.Series(rng.integers(0, 200, rows))
    earlier = pl.int_range(pl.len()) // 2  # a row of the first half, for those that repeat one
    frame = frame.with_columns(
        UserID=pl.when(fault == 0).then(pl.col("UserID").gather(earlier)).when(fault == 1).then(-1).otherwise("UserID"),
        JobID=pl.when(fault == 0).then(pl.col("JobID").gather(earlier)).otherwise("JobID").cast(pl.String)
        + pl.when(fault == 3).then(pl.lit("\tstray")).otherwise(pl.lit("")),
        ApplicationDate=pl.when(fault == 2).then(pl.lit("yesterday")).otherwise("ApplicationDate"),
    )
    frame.write_csv(folder / "apps.tsv", separator="\t", quote_style="never")
    return folder / "apps.tsv"


def write_jobs(folder: Path, rows: int) -> tuple[Path, Path]:
    """jobs.tsv of so many rows, and one of the first `SAMPLE` of them."""
    market = generate(MarketKnobs(people=4000), 0)
    written = [wording(market.truth, window) for window in market.tables.windows["window"]]
    html = [_escaped(text) for one in written for text in one.descriptions]
    needs = [_escaped(text) for one in written for text in one.requirements]
    titles, count = market.tables.jobs["title"].to_list(), len(html)
    header = "JobID\tWindowID\tTitle\tDescription\tRequirements\tCity\tState\tCountry\tZip5\tStartDate\tEndDate\n"
    place = "Dayton\tOH\tUS\t45402\t2012-04-07 10:18:20.762\t2012-05-07 23:59:59\n"
    whole, sample = folder / "jobs.tsv", folder / "sample.tsv"
    with whole.open("w", encoding="utf-8") as file, sample.open("w", encoding="utf-8") as first:
        for row in range(-1, rows):
            six = "".join(html[(6 * row + row // count + part) % count] for part in range(6))
            line = f"{row}\t1\t{titles[row % count]}\t{six}\t{needs[row % count]}\t{place}" if row >= 0 else header
            file.write(line)
            if row < SAMPLE:
                first.write(line)
    return whole, sample


def _escaped(text: str | None) -> str:
    """As the challenge's files write a text; None is an empty cell."""
    plain = (text or "").replace("\\", "\\\\")
    return plain.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def line(name: str, figures: dict[str, float], base: dict[str, float], rows: int) -> list[str]:
    """A row of the table; figures of a sample are scaled up to `rows`, ratios are those to `base`."""
    scale = rows / figures["rows"]
    wall, cpu = figures["wall"] * scale, figures["cpu"] * scale
    of = [f"{mine / base[key]:.2f}" for key, mine in (("wall", wall), ("cpu", cpu))]
    name = name if scale == 1 else f"{name} (from {figures['rows']:,} rows)"
    return [name, f"{rows:,}", f"{wall:.3f}", f"{cpu:.3f}", f"{rows / wall:,.0f}", f"{figures['peak_mb']:,.0f}", *of]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--apps", type=int, default=1_600_000, help="rows of apps.tsv")
    parser.add_argument("--jobs", type=int, default=365_000, help="rows of jobs.tsv, 2.3 kB each")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of BeautifulSoup's environment")
    parser.add_argument("--quick", action="store_true", help="16,000 and 4,000 rows")
    given = parser.parse_args()
    apps, jobs = (16_000, 4_000) if given.quick else (given.apps, given.jobs)
    script = Path(__file__).parent / "peers" / "ingest.py"

    def timed(way: str, *files: Path, python: str = sys.executable) -> dict[str, float]:
        print(way, *(file.name for file in files), file=sys.stderr)
        return child(Path(python), script, [way, *map(str, files)], 3600)

    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        apps_file = write_apps(folder, apps, np.random.default_rng(0))
        jobs_file, sample = write_jobs(folder, jobs)
        sizes = ", ".join(f"{file.name} {file.stat().st_size / 1e6:,.0f} MB" for file in (apps_file, jobs_file))
        print(f"{machine()}. {sizes}.\n")
        bare = timed("polars", apps_file)
        lines = [line("apps.tsv: polars, bare streaming read", bare, bare, apps)]
        lines.append(line("apps.tsv: metier, validated", timed("metier-apps", apps_file, folder), bare, apps))
        bare = timed("polars", jobs_file)
        lines.append(line("jobs.tsv: polars, bare streaming read", bare, bare, jobs))
        lines.append(line("jobs.tsv: metier, validated, as text", timed("metier-jobs", jobs_file), bare, jobs))
        text = timed("metier-text", jobs_file)
        lines.append(line("HTML to text: metier", text, text, jobs))
        try:
            python = environment("beautifulsoup", ["beautifulsoup4==4.13.4"], given.cache)
            soup = timed("beautifulsoup", sample, python=str(python))
            lines.append(line("HTML to text: BeautifulSoup, html.parser", soup, text, jobs))
        except PeerError as error:
            lines.append(["HTML to text: BeautifulSoup, html.parser", f"failed: {error}", *[""] * 6])
    print(table(COLUMNS, lines))


if __name__ == "__main__":
    main()
