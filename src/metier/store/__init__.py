"""The SQL side: completions and the ledger of calls that made them, in SQLite or PostgreSQL."""

from metier.store.completions import Completion, CompletionStore, Spending, State, completion_key
from metier.store.database import Database

__all__ = ["Completion", "CompletionStore", "Database", "Spending", "State", "completion_key"]
