"""A trained model with the data it answers from, in memory and on disk. No pickle is written or read."""

from metier.bundle.answer import Bundle, ProfilePart
from metier.bundle.state import restore, state
from metier.bundle.storage import (
    answers_live,
    digest,
    load,
    load_profile,
    load_shared,
    open_people,
    person_text,
    save,
    version,
)

__all__ = [
    "Bundle",
    "ProfilePart",
    "answers_live",
    "digest",
    "load",
    "load_profile",
    "load_shared",
    "open_people",
    "person_text",
    "restore",
    "save",
    "state",
    "version",
]
