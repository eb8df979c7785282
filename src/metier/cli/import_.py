"""`metier import ...`: somebody's files, or a synthetic market, become a dataset of the workspace."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Database, Home, Json, Seed, note, print_json, print_table, progress

if TYPE_CHECKING:
    from metier.data import Tables
    from metier.data.workspace import Workspace
    from metier.sources.market import Market
    from metier.sources.quarantine import ImportReport, Progress

app = typer.Typer(help="Bring data into the workspace.")

Name = Annotated[str, typer.Option("--as", help="Name of the new dataset; one of that name is replaced.")]
MaxBad = Annotated[
    float, typer.Option(min=0, max=1, help="Largest share of a file's rows that may be bad (duplicates apart).")
]


@app.command("careerbuilder")
def careerbuilder(
    path: Annotated[Path, typer.Argument(help="Folder with the challenge's files or zips, or one zip.")],
    name: Name,
    max_bad: MaxBad = 0.05,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Import the official files of the CareerBuilder 2012 challenge.

    Stopped or killed, the same command goes on: the postings that were read are not read again.
    """
    from metier.data.workspace import Workspace
    from metier.errors import MetierError
    from metier.sources.careerbuilder import read_careerbuilder

    about, kept = {"source": "careerbuilder"}, Workspace.open(home).dataset(name).with_name(f".{name}.import")
    try:
        _bring(
            lambda bar: read_careerbuilder(path, max_bad=max_bad, progress=bar, kept=kept), name, about, home, as_json
        )
    except MetierError:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    shutil.rmtree(kept, ignore_errors=True)


@app.command("table")
def table(
    folder: Annotated[Path, typer.Argument(help="Folder with CSV, TSV or Parquet files.")],
    map: Annotated[Path, typer.Option("--map", help="TOML file that says what each column is.")],
    name: Name,
    max_bad: MaxBad = 0.05,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Import CSV, TSV or Parquet files by a map of their columns."""
    from metier.sources.table import read_table
    from metier.sources.table_map import read_map

    columns, about = read_map(map), {"source": "table", "map": map.name}
    _bring(lambda bar: read_table(folder, columns, max_bad=max_bad, progress=bar), name, about, home, as_json)


@app.command("recbole")
def recbole(
    folder: Annotated[Path, typer.Argument(help="Folder with one .inter file, and .user and .item beside it.")],
    name: Name,
    max_bad: MaxBad = 0.05,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Import RecBole atomic files."""
    from metier.sources.recbole import read_recbole

    about = {"source": "recbole"}
    _bring(lambda bar: read_recbole(folder, max_bad=max_bad, progress=bar), name, about, home, as_json)


@app.command("market")
def market(
    name: Name,
    people: Annotated[int, typer.Option(min=50, max=390_000, help="Size of the market.")] = 4000,
    seed: Seed = 0,
    official: Annotated[
        Path | None, typer.Option(help="Also write the market as CareerBuilder files to this folder.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a synthetic labour market whose truth is known."""
    from metier.data.workspace import Workspace
    from metier.sources.market import write_official

    workspace = Workspace.open(home)
    made = store_market(workspace, name, people, seed)
    if official is not None:
        write_official([made], official)
    _print(name, workspace.dataset(name), made.tables, [], as_json)


@app.command("store")
def from_store(
    name: Name,
    onto: Annotated[
        str | None, typer.Option("--onto", help="A dataset that is added to, such as the one the model was trained on.")
    ] = None,
    tenant: Annotated[
        str, typer.Option("--tenant", envvar="METIER_SERVE_TENANT", help="Whose people and jobs they are.")
    ] = "main",
    database: Database = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Import what the service learned: people with résumés, jobs and applications, without those who were erased."""
    from metier.cli.person import opened
    from metier.errors import UsageError
    from metier.operate.erasures import ACTOR
    from metier.operate.holdings import only_eraser
    from metier.operate.person import tenant_named

    # Who is erased between reading and saving would be in a dataset that their erasure did not go through.
    with opened(home, database) as (store, workspace), only_eraser(workspace):
        workspace.dataset(name)
        base, whose = workspace.load(onto) if onto else None, tenant_named(store, tenant)
        with store.read(whose.id) as rows:
            learned = rows.learned(base)
        tables = learned.keep(people=learned.people["id"], jobs=learned.jobs["id"])
        left_out = len(learned.interactions) - len(tables.interactions)
        if tables.interactions.is_empty():
            raise UsageError(
                f"no application of tenant {tenant!r} is to a job that is known here, so nothing can be learned; "
                "cure: --onto the dataset that the live model was trained on"
            )
        folder = workspace.save(name, tables, {"source": "store", "tenant": tenant, "onto": onto})
        with store.write(whose.id) as rows:
            rows.audit.append(ACTOR, "dataset.imported", name, people=len(tables.people))
    if left_out:
        note(f"{left_out:,} applications to jobs that the dataset does not hold were left out; cure: --onto")
    _print(name, folder, tables, [], as_json)


def store_market(workspace: "Workspace", name: str, people: int, seed: int) -> "Market":
    """Generate a market and keep it as a dataset, with its truth beside it for the oracle."""
    from metier.sources.market import MarketKnobs, generate, save_truth

    workspace.dataset(name)  # a name that is none is refused before the work
    knobs = MarketKnobs(people=people)
    made = generate(knobs, seed)
    about = {"source": "market", "seed": seed, **knobs.model_dump(mode="json")}
    workspace.save(name, made.tables, about, extras=lambda folder: save_truth(made, folder / "oracle"))
    return made


def _bring(
    read: "Callable[[Progress], tuple[Tables, ImportReport]]",
    name: str,
    about: dict[str, Any],
    home: Path | None,
    as_json: bool,
) -> None:
    """Read, store and print; a rejected import leaves nothing but its quarantine."""
    from metier.data.workspace import Workspace
    from metier.errors import DataRejectedError
    from metier.sources.quarantine import ImportRejectedError, store, store_rejected

    workspace = Workspace.open(home)
    workspace.dataset(name)
    tasks: dict[str, Any] = {}
    with progress() as bar:

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=total)
            bar.update(tasks[file], completed=done)

        try:
            tables, report = read(show)
        except ImportRejectedError as error:
            rows = store_rejected(workspace, name, error.report)
            raise DataRejectedError(f"{error}; the rows are listed in {rows}") from None
        folder = store(workspace, name, tables, report, about)
    _print(name, folder, tables, report.summary()["files"], as_json)


def _print(name: str, folder: Path, tables: "Tables", files: list[dict[str, Any]], as_json: bool) -> None:
    frames = ("people", "jobs", "history", "interactions", "windows")
    counts = {frame: len(getattr(tables, frame)) for frame in frames}
    if as_json:
        print_json({"dataset": name, "folder": folder, **counts, "files": files})
        return
    for file in files:
        for what, count in file["warnings"].items():
            note(f"{file['file']}: {what}: {count:,}")
    codes = list(dict.fromkeys(code for file in files for code in file["quarantined"]))
    if files:
        rows = [[f["file"], f["rows"], f["accepted"], *(f["quarantined"].get(c, 0) for c in codes)] for f in files]
        print_table(["file", "rows", "accepted", *codes], rows, title="rows of each file")
    print_table(["dataset", *frames, "folder"], [[name, *counts.values(), str(folder)]])
