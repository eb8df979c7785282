"""`metier study`: does the résumé help, and which fields do? Stopped at any moment, the same command goes on."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Home, Json, note, print_json, print_table, progress
from metier.errors import UsageError

if TYPE_CHECKING:
    from metier.data.workspace import Workspace
    from metier.enrich.study.cells import Cell, CellLog
    from metier.enrich.study.conduct import Boards

app = typer.Typer(help="Does the résumé help? Which fields do?", rich_markup_mode=None)
ProtocolOption = Annotated[
    str | None,
    typer.Option(
        "--protocol",
        help="temporal, leave-last-out or given, for every DATASET [default: temporal with windows, given with a "
        "split, else leave-last-out].",
    ),
]
Name = Annotated[
    str | None,
    typer.Option("--as", help="Name of the study; one of that name is gone on with [default: the datasets]."),
]
Out = Annotated[
    Path | None, typer.Option(help="Folder for study.html and study.json [default: <home>/studies/<name>].")
]
ReportOnly = Annotated[bool, typer.Option("--report-only", help="Run nothing: report the cells that are finished.")]


@app.command("resume")
def resume(
    datasets: Annotated[
        list[str] | None, typer.Argument(metavar="DATASET...", help="Names of imported datasets.")
    ] = None,
    protocol: ProtocolOption = None,
    plan: Annotated[Path | None, typer.Option(help="Plan in TOML [default: the whole study].")] = None,
    models: Annotated[
        str | None, typer.Option(help="Only these labels of the plan, comma separated; or further models.")
    ] = None,
    texts: Annotated[
        str | None,
        typer.Option(
            help="Only these: none, raw, raw-shuffled, skills, simple, interactive, shuffled, random; comma separated."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Fits of every cell [default: the plan's, 3].")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(min=0, help="Trials of every model with every text on the inner split [default: 0, no tuning]."),
    ] = None,
    completions: Annotated[
        list[str] | None,
        typer.Option(help="simple=FILE or interactive=FILE: a language model's texts, as metier enrich writes them."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes: few models and texts, one seed; a small market without a DATASET.")
    ] = False,
    report_only: ReportOnly = False,
    name: Name = None,
    out: Out = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Judge models with no text, raw text, completed text and controls, paired over people, as one page.

    Texts: none; raw (self-description and past jobs); raw-shuffled (somebody else's); skills (inferred); simple
    (the completed résumé); interactive (from jobs applied to before the cut-off, too); shuffled (somebody else's
    interactive text); random (drawn words).
    """
    from metier.data.workspace import Workspace
    from metier.enrich.study.cells import CellLog
    from metier.enrich.study.conduct import Boards, Completions, quick_market, text_cells
    from metier.enrich.study.plan import StudyPlan
    from metier.enrich.study.words import ONE_TEXT

    workspace = Workspace.open(home)
    asked = StudyPlan.read(plan) if plan else StudyPlan.shipped("quick" if quick else "default")
    given = {"seeds": seeds, "trials": trials}
    asked = asked.model_copy(update={key: value for key, value in given.items() if value is not None})
    asked, left_out = asked.only(models=_names(models), texts=_names(texts)).here()
    chosen = list(dict.fromkeys(datasets or asked.datasets))
    if not chosen and not quick:
        raise UsageError("no dataset was named; cure: metier study resume DATASET, or --quick for a small market")
    protocols = _protocols(workspace, chosen or [quick_market(workspace)], protocol, {} if datasets else asked.datasets)
    made = Completions.read(completions or [])
    if made.frames and len(protocols) > 1:
        raise UsageError("--completions belong to one dataset; cure: a study for each, with --as")
    if "interactive" in made.frames:
        note(ONE_TEXT)
    boards = Boards(workspace, protocols, made, list(dict.fromkeys(text for _, text in asked.pairs())))
    log = CellLog(workspace.study(name or "-".join(protocols)))
    if not report_only:
        (log.folder / "plan.toml").write_text(asked.model_copy(update={"datasets": protocols}).toml(), encoding="utf-8")
    _conduct(
        text_cells(asked, boards, made),
        boards,
        log,
        grids=asked.model_dump(mode="json")["grids"],
        left_out=left_out,
        segments=asked.segments,
        options={
            "protocol": protocol,
            "plan": plan,
            "models": models,
            "texts": texts,
            "seeds": seeds,
            "trials": trials,
            "completions": completions,
            "quick": quick,
            "home": _told(home),
        },
        command=["metier", "study", "resume", *(datasets or [])],
        report_only=report_only,
        out=out,
        as_json=as_json,
    )


