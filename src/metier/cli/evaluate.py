"""`metier evaluate`: judge models on a dataset, print the table, leave a run folder with a report."""

import shutil
import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Engine, Home, Json, Workers, note, print_json, print_table, progress
from metier.cli.train import parse_settings
from metier.errors import UsageError

if TYPE_CHECKING:
    from metier.data.workspace import Workspace
    from metier.engine import RunningEngine
    from metier.evaluate.evaluation import Evaluation
    from metier.evaluate.experiment import Experiment
    from metier.evaluate.grid import Reference


def evaluate(
    dataset: Annotated[str | None, typer.Argument(help="Name of an imported dataset.")] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="temporal, leave-last-out or given [default: temporal with windows, given with a split, else "
            "leave-last-out]."
        ),
    ] = None,
    models: Annotated[
        str | None, typer.Option(help="Names, comma separated [default: all of `metier models`].")
    ] = None,
    k: Annotated[int | None, typer.Option("-k", min=1, help="Cut of every metric [default: 25].")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="model.setting=value, for example fm.embedding_size=32; repeatable."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same seed gives the same figures [default: 0].")
    ] = None,
    inner: Annotated[
        bool, typer.Option("--inner", help="For tuning: judge on a cut inside the history, never on the truth.")
    ] = False,
    run: Annotated[
        str | None,
        typer.Option("--as", help="Name of the run; one of that name is replaced [default: DATASET-PROTOCOL]."),
    ] = None,
    experiment: Annotated[
        Path | None, typer.Option(help="A TOML file instead of DATASET and the options above; see the reference.")
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option("--seeds", help="Several, such as 0,1,2, instead of --seed: a run each, NAME-seed0, ..."),
    ] = None,
    engine: Engine = "local",
    workers: Workers = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Compare models on held-out behaviour. The full catalogue is ranked; intervals come with every figure.

    Stopped or killed, the same command goes on with what is not finished, on any engine.
    """
    from metier.data.workspace import Workspace
    from metier.engine import open_engine
    from metier.evaluate.experiment import Experiment, default_protocol
    from metier.models.registry import available

    workspace = Workspace.open(home)
    flags = {"protocol": protocol, "k": k, "seed": seed, "inner": inner or None}
    given = {key: value for key, value in flags.items() if value is not None}
    if experiment is not None:
        if dataset or models or settings or given:
            raise UsageError("--experiment decides everything but --as; cure: change the file, or leave it out")
        asked = Experiment.read(experiment)
    elif dataset is None:
        raise UsageError("name a dataset or give --experiment FILE; `metier describe` lists the datasets")
    else:
        names = [name.strip() for name in models.split(",") if name.strip()] if models else available()
        chosen = read_settings(settings or [], names)
        if protocol is None:
            given["protocol"] = default_protocol(workspace.load(dataset))
        entries = {name: {"settings": chosen.get(name, {})} for name in names}
        asked = Experiment.check({"dataset": dataset, "models": entries, **given}, "options")
    name = run or f"{asked.dataset}-{asked.protocol}" + ("-inner" if asked.inner else "")
    if seeds is not None and seed is not None:
        raise UsageError("--seed and --seeds say the same; cure: one of the two")
    with open_engine(engine, workers=workers) as running:
        judge(asked, workspace, name, seeds=_numbers(seeds), engine=running, as_json=as_json)


def judge(
    experiment: "Experiment",
    workspace: "Workspace",
    run: str,
    *,
    engine: "RunningEngine",
    seeds: list[int] | None = None,
    as_json: bool,
) -> None:
    """Run an experiment, save it as `run` and print it; exits 1 when a model failed.

    With `seeds` each is a run of its own, `run`-seed0 and so on. Finished cells lie beside the runs until all are
    saved.
    """
    from metier.evaluate import run_folder
    from metier.evaluate.grid import Grid

    asked = {run: experiment}
    if seeds is not None:
        asked = {f"{run}-seed{seed}": experiment.model_copy(update={"seed": seed}) for seed in seeds}
    targets = {name: workspace.run(name) for name in asked}
    if experiment.dataset not in workspace.names("datasets"):
        workspace.load(experiment.dataset)  # says which there are
    completed = workspace.about(experiment.dataset).get("completed")
    cells = workspace.run(run).with_name(f".{run}.cells")
    grid = Grid(workspace, experiment, [one.seed for one in asked.values()], _oracle(workspace, experiment.dataset))
    with progress() as bar:
        task = bar.add_task("reading")

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)
            if bar.disable:  # nobody sees a bar in a file: a line a model says that work goes on
                note(f"{what} ({done + 1} of {total})")

        try:
            found = dict(zip(asked, grid.run(engine, cells, progress=show), strict=True))
        except UsageError:
            shutil.rmtree(cells, ignore_errors=True)  # nothing there that the right command could go on with
            raise
        bar.update(task, description="intervals and report")
        for name, evaluation in found.items():
            run_folder.save(targets[name], evaluation, asked[name], completed=completed)
    shutil.rmtree(cells)
    documents = []
    for name, evaluation in found.items():
        rows, report = run_folder.load(targets[name])["rows"], (targets[name] / "report.html").resolve()
        documents.append({"run": name, "report": str(report), "failed": evaluation.failed, "rows": rows})
        for label, why in evaluation.failed.items():
            note(f"{label} failed and has no row: {why}")
        if not as_json:
            _print(rows, evaluation)
            print(report)
    if as_json:
        print_json(documents[0] if seeds is None else {"runs": documents})
    elif seeds is not None:
        _print_seeds({seed: one["rows"] for seed, one in zip(seeds, documents, strict=True)}, experiment.k)
    if any(evaluation.failed for evaluation in found.values()):
        raise typer.Exit(1)


def _numbers(seeds: str | None) -> list[int] | None:
    """ "0,1,2" -> [0, 1, 2]."""
    if seeds is None:
        return None
    found = list(dict.fromkeys(one.strip() for one in seeds.split(",") if one.strip()))
    if not found or not all(one.isdecimal() for one in found):
        raise UsageError(f"--seeds {seeds!r} must be numbers, comma separated, such as 0,1,2")
    return [int(one) for one in found]


def read_settings(texts: list[str], names: list[str]) -> dict[str, dict[str, Any]]:
    """["fm.embedding_size=32"] -> {"fm": {"embedding_size": 32}}."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        label, dot, pair = text.partition(".")
        if not dot or label not in names:
            raise UsageError(f"--set {text!r} must be model.setting=value with one of the models {', '.join(names)}")
        found[label] = found.get(label, {}) | parse_settings([pair])
    return found


