"""Settings of the study of weak and strong résumés."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

FEWEST = 50
"""People of each label below which nothing is fitted."""


class QualityConfig(BaseModel):
    """Labels, folds and draws."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    few: float = Field(1 / 3, ge=0, le=1)
    """Quantile of the counts of applications up to which a person is few-shot, so weak (κ2)."""

    many: float = Field(2 / 3, ge=0, le=1)
    """Quantile from which a person is many-shot, so strong (κ1)."""

    omit: float = Field(0.5, gt=0, lt=1)
    """Chance of each sentence and past job of a weak person to be left out, for content labels."""

    folds: int = Field(5, ge=2, le=50)
    """Folds that people are dealt into."""

    permutations: int = Field(1000, ge=499)
    """Permutations of the labels behind the null."""

    resamples: int = Field(1000, ge=100)
    """Draws of people behind an interval."""

    people: int = Field(2000, ge=2 * FEWEST)
    """Most people looked at: a drawn sample where the dataset has more."""

    seed: int = Field(0, ge=0)
    """Draws the sample, the omissions, the folds and the permutations."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.few > self.many:
            raise ValueError(f"{self.few:g} is above --many {self.many:g}")
        return self
