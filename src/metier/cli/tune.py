"""`metier tune`: the same budget of trials for every model on the inner split; the result is an experiment file."""

from typing import TYPE_CHECKING, Annotated

import typer

from metier.cli.terminal import Engine, Home, Json, Seed, Workers, note, print_json, print_table, progress

if TYPE_CHECKING:
    from metier.evaluate.tuning import Outcome


def tune(
    dataset: Annotated[str, typer.Argument(help="Name of an imported dataset.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="temporal, leave-last-out or given, on its inner split [default: as for `metier evaluate`]."),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Names, comma separated [default: all of `metier models`].")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials of each model; the first has the defaults.")] = 30,
    seconds: Annotated[
        float, typer.Option(min=1, help="A model starts no trial after this many seconds of fitting and ranking.")
    ] = 600.0,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Cut of MAP.")] = 25,
    seed: Seed = 0,
    name: Annotated[
        str | None,
        typer.Option("--as", help="Name of the tuning; one of that name is gone on with [default: DATASET-PROTOCOL]."),
    ] = None,
    report: Annotated[
        bool,
        typer.Option("--report", help="Then judge defaults and tuned settings on the truth, as a run."),
    ] = False,
    engine: Engine = "local",
    workers: Workers = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Search each model's settings on a cut inside the history; stopped at any moment, the same command goes on."""
    import json
    import shutil
    from contextlib import ExitStack
    from dataclasses import asdict

    from metier.cli.evaluate import judge
    from metier.data.workspace import Workspace
    from metier.engine import open_engine
    from metier.evaluate.experiment import Experiment, default_protocol
    from metier.evaluate.trial_round import Rounds
    from metier.evaluate.trials import Plan, TrialLog, fingerprint
    from metier.evaluate.tuning import experiment
    from metier.evaluate.tuning import tune as search
    from metier.models.registry import available, model_class

    workspace = Workspace.open(home)
    tables = workspace.load(dataset)
    chosen = list(dict.fromkeys(one.strip() for one in models.split(",") if one.strip())) if models else available()
    for model in chosen:
        model_class(model)
    asked = Experiment.check(
        {"dataset": dataset, "protocol": protocol or default_protocol(tables), "models": {one: {} for one in chosen}},
        "options",
    )
    folder = workspace.tuning(name or f"{dataset}-{asked.protocol}")
    plan = Plan(
        dataset=dataset,
        fingerprint=fingerprint(workspace.dataset(dataset)),
        protocol=asked.protocol,
        k=k,
        trials=trials,
        seconds=seconds,
        seed=seed,
    )
    log = TrialLog(folder, plan)
    with ExitStack() as opened:
        running = opened.enter_context(open_engine(engine, workers=workers))
        several = (engine, running.workers) != ("local", 1)
        rounds = Rounds(running, workspace, plan, folder / ".round") if several else None
        bar = opened.enter_context(progress())
        task = bar.add_task("reading")

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        outcomes = search(tables, plan, chosen, log, progress=show, rounds=rounds)
        shutil.rmtree(folder / ".round", ignore_errors=True)
    for trial in log.trials:
        if trial.model in chosen and trial.error:
            note(f"{trial.model}, trial {trial.trial} with {trial.settings} failed: {trial.error}")
    best = [{**asdict(one), "changed": one.changed} for one in outcomes]
    (folder / "best.json").write_text(json.dumps(best, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    compared = experiment(plan, outcomes)
    (folder / "experiment.toml").write_text(compared.toml(), encoding="utf-8")
    if as_json and not report:
        print_json({"tuning": folder.name, "experiment": str((folder / "experiment.toml").resolve()), "models": best})
    elif not as_json:
        _print(outcomes, k)
    if report:
        with open_engine(engine, workers=workers) as running:
            judge(compared, workspace, folder.name, engine=running, as_json=as_json)
    elif not as_json:
        print((folder / "experiment.toml").resolve())


def _print(outcomes: list["Outcome"], k: int) -> None:
    """One line a model, best first."""
    lines = []
    for one in sorted(outcomes, key=lambda one: -(one.best.value or 0.0 if one.best else -1.0)):
        settings = ", ".join(f"{key} = {value}" for key, value in one.changed.items())
        figures = [one.best.value, f"{one.best.low:.4f}–{one.best.high:.4f}"] if one.best else [None, ""]
        usual = one.default.value if one.default else None
        what = settings or ("the defaults" if one.best else "every trial failed")
        lines.append([one.model, one.trials, f"{one.seconds:.1f}", usual, *figures, what])
    columns = ["model", "trials", "seconds", f"default MAP@{k}", f"best MAP@{k}", "95 %", "best settings"]
    print_table(columns, lines, title="inner split: flattered a little, being the best of many")
