"""The whole challenge on this machine: official files -> import -> seven windows judged -> report, at growing sizes.

    python benchmarks/scale.py [--scale .01 .1 1] [--workers 2] [--folder .bench/scale] [--plot scale.svg]

Scale 1 is a synthetic market of 390,000 people, 1,090,000 jobs with HTML of 2.5 kB each, 1.6 million applications and
1.8 million past jobs in the challenge's format, 3 GB. Writing it is not timed. Each stage is a `metier` command in
processes of its own, watched from outside: seconds of wall clock and of processor, and the most memory that all its
processes held together (proportional set size, so shared pages count once). A model's seconds are those of all its
windows, each beside other work, and its processor's are not told apart. Slopes are those of ln seconds over ln size.

What is finished is kept in the folder: a run that was killed goes on with the stage, and inside the judging with the
cell (model x window), that it was in. `--again` measures anew.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from environments import CACHE, machine, table
from metier.sources.market import MarketKnobs, generate_windows, write_official

PEOPLE, JOBS = 390_000, 1_090_000
MODELS = ("popularity", "place", "user-knn", "rp3beta", "fm", "ranker")
SETTINGS = {
    "fm.epochs": 5,
    "ranker.cuts": 1,
    "ranker.most_lessons": 5000,
    "ranker.sources": ["rp3beta", "user-knn", "item-knn", "ials", "fm"],
    "ranker.source_settings": {"fm": {"epochs": 5}},
}
"""What differs from the defaults, which are for boards a hundredth of this size. A pass over ten times the applications
moves each word and attribute ten times as often, so fewer passes do; one earlier cut has more people to learn from than
the ranker takes; and content and profile compare every person with every posting: they alone are quadratic."""
FILES = ("users", "user_history", "jobs", "apps", "window_dates", "test_users")


def write_files(folder: Path, scale: float) -> int:
    """The market's files, once; returns their rows."""
    done = folder / "rows.json"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        print(f"scale {scale:g}: writing the files", file=sys.stderr)
        knobs = MarketKnobs(people=round(PEOPLE * scale), jobs_per_person=JOBS / PEOPLE, employer=20)
        paths = write_official(generate_windows(knobs, 0), folder)
        done.write_text(json.dumps(sum(_lines(path) - 1 for path in paths)))
    return int(json.loads(done.read_text()))


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 22), b""))


def watched(arguments: list[str], home: Path) -> dict[str, float]:
    """Run a metier command; wall and CPU seconds and peak MB of it with its children."""
    command = [sys.executable, "-m", "metier", *arguments]
    environment = os.environ | {"METIER_HOME": str(home)}
    before, peak, started = os.times(), 0.0, time.perf_counter()
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    while running.poll() is None:
        peak = max(peak, _held(running.pid))
        time.sleep(0.2)
    if running.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {running.returncode}; the same command goes on from there")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall": time.perf_counter() - started, "cpu": cpu, "peak_mb": peak}


