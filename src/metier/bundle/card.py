"""The README.md of a bundle."""

from metier import __version__
from metier.bundle.state import Facts
from metier.data import Dataset


def card(model: str, settings: Facts, about: Facts, data: Dataset) -> str:
    """The model card: what it is, what it learned from, what is inside."""
    lines = [
        f"# {model}",
        "",
        f"A job recommender trained by metier {__version__}. Ask it with `metier recommend`; "
        f"`metier models {model}` explains its settings.",
        "",
        f"- learned from {len(data.interactions):,} interactions of {len(data.users):,} people "
        f"with {len(data.items):,} jobs",
        *(f"- {name}: {value}" for name, value in about.items()),
        *(f"- setting `{name}`: {value}" for name, value in settings.items()),
        "",
        "This folder holds personal data: the ids, the interactions and the texts of the people above. How good the "
        "model is, `metier evaluate` says.",
        "",
    ]
    return "\n".join(lines)
