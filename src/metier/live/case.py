"""One person as they are scored; with something left out, a variant of that."""

from dataclasses import dataclass

from metier.live.records import Asker


@dataclass(frozen=True)
class Case:
    """Who asks, and what counts.

    Parameters
    ----------
    text : their words with blanks (`metier.live.neutral`), in the places of `asker.text`.
    past, times : (p) row numbers of distinct jobs applied to, and when, in seconds; NaN unknown.
    user : row number in the bundle; -1 unknown.
    heard : whether they are weighed as people with a history are; variants are weighed like the whole.
    """

    asker: Asker
    text: str
    past: tuple[int, ...]
    times: tuple[float, ...]
    user: int
    heard: bool
