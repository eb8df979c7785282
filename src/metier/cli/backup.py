"""`metier backup` and `metier restore`: a service's database and bundles, out to a file and back."""

from pathlib import Path
from typing import Annotated, Any

import typer

from metier.cli.terminal import Database, Home, Json, note, print_json, print_table

WithoutDatabase = Annotated[bool, typer.Option("--without-database", help="Only the bundles.")]


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    database: Database = None,
    without_database: WithoutDatabase = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy database and bundles to one file under SHA-256 sums, while the service runs. It holds personal data.

    PostgreSQL is copied by pg_dump, the bundles then with --without-database.
    """
    from metier.data.workspace import Workspace
    from metier.operate.backup import backup as write

    folder = Workspace.open(home).home
    done = write(folder, file, database=None if without_database else database or folder / "metier.db")
    if as_json:
        print_json({"file": str(file), **done._asdict()})
    else:
        inside = ["metier.db"] * done.database + done.bundles
        rows: list[list[Any]] = [
            ["file", str(file)],
            ["inside", ", ".join(inside)],
            ["bytes", done.bytes],
            ["sha256", done.sha256],
        ]
        print_table(["backup", ""], rows)
    note("people whose data are erased later are still in this file; delete old backups")


def restore(
    file: Annotated[Path, typer.Argument(help="A file of metier backup.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a database and bundles that are there.")
    ] = False,
    sha256: Annotated[str | None, typer.Option(help="Refuse a file that has another SHA-256.")] = None,
    database: Database = None,
    without_database: WithoutDatabase = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Check a backup to its last byte, then put its bundles and its database back. Start the service anew afterwards.

    Nothing is replaced without --replace, and nothing at all is changed when the file was altered.
    """
    from metier.data.workspace import Workspace
    from metier.operate.backup import restore as read
    from metier.serve.settings import read_settings

    folder = Workspace.open(home).home
    where = None if without_database else database or folder / "metier.db"
    main = read_settings().tenant
    done = read(folder, file, database=where, replace=replace, sha256=sha256, main=main)
    if as_json:
        print_json({"home": str(folder), **done._asdict()})
    else:
        back = ["metier.db"] * done.database + done.bundles
        print_table(["restored", ""], [["made", done.made], ["into", str(folder)], ["back", ", ".join(back) or "-"]])
    if done.again is None and done.database:
        note(
            f"who was erased since {done.made} is back: no database was replaced and there is no receipt in "
            f"{folder / 'receipts'}; cure: bring the receipts there, then metier person finish"
        )
    elif done.again is not None:
        note(f"{done.again} erasures made since {done.made} were made again")
