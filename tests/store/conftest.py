"""A store on a database of each kind, and a clock that stands still."""

import pytest

from metier.store import Database, Store


@pytest.fixture
def database(database_url):
    """An open, migrated database of each kind."""
    opened = Database.open(database_url)
    yield opened
    opened.close()


class StoppedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return StoppedClock()


@pytest.fixture
def store(database, clock):
    """The service's store on a database of each kind."""
    return Store(database, clock)


@pytest.fixture
def tenant(store):
    """The id of a tenant."""
    return store.add_tenant("north").id


@pytest.fixture
def other(store):
    """The id of another tenant."""
    return store.add_tenant("south").id


@pytest.fixture
def broken_off(store, tenant):
    """`broken_off(work)` does some work in a transaction that fails at its end."""

    def fail(work) -> None:
        with store.write(tenant) as rows:
            work(rows)
            raise ZeroDivisionError

    def call(work) -> None:
        with pytest.raises(ZeroDivisionError):
            fail(work)

    return call
