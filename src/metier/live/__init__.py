"""Fresh answers from a trained bundle: no HTTP, no SQL."""

from metier.data.posting import Posting
from metier.live.model import LiveModel
from metier.live.pool import Pool
from metier.live.records import Answer, Asker, Filter, Ground, Order, Raise, Reasons, SkillSpan, Span, Suggestion
from metier.live.wishes import Wishes

__all__ = [
    "Answer",
    "Asker",
    "Filter",
    "Ground",
    "LiveModel",
    "Order",
    "Pool",
    "Posting",
    "Raise",
    "Reasons",
    "SkillSpan",
    "Span",
    "Suggestion",
    "Wishes",
]
