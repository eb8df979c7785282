"""Knobs and a seed -> a market: the tables that anybody may see, and the truth behind them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl

from metier.data import Tables
from metier.sources.careerbuilder import HISTORY_DAYS
from metier.sources.market.applications import Tastes, choose
from metier.sources.market.draws import apportion
from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.people import draw_history, draw_people
from metier.sources.market.postings import Wording, draw_postings, window_start, word_postings
from metier.sources.market.sessions import plan
from metier.sources.market.truth import Truth
from metier.sources.market.world import World, load_world

_PEOPLE, _POSTINGS, _APPLICATIONS, _WORDING = range(4)
"""Independent random streams of a window."""


@dataclass(frozen=True)
class Market:
    """A generated market.

    Parameters
    ----------
    tables : exactly what importing the files of `write_official` gives.
    truth : what the oracle knows.
    """

    tables: Tables
    truth: Truth

    @classmethod
    def concat(cls, windows: Iterable["Market"]) -> "Market":
        """The market that these windows make up."""
        parts = list(windows)
        tables = {f.name: pl.concat(getattr(part.tables, f.name) for part in parts) for f in fields(Tables)}
        people, jobs = (pl.concat(getattr(part.truth, side) for part in parts) for side in ("people", "jobs"))
        return cls(Tables(**tables), replace(parts[0].truth, people=people, jobs=jobs))


def generate(knobs: MarketKnobs, seed: int) -> Market:
    """Make a market; equal knobs and seed give equal markets."""
    return Market.concat(generate_windows(knobs, seed))


def generate_windows(knobs: MarketKnobs, seed: int) -> Iterator[Market]:
    """One window after the other, each a market of its own, so that memory may hold one at a time."""
    world = world_of(knobs)
    published = world.published["windows"]
    people_by_window = apportion(knobs.people, published["people"][: knobs.windows])
    jobs_by_window = apportion(round(knobs.people * knobs.jobs_per_person), published["jobs"][: knobs.windows])
    person_ids = _ids(people_by_window, np.random.default_rng([seed, 0, 0]))
    job_ids = _ids(jobs_by_window, np.random.default_rng([seed, 0, 1]))
    windows = _windows(world, knobs.windows)
    for window, ids in enumerate(zip(person_ids, job_ids, strict=True), start=1):
        people, jobs, history, interactions, *truth = _window(world, knobs, seed, window, *ids)
        dates = windows.filter(pl.col("window") == window)
        yield Market(Tables.build(people, jobs, interactions, history, dates), Truth(knobs, seed, *truth))


def world_of(knobs: MarketKnobs) -> World:
    """The occupations, and the states that a market of this size covers."""
    return load_world(max(1, round(knobs.postings_per_window / knobs.postings_per_state)))


def wording(truth: Truth, window: int) -> Wording:
    """How the postings of a window are written, HTML included: worked out again rather than kept."""
    jobs = truth.jobs.filter(pl.col("window") == window)
    return word_postings(
        world_of(truth.knobs), truth.knobs, jobs, np.random.default_rng([truth.seed, window, _WORDING])
    )


def _window(
    world: World, knobs: MarketKnobs, seed: int, window: int, person_ids: pl.Series, job_ids: pl.Series
) -> tuple[pl.DataFrame, ...]:
    """people, jobs, history, interactions, truth of people, truth of jobs."""
    stream = {
        name: np.random.default_rng([seed, window, name]) for name in (_PEOPLE, _POSTINGS, _APPLICATIONS, _WORDING)
    }
    people, people_truth = draw_people(world, knobs, len(person_ids), window, stream[_PEOPLE])
    people, people_truth = (frame.insert_column(0, person_ids) for frame in (people, people_truth))
    history = draw_history(world, people, people_truth, stream[_PEOPLE])
    jobs, jobs_truth = draw_postings(world, knobs, len(job_ids), window, stream[_POSTINGS])
    jobs, jobs_truth = (frame.insert_column(0, job_ids) for frame in (jobs, jobs_truth))
    written = word_postings(world, knobs, jobs_truth, stream[_WORDING])
    jobs = jobs.with_columns(title=pl.Series(written.titles), text=pl.Series(written.texts))

    opens = pl.lit(window_start(world, window)).cast(pl.Datetime("us"))
    lives = jobs.select((pl.col("start", "end") - opens).dt.total_milliseconds() / 1000)
    rng = stream[_APPLICATIONS]
    wishes = plan(world, knobs, people_truth, world.published["windows"]["train_days"], rng)
    spans = lives["start"].to_numpy(), lives["end"].to_numpy()
    job = choose(Tastes(world, knobs), wishes, people_truth, jobs_truth, spans, rng)
    made = np.flatnonzero(job >= 0)
    moments = window_start(world, window) + np.round(wishes.seconds[made] * 1000).astype("timedelta64[ms]")
    interactions = pl.DataFrame(
        {
            "person": person_ids.gather(wishes.person[made]),
            "job": job_ids.gather(job[made]),
            "time": pl.Series(moments).cast(pl.Datetime("us")),
        }
    )
    return people, jobs, history, interactions, people_truth, jobs_truth


def _ids(counts: list[int], rng: np.random.Generator) -> list[pl.Series]:
    """Numbers as text, ascending in each window and spread over all of them, as in the real files."""
    order = rng.permutation(sum(counts)) + 1
    ends = np.cumsum(counts)
    return [
        pl.Series("id", np.sort(order[end - count : end])).cast(pl.String)
        for count, end in zip(counts, ends, strict=True)
    ]


def _windows(world: World, count: int) -> pl.DataFrame:
    numbers = list(range(1, count + 1))
    starts = pl.Series(np.array([window_start(world, window) for window in numbers])).cast(pl.Datetime("us"))
    days = world.published["windows"]
    return pl.DataFrame({"window": numbers, "start": starts}).select(
        "window",
        "start",
        cutoff=pl.col("start") + HISTORY_DAYS,
        end=pl.col("start") + pl.duration(days=days["train_days"]),
    )
