"""The published marginals of the real data beside those of a market: what the generator is held to.

    python -m metier.sources.market.marginals 20000 1

prints the table of `docs/reference/market.md` for 20,000 people and seed 1.
"""

import sys
from collections.abc import Iterator
from typing import Any

import polars as pl

from metier.data import Tables
from metier.sources.market.generate import generate
from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.world import load_world

Row = tuple[str, float | None, float]


def marginals(tables: Tables) -> pl.DataFrame:
    """statistic, published (null where no source gives it) and generated, one row a statistic."""
    rows = [*_sizes(tables), *_people(tables), *_counts(tables), *_times(tables), *_places(tables)]
    return pl.DataFrame(rows, schema=["statistic", "published", "generated"], orient="row")


def _sizes(tables: Tables) -> Iterator[Row]:
    sizes = load_world().published["sizes"]
    people, jobs, pairs = len(tables.people), len(tables.jobs), len(tables.interactions)
    yield "jobs / people", sizes["jobs"] / sizes["people"], jobs / people
    yield "applications / people", sizes["applications"] / sizes["people"], pairs / people
    yield "past jobs / people", sizes["history"] / sizes["people"], len(tables.history) / people
    applied = tables.interactions["job"].n_unique()
    yield "share of jobs without application", 1 - sizes["jobs_with_applications"] / sizes["jobs"], 1 - applied / jobs
    active = tables.interactions["person"].n_unique()
    published = 1 - sizes["people_with_applications"] / sizes["people"]
    yield "share of people without application", published, 1 - active / people


def _people(tables: Tables) -> Iterator[Row]:
    published = load_world().published
    frame = tables.people
    for degree, share in published["degrees"].items():
        yield f"degree {degree}", share, _share(frame["degree"] == degree)
    for column, key in (("experience_years", "experience_years"), ("history_count", "history_count")):
        levels = dict(zip(published[key]["levels"], published[key]["values"], strict=True))
        for level in (0.1, 0.5, 0.9, 0.99):
            yield f"{column} p{level * 100:g}", levels[level], _number(frame[column].quantile(level))
    for column in ("state", "zip", "graduated", "experience_years", "employed"):
        yield f"{column} known", published["known"][column], 1 - frame[column].null_count() / len(frame)
    # "Not Applicable" is a value in the files and unknown in the tables; the files write it for high schools.
    major = _share(frame["major"].is_not_null() | (frame["degree"] == "High School"))
    yield "major known, 'Not Applicable' included", published["known"]["major"], major
    yield "job zip known", published["known"]["job_zip"], 1 - tables.jobs["zip"].null_count() / len(tables.jobs)
    managed = _share(frame["managed_others"] == "Yes")
    yield "managed others", published["shares"]["managed_others"], managed


def _counts(tables: Tables) -> Iterator[Row]:
    published = load_world().published
    sizes = published["sizes"]
    per_person = tables.interactions["person"].value_counts()["count"]
    mean = sizes["applications"] / sizes["people_with_applications"]
    yield "applications per active person, mean", mean, _number(per_person.mean())
    levels = published["applications_per_person"]
    for level, value in zip(levels["levels"], levels["values"], strict=True):
        if level in (0.25, 0.5, 0.75, 0.9, 0.95, 0.99):
            yield f"applications per active person, p{level * 100:g}", value, _number(per_person.quantile(level))
    per_job = tables.interactions["job"].value_counts()["count"]
    mean = sizes["applications"] / sizes["jobs_with_applications"]
    yield "applications per applied-to job, mean", mean, _number(per_job.mean())
    for level, value in published["applications_per_job"].items():
        yield f"applications per applied-to job, {level}", value, _number(per_job.quantile(int(level[1:]) / 100))
    yield "Gini of applied-to jobs", published["shares"]["gini_of_applied_jobs"], gini(per_job)


def _times(tables: Tables) -> Iterator[Row]:
    published = load_world().published["shares"]
    timed = tables.interactions.sort("person", "time").with_columns(
        gap=pl.col("time").diff().over("person").dt.total_milliseconds() / 86_400_000
    )
    gaps = timed["gap"].drop_nulls()
    yield "gaps under a day", published["gaps_under_a_day"], _share(gaps < 1)
    yield "gap in days, median", published["gap_days_median"], _number(gaps.median())
    yield "gap in days, p75", published["gap_days_p75"], _number(gaps.quantile(0.75))
    windows = tables.people.select("id", "window").join(tables.windows, on="window")
    late = (
        tables.interactions.join(windows, left_on="person", right_on="id")
        .group_by("person")
        .agg(before=(pl.col("time") < pl.col("cutoff")).any(), after=(pl.col("time") >= pl.col("cutoff")).any())
        .filter("after")
    )
    yield (
        "cold among people with later applications",
        published["cold_after_cutoff"],
        1 - _share(late["before"]),
    )


def _places(tables: Tables) -> Iterator[Row]:
    published = load_world().published["shares"]
    pairs = tables.interactions.join(tables.people.select("id", "city", "state"), left_on="person", right_on="id")
    pairs = pairs.join(tables.jobs.select("id", "city", "state"), left_on="job", right_on="id", suffix="_of_job")
    known = pairs.drop_nulls("state")
    same_state = known["state"] == known["state_of_job"]
    yield "applications in the own state", published["applications_in_own_state"], _share(same_state)
    same_city = same_state & (known["city"] == known["city_of_job"])
    yield "applications in the own city", published["applications_in_own_city"], _share(same_city)


def _share(holds: pl.Series) -> float:
    return int(holds.sum()) / len(holds)


def _number(value: Any) -> float:
    return float(value)


def gini(counts: pl.Series) -> float:
    """Gini coefficient of non-negative counts.

    >>> gini(pl.Series([1, 1, 1, 1])), gini(pl.Series([0, 0, 0, 4]))
    (0.0, 0.75)
    """
    ordered = counts.sort().cast(pl.Float64)
    n = len(ordered)
    rank = pl.Series(range(1, n + 1), dtype=pl.Float64)
    return _number((ordered * (2 * rank - n - 1)).sum()) / (n * _number(ordered.sum()))


def main(people: int, seed: int) -> None:
    """Print the table in Markdown."""
    table = marginals(generate(MarketKnobs(people=people), seed).tables)
    print("| statistic | published | generated |\n| --- | ---: | ---: |")
    for statistic, published, generated in table.iter_rows():
        print(f"| {statistic} | {published:.4g} | {generated:.4g} |")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
