"""Live answers on one thread: milliseconds for new people and for people with a past, seconds to load, megabytes.

    python benchmarks/live.py [--jobs 100000] [--requests 2000] [--model profile] [--quick]

The market has one window. New people say 100 words of two postings, shuffled, so that no text is asked twice; they live
where its people live. Each measurement runs in a process of its own, which also says how
much memory it holds after loading and at the end. Processor time is that of all threads; on a busy machine it says more
than the clock. Bundles are kept under .bench/.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from environments import CACHE, machine, table

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
K = 10


def bundle(folder: Path, model: str, jobs: int) -> None:
    """Train a model of a market with so many jobs."""
    from metier.bundle import save
    from metier.features.assemble import assemble
    from metier.models.registry import create
    from metier.sources.market import MarketKnobs, generate

    began = time.perf_counter()
    tables = generate(MarketKnobs(people=max(50, round(jobs / 2.8)), windows=1), 0).tables
    assembled = assemble(tables, "newest")
    print(f"market of {len(tables.jobs):,} jobs: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    fitted = create(model, {}).fit(assembled.dataset, rng=np.random.default_rng(0))
    save(folder, fitted, tables, assembled, {"dataset": f"market of {jobs} jobs"})
    print(f"{model} trained: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def resident() -> float:
    """Megabytes held now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measured(folder: Path, requests: int) -> dict[str, float | str]:
    """Loads and asks; in a fresh process."""
    began = time.perf_counter()
    from metier.live import Asker, Filter, LiveModel, Posting, Wishes

    model = LiveModel.load(folder)
    found: dict[str, float | str] = {"load s": time.perf_counter() - began, "MB loaded": resident()}
    people = model._people._table["id"].to_list()
    rng = np.random.default_rng(1)
    now = float(np.nanmax(model._people._times))

    def askers(count: int) -> list[Asker]:
        drawn = []
        for person in rng.choice(people, count):
            known = model.asker(person)
            words = " ".join(model._board.words(int(row)) for row in rng.choice(len(model._board.table), 2)).split()
            rng.shuffle(words)
            drawn.append(replace(known, text=" ".join(words[:100]), person=None))
        return drawn

    def timed(name: str, one: LiveModel, asked: list[Asker], filter: Filter = Filter()) -> None:
        one.jobs(asked[0], filter, K, now=now)
        spent, worked = [], []
        for asker in asked:
            began, busy = time.perf_counter(), time.process_time()
            one.jobs(asker, filter, K, now=now)
            spent.append(1000 * (time.perf_counter() - began))
            worked.append(1000 * (time.process_time() - busy))
        found[f"{name} p50"], found[f"{name} p99"] = np.quantile(spent, [0.5, 0.99]).tolist()
        found[f"{name} processor p50"] = float(np.median(worked))

    new = askers(requests)
    timed("new", model, new)
    timed("new, no place", model, [replace(one, city=None, state=None, country=None, zip=None) for one in new])
    timed("new, within 50 km", model, new[: requests // 4], Filter(within_km=50))
    wishes = Wishes.parse("no travel; night shift, team")
    timed("new, wishes", model, [replace(one, wishes=wishes) for one in new[: requests // 20]])
    posted = [
        Posting(f"new {n}", one.text.split()[0], one.text, city=one.city, state=one.state) for n, one in enumerate(new)
    ]
    began = time.perf_counter()
    later = model.with_jobs(posted)
    found["ms to post 1"] = 1000 * (time.perf_counter() - began) / len(posted)
    timed(f"new, {len(posted):,} jobs posted", later, new[: requests // 4])
    began = time.perf_counter()
    best = model.jobs(new[0], Filter(), 3, now=now)
    model.reasons(new[0], [one.job for one in best.suggestions])
    began = time.perf_counter()
    model.reasons(new[1], [one.job for one in best.suggestions])
    found["ms for 3 reasons"] = 1000 * (time.perf_counter() - began)
    found["MB at the end"] = resident()
    past = [one for one in people[:4000] if len(model._people.applied(model._people.row(one))[0])][
        : max(requests // 20, 5)
    ]
    began = time.perf_counter()
    model.warm()
    found["s to warm"] = time.perf_counter() - began
    timed("with a past", model, [model.asker(one) for one in past])
    found["MB with a past"] = resident()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--model", default="profile", help="profile or ranker")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the bundles")
    parser.add_argument("--quick", action="store_true", help="5,000 jobs, 200 requests")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measured(given.child, given.requests)))
        return
    jobs, requests = (5_000, 200) if given.quick else (given.jobs, given.requests)
    folder = given.cache / f"live-{given.model}-{jobs}"
    if not folder.is_dir():
        bundle(folder, given.model, jobs)
    command = [sys.executable, __file__, "--child", str(folder), "--requests", str(requests)]
    ran = subprocess.run(command, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(ran.stdout)
    print(f"{machine()}. {jobs:,} jobs, {given.model}, top {K}, {requests:,} new people, one thread; milliseconds.\n")
    print(table(["", ""], [[name, f"{value:.2f}"] for name, value in found.items()]))


if __name__ == "__main__":
    main()
