"""Do people whom nobody knows get jobs of their own line? Real résumés asked of a model of the synthetic market.

    python benchmarks/newcomers.py [--data ../shared/data] [--seeds 3] [--quick]

Each résumé is all that is known: no place, no application. What counts is the share of the ten first jobs that the
generator made for an occupation which suits the résumé's category (`SUITS`, written by hand; categories that the
market has no occupation for are left out), in both orders of `metier.live`, beside the ten most applied-to of the same
open jobs and all of these.
Nothing was learned from the résumés. `--quick` asks ten of them of a small market.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from environments import machine, table
from metier.bundle import save
from metier.features.assemble import assemble
from metier.live import Asker, Filter, LiveModel, Order
from metier.models.registry import create
from metier.sources.market import MarketKnobs, generate
from metier.sources.market.world import load_world

COMPUTING = (
    "software developer",
    "help desk technician",
    "systems administrator",
    "business systems analyst",
    "database administrator",
)
ENGINEERING = (
    "mechanical engineer",
    "electrical engineer",
    "civil engineer",
    "quality engineer",
    "laboratory technician",
)
SUITS = {
    "Automation Testing": COMPUTING,
    "Blockchain": COMPUTING,
    "Business Analyst": COMPUTING,
    "Data Science": COMPUTING,
    "Database": COMPUTING,
    "DevOps Engineer": COMPUTING,
    "DotNet Developer": COMPUTING,
    "ETL Developer": COMPUTING,
    "Hadoop": COMPUTING,
    "Java Developer": COMPUTING,
    "Network Security Engineer": COMPUTING,
    "Python Developer": COMPUTING,
    "SAP Developer": COMPUTING,
    "Testing": COMPUTING,
    "Web Designing": (*COMPUTING, "graphic designer"),
    "HR": ("recruiter", "human resources manager"),
    "Advocate": ("paralegal", "attorney"),
    "Mechanical Engineer": (*ENGINEERING, "CNC machinist"),
    "Civil Engineer": (*ENGINEERING, "construction superintendent"),
    "Electrical Engineering": (*ENGINEERING, "electrician"),
    "Sales": ("account executive", "inside sales representative", "retail sales associate", "insurance agent"),
    "Operations Manager": (
        "operations manager",
        "project manager",
        "retail store manager",
        "restaurant manager",
        "supply chain manager",
    ),
    "PMO": ("project manager", "operations manager"),
}
K = 10
ORDERS: tuple[Order, Order] = ("likely", "closest")


def answers(resumes: pl.DataFrame, knobs: MarketKnobs, seed: int) -> dict[str, list[float]]:
    """For each résumé, by row of the table: the shares, whether the first suits, and what it has in common."""
    market = generate(knobs, seed)
    assembled = assemble(market.tables, "newest")
    fitted = create("profile", {}).fit(assembled.dataset, rng=np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "market", fitted, market.tables, assembled, {"dataset": "market"})
        model = LiveModel.load(Path(folder) / "market")
    names = [one.name for one in load_world().occupations]
    occupation = {
        row["id"]: names[row["occupation"]] for row in market.truth.jobs.select("id", "occupation").to_dicts()
    }
    now = model.newest or 0.0
    board = [one.job for one in model.jobs(Asker(), Filter(), len(occupation), now=now).suggestions]
    counts = dict(market.tables.interactions.group_by("job").len().iter_rows())
    popular = sorted(board, key=lambda job: -counts.get(job, 0))[:K]
    found: dict[str, list[float]] = {}
    for category, text in resumes.select("Category", "Resume").iter_rows():
        suits = set(SUITS[category])
        jobs, closest = (
            [one.job for one in model.jobs(Asker(text=text), Filter(), K, now=now, order=order).suggestions]
            for order in ORDERS
        )
        shares = {
            of: np.mean([occupation[job] in suits for job in some])
            for of, some in (("ten", jobs), ("closest", closest), ("popular", popular), ("open", board))
        }
        row = {
            "suit, of the ten first": shares["ten"],
            "the first suits": float(occupation[jobs[0]] in suits),
            "none of the ten suits": float(shares["ten"] == 0),
            "suit, of the ten closest": shares["closest"],
            "the closest suits": float(occupation[closest[0]] in suits),
            "also among the ten most applied-to": len(set(jobs) & set(popular)) / K,
            "suit, of the ten most applied-to": shares["popular"],
            "suit, of all open jobs": shares["open"],
        }
        for name, value in row.items():
            found.setdefault(name, []).append(float(value))
    return found


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--quick", action="store_true")
    given = arguments.parse_args()
    file = given.data / "texts" / "resumes.csv.gz"
    if not file.is_file():
        raise SystemExit(f"{file} is not there; cure: --data FOLDER that holds texts/resumes.csv.gz (Category, Resume)")
    resumes = pl.read_csv(file).filter(pl.col("Category").is_in(list(SUITS)))
    knobs, seeds = MarketKnobs(), given.seeds
    if given.quick:
        resumes, knobs, seeds = resumes.head(10), MarketKnobs(people=1000, windows=2), 1
    runs = [answers(resumes, knobs, seed) for seed in range(seeds)]
    print(f"{len(resumes)} résumés, {seeds} markets of {knobs.people:,} people; {machine()}\n")
    print(
        table(
            ["share", "mean", "by market"],
            [
                [
                    name,
                    f"{np.mean([run[name] for run in runs]):.3f}",
                    ", ".join(f"{np.mean(run[name]):.3f}" for run in runs),
                ]
                for name in runs[0]
            ],
        )
    )
