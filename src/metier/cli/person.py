"""`metier person`: give people all that is held about them, or forget them."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metier.cli.terminal import Database, Home, Json, note, print_json, print_table
from metier.errors import UsageError

if TYPE_CHECKING:
    from metier.data.workspace import Workspace
    from metier.store.store import Store

app = typer.Typer(help="All that is held about a person: export or erase it.", no_args_is_help=True)

Person = Annotated[str, typer.Argument(metavar="ID", help="The person's id.")]
TenantOption = Annotated[str, typer.Option("--tenant", envvar="METIER_SERVE_TENANT", help="Whose person it is.")]
DatasetOption = Annotated[
    list[str] | None,
    typer.Option("--dataset", help="With several tenants: a further dataset that knows the id; repeatable."),
]


@app.command()
def export(
    person: Person,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file [default: one in exports in the home].")
    ] = None,
    tenant: TenantOption = "main",
    datasets: DatasetOption = None,
    database: Database = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write all that is held about a person as JSON: JSON Resume, profile, events, decisions, files. It is audited."""
    from metier.operate.holdings import holdings
    from metier.operate.person import export_person, tenant_named
    from metier.serve.settings import read_settings

    main = read_settings().tenant
    with opened(home, database) as (store, workspace):
        found = export_person(store, workspace, tenant, person, datasets or (), main=main)
        folder = holdings(store, workspace, tenant_named(store, tenant).id, main=main).exports(person)
    if as_json:
        print_json(found)
        return
    path = out or folder / f"{found['made'].replace(':', '')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, ensure_ascii=False, default=str)
    print(path)


@app.command()
def erase(
    person: Person,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    tenant: TenantOption = "main",
    datasets: DatasetOption = None,
    database: Database = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Forget a person: database, its log, stored answers, datasets, runs, exports. Keeps a receipt that names nobody.

    A bundle that was trained on the person stays, and the receipt names it: train it anew.
    """
    from metier.operate.person import erase_person
    from metier.serve.settings import read_settings

    if not yes:
        if as_json:
            raise UsageError("--json asks nothing; cure: --yes")
        typer.confirm(f"Erase all that is held about {person!r}? Nothing brings it back", abort=True, err=True)
    with opened(home, database) as (store, workspace):
        receipt = erase_person(store, workspace, tenant, person, datasets or (), main=read_settings().tenant)
        path = workspace.home / "receipts" / f"{receipt['receipt']}.json"
    if as_json:
        print_json(receipt)
    else:
        erased = [[f"table {name}", rows] for name, rows in receipt["database"].items() if rows]
        erased += [[name, rows] for name, rows in receipt["files"].items()]
        print_table(["erased from", "rows"], erased)
        print_table(["receipt", ""], [["file", str(path)], ["sha256", receipt["sha256"]]])
    _note_what_stays(receipt["bundles"], receipt["kept"])


@app.command()
def finish(database: Database = None, home: Home = None, as_json: Json = False) -> None:
    """Take erasures made over the API and the pages to the files, and make again what a restored database forgot.

    The receipts of all tenants tell which. Run it every day, and after pg_restore.
    """
    from metier.operate.erasures import KEPT
    from metier.operate.erasures import finish as finish_erasures
    from metier.serve.settings import read_settings

    with opened(home, database) as (store, workspace):
        receipts, again = finish_erasures(store, workspace, main=read_settings().tenant)
    if as_json:
        print_json({"again": again, "receipts": receipts})
    else:
        rows = [[one["receipt"], one["tenant"], sum(one["files"].values())] for one in receipts]
        print_table(["receipt", "tenant", "rows of files erased"], rows)
        note(f"{again} erasures were made again in the database")
    known = {one["name"]: one for receipt in receipts for one in receipt["bundles"]}
    _note_what_stays(known.values(), KEPT)


def _note_what_stays(bundles: Iterable[Mapping[str, str]], kept: Iterable[str]) -> None:
    for one in bundles:
        note(f"bundle {one['name']} knows the person still; cure: metier train it anew, and promote the new version")
    for line in kept:
        note(line)


@contextmanager
def opened(home: Path | None, database: str | None) -> "Iterator[tuple[Store, Workspace]]":
    """The service's store and the workspace; none is made where there is none.

    Raises
    ------
    UsageError : there is no such SQLite file.
    """
    from metier.data.workspace import Workspace
    from metier.store.store import Store

    workspace = Workspace.open(home)
    where: str | Path = database or workspace.home / "metier.db"
    if "://" not in str(where) and not Path(where).is_file():
        raise UsageError(f"no database {where}; cure: --home or --database of the service")
    store = Store.open(where)
    try:
        yield store, workspace
    finally:
        store.close()
