"""What LGIR's generator does to few-shot people, and how fast LGIR learns and answers.

    python benchmarks/lgir.py [--home metier-home] [--datasets demo,quickhire] [--device cpu]

For each dataset (the synthetic market without any), under its default protocol, on the last fold: where few-shot
people lie to many-shot ones before and after the generator (`metier.testing.alignment`), with and without the gradient
penalty; seconds an epoch; people ranked a second, top 25 of the whole catalogue. The gate is "count", not LGIR's
default: few-shot are then exactly the people with few applications, who are measured here.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from environments import machine, table
from metier.data.workspace import Workspace
from metier.evaluate.evaluation import Stage, prepare
from metier.evaluate.experiment import default_protocol
from metier.models.base import recommend
from metier.models.lgir import LGIR, LGIRConfig
from metier.models.shots import STRONG, WEAK, count_labels
from metier.sources.market import MarketKnobs, generate
from metier.testing.alignment import alignment

COLUMNS = ["", "people", "few-shot, distance before", "after", "spread", "identity", "epoch s", "people/s"]


def measured(name: str, stage: Stage, config: LGIRConfig) -> list[str]:
    """One line."""
    data, epochs = stage.data, config.epochs
    counts = np.diff(data.matrix.indptr).astype(np.int64)
    labels, _ = count_labels(counts, config.few, config.many)
    started = time.perf_counter()
    model = LGIR(config).fit(data, rng=np.random.default_rng(0))
    seconds = (time.perf_counter() - started) / epochs
    thin, rich = (data.query(np.flatnonzero(labels == one).astype(np.int32)) for one in (WEAK, STRONG))
    before, everybody = model.represent(thin, refine=False), model.represent(rich, refine=False)
    found = alignment(before, model.represent(thin), everybody)
    started = time.perf_counter()
    recommend(model, stage.query, 25, candidates=stage.live, exclude=stage.query.history)
    rate = len(stage.query) / (time.perf_counter() - started)
    figures = [f"{number:.2f}" for number in (found.before, found.after, found.spread, found.identity)]
    return [name, f"{len(counts):,}", *figures, f"{seconds:.2f}", f"{rate:,.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=None, help="folder of datasets")
    parser.add_argument("--datasets", help="comma separated [default: the synthetic market, made on the spot]")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    given = parser.parse_args()
    print(f"{machine()}\n\n{table(COLUMNS, [])}")
    for name in given.datasets.split(",") if given.datasets else ["market"]:
        tables = Workspace.open(given.home).load(name) if given.datasets else generate(MarketKnobs(), 0).tables
        *_, stage = prepare(tables, default_protocol(tables))
        settings = {"gate": "count", "device": given.device}
        for label, more in ((name, {}), (f"{name}, no gradient penalty", {"gradient_penalty": 0.0})):
            print("| " + " | ".join(measured(label, stage, LGIRConfig(**settings, **more))) + " |", flush=True)


if __name__ == "__main__":
    main()
