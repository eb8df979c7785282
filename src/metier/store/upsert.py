"""Insert, or replace the rows whose key is there: a statement of which SQLite and PostgreSQL each have a dialect."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    keep: Sequence[str] = (),
    add: Sequence[str] = (),
    first: Sequence[str] = (),
) -> None:
    """Write rows by their primary key; two writers of one key leave the later one's row.

    Parameters
    ----------
    keep : columns that stay as they were in a row that is replaced.
    add : columns to which the new row's number is added.
    first : columns that stay as they were, unless that was null or the new row's is.
    """
    if not rows:
        return
    insert = _INSERT[connection.dialect.name](table)
    key = [column.name for column in table.primary_key]
    new = {one.name: insert.excluded[one.name] for one in table.c if one.name not in (*key, *keep)}
    new |= {name: table.c[name] + insert.excluded[name] for name in add}
    for name in first:
        old, given = table.c[name], insert.excluded[name]
        new[name] = sa.case((given.is_(None), sa.null()), else_=sa.func.coalesce(old, given))
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=new), rows)
