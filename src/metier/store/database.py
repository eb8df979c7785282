"""One door to SQLite and PostgreSQL: connections, transactions and migrations."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from metier.errors import ConfigError, MissingExtraError, StoreError, StoreFullError

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""
MIGRATION_LOCK = 7_236_843
"""Number of the PostgreSQL advisory lock that lets one process migrate at a time."""


class Database:
    """An open database whose tables are up to date."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writing = Lock()
        self._reading = engine
        if engine.dialect.name == "postgresql":
            self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @classmethod
    def open(cls, where: str | Path) -> "Database":
        """Open and migrate a database.

        Parameters
        ----------
        where : a URL (`postgresql://user@host/name`, `sqlite:////path`), or the path of a SQLite file, made on demand.

        Raises
        ------
        ConfigError : no such kind of database, or one written by a newer metier.
        StoreError : it cannot be reached.
        """
        database = cls(connect(where))
        database.upgrade()
        return database

    @property
    def name(self) -> str:
        """The URL without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that reads one state of the data and cannot write.

        On SQLite it neither waits for writers nor holds them up.

        Raises
        ------
        StoreError : the database does not answer, or refuses.
        """
        with self._explained(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes, committed at the end; on SQLite it takes the write lock at its start.

        Taken later, when a read is already under way, the lock could be refused at once whatever the timeout. Threads
        take turns before that: hundreds of them would use up the pool, and SQLite serves those that wait in no order.

        Raises
        ------
        StoreError : the database does not answer, or refuses; StoreFullError where it has no room left.
        """
        with self._writing, self._explained(), self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    def upgrade(self, revision: str = "head") -> None:
        """Migrate up; several processes may do so at once."""
        self._migrate(command.upgrade, revision)

    def downgrade(self, revision: str) -> None:
        """Migrate down, to "base" to drop all tables."""
        self._migrate(command.downgrade, revision)

    def scrub(self, *, wait: bool = True) -> bool:
        """Clear what was deleted from SQLite's write-ahead log; False while somebody still reads there.

        `wait`: for whoever reads, up to `BUSY_SECONDS`, in which no other thread writes.

        PostgreSQL has no such order: its own vacuum, backups and archive of logs decide when deleted rows are gone.
        """
        if self.engine.dialect.name != "sqlite":
            return True
        with self._writing, self._explained():
            raw = self.engine.raw_connection()  # a checkpoint cannot run inside a transaction
            cursor = raw.cursor()
            before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
            try:
                if not wait:
                    cursor.execute("PRAGMA busy_timeout = 0")
                busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {before}")
                raw.close()
        return not busy

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors without their statement and values, which hold what people wrote."""
        try:
            yield
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            said = _what(error)
            kind = StoreFullError if said == FULL else StoreError
            raise kind(f"database {self.name} {said} ({type(cause).__name__})") from None

    def _migrate(self, step: Any, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
        try:
            with self.write() as connection:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
                config.attributes["connection"] = connection
                step(config, revision)
        except CommandError as error:
            raise ConfigError(f"database {self.name} was written by a newer metier; cure: upgrade metier") from error


FULL = "has no room left; cure: free some space on its disk, then repeat the command"
FAULTS = {
    "locked": "is locked by another process; cure: wait for that one, or end it, then repeat the command",
    "full": FULL,
    "no space": FULL,
    "readonly": "may not be written; cure: ask for the right to write the file and its folder",
    "unable to open": "cannot be opened; cure: check its path, and the rights on its folder",
}
"""Words of an error of operation -> what it means."""


def _what(error: SQLAlchemyError) -> str:
    """What went wrong and its cure; the error's own words may quote a row."""
    if not isinstance(error, OperationalError | InterfaceError | PoolTimeoutError):
        return "refuses what it was asked; cure: see the database's own log"
    said = str(error).lower()
    known = (meaning for word, meaning in FAULTS.items() if word in said)
    return next(known, "does not answer; cure: check that it runs, and its address, rights and password")


def connect(where: str | Path) -> sa.Engine:
    """An engine of a URL or a SQLite file; PostgreSQL is reached through psycopg 3."""
    if isinstance(where, Path) or "://" not in where:
        path = Path(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        url = sa.URL.create("sqlite", database=str(path))
    else:
        try:
            url = sa.make_url(where)
        except ArgumentError as error:
            raise ConfigError("the database's URL cannot be read; cure: postgresql://user@host/name") from error
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    kind = url.get_backend_name()
    if kind not in ("sqlite", "postgresql"):
        raise ConfigError(f"a database of the kind {kind!r} is not supported; cure: sqlite or postgresql")
    try:
        if kind == "postgresql":
            return sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
        engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
        # Many rows in one statement: the driver gives up the interpreter's lock, and waits for it, at every statement.
        engine.dialect.use_insertmanyvalues_wo_returning = True
    except ModuleNotFoundError as error:
        raise MissingExtraError("PostgreSQL", "postgres") from error
    except NoSuchModuleError as error:
        raise ConfigError(f"no driver {url.drivername!r}; cure: postgresql://... or sqlite:///...") from error
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin below, not when the driver thinks one is needed
    _keep_log(connection)
    connection.execute("PRAGMA synchronous = FULL")  # an answer that was paid for also survives a power cut
    connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten, not only unlinked


def _keep_log(connection: Any) -> None:
    """Switch to a write-ahead log. SQLite does not wait by itself when several processes switch a new file at once."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    if connection.info.get("writes") != writes:
        connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        connection.info["writes"] = writes
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
