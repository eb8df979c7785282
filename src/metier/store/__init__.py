"""The SQL side, in SQLite or PostgreSQL: completions and the ledger of calls that made them; the service's store."""

from metier.store.completions import Completion, CompletionStore, Spending, State, completion_key
from metier.store.database import Database
from metier.store.store import Rows, Store

__all__ = ["Completion", "CompletionStore", "Database", "Rows", "Spending", "State", "Store", "completion_key"]