def _oracle(workspace: "Workspace", dataset: str) -> dict[str, "Reference"]:
    """The synthetic market's own truth, where the dataset has it: the ceiling beside the models."""
    from metier.evaluate.grid import Reference

    folder = workspace.dataset(dataset) / "oracle"
    return {"oracle": Reference("metier.sources.market.oracle:Oracle", folder)} if folder.is_dir() else {}


def _print(rows: list[dict[str, Any]], evaluation: "Evaluation") -> None:
    """One line a model, best first."""
    k = evaluation.k
    index = {(row["model"], row["segment"], row["metric"]): row for row in rows if row["k"] == k}

    def value(label: str, metric: str, segment: str = "all") -> float | None:
        return index[label, segment, metric]["value"] if (label, segment, metric) in index else None

    lines = []
    for label in sorted(evaluation.ranked, key=lambda label: -index[label, "all", "map"]["value"]):
        whole, seconds = index[label, "all", "map"], evaluation.ranked[label]
        lines.append(
            [label, whole["value"], f"{whole['low']:.4f}–{whole['high']:.4f}"]
            + [value(label, "map", segment) for segment in ("warm", "cold")]
            + [value(label, metric) for metric in ("ndcg", "recall", "mrr", "coverage", "gini")]
            + [f"{seconds.fit_seconds:.2f}", f"{seconds.rank_seconds:.2f}"]
        )
    columns = [f"MAP@{k}", "95 %", "warm", "cold", "nDCG", "recall", "MRR", "coverage", "Gini", "fit s", "rank s"]
    shown = (
        len(columns) + 1 if not sys.stdout.isatty() or get_terminal_size().columns >= 124 else 7
    )  # the report has all
    print_table(
        ["model", *columns][:shown],
        [line[:shown] for line in lines],
        title=f"{evaluation.protocol}: {len(evaluation.people):,} people judged",
    )


def _print_seeds(runs: dict[int, list[dict[str, Any]]], k: int) -> None:
    """How much the seed decides: one line a model, best mean first."""
    from statistics import mean

    values: dict[str, list[float]] = {}
    for rows in runs.values():
        for row in rows:
            if (row["segment"], row["metric"], row["k"]) == ("all", "map", k):
                values.setdefault(row["model"], []).append(row["value"])
    lines = [[label, mean(one), min(one), max(one)] for label, one in values.items()]
    title = f"over the seeds {', '.join(map(str, runs))}"
    print_table(["model", f"mean MAP@{k}", "lowest", "highest"], sorted(lines, key=lambda line: -line[1]), title=title)
