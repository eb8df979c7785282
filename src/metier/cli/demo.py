"""`metier demo`: every model judged on a synthetic labour market, from nothing, in about a minute."""

from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, Seed


def demo(
    people: Annotated[int, typer.Option("--people", min=100, help="Size of the market.")] = 4000,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Judge every model on a synthetic labour market.

    The market becomes the dataset "demo" and the run "demo"; the last line is the path of its report.
    """
    from metier.cli.evaluate import judge
    from metier.data.workspace import Workspace
    from metier.evaluate.experiment import Experiment
    from metier.models.registry import MODELS
    from metier.sources.market import MarketKnobs, generate, save_truth

    workspace = Workspace.open(home)
    knobs = MarketKnobs(people=people)
    market = generate(knobs, seed)
    folder = workspace.save("demo", market.tables, {"source": "market", "seed": seed, **knobs.model_dump(mode="json")})
    save_truth(market, folder / "oracle")
    asked = {"dataset": "demo", "protocol": "temporal", "seed": seed, "models": {name: {} for name in MODELS}}
    judge(Experiment.check(asked, "demo"), workspace, "demo", as_json=as_json)
