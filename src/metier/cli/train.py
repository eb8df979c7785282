"""`metier train`: fit one model on all of a dataset and keep it as a bundle."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Engine, Home, Json, Seed, Workers, print_json, print_table, stages
from metier.errors import ConfigError

if TYPE_CHECKING:
    from metier.data.workspace import Workspace
    from metier.models.base import Recommender


def train(
    dataset: Annotated[str, typer.Argument(help="Name of an imported dataset.")],
    bundle: Annotated[str, typer.Option("--as", help="Name of the bundle to write.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Name of a model (see `metier models`).")] = "ranker",
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the model; repeatable.")
    ] = None,
    processes: Annotated[
        int,
        typer.Option("--processes", min=1, help="Of this machine that share each batch of a model that torch trains."),
    ] = 1,
    engine: Engine = "local",
    workers: Workers = None,
    seed: Seed = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Train a model and write a bundle. It learns from every interaction of the dataset.

    A factorization machine is trained by the workers of an engine, a model of torch by processes: of this machine, or
    of many as `torchrun ... -m metier train ...` starts them.
    """
    from metier.cli import train_together as together
    from metier.data.workspace import Workspace

    workspace, settings = Workspace.open(home), parse_settings(set_ or [])
    if processes > 1 and not together.in_group():
        done = together.start(processes, workspace, dataset, bundle, model, settings, seed)
    else:
        with (
            together.group(model) as first,
            together.crew(engine, workers, model, workspace),
            stages() if first else nullcontext(),
        ):
            made, fitted = train_bundle(workspace, dataset, bundle, model, settings, seed, keep=first)
        if not first:
            return
        done = {**made, "settings": fitted.config.model_dump(mode="json")}
    if as_json:
        print_json(done)
    else:
        print_table(["trained", ""], [[key, str(value)] for key, value in done.items() if key != "settings"])


def train_bundle(
    workspace: "Workspace",
    dataset: str,
    bundle: str,
    model: str,
    settings: dict[str, Any],
    seed: int,
    *,
    keep: bool = True,
) -> tuple[dict[str, Any], "Recommender"]:
    """Train on a whole dataset and, to `keep` it, write the bundle; what was done, and the model."""
    import time

    import numpy as np

    from metier.bundle import save
    from metier.features.assemble import assemble
    from metier.models.registry import create

    folder = workspace.model(bundle)
    fresh = create(model, settings)
    tables = workspace.load(dataset)
    began = time.perf_counter()
    assembled = assemble(tables, "newest")
    fitted = fresh.fit(assembled.dataset, rng=np.random.default_rng(seed))
    if keep:
        save(folder, fitted, tables, assembled, {"dataset": dataset, "seed": seed})
    done = {
        "bundle": bundle,
        "model": model,
        "dataset": dataset,
        "people": len(assembled.dataset.users),
        "jobs": len(assembled.dataset.items),
        "interactions": len(assembled.dataset.interactions),
        "seconds": round(time.perf_counter() - began, 2),
        "folder": str(folder),
    }
    return done, fitted


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """{"reg": "0.1"} of ["reg=0.1"]; the model's config turns text into numbers and checks them.

    >>> parse_settings(["reg=0.1", "fields=[1, 2]"])
    {'reg': 0.1, 'fields': [1, 2]}
    """
    import json

    settings: dict[str, Any] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise ConfigError(f"--set {pair!r} is not KEY=VALUE, for example --set reg=0.1")
        try:
            settings[key] = json.loads(value)
        except json.JSONDecodeError:  # a bare word
            settings[key] = value
    return settings