def _held(pid: int) -> float:
    """MB that a process and its children hold, pages that they share counted once."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = Path(f"/proc/{waiting.pop()}")
        try:
            lines = (one / "smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000
            waiting += [
                int(child) for task in (one / "task").iterdir() for child in (task / "children").read_text().split()
            ]
        except (OSError, StopIteration):
            continue  # it has just ended
    return total


def measure(folder: Path, scale: float, workers: int) -> dict[str, dict[str, float]]:
    """Stage -> figures, with `rows`: of the files, and of what a model has to rank."""
    rows, home, name = write_files(folder / "files", scale), folder / "home", "challenge"
    done = folder / "stages.json"
    stages: dict[str, dict[str, float]] = json.loads(done.read_text()) if done.is_file() else {}

    def keep(stage: str, figures: dict[str, float]) -> None:
        stages[stage] = figures
        done.write_text(json.dumps(stages, indent=1))

    if "import" not in stages:
        print(f"scale {scale:g}: importing", file=sys.stderr)
        keep("import", watched(["import", "careerbuilder", str(folder / "files"), "--as", name], home) | {"rows": rows})
    if "evaluate and report" not in stages:
        print(f"scale {scale:g}: judging", file=sys.stderr)
        given = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={json.dumps(value)}")]
        judge = ["evaluate", name, "--protocol", "temporal", "--models", ",".join(MODELS), "--workers", str(workers)]
        figures = watched([*judge, *given, "--as", "scale"], home)
        run = home / "runs" / "scale"
        figures["rows"] = sum(fold["interactions"] for fold in _json(run / "metrics.json")["meta"]["folds"])
        keep("evaluate and report", figures)
        seconds, figured = _json(run / "timings.json")["models"], _json(run / "metrics.json")["rows"]
        for model in MODELS:
            of = [row for row in figured if (row["model"], row["segment"], row["metric"]) == (model, "all", "map")]
            keep(
                f"  {model}",
                {
                    "wall": seconds[model]["fit"] + seconds[model]["rank"],
                    "rows": figures["rows"],
                    "map": next(row["value"] for row in of if row["k"] == 25),
                },
            )
    return stages


def _json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def lines(found: dict[float, dict[str, dict[str, float]]]) -> list[list[str]]:
    """A row a stage and size."""
    rows, sizes = [], sorted(found)
    for stage in found[sizes[-1]]:
        for at, scale in enumerate(sizes):
            one = found[scale][stage]
            cells = [_cell(one, *column) for column in (("wall", ",.1f"), ("cpu", ",.1f"), ("peak_mb", ",.0f"))]
            speed = f"{one['rows'] / one['wall']:,.0f}"
            slope = _slope(found, stage, sizes[at - 1], scale) if at else ""
            rows.append([stage, f"{scale:g}", *cells, speed, _cell(one, "map", ".4f"), slope])
    return rows


def _cell(figures: dict[str, float], key: str, form: str) -> str:
    return format(figures[key], form) if key in figures else ""


def _slope(found: dict[float, dict[str, dict[str, float]]], stage: str, low: float, high: float) -> str:
    ratio = found[high][stage]["wall"] / found[low][stage]["wall"]
    return f"{math.log(ratio) / math.log(high / low):.2f}"


def plot(found: dict[float, dict[str, dict[str, float]]], path: Path) -> None:
    """Seconds over size, both logarithmic, a line a stage."""
    import altair as alt
    import polars as pl

    points = [
        {"stage": stage.strip(), "share of the challenge": scale, "seconds": figures["wall"]}
        for scale, stages in found.items()
        for stage, figures in stages.items()
    ]
    log = alt.Scale(type="log")
    alt.Chart(pl.DataFrame(points)).mark_line(point=True).encode(
        alt.X("share of the challenge", scale=log), alt.Y("seconds", scale=log), alt.Color("stage")
    ).properties(width=480, height=360).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, nargs="+", default=[0.01, 0.1, 1.0], help="shares of the challenge")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that judge")
    parser.add_argument("--folder", type=Path, default=CACHE / "scale", help="for files, datasets and figures, 9 GB")
    parser.add_argument("--again", action="store_true", help="measure anew; the files stay")
    parser.add_argument("--plot", type=Path, help="an .svg or .png of seconds over size")
    given = parser.parse_args()
    found = {}
    for scale in sorted(given.scale):
        folder = given.folder / f"{scale:g}"
        if given.again:
            (folder / "stages.json").unlink(missing_ok=True)
            shutil.rmtree(folder / "home", ignore_errors=True)
        found[scale] = measure(folder, scale, given.workers)
    print(f"{machine()}. {given.workers} workers.\n")
    print(table(["stage", "scale", "wall s", "CPU s", "peak MB", "rows/s", "MAP@25", "slope"], lines(found)))
    if given.plot:
        plot(found, given.plot)


if __name__ == "__main__":
    main()
