"""`metier evaluate`: judge models on a dataset, print the table, leave a run folder with a report."""

import sys
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Home, Json, note, print_json, print_table, progress
from metier.cli.train import parse_settings
from metier.errors import UsageError

if TYPE_CHECKING:
    from metier.data.workspace import Workspace
    from metier.evaluate.evaluation import Evaluation, Factory
    from metier.evaluate.experiment import Experiment


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
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Compare models on held-out behaviour. The full catalogue is ranked; intervals come with every figure."""
    from metier.data.workspace import Workspace
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
    judge(asked, workspace, name, as_json=as_json)


def judge(experiment: "Experiment", workspace: "Workspace", run: str, *, as_json: bool) -> None:
    """Run an experiment, save it as `run` and print it; exits 1 when a model failed."""
    from metier.evaluate import run_folder

    target = workspace.run(run)
    tables = workspace.load(experiment.dataset)
    with progress() as bar:
        task = bar.add_task("reading")

        def show(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)
            if bar.disable:  # nobody sees a bar in a file: a line a model says that work goes on
                note(f"{what} ({done + 1} of {total})")

        evaluation = experiment.run(tables, extra=_oracle(workspace.dataset(experiment.dataset)), progress=show)
        bar.update(task, description="intervals and report")
        completed = workspace.about(experiment.dataset).get("completed")
        report = run_folder.save(target, evaluation, experiment, completed=completed)
    rows = run_folder.load(target)["rows"]
    for label, why in evaluation.failed.items():
        note(f"{label} failed and has no row: {why}")
    if as_json:
        print_json({"run": run, "report": str(report.resolve()), "failed": evaluation.failed, "rows": rows})
    else:
        _print(rows, evaluation)
        print(report.resolve())
    if evaluation.failed:
        raise typer.Exit(1)


def read_settings(texts: list[str], names: list[str]) -> dict[str, dict[str, Any]]:
    """["fm.embedding_size=32"] -> {"fm": {"embedding_size": 32}}."""
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        label, dot, pair = text.partition(".")
        if not dot or label not in names:
            raise UsageError(f"--set {text!r} must be model.setting=value with one of the models {', '.join(names)}")
        found[label] = found.get(label, {}) | parse_settings([pair])
    return found


def _oracle(folder: Path) -> dict[str, "Factory"]:
    """The synthetic market's own truth, where the dataset has it: the ceiling beside the models."""
    if not (folder / "oracle").is_dir():
        return {}
    from metier.sources.market.oracle import Oracle

    return {"oracle": lambda: Oracle.load(folder / "oracle")}


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
