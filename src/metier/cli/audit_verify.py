"""`metier audit verify`: was the audit log tampered with?"""

from typing import Annotated

import typer

from metier.cli.person import opened
from metier.cli.terminal import Database, Home, Json, note, print_json, print_table


def verify(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant [default: all].")] = None,
    database: Database = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Go through the hash chain of each tenant's audit log. Ends with 1 when a row was changed, removed or put in.

    Keep the hash that it prints somewhere else: it also shows when a whole chain was written anew.
    """
    from metier.operate.person import tenant_named

    with opened(home, database) as (store, _):
        tenants = {tenant: tenant_named(store, tenant).id} if tenant else {one.name: one.id for one in store.tenants()}
        found = {}
        for name, number in tenants.items():
            with store.read(number) as rows:
                found[name] = rows.audit.verify()
    if as_json:
        print_json({name: vars(verdict) for name, verdict in found.items()})
    else:
        lines = [[name, one.rows, one.hash, one.broken] for name, one in found.items()]
        print_table(["tenant", "rows that fit", "hash of the last", "first that does not"], lines)
    if any(one.broken is not None for one in found.values()):
        note("the audit log was changed; cure: compare it with a backup from before the first row that does not fit")
        raise typer.Exit(1)
