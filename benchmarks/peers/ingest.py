"""One way of reading, timed: ingest.py runs this file in the peer's own environment.

    python benchmarks/peers/ingest.py WAY FILE [IDS]

Runs once unmeasured (files in the page cache, code compiled), then three times; prints the figures of the fastest.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNS = 3
Run = Callable[[], int]
"""Does the work and says how many rows it did."""


def main(way: str, *files: str) -> None:
    run = WAYS[way](*map(Path, files))
    run()
    runs = []
    for _ in range(RUNS):
        cpu, start = _cpu(), time.perf_counter()
        rows = run()
        runs.append({"wall": time.perf_counter() - start, "cpu": _cpu() - cpu, "rows": rows})
    print(json.dumps(min(runs, key=lambda one: one["wall"]) | {"peak_mb": _peak_mb()}))


def polars_read(file: Path) -> Run:
    """The bare streaming read: cells as text, nothing looked at."""
    import polars as pl

    scan = pl.scan_csv(file, separator="\t", quote_char=None, infer_schema=False, truncate_ragged_lines=True)
    return lambda: len(scan.collect(engine="streaming"))


def metier_apps(file: Path, ids: Path) -> Run:
    """apps.tsv as `metier import careerbuilder` reads it, the ids of people and jobs being known."""
    import polars as pl

    from metier.sources.careerbuilder import _Desk
    from metier.sources.files import InputFile
    from metier.sources.quarantine import Ledger

    people, jobs = (pl.read_parquet(ids / name)["id"] for name in ("people.parquet", "jobs.parquet"))

    def run() -> int:
        ledger = Ledger()
        _Desk(ledger, None).apps(InputFile(file), people, jobs)
        return ledger.report().files[0].rows

    return run


def metier_jobs(file: Path) -> Run:
    """jobs.tsv as `metier import careerbuilder` reads it: validated, HTML to text, deduplicated."""
    from metier.sources.careerbuilder import _Desk
    from metier.sources.files import InputFile
    from metier.sources.quarantine import Ledger

    def run() -> int:
        ledger = Ledger()
        _Desk(ledger, None).jobs([InputFile(file)], None)
        return ledger.report().files[0].rows

    return run


def metier_text(file: Path) -> Run:
    """Only HTML to text; reading is not on the clock."""
    import polars as pl

    from metier.sources.text import plain_text

    columns = [pl.Series(texts, dtype=pl.String) for texts in _html(file)]

    def run() -> int:
        for column in columns:
            plain_text(column)
        return len(columns[0])

    return run


def beautifulsoup_text(file: Path) -> Run:
    """The same texts by BeautifulSoup and Python's parser, words apart as there."""
    from bs4 import BeautifulSoup

    columns = _html(file)

    def run() -> int:
        for column in columns:
            for html in column:
                " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())
        return len(columns[0])

    return run


def _html(file: Path) -> tuple[list[str], list[str]]:
    """Descriptions and requirements of a jobs.tsv, their escapes undone."""
    rows = [line.split("\t") for line in file.read_text(encoding="utf-8").split("\n")[1:-1]]
    plain = [[cell.replace(r"\r", "\r").replace(r"\n", "\n").replace(r"\t", "\t") for cell in row[3:5]] for row in rows]
    return [row[0] for row in plain], [row[1] for row in plain]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_mb() -> float:
    """Most memory this process held; what it was started from does not count, as it would in getrusage."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


WAYS: dict[str, Any] = {
    "polars": polars_read,
    "metier-apps": metier_apps,
    "metier-jobs": metier_jobs,
    "metier-text": metier_text,
    "beautifulsoup": beautifulsoup_text,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
