"""What each group of the ranker's features is worth: rows learned from the same pairs, some groups left out.

    python benchmarks/ranker_ablation.py [DATASET] [--protocol leave-last-out] [--seed 0]

DATASET is one that `metier import` stored, the synthetic market without one; the protocol is leave-last-out or given.
Judged inside the history, as `metier evaluate DATASET --inner --models ranker --set ranker.without=...` does. Sources
and features are made once for all rows, and all trees draw alike, so a difference is the group's. "other trees" leaves
nothing out and draws anew: what is no larger than its interval is noise.
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from environments import table
from metier.data import Floats, Nums, Vocabulary
from metier.data.workspace import Workspace
from metier.evaluate.evaluation import Stage, prepare
from metier.evaluate.metrics import Values, average_precision
from metier.evaluate.statistics import bootstrap_means, interval, paired
from metier.models.base import take, tie_order
from metier.models.evidence import Evidence, Group
from metier.models.lessons import moments, newest
from metier.models.ranker import BATCH, Ranker, RankerConfig
from metier.sources.market import MarketKnobs, generate

ROWS: dict[str, tuple[Group, ...]] = {
    "full": (),
    "other trees": (),
    "number": ("number",),
    "session": ("session",),
    "co-application": ("co-application",),
    "factors": ("factors",),
    "profile": ("profile",),
    "place": ("place",),
    "attributes": ("attributes",),
    "popularity, time, activity": ("popularity", "time", "activity"),
    "text, level": ("text", "level"),
}
K = 25

Pairs = tuple[dict[str, Floats], Nums, Nums]
"""Features by name, each (p,); rows (p,) of the judged people and of the jobs."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", nargs="?", help="[default: the synthetic market, made on the spot]")
    parser.add_argument("--protocol", choices=["leave-last-out", "given"], default="leave-last-out")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tables = Workspace.open().load(given.dataset) if given.dataset else generate(MarketKnobs(), 0).tables
    (stage,) = prepare(tables, given.protocol, inner=True)
    print(f"{given.dataset or 'market'}, {given.protocol}, inside the history: {len(stage.judged):,} people.\n")
    print(table(["without", "MAP@25 [95 %]", "minus full [95 %]", "p Holm"], lines(stage, given.seed)))


def lines(stage: Stage, seed: int) -> list[list[str]]:
    """One line of the table for each of ROWS."""
    full, rng = Ranker(), np.random.default_rng(seed)
    names, features, label, row = full._examples(stage.data, rng)
    full.sources_, full.evidence_ = full._sources().fit(stage.data, rng), Evidence().fit(stage.data)
    parts = described(full, stage)
    trees, other = (int(drawn) for drawn in rng.integers(2**31, size=2))
    values = []
    for name, groups in ROWS.items():
        kept = np.array([one.split(":")[0] not in groups for one in names])
        numbers = "number" not in groups
        there = slice(None) if numbers else named(dict(zip(names, features.T, strict=True)))
        model = Ranker()
        model.names_ = tuple(np.array(names)[kept])
        model._learn(features[there][:, kept], label[there], row[there], seed=other if name == "other trees" else trees)
        values.append(precision(model, parts, stage, seed, numbers=numbers))
        print(f"{name}: {values[-1].mean():.4f}", flush=True, file=sys.stderr)
    each = np.column_stack(values)
    low, high = interval(bootstrap_means(each, rng=np.random.default_rng(seed)))
    gain = paired(each[:, 1:] - each[:, :1], rng=np.random.default_rng(seed))
    rows = [[name, f"{each[:, i].mean():.4f} [{low[i]:.4f}, {high[i]:.4f}]"] for i, name in enumerate(ROWS)]
    differences = [
        [f"{mean:+.4f} [{least:+.4f}, {most:+.4f}]", f"{p:.3f}"]
        for mean, least, most, p in zip(gain.mean, gain.low, gain.high, gain.p_holm, strict=True)
    ]
    return [one + two for one, two in zip(rows, [["", ""], *differences], strict=True)]


def described(full: Ranker, stage: Stage) -> list[Pairs]:
    """The candidates of the judged people."""
    now, parts = moments(stage.query, stage.data.asked, newest(stage.data)), []
    for start in range(0, len(stage.query), BATCH):
        rows = np.arange(start, min(start + BATCH, len(stage.query)), dtype=np.int32)
        found, row, item = full._described(
            full.sources_, full.evidence_, take(stage.query, rows), now[rows], stage.live
        )
        parts.append((found, start + row, item))
    return parts


def named(found: dict[str, Floats]) -> NDArray[np.bool_]:
    """(p,) whether a source named the pair; the others are candidates by their number alone."""
    places = [values for name, values in found.items() if name.endswith(" place")]
    return np.asarray(np.min(places, axis=0) <= RankerConfig().each)


def precision(model: Ranker, parts: Sequence[Pairs], stage: Stage, seed: int, *, numbers: bool) -> Values:
    """(n,) AP@25 of the judged people; `numbers`: candidates may be named by their number alone."""
    data, fold = stage.data, stage.fold
    wide = np.int64(len(data.items))
    people = Vocabulary("person", stage.judged["person"].to_list())
    pairs = fold.truth.unique().filter(pl.col("person").is_in(people.ids))
    truth = people.numbers(pairs["person"]) * wide + data.items.numbers(pairs["job"])
    tie, hits = tie_order(len(data.items), seed), np.zeros((len(people), K), np.bool_)
    for found, row, item in parts:
        score = model._judge(found, len(row))
        if not numbers:
            score = np.where(named(found), score, np.float32(-np.inf))
        best = np.lexsort((tie[item], -score, row))
        place = np.arange(len(row)) - np.searchsorted(row, row)  # rows are ascending, before and after
        shown = (place < K) & np.isfinite(score[best])
        hits[row[best][shown], place[shown]] = np.isin(row[best][shown] * wide + item[best][shown], truth)
    return average_precision(hits, stage.judged["relevant"].to_numpy(), K)


if __name__ == "__main__":
    main()
