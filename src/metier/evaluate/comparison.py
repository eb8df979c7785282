"""Stored runs compared person by person."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from metier.errors import UsageError
from metier.evaluate.metrics import METRICS, Values
from metier.evaluate.run_folder import load
from metier.evaluate.summary import SEGMENTS, Difference, Segment, differences, members


def compare_models(
    folder: Path, labels: Sequence[str] | None, metric: str, segment: Segment = "all"
) -> list[Difference]:
    """Models of one run minus the first of `labels`; without labels all models minus the best by `metric`."""
    meta = load(folder)["meta"]
    values = _by_model(_read(folder, segment), metric)
    _check(labels or [], values, folder.name)
    competitors = [label for label in values if meta["models"][label]["model"] is not None] or list(values)
    baseline = labels[0] if labels else max(competitors, key=lambda label: float(values[label].mean()))
    pairs = [(label, baseline) for label in labels or values if label != baseline]
    if not pairs:
        raise UsageError(f"run {folder.name!r} leaves nothing to compare with {baseline!r}; name two models at least")
    return differences(values, pairs, metric=metric, k=meta["k"], seed=meta["seed"])


def compare_runs(
    folder: Path, other: Path, labels: Sequence[str] | None, metric: str, segment: Segment = "all"
) -> list[Difference]:
    """Each model that both runs have, `other` minus `folder`; both must have judged the same people at the same k."""
    meta, other_meta = load(folder)["meta"], load(other)["meta"]
    frames = _read(folder, segment), _read(other, segment)
    people = [frame.select("fold", "person", "relevant").unique(maintain_order=True) for frame in frames]
    truths = [(run / "qrels.txt").read_bytes() for run in (folder, other)]
    if not people[0].equals(people[1]) or truths[0] != truths[1] or meta["k"] != other_meta["k"]:
        raise UsageError(
            f"runs {folder.name!r} and {other.name!r} did not judge the same people by the same truth and k "
            f"({len(people[0]):,} people at {meta['k']}, {len(people[1]):,} at {other_meta['k']}); "
            "cure: evaluate both on one dataset, protocol and k"
        )
    before, after = (_by_model(frame, metric) for frame in frames)
    both = [label for label in before if label in after]
    _check(labels or [], both, f"{folder.name} and {other.name}")
    if not both:
        raise UsageError(f"runs {folder.name!r} and {other.name!r} have no model in common")
    values = {f"{folder.name}/{label}": column for label, column in before.items()}
    values |= {f"{other.name}/{label}": column for label, column in after.items()}
    pairs = [(f"{other.name}/{label}", f"{folder.name}/{label}") for label in labels or both]
    return differences(values, pairs, metric=metric, k=meta["k"], seed=meta["seed"])


def _read(folder: Path, segment: Segment) -> pl.DataFrame:
    """Per-person values of a segment; UsageError when nobody is in it."""
    if segment not in SEGMENTS:
        raise UsageError(f"no segment {segment!r}; there are {', '.join(SEGMENTS)}")
    frame = pl.read_parquet(folder / "per_user.parquet")
    kept = frame.filter(pl.Series(members(frame["history"].to_numpy(), segment), dtype=pl.Boolean))
    if kept.is_empty():
        raise UsageError(f"run {folder.name!r} judged nobody of segment {segment!r}; cure: another segment or protocol")
    return kept


def _by_model(frame: pl.DataFrame, metric: str) -> dict[str, Values]:
    """Label -> (n,) values, the same people in the same order for every model."""
    if metric not in METRICS:
        raise UsageError(f"no metric {metric!r} for each person; there are {', '.join(METRICS)}")
    groups = frame.partition_by("model", as_dict=True, maintain_order=True)
    return {str(label): part[metric].to_numpy() for (label,), part in groups.items()}


def _check(labels: Sequence[str], there: Sequence[str] | dict[str, Values], place: str) -> None:
    for label in labels:
        if label not in there:
            raise UsageError(f"no model {label!r} in {place}; there are {', '.join(there)}")
