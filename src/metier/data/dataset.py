"""The numbered world a model learns from, and the question it is asked.

People and jobs of the tables become users and items here, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from metier.data.features import Features
from metier.data.interactions import Interactions
from metier.data.types import CSR, Floats, Nums, Times
from metier.data.vocabulary import Vocabulary


@dataclass(frozen=True)
class Query:
    """A batch of people to rank jobs for.

    Parameters
    ----------
    users : (b,) int32 row numbers; -1 is a person the model has never seen.
    history : (b, I) CSR float32, the jobs each person applied to so far.
    features : (b, f) CSR in the columns of `Dataset.user_features`, or None when nothing is known.
    texts : b strings, what each person says (profile, past titles, résumé); empty when silent.
    times : (b, I) CSR float64 with the entries of `history`: when each job was applied to, in seconds since 1970 UTC,
        NaN where unknown; None when no time is known.
    learned : (b,) False where a vector that a model learned for the person does not count, because some of the
        applications that it was learned from are left out of `history`; None when all count.
    """

    users: Nums
    history: CSR
    features: CSR | None = None
    texts: Sequence[str] | None = None
    times: CSR | None = None
    learned: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.users)


@dataclass(frozen=True)
class Ranking:
    """The best items for each user of a query.

    Parameters
    ----------
    items : (b, k) int32, best first, padded with -1.
    scores : (b, k) float32, padded with NaN.
    """

    items: Nums
    scores: Floats


@dataclass(frozen=True)
class Dataset:
    """Everything known before a cut-off, for U users and I items.

    `user_texts` (U) and `item_texts` (I) are plain text, empty when there is none. Moments are seconds since 1970 UTC,
    NaN where unknown.

    Parameters
    ----------
    asked : (U,) float64, the cut-off of each user: when they are asked "what next?". NaN: right after their own last
        interaction, as when each one's last interaction is held out. None is all NaN.
    spans : (I, 2) float64, when each item opens and closes. None is all NaN.
    """

    users: Vocabulary
    items: Vocabulary
    interactions: Interactions
    user_features: Features
    item_features: Features
    user_texts: Sequence[str]
    item_texts: Sequence[str]
    asked: Times | None = None
    spans: Times | None = None

    def __post_init__(self) -> None:
        sides = {
            "users": (len(self.users), len(self.user_features), len(self.user_texts)),
            "items": (len(self.items), len(self.item_features), len(self.item_texts)),
        }
        for side, sizes in sides.items():
            if len(set(sizes)) != 1:
                raise ValueError(f"{side}: vocabulary, features and texts have sizes {sizes}")
        moments = {"asked": (self.asked, (len(self.users),)), "spans": (self.spans, (len(self.items), 2))}
        for name, (given, shape) in moments.items():
            if given is not None and given.shape != shape:
                raise ValueError(f"{name} has shape {given.shape}, not {shape}")

    @property
    def shape(self) -> tuple[int, int]:
        """(U, I)"""
        return len(self.users), len(self.items)

    @cached_property
    def matrix(self) -> CSR:
        """(U, I) CSR float32 of the interactions."""
        return self.interactions.matrix(self.shape)

    @cached_property
    def times(self) -> CSR:
        """(U, I) CSR float64, the entries of `matrix` with their times (NaN where unknown)."""
        return self.interactions.matrix(self.shape, self.interactions.times)

    def query(self, users: Nums) -> Query:
        """The question "what next?" for known users, with all that is known of them."""
        return Query(
            users=users.astype(np.int32),
            history=CSR(self.matrix[users]),
            features=self.user_features.take(users),
            texts=[self.user_texts[user] for user in users],
            times=CSR(self.times[users]),
        )
