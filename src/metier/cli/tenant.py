"""`metier tenant`: those whose people, jobs and models the service keeps apart."""

from typing import Annotated

import typer

from metier.cli.person import opened
from metier.cli.terminal import Database, Home, Json, note, print_json, print_table
from metier.errors import UsageError

app = typer.Typer(help="Tenants of the service: add one, give it a model, list them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The tenant's name, by which its people sign in.")]


@app.command()
def add(
    name: Name,
    bundle: Annotated[str | None, typer.Option("--bundle", help="A bundle of the home: its first model.")] = None,
    database: Database = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a tenant and print the one-time token of its first administrator, to be entered at /first-start.

    Repeated, it prints another token in the place of the last one, until the tenant has an administrator.
    """
    from metier.serve.first_start import give

    with opened(home, database) as (store, workspace):
        known = store.tenant(name)
        tenant = known or store.add_tenant(name)
        token = store.setup.token(tenant.id)
        if token is None:
            raise UsageError(f"the tenant {name!r} has an administrator; cure: another name, or metier tenant give")
        version = give(store, workspace.model(bundle), tenant) if bundle else None
    if as_json:
        print_json({"tenant": name, "token": token, "model": version})
        return
    print(token)
    note(f"the one-time token of the first administrator of {name}: to be entered at /first-start of the service")
    note(f"whoever signs in there says that they are of the organisation {name}")
    if version is None and known is None:
        note(f"it has no model yet; cure: metier tenant give {name} BUNDLE")


@app.command()
def give(
    name: Name,
    bundle: Annotated[str, typer.Argument(metavar="BUNDLE", help="A bundle of the home, which is nobody else's.")],
    database: Database = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Let a tenant promote a bundle, which is no other tenant's then; it is live at once where the tenant has none."""
    from metier.operate.person import tenant_named
    from metier.serve.first_start import give

    with opened(home, database) as (store, workspace):
        tenant = tenant_named(store, name)
        version = give(store, workspace.model(bundle), tenant)
        with store.read(tenant.id) as rows:
            model = rows.models.get(version)
    state = model.state if model else "candidate"
    if as_json:
        print_json({"tenant": name, "model": version, "state": state})
    else:
        print_table(["tenant", "model", "state"], [[name, version, state]])


@app.command("list")
def show(database: Database = None, home: Home = None, as_json: Json = False) -> None:
    """All tenants: the live model of each, and whether it has an administrator."""
    from metier.serve.records import moment

    with opened(home, database) as (store, _):
        found = []
        for tenant in store.tenants():
            with store.read(tenant.id) as rows:
                live, admin = rows.models.live(), rows.accounts.has_admin()
            found.append([tenant.name, moment(tenant.made), live.version if live else None, admin])
    columns = ["tenant", "made", "model", "administrator"]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in found])
    else:
        print_table(columns, [[*row[:-1], "yes" if row[-1] else "none yet"] for row in found])