@app.command("features")
def features(
    datasets: Annotated[list[str], typer.Argument(metavar="DATASET...", help="Names of imported datasets.")],
    models: Annotated[str, typer.Option("--model", help="Models of metier models, comma separated.")] = "fm",
    protocol: ProtocolOption = None,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="Fits of every cell.")] = 1,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="Cut of MAP.")] = 25,
    report_only: ReportOnly = False,
    name: Name = None,
    out: Out = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Judge each field of people and jobs alone beside the ids, and left out: "ids alone" knows who applied to what."""
    from metier.data.workspace import Workspace
    from metier.enrich.study.cells import CellLog
    from metier.enrich.study.conduct import Boards, Completions, field_cells
    from metier.evaluate.summary import SEGMENTS
    from metier.models.registry import model_class

    workspace = Workspace.open(home)
    chosen = _names(models)
    for model in chosen:
        model_class(model)
    boards = Boards(workspace, _protocols(workspace, datasets, protocol, {}), Completions({}, {}), ())
    log = CellLog(workspace.study(name or f"{'-'.join(boards.protocols)}-features"))
    _conduct(
        field_cells(chosen, boards, seeds=seeds, k=k),
        boards,
        log,
        grids={},
        left_out={},
        segments=SEGMENTS,
        options={"model": models, "protocol": protocol, "seeds": seeds, "k": k, "home": _told(home)},
        command=["metier", "study", "features", *datasets],
        report_only=report_only,
        out=out,
        as_json=as_json,
    )


def _conduct(
    cells: Sequence["Cell"],
    boards: "Boards",
    log: "CellLog",
    *,
    grids: Mapping[str, Any],
    left_out: Mapping[str, str],
    segments: Sequence[Any],
    options: Mapping[str, Any],
    command: Sequence[str],
    report_only: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Run what is not finished, write the page, show the answer."""
    from metier.enrich.study.cells import run
    from metier.enrich.study.report import document, save

    for label, why in left_out.items():
        note(f"left out: {label}: {why}")
    done = sum(log.done(cell) for cell in cells)
    if not report_only:
        note(f"{done} of {len(cells)} cells are finished; each is kept when it is done, so the same command goes on")
        with progress() as bar:
            task = bar.add_task("reading and auditing texts")

            def show(done: int, total: int, what: str) -> None:
                bar.update(task, completed=done, total=total, description=what)
                if bar.disable:
                    note(f"{done} of {total}: {what}")

            run(cells, lambda dataset: boards.audited(dataset, log.folder), log, show)
    if not any(log.done(cell) for cell in cells):
        errors = {one.error for one in log.finished.values() if one.error}
        why = "; ".join(sorted(map(str, errors))) or "none was run; cure: the same command without --report-only"
        raise UsageError(f"no cell of the study is finished: {why}")
    content = document(
        cells,
        log,
        audits=boards.audits(log.folder),
        grids=grids,
        segments=segments,
        left_out=left_out,
        command=shlex.join([*command, *_options({**options, "as": log.folder.name})]),
    )
    page = save(content, out or log.folder)
    if as_json:
        print_json({**content, "report": page.resolve()})
        return
    _show(content)
    print(page.resolve())


def _show(content: Mapping[str, Any]) -> None:
    for one in content["failed"]:
        note(f"{one['dataset']}: {one['model']} with {one['condition']}, seed {one['seed']}, failed: {one['why']}")
    for name, found in content["datasets"].items():
        everybody = [one for one in found["means"] if one["segment"] == "all"]
        lines = [
            [one["model"], one["condition"], one["seeds"], one["map"], f"{one['low']:.4f}–{one['high']:.4f}"]
            for one in sorted(everybody, key=lambda one: -one["map"])
        ]
        columns = ["model", "reads", "seeds", f"MAP@{content['k']}", "95 %"]
        print_table(columns, lines, title=f"{name}, {found['protocol']}: {found['people']:,} people")
        for sentence in found["answers"]:
            print(f"{sentence}\n")


def _protocols(
    workspace: "Workspace", datasets: Sequence[str], protocol: str | None, planned: Mapping[str, Any]
) -> dict[str, Any]:
    """Dataset -> protocol: the one asked for, the plan's, or what fits the data."""
    from typing import get_args

    from metier.data.splits import Protocol
    from metier.evaluate.experiment import default_protocol

    if protocol is not None and protocol not in get_args(Protocol):
        raise UsageError(f"no protocol {protocol!r}; cure: temporal, leave-last-out or given")
    return {name: protocol or planned.get(name) or default_protocol(workspace.load(name)) for name in datasets}


def _names(given: str | None) -> list[str]:
    return list(dict.fromkeys(one.strip() for one in (given or "").split(",") if one.strip()))


def _told(home: Path | None) -> Path | None:
    """--home, where METIER_HOME does not say the same."""
    return None if home is None or str(home) == os.environ.get("METIER_HOME") else home


def _options(options: Mapping[str, Any]) -> list[str]:
    """The options that repeat a study."""
    found = []
    for name, value in options.items():
        flag = f"-{name}" if len(name) == 1 else f"--{name}"
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                found.append(flag)
            elif one is not None and one is not False:
                found += [flag, str(one)]
    return found
