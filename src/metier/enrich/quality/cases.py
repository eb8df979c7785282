"""The people that detectors are judged on: under each label, with each text, from what was known before the cut-off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.data.splits import Protocol, folds
from metier.data.tables import Tables
from metier.enrich.extractive import Extractor
from metier.enrich.grounds import Grounds, gather
from metier.enrich.quality.config import FEWEST, QualityConfig
from metier.enrich.quality.features import TOLD
from metier.enrich.quality.labels import leave_out, with_true_skills
from metier.enrich.quality.texts import raw, templated
from metier.errors import UsageError
from metier.models.shots import STRONG, UNLABELLED, WEAK, Cuts, Labels, count_labels
from metier.sources.market.truth import Truth

LabelName = Literal["count", "content"]


@dataclass(frozen=True)
class Text:
    """One way to write about n people; `judged` (n,) are those whose text exists."""

    texts: list[str]
    judged: NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """n people under one label; `counts` (n,) are the jobs each applied to before the cut-off."""

    label: LabelName
    people: list[Grounds]
    labels: Labels
    counts: NDArray[np.int64]
    texts: dict[str, Text]


@dataclass(frozen=True)
class Cases:
    """Both labels; `left_out` tells which texts are not judged, and why."""

    count: Case
    content: Case
    cuts: Cuts
    left_out: list[str]


def gather_cases(
    tables: Tables,
    protocol: Protocol,
    config: QualityConfig,
    *,
    truth: Truth | None = None,
    completions: Mapping[str, pl.DataFrame] | None = None,
) -> Cases:
    """People, labels and texts; the parameters are those of `metier.enrich.quality.study`.

    Raises
    ------
    UsageError : there are fewer than FEWEST weak or strong people.
    """
    rng = np.random.default_rng([config.seed, 1])
    people, counts = _known(tables, protocol, config)
    by_count, cuts = count_labels(counts, config.few, config.many)
    complete = with_true_skills(people, truth, rng) if truth else people
    thinned, by_content = leave_out(complete, config.omit, rng)
    for label, labels in (("count", by_count), ("content", by_content)):
        _check(label, labels)
    made, left_out = _completed(completions or {}, people, by_count)
    return Cases(
        Case("count", people, by_count, counts, _texts(people, by_count, rng) | made),
        Case("content", thinned, by_content, counts, _texts(thinned, by_content, rng)),
        cuts,
        left_out,
    )


def stored_completions(folder: Path, protocol: Protocol) -> dict[str, pl.DataFrame]:
    """What `metier enrich --prompt simple` left in a dataset's folder for a protocol, by prompt and model.

    Other prompts see the jobs applied to, so that their texts would give the count away, or are not known to us.
    """
    found = sorted((folder / "completions").glob(f"simple-*-{protocol}.parquet"))
    return {path.name.removesuffix(f"-{protocol}.parquet"): pl.read_parquet(path) for path in found}


def _known(tables: Tables, protocol: Protocol, config: QualityConfig) -> tuple[list[Grounds], NDArray[np.int64]]:
    """A sample of people, with the facts they state and the number of jobs they applied to, before the cut-off."""
    ids = tables.people["id"]
    chosen = ids.sample(min(config.people, len(ids)), seed=config.seed).to_list()
    people: list[Grounds] = []
    counts: dict[str, int] = {}
    for fold in folds(tables, protocol):
        people += [one.only(TOLD) for one in gather(fold, chosen)]
        counts |= dict(fold.train.interactions.group_by("person").len().iter_rows())
    return people, np.array([counts.get(one.person, 0) for one in people], np.int64)


def _texts(people: Sequence[Grounds], labels: Labels, rng: np.random.Generator) -> dict[str, Text]:
    extractor, judged = Extractor(), labels != UNLABELLED
    resumes = [extractor.extract(one) for one in people]
    return {
        "raw": Text([raw(one) for one in people], judged),
        "templated": Text(templated(resumes, rng), judged),
        "profile": Text([resume.text() for resume in resumes], judged),
    }


def _completed(
    completions: Mapping[str, pl.DataFrame], people: Sequence[Grounds], labels: Labels
) -> tuple[dict[str, Text], list[str]]:
    """Texts that a model wrote from the same cut-offs about enough people, and why not, for the others."""
    texts, left_out = {}, []
    for name, frame in completions.items():
        done = frame.filter(pl.col("state") == "done").select("person", "cutoff", "text")
        written = {(person, cutoff): text for person, cutoff, text in done.iter_rows()}
        found = [written.get((one.person, one.cutoff)) for one in people]
        judged = np.array([text is not None for text in found]) & (labels != UNLABELLED)
        if min(int((labels[judged] == label).sum()) for label in (WEAK, STRONG)) < FEWEST:
            left_out.append(f"{name}: fewer than {FEWEST} weak or strong people have a text of this cut-off")
        else:
            texts[name] = Text([text or "" for text in found], judged)
    return texts, left_out


def _check(label: str, labels: Labels) -> None:
    weak, strong = (int((labels == one).sum()) for one in (WEAK, STRONG))
    if min(weak, strong) < FEWEST:
        raise UsageError(
            f"{label} labels: {weak} weak and {strong} strong people, at least {FEWEST} of each are needed; "
            "cure: more people, or people who say more"
        )
