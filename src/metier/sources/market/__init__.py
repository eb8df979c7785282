"""A synthetic labour market with known truth, shaped like the CareerBuilder 2012 data."""

from metier.sources.market.generate import Market, generate, generate_windows
from metier.sources.market.knobs import MarketKnobs
from metier.sources.market.official import write_official
from metier.sources.market.truth import Truth, load_truth, save_truth

__all__ = [
    "Market",
    "MarketKnobs",
    "Truth",
    "generate",
    "generate_windows",
    "load_truth",
    "save_truth",
    "write_official",
]
