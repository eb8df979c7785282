"""Who fits a job, among many who may be found: seconds until all of them are read, milliseconds after that.

    python benchmarks/candidates.py [--people 50000] [--jobs 5000] [--quick]

The bundle is that of `live.py`. Each person has 100 words of two postings, shuffled, and the place of one; every fifth
applied to three jobs. They are in an SQLite store, and `metier.serve.candidates` is asked as the service asks it.
Processor time says more than the clock on a busy machine.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from environments import CACHE, machine, table
from live import bundle, resident


def fill(store, tenant: str, model, people: int) -> None:
    """People who may be found, and what they did."""
    from metier.store.events import Event
    from metier.store.people import Person

    rng, board = np.random.default_rng(1), model._board
    for start in range(0, people, 1000):
        made, events = [], []
        for number in range(start, min(start + 1000, people)):
            two = rng.choice(len(board.table), 2).tolist()
            words, posting = " ".join(map(board.words, two)).split(), board.posting(two[0])
            rng.shuffle(words)
            place = {name: getattr(posting, name) for name in ("city", "state", "country")}
            made.append(Person(f"p{number}", " ".join(words[:100]), **place, discoverable=True))
            if number % 5 == 0:
                jobs = rng.choice(len(board.table), 3).tolist()
                events += [Event(f"{number}-{job}", "applied", f"p{number}", board.key(job), 1.3e9) for job in jobs]
        with store.write(tenant) as rows:
            rows.people.save(made)
            rows.events.add(events)


def measured(folder: Path, people: int) -> dict[str, float]:
    """Fills a store and asks."""
    from metier.serve.candidates import Candidates
    from metier.serve.models import Models
    from metier.store.store import Store

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "models").mkdir()
        (Path(home) / "models" / "town").symlink_to(folder.resolve())
        store = Store.open(Path(home) / "metier.db")
        tenant, models = store.add_tenant("main").id, Models(Path(home) / "models", store)
        models.promote(tenant, "town", "system")
        model = models.held(tenant)
        assert model is not None
        fill(store, tenant, model, people)
        job, before = model._board.key(7), resident()
        candidates = Candidates(store, models, people, 5.0)

        def spent(work: Callable[[], object]) -> tuple[float, float]:
            began, busy = time.perf_counter(), time.process_time()
            work()
            return time.perf_counter() - began, time.process_time() - busy

        def ask() -> None:
            candidates.best(tenant, job, 20, lambda _: model.newest or 0.0)

        def who() -> None:
            with store.read(tenant) as rows:
                rows.people.discoverable(people)

        def told(name: str, *times: tuple[float, float]) -> None:
            found[name], found[f"{name}, processor"] = np.median(times, axis=0).tolist()

        told("s, first request", spent(ask))
        found["people compared by the first request"] = len(candidates._held[tenant].stamps)
        told("s to read the others", spent(lambda: candidates.follow(1e9)))
        assert len(candidates._held[tenant].stamps) == people
        found["MB of all"] = resident() - before
        told("s, request", *(spent(ask) for _ in range(20)))
        changed = []
        for number in range(10):
            with store.write(tenant) as rows:
                person = rows.people.get(f"p{number}")
                assert person is not None
                rows.people.save([person])
            changed.append(spent(ask))
        told("s, request after somebody changed", *changed)
        told("s of it to ask the store who may be found", *(spent(who) for _ in range(5)))
        store.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--jobs", type=int, default=5_000)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the bundles")
    parser.add_argument("--quick", action="store_true", help="2,000 people")
    given = parser.parse_args()
    people = 2_000 if given.quick else given.people
    folder = given.cache / f"live-profile-{given.jobs}"
    if not folder.is_dir():
        bundle(folder, "profile", given.jobs)
    print(f"{machine()}. {people:,} people, {given.jobs:,} jobs.\n")
    print(table(["", ""], [[name, f"{value:,.2f}"] for name, value in measured(folder, people).items()]))


if __name__ == "__main__":
    main()
