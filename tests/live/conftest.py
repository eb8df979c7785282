"""A small labour market, and live models of it: one by the profile alone, one by a ranker."""

from types import SimpleNamespace

import numpy as np
import pytest

from metier.bundle import load, save
from metier.features.assemble import assemble
from metier.live import LiveModel
from metier.models.registry import create
from metier.sources.market import MarketKnobs, generate

RANKER = {
    "sources": ["profile", "item-knn", "content"],
    "cuts": 1,
    "rounds": 30,
    "source_settings": {"profile": {"topics": 32}},
}


@pytest.fixture(scope="session")
def town():
    """Tables of one window: 250 people, 700 jobs."""
    return generate(MarketKnobs(people=250, windows=1), 3).tables


@pytest.fixture(scope="session")
def trained(town, tmp_path_factory):
    """name -> folder, model, bundle, live; `now` is the newest interaction."""
    assembled = assemble(town, "newest")
    now = float(np.nanmax(assembled.dataset.interactions.times))
    found = {}
    for name, settings in {"profile": {"topics": 32}, "ranker": RANKER}.items():
        folder = tmp_path_factory.mktemp("models") / name
        model = create(name, settings).fit(assembled.dataset, rng=np.random.default_rng(0))
        save(folder, model, town, assembled, {"dataset": "town"})
        found[name] = SimpleNamespace(
            folder=folder,
            model=model,
            data=assembled.dataset,
            bundle=load(folder),
            live=LiveModel.load(folder),
            now=now,
        )
    return found


@pytest.fixture(scope="session")
def profile(trained):
    return trained["profile"]


@pytest.fixture(scope="session")
def ranker(trained):
    return trained["ranker"]
