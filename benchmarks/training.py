"""Training by two processes beside one: seconds, and whether MAP@25 is the same.

    python benchmarks/training.py [--home metier-home --dataset NAME] [--people 6000] [--processes 2]
        [--models fm,lgir,two-tower] [--engine local] [--quick]

Every process has one thread of each library. FM is trained by the workers of an engine (`metier.models.rounds`), the
models of torch by a group of processes (`metier.models.processes`); alone is `fit` as everybody calls it. `fit` counts
all from the tables numbered to the model ready, `training` the part of it that is shared out: the epochs. `CPU s` is
what `fit` computes on the longest way, that of the first process and, of FM, of one worker with its start: on a machine
with other work, where processes wait for each other's turn, it says more than the wall. Judged is the last fold of
leave-last-out; the difference is that of the same people's average precision, paired bootstrap.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from environments import machine, table
from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.evaluate.evaluation import Ranked, gather, prepare
from metier.evaluate.statistics import bootstrap_means, interval, paired
from metier.models.base import recommend
from metier.models.registry import create
from metier.sources.market import MarketKnobs, generate

EPOCHS = {"fm": 20, "lgir": 2, "two-tower": 2}
TRAINED = {"fm": "fm.factorize", "lgir": "lgir_training.train", "two-tower": "towers.train"}
"""What is timed as training, in metier.models."""
COLUMNS = [
    "",
    "processes",
    "fit s",
    "training s",
    "CPU s",
    "speed-up of fit",
    "of training",
    "of CPU",
    "MAP@25",
    "less one process",
]
ONE_THREAD = dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"), "1")


def child(given: argparse.Namespace) -> None:
    """Fit one model, alone or together, and write the lists of the judged people and the seconds."""
    from importlib import import_module

    *_, stage = prepare(Workspace.open(given.home).load(given.dataset), "leave-last-out")
    owner, _, name = TRAINED[given.child].partition(".")
    module, spent = import_module(f"metier.models.{owner}"), []
    train = getattr(module, name)

    def timed(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        found = train(*arguments, **named)
        spent.append(time.perf_counter() - started)
        return found

    setattr(module, name, timed)
    model = create(given.child, {"epochs": 1 if given.quick else EPOCHS[given.child]})
    with ExitStack() as together:
        first = True
        if "RANK" in os.environ:
            from metier.models.processes import joined

            first = together.enter_context(joined())
        elif given.processes > 1:
            from metier.models.rounds import over

            workers = None if "://" in given.engine else given.processes
            engine = together.enter_context(open_engine(given.engine, workers=workers))
            together.enter_context(over(engine, engine.workers, given.out))
        started, before = time.perf_counter(), time.process_time()
        model.fit(stage.data, rng=np.random.default_rng(0))
        seconds, cpu = time.perf_counter() - started, time.process_time() - before
        if first:
            ranking = recommend(model, stage.query, 25, candidates=stage.live, exclude=stage.query.history)
            np.save(given.out / "items.npy", stage.in_jobs[ranking.items])
    if first:  # the workers are gone and counted
        children = os.times()
        cpu += (children.children_user + children.children_system) / given.processes
        (given.out / "seconds.json").write_text(json.dumps([seconds, sum(spent), cpu]))


def run(given: argparse.Namespace, model: str, processes: int) -> tuple[Ranked, list[float]]:
    """Lists, and seconds of `fit` and training, and of CPU."""
    with TemporaryDirectory() as out:
        command = [sys.executable, __file__, "--child", model, "--out", out, "--dataset", given.dataset]
        command += ["--engine", given.engine, "--processes", str(processes), *(["--quick"] if given.quick else [])]
        command += ["--home", str(given.home)] if given.home else []
        together = processes if model != "fm" else 1
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            group = {"WORLD_SIZE": together, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free.getsockname()[1]}
        started = []
        for rank in range(together):
            own = {name: str(value) for name, value in {"RANK": rank, **group}.items()} if together > 1 else {}
            started.append(subprocess.Popen(command, env=os.environ | ONE_THREAD | own))
        ended = [one.wait() for one in started]
        if any(ended):
            sys.exit(f"{model} with {processes} processes failed")
        items = np.load(Path(out) / "items.npy")
        seconds = json.loads((Path(out) / "seconds.json").read_text())
    return Ranked(items, seconds[0], 0.0), seconds


def compare(given: argparse.Namespace) -> None:
    """Print the table."""
    tables = Workspace.open(given.home).load(given.dataset)
    *_, stage = prepare(tables, "leave-last-out")
    people, jobs = stage.data.shape
    sizes = f"{people:,} people, {jobs:,} jobs, {len(stage.data.interactions):,} applications; "
    epochs = ", ".join(f"{name} {1 if given.quick else EPOCHS[name]}" for name in given.models.split(","))
    print(f"{machine()}. {given.dataset}: {sizes}{len(stage.judged):,} judged; epochs: {epochs}.\n", flush=True)
    print(table(COLUMNS, []), flush=True)
    for model in given.models.split(","):
        done = {n: run(given, model, n) for n in (1, given.processes)}
        lists = {str(n): [ranked] for n, (ranked, _) in done.items()}
        found = gather("leave-last-out", 25, 0, tables.jobs["id"], {}, [stage.asked], lists)
        alone = found.values["1"][:, 0]
        for n, (_, seconds) in done.items():
            values = found.values[str(n)][:, 0]
            low, high = interval(bootstrap_means(values[:, None], rng=np.random.default_rng(0)))
            less = paired((values - alone)[:, None], rng=np.random.default_rng(0))
            reached = f"{values.mean():.4f} [{low[0]:.4f}, {high[0]:.4f}]"
            change = f"{less.mean[0]:+.4f} [{less.low[0]:+.4f}, {less.high[0]:+.4f}]" if n > 1 else ""
            speed = [f"{before / now:.2f}" for before, now in zip(done[1][1], seconds, strict=True)]
            row = [model, str(n), *(f"{one:.1f}" for one in seconds), *speed, reached, change]
            print(f"| {' | '.join(row)} |", flush=True)
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=None, help="folder of datasets")
    parser.add_argument("--dataset", help="[default: a synthetic market, made on the spot]")
    parser.add_argument("--people", type=int, default=6000, help="of that market")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--models", default="fm,lgir,two-tower", help="comma separated")
    parser.add_argument("--engine", default="local", help="of FM's workers")
    parser.add_argument("--quick", action="store_true", help="one epoch each")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given)
        return
    with TemporaryDirectory() as temporary:
        if not given.dataset:
            given.home, given.dataset = Path(temporary), "market"
            tables = generate(MarketKnobs(people=given.people), 0).tables
            Workspace.open(given.home).save(given.dataset, tables, {"source": "market"})
        compare(given)


if __name__ == "__main__":
    main()
