"""`metier demo`: the models judged on a synthetic labour market, from nothing, in ten minutes of processor time."""

from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, Seed, note

LEFT_OUT = {"lgir-fm", "lgir-afm"}
"""Each trains LGIR once more, for one field of `fm` or `afm`: minutes for what `lgir` and `fm` show already."""


def demo(
    people: Annotated[int, typer.Option("--people", min=100, max=390_000, help="Size of the market.")] = 4000,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Judge the models on a synthetic labour market; lgir-fm and lgir-afm, which train LGIR once more, are left out.

    The market becomes the dataset "demo" and the run "demo"; the last line is the path of its report.
    """
    from metier.cli.evaluate import judge
    from metier.cli.import_ import store_market
    from metier.data.workspace import Workspace
    from metier.engine import open_engine
    from metier.evaluate.experiment import Experiment
    from metier.models.registry import available

    workspace = Workspace.open(home)
    note(f"making a synthetic labour market of {people:,} people, the dataset demo")
    store_market(workspace, "demo", people, seed)
    models: dict[str, dict[str, object]] = {name: {} for name in available() if name not in LEFT_OUT}
    note(
        f"judging {len(models)} models; with 4,000 people 8 minutes on two idle cores, longer where torch is installed"
    )
    asked = {"dataset": "demo", "protocol": "temporal", "seed": seed, "models": models}
    with open_engine() as engine:
        judge(Experiment.check(asked, "demo"), workspace, "demo", engine=engine, as_json=as_json)
