"""Results of `metier study` about the same people, put together: what benchmarks/resume_page.py reads and keeps.

A board (dataset, protocol and people) may be spread over several files: of a row that two files have, the one with
more seeds counts, and Holm's correction is made again over all that is known of the board.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metier.enrich.study.plan import MAIN
from metier.enrich.study.texts import CONDITIONS
from metier.enrich.study.words import CONTROL
from metier.evaluate.statistics import holm

TOP = ("command", "written", "k", "trials", "cells", "seconds", "failed", "left_out", "grids", "versions")
MEAN = ("model", "condition", "segment", "people", "seeds", "map", "low", "high", "between_seeds")
PAIR = ("model", "condition", "other_model", "other_condition", "segment")
CONTRAST = ("name", *PAIR, "people", "seeds", "difference", "low", "high", "p", "p_holm", "seen")
Found = dict[str, Any]


@dataclass
class Board:
    """What all files say of one dataset under one protocol about the same people."""

    name: str
    protocol: str
    people: int
    k: int
    means: dict[tuple[str, ...], Found] = field(default_factory=dict)
    contrasts: dict[tuple[str, ...], Found] = field(default_factory=dict)
    grids: dict[str, dict[str, None]] = field(default_factory=dict)
    audits: dict[tuple[str, ...], Found] = field(default_factory=dict)

    def add(self, study: Found, found: Found) -> None:
        """The rows of one file that are new or have more seeds."""
        for kept, rows, key in (
            (self.means, found["means"], MEAN[:3]),
            (self.contrasts, found["contrasts"], PAIR),
        ):
            for row in rows:
                place = tuple(row[name] for name in key)
                if place not in kept or kept[place]["seeds"] < row["seeds"]:
                    kept[place] = dict(row)
        for name, grid in study["grids"].items():
            self.grids.setdefault(name, {}).update(dict.fromkeys(grid["models"]))
        for audit in found["audits"]:
            self.audits[audit["condition"], audit["source"]] = audit

    def correct(self) -> None:
        """Holm's correction over all contrasts of a segment, those of texts and those of fields apart."""
        families: dict[tuple[str, bool], list[Found]] = {}
        for one in self.contrasts.values():
            families.setdefault((one["segment"], one["condition"] in CONDITIONS), []).append(one)
        for some in families.values():
            for one, p in zip(some, holm(np.array([one["p"] for one in some])).tolist(), strict=True):
                one["p_holm"] = p

    def models(self, grid: str) -> list[str]:
        """The models of a grid of which there are figures."""
        return [one for one in self.grids.get(grid, ()) if any(model == one for model, *_ in self.means)]

    def texts(self, model: str) -> set[str]:
        return {text for label, text, segment in self.means if (label, segment) == (model, "all")}

    def best(self) -> str | None:
        """Of the models that have what an answer needs, the highest mean MAP over the texts that all of them have."""
        asked = {
            model: texts
            for model in self.models(MAIN)
            if any({"none", *pair} <= (texts := self.texts(model)) for pair in CONTROL.items())
        }
        shared = set.intersection(*asked.values()) if asked else set()
        return max(asked, key=lambda model: sum(self.means[model, text, "all"]["map"] for text in shared), default=None)

    def contrast(self, name: str, model: str, segment: str = "all") -> Found | None:
        """A contrast of two texts of a model; of MODEL_CONTRASTS where `model` is "lgir"; of fields."""
        mine = (one for one in self.contrasts.values() if (one["name"], one["segment"]) == (name, segment))
        return next((one for one in mine if one["model"] == model), None)

    def __str__(self) -> str:
        return f"{self.name}, {self.protocol}, {self.people:,} people"


def boards(studies: Iterable[Found]) -> list[Board]:
    """Every board of the studies, corrected, in the order of names."""
    found: dict[tuple[str, str, int], Board] = {}
    for study in studies:
        for name, one in study["datasets"].items():
            key = (name, one["protocol"], one["people"])
            found.setdefault(key, Board(*key, study["k"])).add(study, one)
    for board in found.values():
        board.correct()
    return [found[key] for key in sorted(found)]


def lean(study: Found) -> Found:
    """What the page needs of a study.json.

    Means of everybody and of people without a past; contrasts of texts in every group, those of fields for everybody.
    Where the datasets lay is left out of the command.
    """
    datasets = {
        name: {
            "protocol": one["protocol"],
            "people": one["people"],
            "means": [_only(row, MEAN) for row in one["means"] if row["segment"] in ("all", "cold")],
            "contrasts": [_only(row, CONTRAST) for row in one["contrasts"] if _shown(row)],
            "audits": one["audits"],
        }
        for name, one in study["datasets"].items()
    }
    failed = [{name: one[name] for name in one if name != "why"} for one in study["failed"]]
    command = re.sub(r" --home ('[^']*'|\S+)", "", study["command"])
    return _only(study, TOP) | {"command": command, "failed": failed, "datasets": datasets}


def _shown(contrast: Found) -> bool:
    return contrast["condition"] in CONDITIONS or contrast["segment"] == "all"


def _only(row: Found, names: Sequence[str]) -> Found:
    """Some keys of a row, six decimals."""
    return {name: round(row[name], 6) if isinstance(row[name], float) else row[name] for name in names}
