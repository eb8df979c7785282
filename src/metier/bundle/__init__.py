"""A trained model with the data it answers from, in memory and on disk. No pickle is written or read."""

from metier.bundle.answer import Bundle
from metier.bundle.state import restore, state
from metier.bundle.storage import load, save

__all__ = ["Bundle", "load", "restore", "save", "state"]
