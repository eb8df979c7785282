"""`metier describe`: counts, shares, missing values and quantiles of a dataset. No text, id or rare value is shown."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Home, Json, print_json, print_table

if TYPE_CHECKING:
    import polars as pl

    from metier.data import Tables

QUANTILES = (0.5, 0.75, 0.9, 0.99, 1.0)
FREE_TEXT = ("id", "text", "title", "zip")
"""Columns whose values are never shown, only counted."""
FEWEST = 5
"""People (or jobs) that must hold a value for it to be shown: a rare one may tell who somebody is."""


def describe(
    dataset: Annotated[str | None, typer.Argument(help="Name of a dataset; all are listed without one.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show what a dataset holds. Counts, shares, missing values and windows; no text and no id."""
    from metier.data.workspace import Workspace

    workspace = Workspace.open(home)
    if dataset is None:
        names = workspace.names("datasets")
        if as_json:
            print_json({"datasets": names})
        else:
            print_table([f"datasets in {workspace.home}"], [[name] for name in names])
        return
    tables, completed = workspace.load(dataset), workspace.about(dataset).get("completed")
    facts = {"dataset": dataset, "completed": completed, **summary(tables)}
    if as_json:
        print_json(facts)
        return
    print_table(["rows of", "number"], list(facts["counts"].items()), title=f"dataset {dataset}")
    if completed:
        print_table(["completed texts of people", ""], [[key, str(value)] for key, value in completed.items()])
    sides = [
        [side, facts[side]["without"], facts[side]["mean"], *facts[side]["quantiles"].values()]
        for side in ("per person", "per job")
    ]
    quantiles = [f"{100 * q:g} %" for q in QUANTILES]
    print_table(["interactions", "share without", "mean", *quantiles], sides, title="quantiles over those with any")
    if facts["windows"]:
        print_table(list(facts["windows"][0]), [list(window.values()) for window in facts["windows"]], title="windows")
    filled = [column for column in facts["columns"] if column["missing"] != 1]
    rows = [[*list(column.values())[:-1], _shown(column["most common"])] for column in filled]
    print_table(["table", "column", "kind", "missing", "distinct", "most common"], rows, title="columns")
    empty = [f"{column['table']}.{column['column']}" for column in facts["columns"] if column["missing"] == 1]
    print(f"never filled: {', '.join(empty) or 'none'}")


def summary(tables: "Tables") -> dict[str, Any]:
    """Plain numbers and text, ready for JSON."""
    people, jobs, pairs = tables.people, tables.jobs, tables.interactions
    times = pairs["time"].drop_nulls()
    return {
        "counts": {
            "people": len(people),
            "jobs": len(jobs),
            "interactions": len(pairs),
            "past jobs": len(tables.history),
            "windows": len(tables.windows),
        },
        "first": _moment(times.min()),
        "last": _moment(times.max()),
        "per person": _quantiles(pairs["person"], len(people)),
        "per job": _quantiles(pairs["job"], len(jobs)),
        "windows": _windows(tables),
        "columns": [
            _column(name, frame[column])
            for name, frame in (
                ("people", people),
                ("jobs", jobs),
                ("history", tables.history),
                ("interactions", pairs),
            )
            for column in frame.columns
            if len(frame)
        ],
    }


def _quantiles(ids: "pl.Series", known: int) -> dict[str, Any]:
    """Share of the known without any interaction; mean and quantiles of the count over the others."""
    counts = ids.value_counts()["count"]
    return {
        "without": 1 - len(counts) / known if known else None,
        "mean": float(len(ids) / len(counts)) if len(counts) else None,
        "quantiles": {str(q): int(counts.quantile(q, "nearest") or 0) for q in QUANTILES},
    }


def _windows(tables: "Tables") -> list[dict[str, Any]]:
    import polars as pl

    person_window = tables.people.select(pl.col("id").alias("person"), "window")
    pairs = tables.interactions.join(person_window, on="person", how="inner")
    found = []
    for window in tables.windows.sort("window").iter_rows(named=True):
        mine = pl.col("window") == window["window"]
        dates = {name: _moment(window[name]) for name in ("start", "cutoff", "end")}
        frames = {"people": tables.people, "jobs": tables.jobs, "interactions": pairs}
        found.append({"window": window["window"], **dates, **{k: len(v.filter(mine)) for k, v in frames.items()}})
    return found


def _column(table: str, values: "pl.Series") -> dict[str, Any]:
    """Kind, share missing, distinct values and, for categories, the three most common with their shares.

    A value that fewer than FEWEST rows hold is not shown.
    """
    import polars as pl

    single = values.list.unique().explode() if values.dtype == pl.List(pl.String) else values
    top: dict[str, float] = {}
    if single.dtype == pl.String and values.name not in (*FREE_TEXT, "person", "job"):
        counts = single.drop_nulls().value_counts(name="n").filter(pl.col("n") >= FEWEST)
        counts = counts.sort("n", values.name, descending=[True, False]).head(3)
        top = {value: n / len(values) for value, n in counts.iter_rows()}
    return {
        "table": table,
        "column": values.name,
        "kind": _kind(values.dtype),
        "missing": values.null_count() / len(values),
        "distinct": single.drop_nulls().n_unique(),
        "most common": top,
    }


def _kind(dtype: "pl.DataType") -> str:
    """How models read an attribute of this dtype."""
    import polars as pl

    if dtype == pl.List(pl.String):
        return "list"
    return "moment" if dtype.is_temporal() else "text" if dtype == pl.String else "number"


def _moment(value: Any) -> str | None:
    return None if value is None else value.isoformat(sep=" ", timespec="seconds")


def _shown(shares: dict[str, float]) -> str:
    return ", ".join(f"{value} {100 * share:.0f} %" for value, share in shares.items())
