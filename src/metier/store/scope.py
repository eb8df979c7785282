"""One tenant's rows in one transaction. Every statement of the service is made here, so none can forget the tenant."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from metier.errors import UnknownIdError, UsageError
from metier.store.schema import tenants
from metier.store.upsert import upsert

Record = TypeVar("Record")
Clock = Callable[[], float]
MOST_ROWS = 1000
"""On one page."""
MOST_VALUES = 500
"""In one statement; databases limit how many it may carry."""
MOST_DIGITS = 18
"""Of a cursor that is a number; more may not fit in 64 bits."""
_COUNTERS = (tenants.c.sequence, tenants.c.generation, tenants.c.audited, tenants.c.audit_hash)


@dataclass(frozen=True)
class Page(Generic[Record]):
    """Some rows, and the cursor of those that follow; None after the last."""

    items: tuple[Record, ...]
    next: str | None


class Scope:
    """What repositories share: connection, tenant, clock and the tenant's counters.

    A scope that writes holds the lock of its tenant from `lock` to the end of its transaction, so the writers of one
    tenant take turns: numbers are committed in the order in which they were drawn, and a reader who asks for what came
    after a number misses nothing.
    """

    def __init__(self, connection: sa.Connection, tenant: str, clock: Clock = time.time) -> None:
        self.connection = connection
        self.tenant = tenant
        self.clock = clock
        self.counters: dict[str, Any] = {}

    def lock(self) -> None:
        """Take the tenant's turn to write and read its counters; UnknownIdError for no such tenant."""
        chosen = sa.select(*_COUNTERS).where(tenants.c.id == self.tenant).with_for_update(key_share=True)
        row = self.connection.execute(chosen).mappings().one_or_none()
        if row is None:
            raise UnknownIdError("no such tenant; cure: the tenant of an account or a key")
        self.counters = dict(row)

    def save_counters(self) -> None:
        """Write the counters; to be called before the transaction ends."""
        self.connection.execute(sa.update(tenants).where(tenants.c.id == self.tenant).values(self.counters))

    def draw(self, count: int = 1) -> int:
        """The first of `count` new sequence numbers; they only ever grow."""
        first: int = self.counters["sequence"] + 1
        self.counters["sequence"] += count
        return first

    def drawn(self) -> int:
        """The last number drawn. Whatever is written of people or jobs draws one: while it stands, they do."""
        stored = sa.select(tenants.c.sequence).where(tenants.c.id == self.tenant)
        return int(self.counters["sequence"] if self.counters else self.connection.execute(stored).scalar() or 0)

    def select(self, table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """A SELECT of columns, or of all, of the tenant's rows."""
        return sa.select(*(columns or table.c)).where(table.c.tenant == self.tenant)

    def rows(self, statement: sa.Executable) -> list[dict[str, Any]]:
        """What a statement returns."""
        return [dict(row) for row in self.connection.execute(statement).mappings()]

    def read(self, kind: type[Record], table: sa.Table, *where: Any, order: Sequence[Any] = ()) -> list[Record]:
        """The tenant's rows as records, whose fields are columns of the table."""
        columns = [table.c[one.name] for one in fields(kind)]  # type: ignore[arg-type]
        return [kind(**row) for row in self.rows(self.select(table, *columns).where(*where).order_by(*order))]

    def page(
        self,
        kind: type[Record],
        table: sa.Table,
        by: str,
        after: str | None,
        limit: int,
        *where: Any,
        descending: bool = False,
    ) -> Page[Record]:
        """Rows after a cursor in the order of a unique column; found by the key, never by counting rows.

        Raises
        ------
        UsageError : no such cursor, or not 1 to 1000 rows asked for.
        """
        if not 1 <= limit <= MOST_ROWS:
            raise UsageError(f"a page has 1 to {MOST_ROWS} rows, not {limit}")
        column = table.c[by]
        columns = [table.c[one.name] for one in fields(kind)]  # type: ignore[arg-type]
        chosen = self.select(table, *columns, column.label("_cursor")).where(*where)
        if after is not None:
            place = _place(column, after)
            chosen = chosen.where(column < place if descending else column > place)
        rows = self.rows(chosen.order_by(column.desc() if descending else column).limit(limit + 1))
        cursors = [row.pop("_cursor") for row in rows]
        return Page(tuple(kind(**row) for row in rows[:limit]), str(cursors[limit - 1]) if len(rows) > limit else None)

    def insert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows of the tenant."""
        if rows:
            self.connection.execute(sa.insert(table), [{**row, "tenant": self.tenant} for row in rows])

    def upsert(self, table: sa.Table, rows: Sequence[Mapping[str, Any]], **how: Sequence[str]) -> None:
        """Insert or replace rows of the tenant; see `metier.store.upsert`."""
        upsert(self.connection, table, [{**row, "tenant": self.tenant} for row in rows], **how)

    def update(self, table: sa.Table, values: Mapping[str, Any], *where: Any) -> int:
        """Change the tenant's rows that fit and say how many they were."""
        return self.connection.execute(
            sa.update(table).where(table.c.tenant == self.tenant, *where).values(values)
        ).rowcount

    def delete(self, table: sa.Table, *where: Any) -> int:
        """Delete the tenant's rows that fit and say how many they were."""
        return self.connection.execute(sa.delete(table).where(table.c.tenant == self.tenant, *where)).rowcount


def parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values in parts that a statement may carry."""
    for start in range(0, len(values), MOST_VALUES):
        yield values[start : start + MOST_VALUES]


def _place(column: sa.Column[Any], after: str) -> Any:
    if not isinstance(column.type, sa.Integer):
        return after
    if not after.isascii() or not after.isdigit() or len(after) > MOST_DIGITS:
        raise UsageError("no such cursor; cure: the `next` of the page before, unchanged")
    return int(after)
