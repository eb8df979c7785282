"""What a model may read about people: eight text conditions, each a function of what was known before the cut-off.

Everything is made from `Stage.fold.train`, in which nothing after the cut-off exists. Texts that name jobs applied to
hold answers while a model learns, and none when it is asked. So the text that it learns from knows only the older half
of a person's applications (`taught`), and the one it is asked with all of them. A model learns from both halves: the
newer applications are in no text that it learns from, the older ones are in the text *and* among what is learned.
"""

import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from metier.data import Dataset
from metier.data.splits import Fold
from metier.enrich.audit import Auditor
from metier.enrich.grounds import Grounds
from metier.enrich.inferred_skills import inferred_skills
from metier.enrich.resume import Resume
from metier.enrich.study.inferring import inferred_resumes
from metier.enrich.taxonomy import own_taxonomy
from metier.errors import UsageError
from metier.evaluate.evaluation import Stage

Condition = Literal["none", "raw", "raw-shuffled", "skills", "simple", "interactive", "shuffled", "random"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
"""none: no text. raw: self-description and past jobs. skills: inferred skills alone. simple: the résumé completed from
what the person said. interactive: from the jobs applied to before the cut-off as well. raw-shuffled, shuffled: the raw
and the interactive text of somebody else with about as many applications. random: as many words as the interactive
text, drawn from everybody's."""
SHUFFLED: dict[str, Condition] = {"raw-shuffled": "raw", "shuffled": "interactive"}
"""Control -> the text that somebody else's is given of."""
COMPLETED = ("simple", "interactive")
"""The conditions that a file of completions can give."""
BUCKETS = (0, 1, 2, 5, 10)
"""Fewest past applications of the groups inside which texts are shuffled."""
MOST_AUDITED = 500
"""People of a dataset whose résumés are audited, drawn."""


class FoldTexts:
    """The texts of the people of one fold under each condition, made when they are first asked for and kept.

    Parameters
    ----------
    completions : "simple", "interactive" -> `metier.enrich.texts.TEXTS`, texts of a language model that are used
        instead of the rule-based ones; rows are matched by person and cut-off.
    """

    def __init__(self, stage: Stage, completions: Mapping[str, pl.DataFrame] | None = None) -> None:
        self.fold, self.raw, self._completions = stage.fold, list(stage.data.user_texts), completions or {}
        self.history = np.diff(stage.data.matrix.indptr)
        self.seconds: dict[str, float] = {}
        self._kept: dict[str, list[str]] = {}
        self._resumes: dict[str, list[tuple[Resume, Grounds]]] = {}

    def of(self, condition: str, seed: int) -> list[str]:
        """(U,) strings in the order of the fold's people; `seed` draws for the conditions shuffled and random."""
        rng = np.random.default_rng([seed, zlib.crc32(self.fold.name.encode())])
        match condition:
            case "shuffled" | "raw-shuffled":
                texts = self._made(SHUFFLED[condition])
                others = another_person(self.history, rng)
                return [texts[other] if other >= 0 else "" for other in others]
            case "random":
                return random_words(self._made("interactive"), rng)
            case _:
                return self._made(condition)

    def audit(self, condition: str, most: int) -> tuple[int, int, int]:
        """Items looked at, unsupported ones, and people who have no text.

        Texts made by rules are audited for at most `most` people, drawn; a file of completions tells its own figures.
        """
        texts = self._made(condition)
        if condition in self._completions:
            mine = _of_fold(self._completions[condition], self.fold)
            return int(mine["items"].sum()), int(mine["unsupported"].sum()), texts.count("")
        auditor, rng = _auditor(), np.random.default_rng(0)
        chosen = rng.permutation(len(texts))[:most]
        audits = [auditor.audit(*self._resumes[condition][row]) for row in chosen]
        return sum(one.items for one in audits), sum(len(one.unsupported) for one in audits), texts.count("")

    def _made(self, condition: str) -> list[str]:
        if condition not in self._kept:
            started = time.perf_counter()
            self._kept[condition] = self._make(condition)
            self.seconds[condition] = time.perf_counter() - started
        return self._kept[condition]

    def _make(self, condition: str) -> list[str]:
        if condition in self._completions:
            return _completed(self._completions[condition], self.fold, condition)
        match condition:
            case "none":
                return [""] * len(self.raw)
            case "raw":
                return self.raw
            case "skills":
                inferred = inferred_skills(self.fold.train, own_taxonomy())
                return inferred["skills"].list.join(", ").to_list()
            case "simple" | "interactive":
                self._resumes[condition] = list(inferred_resumes(self.fold, wishes=condition == "interactive"))
                return [resume.text() for resume, _ in self._resumes[condition]]
        raise UsageError(f"no text condition {condition!r}; there are {', '.join(CONDITIONS)}")


def taught(fold: Fold) -> Fold:
    """The fold with the older half of each person's applications, rounded down; by file where no time is known.

    Texts alone are made of it: what is learned stays whole, so the older half is both read and learned.
    """
    pairs = fold.train.interactions
    by_age = pl.struct(pl.col("time").fill_null(pl.col("time").min()), pl.int_range(pl.len())).rank("ordinal")
    older = pairs.filter(by_age.over("person") <= pl.len().over("person") // 2)
    return replace(fold, train=fold.train.replace(interactions=older))


def with_texts(stage: Stage, texts: list[str], learned: list[str]) -> Stage:
    """The stage whose people say `texts` (U,) when they are asked, and `learned` (U,) while a model learns."""
    known = with_data(stage, replace(stage.data, user_texts=learned))
    numbers = stage.data.users.numbers(stage.judged["person"])
    return replace(known, query=replace(known.query, texts=[texts[number] for number in numbers]))


def with_data(stage: Stage, data: Dataset) -> Stage:
    """The stage with other data about the same people and jobs, and the question asked with them."""
    return replace(stage, data=data, query=data.query(data.users.numbers(stage.judged["person"])))


def another_person(history: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,) the row of somebody else with about as many past applications; -1 for one who is alone altogether.

    In each bucket of `history` (n,) people stand in a circle in random order and get the next one; who is alone in a
    bucket gets anybody.
    """
    others = np.full(len(history), -1, np.int64)
    bucket = np.searchsorted(BUCKETS, history, side="right")
    for one in np.unique(bucket):
        circle = rng.permutation(np.flatnonzero(bucket == one))
        others[circle] = np.roll(circle, -1)
    alone = np.flatnonzero(others == np.arange(len(history)))
    for row in alone:
        rest = len(history) - 1
        others[row] = (row + 1 + rng.integers(rest)) % len(history) if rest else -1
    return others


def random_words(texts: list[str], rng: np.random.Generator) -> list[str]:
    """(n,) texts of as many words as each of `texts`, drawn from the words of all: they say nothing about anybody."""
    words = [text.split() for text in texts]
    everything = np.array([word for line in words for word in line], dtype=object)
    return [" ".join(everything[rng.integers(len(everything), size=len(line))]) if line else "" for line in words]


def _completed(frame: pl.DataFrame, fold: Fold, condition: str) -> list[str]:
    mine = _of_fold(frame, fold)
    if mine.is_empty():
        raise UsageError(
            f"the completions given as {condition} hold nobody of {fold.name} with the cut-off {_cutoff(fold)}; cure: "
            "make them with metier enrich for this dataset and protocol (and --inner too, where --trials is used)"
        )
    people = fold.train.people.select(person="id")
    joined = people.join(mine, on="person", how="left", maintain_order="left")
    return joined["text"].fill_null("").to_list()


def _of_fold(frame: pl.DataFrame, fold: Fold) -> pl.DataFrame:
    """The rows of a fold's people at its cut-off, one a person."""
    people = fold.train.people["id"].implode()
    mine = frame.filter((pl.col("cutoff") == _cutoff(fold)) & pl.col("person").is_in(people))
    return mine.unique("person", keep="last", maintain_order=True)


def _cutoff(fold: Fold) -> str:
    """As `metier.enrich.grounds` writes it."""
    return fold.cutoff.isoformat() if fold.cutoff else fold.name


@cache
def _auditor() -> Auditor:
    return Auditor()


@dataclass(frozen=True)
class TextAudit:
    """How many items of the texts of a condition do not follow from what they cite, and what making them took.

    Parameters
    ----------
    source : "rules", or "completions" where files of a language model's texts were given.
    people, without : people, and those of them who have no text. seconds : to make the texts here.
    items, unsupported : items audited (of a sample where texts are made by rules), and those that failed.
    """

    condition: str
    source: str
    people: int
    without: int
    items: int
    unsupported: int
    seconds: float

    @property
    def rate(self) -> float | None:
        """Share of items that failed; None without items."""
        return self.unsupported / self.items if self.items else None
