"""Ids, tables, interactions, features and splits. Imports no sibling package (errors apart)."""

from metier.data.dataset import Dataset, Query, Ranking
from metier.data.features import Features
from metier.data.interactions import Interactions
from metier.data.splits import Fold
from metier.data.tables import Tables
from metier.data.types import CSR, Floats, Nums
from metier.data.vocabulary import Vocabulary

__all__ = [
    "CSR",
    "Dataset",
    "Features",
    "Floats",
    "Fold",
    "Interactions",
    "Nums",
    "Query",
    "Ranking",
    "Tables",
    "Vocabulary",
]
