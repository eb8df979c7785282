"""Do engines change results, and do workers pay? Run files under kills, and enrichment against a slow endpoint.

    python benchmarks/engine.py [--people 2000] [--completions 400] [--quick]

First an experiment on a synthetic market, with its oracle: in one process, in two, on a dask cluster of three worker
processes, and on the last two again with one worker killed by SIGKILL when a third of the cells are done. What counts
is whether all files of the run but the timings and the page are the same bytes. Then completions by a mock endpoint
that takes 200 ms for each answer, with 4 requests under way in each worker; the workers are warm. `--quick` is a small
market and few completions.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from environments import machine, table
from metier.cli.import_ import store_market
from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.enrich.completion import Generative
from metier.enrich.grounds import Grounds, gather_all
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.enrich.prompt import PromptFile
from metier.enrich.run import Plan
from metier.enrich.spread import spread
from metier.evaluate import run_folder
from metier.evaluate.experiment import Experiment
from metier.evaluate.grid import Grid, Reference
from metier.store import CompletionStore, Database
from metier.testing.endpoint import MockEndpoint
from metier.testing.language_models import example
from metier.testing.worlds import small_town

MODELS = ("random", "popularity", "place", "user-knn", "rp3beta", "ease", "svd", "ials", "fm", "content")
LATENCY = 0.2
"""Seconds the mock endpoint takes for an answer."""
CONCURRENCY = 4
PROMPT = "skills-only"


def digest(run: Path) -> str:
    """SHA-256 over the files of a run that must not depend on where it ran."""
    whole = hashlib.sha256()
    named = [path for path in run.rglob("*") if path.is_file() and path.name not in ("timings.json", "report.html")]
    for path in sorted(named):
        whole.update(f"{path.relative_to(run)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def workers_of_this() -> list[psutil.Process]:
    """The worker processes that this one started."""
    return [one for one in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(one.cmdline())]


def judged(workspace: Workspace, asked: Experiment, engine: str, workers: int, kill: bool) -> list[str]:
    """One line of the table: how it ran, seconds, workers killed, digest."""
    killed: list[int] = []

    def step(done: int, total: int, what: str) -> None:
        if kill and not killed and done >= total / 3:
            victim = workers_of_this()[0]
            victim.kill()
            killed.append(victim.pid)

    reference = {"oracle": Reference("metier.sources.market.oracle:Oracle", workspace.dataset("market") / "oracle")}
    target = workspace.run(f"{engine}-{workers}-{kill}")
    with open_engine(engine, workers=workers) as running, tempfile.TemporaryDirectory() as cells:
        started = time.perf_counter()
        (found,) = Grid(workspace, asked, [0], reference).run(running, Path(cells), progress=step)
        seconds = time.perf_counter() - started
    run_folder.save(target, found, asked)
    return [f"{engine}, {workers}", f"{seconds:.1f}", str(len(killed)), digest(target)[:16]]


def enriched(folder: Path, grounds: list[Grounds], workers: int) -> float:
    """Seconds of the completions on so many warm workers."""

    def slow(request: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
        time.sleep(LATENCY)
        return example(schema)

    database = Database.open(str(folder / f"{workers}.db"))
    store = CompletionStore(database)
    with MockEndpoint(answer=slow) as endpoint, open_engine("dask", workers=workers) as engine:
        config = LanguageModelConfig(base_url=endpoint.url, model="mock", concurrency=CONCURRENCY)
        for people in (grounds[: 4 * workers], grounds):
            completer = Generative(PromptFile.read(PROMPT), OpenAIModel(config))
            plan = Plan.make(completer, "town", people, store)
            started = time.perf_counter()
            tally, _ = spread(
                plan,
                store,
                engine,
                folder / "cells",
                database=str(folder / f"{workers}.db"),
                prompt=PROMPT,
                config=config,
                concurrency=CONCURRENCY,
            )
            seconds = (time.perf_counter() - started) / max(1, tally.here)
            assert tally.states["done"] == len(people)
    database.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--completions", type=int, default=400)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    people, completions = (300, 80) if given.quick else (given.people, given.completions)
    print(machine(), end="\n\n")
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        store_market(workspace, "market", people, 0)
        entries: dict[str, Any] = {name: {} for name in MODELS}
        asked = Experiment.check({"dataset": "market", "protocol": "temporal", "models": entries}, "benchmark")
        ways = [("local", 1, False), ("local", 2, False), ("dask", 3, False), ("local", 2, True), ("dask", 3, True)]
        lines = [judged(workspace, asked, *way) for way in ways]
        print(f"Market of {people:,} people, 7 windows, {len(MODELS)} models and the oracle.\n")
        print(table(["engine, workers", "seconds", "killed", "SHA-256 of the run's files"], lines))
        print(f"\nRun files identical: {'yes' if len({line[-1] for line in lines}) == 1 else 'NO'}\n")
        grounds = list(gather_all(small_town(people=completions, jobs=200), "temporal"))
        each = {workers: enriched(Path(home), grounds, workers) for workers in (1, 2)}
        print(f"{completions} completions, {LATENCY * 1000:.0f} ms each, {CONCURRENCY} under way in a worker.\n")
        print(
            table(
                ["workers", "completions/s", "ratio"],
                [[str(w), f"{1 / s:.1f}", f"{each[1] / s:.2f}"] for w, s in each.items()],
            )
        )


if __name__ == "__main__":
    main()
