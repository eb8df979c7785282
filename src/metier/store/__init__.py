"""The SQL side: completions and the ledger of calls that made them, in SQLite or PostgreSQL."""

from metier.store.completions import Completion, CompletionStore, Spent, State, completion_key
from metier.store.database import Database

__all__ = ["Completion", "CompletionStore", "Database", "Spent", "State", "completion_key"]
