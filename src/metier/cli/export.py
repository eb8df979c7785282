"""`metier export`: a dataset of the workspace as files that other programs read."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, print_json, print_table


class ExportFormat(StrEnum):
    """What a dataset can be written as."""

    recbole = "recbole"


def export(
    dataset: Annotated[str, typer.Argument(help="Name of the dataset.")],
    to: Annotated[Path, typer.Option("--to", help="Folder to write to; made when it is not there.")],
    format: Annotated[ExportFormat, typer.Option("--format", help="What to write.")] = ExportFormat.recbole,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a dataset as RecBole atomic files."""
    from metier.data.workspace import Workspace
    from metier.sources.recbole import write_recbole

    written = write_recbole(Workspace.open(home).load(dataset), to, dataset)
    if as_json:
        print_json({"dataset": dataset, "format": format.value, "files": written})
    else:
        print_table(["file", "bytes"], [[str(path), path.stat().st_size] for path in written])
