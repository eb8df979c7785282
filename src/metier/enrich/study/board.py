"""A dataset made ready for a study: its folds, read once, under each condition."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import polars as pl

from metier.data import Tables
from metier.data.splits import Protocol
from metier.enrich.study.fields import FIELD_CONDITION, fields_of, with_fields
from metier.enrich.study.texts import COMPLETED, MOST_AUDITED, FoldTexts, TextAudit, taught, with_texts
from metier.evaluate.evaluation import Stage, prepare


class Board:
    """The folds of a dataset under a protocol, and the texts of their people.

    Parameters
    ----------
    completions : "simple", "interactive" -> texts of a language model, see `FoldTexts`.
    """

    def __init__(
        self, name: str, tables: Tables, protocol: Protocol, completions: Mapping[str, pl.DataFrame] | None = None
    ) -> None:
        self.name, self.tables, self.protocol = name, tables, protocol
        self._completions = completions or {}

    def stages(self, condition: str, seed: int, *, inner: bool = False) -> list[Stage]:
        """The folds under a text condition ("raw"), or a field condition ("without person.degree")."""
        folds = self._inner if inner else self._outer
        if FIELD_CONDITION.match(condition):
            return [with_fields(stage, condition) for stage, *_ in folds]
        return [
            with_texts(stage, texts.of(condition, seed), learned.of(condition, seed)) for stage, texts, learned in folds
        ]

    def audit(self, condition: str) -> TextAudit | None:
        """How far the texts of a condition are supported, over all folds; None where there is nothing to audit."""
        if condition not in COMPLETED:
            return None
        texts = [one for _, one, _ in self._outer]
        most = -(-MOST_AUDITED // len(texts))
        found = [one.audit(condition, most) for one in texts]
        items, unsupported, without = (sum(column) for column in zip(*found, strict=True))
        source = "completions" if condition in self._completions else "rules"
        people, seconds = sum(len(one.raw) for one in texts), sum(one.seconds[condition] for one in texts)
        return TextAudit(condition, source, people, without, items, unsupported, round(seconds, 1))

    @cached_property
    def fields(self) -> list[str]:
        """The fields that some fold has, as field conditions name them."""
        return fields_of([stage for stage, *_ in self._outer])

    @cached_property
    def _outer(self) -> list[tuple[Stage, FoldTexts, FoldTexts]]:
        return [self._read(stage) for stage in prepare(self.tables, self.protocol)]

    @cached_property
    def _inner(self) -> list[tuple[Stage, FoldTexts, FoldTexts]]:
        return [self._read(stage) for stage in prepare(self.tables, self.protocol, inner=True)]

    def _read(self, stage: Stage) -> tuple[Stage, FoldTexts, FoldTexts]:
        """The fold, the texts people are asked with, and those a model learns from."""
        learned = replace(stage, fold=taught(stage.fold))
        return stage, FoldTexts(stage, self._completions), FoldTexts(learned, self._completions)
