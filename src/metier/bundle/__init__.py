"""A trained model with the data it answers from, in memory and on disk. No pickle is written or read."""

from metier.bundle.answer import Bundle, ProfilePart
from metier.bundle.state import restore, state
from metier.bundle.storage import load, load_profile, save

__all__ = ["Bundle", "ProfilePart", "load", "load_profile", "restore", "save", "state"]
