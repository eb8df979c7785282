"""`metier compare`: are two models, or two runs, really different on the same people?"""

from typing import TYPE_CHECKING, Annotated, cast

import typer

from metier.cli.terminal import Home, Json, print_json, print_table

if TYPE_CHECKING:
    from metier.evaluate.summary import Segment


def compare(
    run: Annotated[str, typer.Argument(help="Name of a run.")],
    other: Annotated[str | None, typer.Argument(metavar="[RUN2]", help="A second run of the same people.")] = None,
    models: Annotated[
        str | None,
        typer.Option(
            help="Names, comma separated; in one run the first is the baseline [default: all, against the best]."
        ),
    ] = None,
    metric: Annotated[str, typer.Option(help="map, map_trec, ndcg, recall, precision or mrr.")] = "map",
    segment: Annotated[
        str, typer.Option(help="Only people with that many past applications: all, warm, cold, history 2-4, ...")
    ] = "all",
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Test differences on the same people. Models of one run, or RUN2 minus RUN: 95 % intervals, Holm-adjusted p."""
    from metier.data.workspace import Workspace
    from metier.evaluate.comparison import compare_models, compare_runs

    workspace = Workspace.open(home)
    group = cast("Segment", segment)
    labels = [name.strip() for name in models.split(",") if name.strip()] if models else None
    if other is None:
        rows = compare_models(workspace.run(run), labels, metric, group)
    else:
        rows = compare_runs(workspace.run(run), workspace.run(other), labels, metric, group)
    if as_json:
        print_json({"rows": rows})
        return
    lines = [
        (
            row["model"],
            row["baseline"],
            f"{row['difference']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}",
            row["p"],
            row["p_holm"],
        )
        for row in rows
    ]
    title = f"{metric}@{rows[0]['k']}, {segment}: {rows[0]['users']:,} people" if rows else None
    print_table(["model", "baseline", "difference", "95 %", "p", "p Holm"], lines, title=title)
