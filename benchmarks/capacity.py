"""What a board of 1, 10 or 100 million people needs, from what was measured: the tables of docs/scale.md.

    python benchmarks/capacity.py

Nothing is timed here. Each input is a figure of benchmarks/RESULTS.md with the command that printed it, or an
assumption that says so; each line of the plan is a formula over them. Put your own board's numbers in their places.
"""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from environments import table


class Input(NamedTuple):
    """A number, its unit in words, and where it comes from."""

    value: float
    meaning: str
    source: str


SCALE, EVERYBODY, SERVE = (f"`python benchmarks/{name}.py`" for name in ("scale", "everybody", "serve"))
ASSUMED = "assumption"
INPUTS = {
    "rows": Input(9.8, "rows of a person: profile, past jobs, applications", SCALE),
    "file": Input(2560, "bytes of a posting in the official files", SCALE),
    "import": Input(74.1 / 4_938_202, "core seconds to read, check and store a row", SCALE),
    "applications": Input(4.1, "applications of a person", SCALE),
    "epoch": Input(308.9 / 920_800 / 5, "core seconds of FM for an application and an epoch, text and all", SCALE),
    "epochs": Input(30, "epochs of FM, its default", "`metier models`"),
    "judge": Input(1850.3 / 920_800, "core seconds to judge six models, for an application learned from", SCALE),
    "window": Input(7.2e9 / 2 / 211_000, "bytes a worker holds for a person or job of its window", SCALE),
    "product": Input(
        2 * 64 / 45e9, "core seconds to compare a person with a posting, 64 numbers, none left out", ASSUMED
    ),
    "place": Input(1 / 50, "share of the postings that are in a person's state", ASSUMED),
    "vector": Input(4 * 65, "bytes of a vector", "64 numbers and a bias, float32"),
    "live": Input(223, "live answers a second of a process", SERVE),
    "stored": Input(1530, "stored answers a second of a process", SERVE),
    "job": Input(7100, "bytes that a serving process holds for a posting", SERVE),
    "asks": Input(
        0.05 * 10 / 86400 * 3, "answers a second for a person: 5 % a day, 10 each, a peak of 3 times", ASSUMED
    ),
    "fits": Input(16e9, "bytes of a serving process that a machine has room for", ASSUMED),
    "latency": Input(1.0, "seconds of a completion by a language model", ASSUMED),
    "at once": Input(64, "completions under way together", ASSUMED),
    "tokens": Input(1000, "tokens of a completion, prompt and all", ASSUMED),
    "token": Input(0.15e-6, "dollars a token", ASSUMED),
    "core": Input(0.04, "dollars a core hour", ASSUMED),
}
BOARDS = ((1e6, 1e6), (1e7, 3e6), (1e8, 1e7))
"""People and open postings."""


def plan(people: float, jobs: float) -> list[tuple[str, str, str]]:
    """Stage, formula and what it comes to."""
    i = {name: given.value for name, given in INPUTS.items()}
    rows, window, pairs = people * i["rows"] + jobs, (people + jobs) / 7, people * jobs * i["product"]
    learned = people * i["applications"]
    processes = ceil(people * i["asks"] / i["live"])
    hours = people * i["latency"] / i["at once"] / 3600
    return [
        ("official files", "people x rows x 95 B + jobs x file", _bytes(people * i["rows"] * 95 + jobs * i["file"])),
        ("import", "(people x rows + jobs) x import", _cores(rows * i["import"])),
        ("train FM", "people x applications x epochs x epoch", _cores(learned * i["epochs"] * i["epoch"])),
        ("judge six models", "people x applications x judge", _cores(learned * i["judge"])),
        ("memory of a judging worker, seven windows", "(people + jobs) / 7 x window", _bytes(window * i["window"])),
        ("rank everybody, all postings", "people x jobs x product", _cores(pairs)),
        ("rank everybody, own state", "people x jobs x place x product", _cores(pairs * i["place"])),
        ("vectors of postings", "jobs x vector", _bytes(jobs * i["vector"])),
        ("vectors of people", "people x vector", _bytes(people * i["vector"])),
        ("answers a second at the peak", "people x asks", f"{people * i['asks']:,.0f}"),
        ("serving processes, live", "people x asks / live", f"{processes:,}"),
        ("memory of a serving process", "jobs x job", _bytes(jobs * i["job"])),
        ("shards of the catalogue", "jobs x job / fits", f"{ceil(jobs * i['job'] / i['fits']):,}"),
        ("complete every résumé once", "people x latency / at once", f"{hours:,.0f} h"),
        ("tokens for that", "people x tokens x token", f"${people * i['tokens'] * i['token']:,.0f}"),
    ]


def _bytes(value: float) -> str:
    return f"{value / 1e9:,.1f} GB"


def _cores(seconds: float) -> str:
    """Core hours, minutes on 32 cores, and money."""
    hours = seconds / 3600
    return f"{hours:,.1f} h, {seconds / 32 / 60:,.1f} min, ${hours * INPUTS['core'].value:,.2f}"


def tables() -> Sequence[str]:
    """The table of inputs and the table of plans."""
    inputs = [[f"`{name}`", f"{one.value:.3g}", one.meaning, one.source] for name, one in INPUTS.items()]
    plans = [plan(*board) for board in BOARDS]
    heads = [f"{people / 1e6:g} M people, {jobs / 1e6:g} M jobs" for people, jobs in BOARDS]
    lines = [[stage, f"`{formula}`", *(one[at][2] for one in plans)] for at, (stage, formula, _) in enumerate(plans[0])]
    return table(["input", "value", "meaning", "source"], inputs), table(["stage", "formula", *heads], lines)


if __name__ == "__main__":
    print("\n\n".join(tables()))
