"""`metier audit bias`: is one group of people suggested less often than another?"""

import csv
import io
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Home, Json, Seed, note, print_json, print_table
from metier.errors import UsageError
from metier.serve.csv_export import cell

if TYPE_CHECKING:
    import polars as pl

    from metier.evaluate.impact import CategoryRate, ImpactTable
    from metier.operate.assessments import Metric

STATEMENT = (
    "These figures are arithmetic, no verdict and no bias audit: Local Law 144 asks for an independent auditor, "
    "somebody who takes no part in making, selling or using the tool."
)


class Format(StrEnum):
    """How the figures are written."""

    table = "table"
    csv = "csv"
    ll144 = "ll144"


class Direction(StrEnum):
    """What a model is asked."""

    people = "people"
    jobs = "jobs"


def bias(
    file: Annotated[
        Path | None, typer.Argument(help="CSV file, a row an assessment; or ask a model with --bundle.")
    ] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Column of categories, as sex; repeatable, then also crossed.")
    ] = None,
    person: Annotated[str, typer.Option(help="Column of the person's id.")] = "person",
    selected: Annotated[str, typer.Option(help="Column of the outcome, 0 or 1.")] = "selected",
    score: Annotated[str, typer.Option(help="Column of the score.")] = "score",
    unknown: Annotated[
        list[str] | None,
        typer.Option("--unknown", help="A value that means unknown, beside the empty one; repeatable."),
    ] = None,
    bands: Annotated[
        list[str] | None, typer.Option("--bands", help="Cut a number of --dataset, as age=18,40; repeatable.")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option(help="Instead of a file: a trained bundle, asked about its people.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="With --bundle: the dataset that has their attributes.")] = None,
    direction: Annotated[
        Direction,
        typer.Option(
            help="Selected is who is among the k people for a job (people), or to whom it is suggested (jobs)."
        ),
    ] = Direction.people,
    jobs: Annotated[str | None, typer.Option(help="With --bundle: ids of jobs, comma separated.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="With --bundle and no --jobs: so many open jobs, drawn.")] = 100,
    k: Annotated[int, typer.Option("-k", min=1, help="With --bundle: how many are suggested.")] = 10,
    exclude_small: Annotated[
        bool, typer.Option("--exclude-small", help="No ratio for categories below 2 % of the people.")
    ] = False,
    format_: Annotated[
        Format,
        typer.Option("--format", help="table, csv (all figures) or ll144 (the tables that the law's rules ask for)."),
    ] = Format.table,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Selection and scoring rates and impact ratios by category and crossing, as New York's Local Law 144 has them.

    With 95 % intervals, Fisher's exact test and the four-fifths rule, none of them a verdict. People of unknown
    category are counted and left out. An independent auditor is still needed.
    """
    import numpy as np

    from metier.evaluate.impact import impact
    from metier.operate.assessments import read_csv

    if (file is None) == (bundle is None) or (bundle is None) != (dataset is None):
        raise UsageError("whose figures? cure: either a CSV file, or --bundle and --dataset together")
    columns = list(dict.fromkeys(by or []))
    if not columns:
        raise UsageError("by which categories? cure: --by sex, or --by sex --by race")
    if file is not None:
        if bands:
            raise UsageError("--bands goes with --dataset; cure: a column of categories in the CSV file")
        found = read_csv(file, columns, person=person, selected=selected, score=score, unknown=unknown or [])
    else:
        found = _asked(str(bundle), str(dataset), columns, bands, jobs, sample, k, direction, seed, home)
    groups = [[column] for column in columns] + ([columns] if len(columns) > 1 else [])
    rng = np.random.default_rng(seed)
    tables = {
        metric: [impact(people, group, rng=rng, exclude_small=exclude_small) for group in groups]
        for metric, people in found.items()
    }
    if as_json:
        print_json(
            {"statement": STATEMENT, **{metric: [_json(one) for one in some] for metric, some in tables.items()}}
        )
    elif format_ is Format.table:
        _show(tables)
    else:
        print(_ll144(tables) if format_ is Format.ll144 else _csv(tables), end="")
        note(STATEMENT)


def _asked(
    name: str, dataset: str, by: list[str], bands: list[str] | None, jobs: str | None, sample: int, k: int,
    direction: Direction, seed: int, home: Path | None,
) -> "dict[Metric, pl.DataFrame]":  # fmt: skip
    """The assessments of a bundle's own people for the named jobs, or for some of those open now."""
    import numpy as np

    from metier.bundle import load
    from metier.data.workspace import Workspace
    from metier.operate.assessments import categories, of_bundle

    workspace = Workspace.open(home)
    people = categories(workspace.load(dataset).people, by, _bands(bands or []))
    loaded = load(workspace.model(name))
    if jobs is not None:
        rows = loaded.dataset.items.numbers([one.strip() for one in jobs.split(",") if one.strip()])
    else:
        open_ = loaded.live_jobs(int(loaded.windows.max(initial=-1)))
        rows = np.random.default_rng(seed).choice(open_, min(sample, len(open_)), replace=False)
    if not len(rows):
        raise UsageError(f"bundle {name!r} has no such jobs; cure: --jobs ID,ID")
    return of_bundle(loaded, people, by, np.unique(rows).astype(np.int32), k, direction=direction.value, seed=seed)


def _bands(given: list[str]) -> dict[str, list[float]]:
    found = {}
    for one in given:
        column, _, breaks = one.partition("=")
        try:
            found[column] = [float(value) for value in breaks.split(",")]
        except ValueError:
            raise UsageError(f"--bands {one!r}; cure: COLUMN=NUMBER,NUMBER, as age=18,40") from None
    return found


def _flag(row: "CategoryRate") -> str:
    """The four-fifths rule, with what the interval says of it."""
    if not row.below_four_fifths:
        return ""
    return "below" if row.interval_below else "below, interval reaches 0.8"


def _json(table: "ImpactTable") -> dict[str, Any]:
    rows = [
        {
            **asdict(row),
            "category": dict(zip(table.by, row.category, strict=True)),
            "below_four_fifths": row.below_four_fifths,
            "interval_below_four_fifths": row.interval_below,
        }
        for row in table.rows
    ]
    return {"by": table.by, "people": table.people, "unknown": table.unknown, "rows": rows}


def _show(tables: "dict[Metric, list[ImpactTable]]") -> None:
    for metric, some in tables.items():
        counted = "selected" if metric == "selection" else "above median"
        heads = ["people", "assessed", counted, f"{metric} rate", "impact ratio", "low", "high", "Fisher p"]
        for table in some:
            rows = [
                [*r.category, r.people, r.assessed, r.selected, r.rate, r.ratio, r.low, r.high, r.p, _flag(r),
                 "below 2 %" if r.small else ""]
                for r in table.rows
            ]  # fmt: skip
            print_table([*table.by, *heads, "four fifths", "size"], rows, title=f"{metric} by {' and '.join(table.by)}")
            note(f"{metric} by {' and '.join(table.by)}: {table.unknown:,} people of unknown category are left out")
    note(STATEMENT)


def _csv(tables: "dict[Metric, list[ImpactTable]]") -> str:
    """Every figure, a row a category; `category` holds "sex=female; race=asian"."""
    out = io.StringIO()
    names = ["people", "assessed", "selected", "share", "small", "rate", "ratio", "low", "high", "p"]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["metric", "by", "category", *names, "four_fifths", "unknown"])
    for metric, some in tables.items():
        for table in some:
            for row in table.rows:
                category = "; ".join(f"{name}={value}" for name, value in zip(table.by, row.category, strict=True))
                figures = [getattr(row, name) for name in names]
                by = " x ".join(table.by)
                writer.writerow([metric, cell(by), cell(category), *figures, _flag(row), table.unknown])
    return out.getvalue()


def _ll144(tables: "dict[Metric, list[ImpactTable]]") -> str:
    """One block a table, each with its heading, as in the example that the law's rules give, and what was left out."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for metric, some in tables.items():
        selects = metric == "selection"
        heads = ["# of Applicants", *(["# Selected"] if selects else []), f"{metric.title()} Rate", "Impact Ratio"]
        for table in some:
            crossed = len(table.by) > 1
            writer.writerow([*map(cell, table.by), *heads] if crossed else [cell(f"{table.by[0]} Categories"), *heads])
            for row in table.rows:
                ratio = "excluded (below 2 %)" if row.ratio is None and row.small else _figure(row.ratio)
                counts = [row.assessed, *([row.selected] if selects else [])]
                writer.writerow([*map(cell, row.category), *counts, f"{row.rate:.1%}", ratio])
            what = " or ".join(table.by)
            writer.writerow([cell(f"Note: {table.unknown} people of unknown {what} are not in these figures.")])
            writer.writerow([])
    writer.writerow([STATEMENT])
    return out.getvalue()


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
