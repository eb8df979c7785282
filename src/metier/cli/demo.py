"""`metier demo`: every model judged on a synthetic labour market, from nothing, in a few minutes."""

from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, Seed


def demo(
    people: Annotated[int, typer.Option("--people", min=100, max=390_000, help="Size of the market.")] = 4000,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Judge every model on a synthetic labour market.

    The market becomes the dataset "demo" and the run "demo"; the last line is the path of its report.
    """
    from metier.cli.evaluate import judge
    from metier.cli.import_ import store_market
    from metier.data.workspace import Workspace
    from metier.evaluate.experiment import Experiment
    from metier.models.registry import available

    workspace = Workspace.open(home)
    store_market(workspace, "demo", people, seed)
    asked = {"dataset": "demo", "protocol": "temporal", "seed": seed, "models": {name: {} for name in available()}}
    judge(Experiment.check(asked, "demo"), workspace, "demo", as_json=as_json)
