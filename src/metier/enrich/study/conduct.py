"""A study from a plan and the datasets of a workspace: its cells in order, the boards they need, and what is kept."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from metier.data.splits import Protocol
from metier.data.workspace import Workspace
from metier.enrich.study.board import Board
from metier.enrich.study.cells import Cell
from metier.enrich.study.fields import field_conditions
from metier.enrich.study.plan import StudyPlan
from metier.enrich.study.texts import COMPLETED, TextAudit
from metier.enrich.texts import TEXTS
from metier.errors import UsageError
from metier.evaluate.trials import fingerprint
from metier.models.registry import config_class
from metier.sources.market import save_truth
from metier.sources.market.generate import generate
from metier.sources.market.knobs import MarketKnobs

AUDITS = "audits.json"
QUICK = "quick-market"
"""The dataset that a quick study makes for itself."""
QUICK_PEOPLE = 1500
MADE_OF = {"simple": "simple", "interactive": "interactive", "shuffled": "interactive", "random": "interactive"}
"""Text condition -> the completed text that it is made of."""


@dataclass(frozen=True)
class Completions:
    """Files of a language model's texts: frames by condition, and a digest of what each came from."""

    frames: Mapping[str, pl.DataFrame]
    digests: Mapping[str, str]

    @classmethod
    def read(cls, given: Sequence[str]) -> "Completions":
        """From "simple=FILE" and "interactive=FILE"; several files of one condition are put together.

        UsageError: another condition, or a file that `metier enrich` did not write.
        """
        frames: dict[str, list[pl.DataFrame]] = {}
        digests: dict[str, str] = {}
        for one in given:
            condition, _, path = one.partition("=")
            if condition not in COMPLETED or not path:
                raise UsageError(f"--completions {one!r}; cure: {' or '.join(f'{name}=FILE' for name in COMPLETED)}")
            try:
                frame = pl.read_parquet(path).select(list(TEXTS))
            except (pl.exceptions.PolarsError, OSError):
                raise UsageError(f"{path} is no file of completions; cure: metier enrich writes one") from None
            frames.setdefault(condition, []).append(frame)
            digests[condition] = hashlib.sha256(
                (digests.get(condition, "") + hashlib.sha256(Path(path).read_bytes()).hexdigest()).encode()
            ).hexdigest()
        return cls({name: pl.concat(some) for name, some in frames.items()}, digests)

    def digest(self, condition: str) -> str:
        """Of the files that the texts of a condition are made of; "" where rules make them."""
        return self.digests.get(MADE_OF.get(condition, ""), "")


class Boards:
    """The datasets of a study, one in memory at a time; the audit of each one's texts is kept in audits.json."""

    def __init__(
        self, workspace: Workspace, protocols: Mapping[str, Protocol], completions: Completions, texts: Sequence[str]
    ) -> None:
        self._workspace, self.protocols, self._completions, self._texts = workspace, protocols, completions, texts
        self._board: Board | None = None
        self._fingerprints = {name: fingerprint(workspace.dataset(name)) for name in protocols}

    def get(self, name: str) -> Board:
        """The board of a dataset, read when another one was asked for before."""
        if self._board is None or self._board.name != name:
            self._board = None  # give its memory back before the next one is read
            self._board = Board(name, self._workspace.load(name), self.protocols[name], self._completions.frames)
        return self._board

    def fingerprint(self, name: str) -> str:
        """Of the dataset's files."""
        return self._fingerprints[name]

    def audited(self, name: str, folder: Path) -> Board:
        """The board of a dataset, once its completed texts are audited; what is on file is not worked out again."""
        kept = _kept_audits(folder)
        for condition, key in self._audit_keys(name):
            if key not in kept and (audit := self.get(name).audit(condition)):
                kept[key] = asdict(audit)
                partial = folder / ".audits.json"
                partial.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
                partial.replace(folder / AUDITS)
        return self.get(name)

    def audits(self, folder: Path) -> dict[str, list[TextAudit]]:
        """Dataset -> the audits on file of the completed texts of the study."""
        kept = _kept_audits(folder)
        return {
            name: [TextAudit(**kept[key]) for _, key in self._audit_keys(name) if key in kept]
            for name in self.protocols
        }

    def _audit_keys(self, name: str) -> list[tuple[str, str]]:
        """Each completed text of the study, and everything that decides its audit."""
        return [
            (one, " ".join([name, self.protocols[name], one, self.fingerprint(name), self._completions.digest(one)]))
            for one in COMPLETED
            if one in self._texts
        ]


def _kept_audits(folder: Path) -> dict[str, Any]:
    path = folder / AUDITS
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def text_cells(plan: StudyPlan, boards: Boards, completions: Completions) -> list[Cell]:
    """Every model with its texts on one dataset after the other, all with one seed before the next."""
    return [
        Cell(
            dataset=name,
            protocol=protocol,
            label=label,
            model=plan.models[label].model or label,
            settings=plan.models[label].settings,
            condition=condition,
            seed=seed,
            k=plan.k,
            trials=plan.trials,
            data=boards.fingerprint(name),
            texts=completions.digest(condition),
        )
        for name, protocol in boards.protocols.items()
        for seed in range(plan.seeds)
        for label, condition in plan.pairs()
    ]


def field_cells(models: Sequence[str], boards: Boards, *, seeds: int, k: int) -> list[Cell]:
    """Each model with every field alone beside the ids and left out; without ids and without past applications, where
    its settings have that."""
    return [
        Cell(
            dataset=name,
            protocol=protocol,
            label=label,
            model=model,
            settings=settings,
            condition=condition,
            seed=seed,
            k=k,
            trials=0,
            data=boards.fingerprint(name),
            texts="",
        )
        for name, protocol in boards.protocols.items()
        for fields in [boards.get(name).fields]
        for seed in range(seeds)
        for model in models
        for label, settings, condition in _field_rows(model, fields)
    ]


def _field_rows(model: str, fields: Sequence[str]) -> Iterator[tuple[str, dict[str, bool | int], str]]:
    """Label, settings and condition."""
    for condition in field_conditions(fields):
        yield model, {}, condition
    without: dict[str, dict[str, bool | int]] = {"ids": {"ids": False}, "past": {"history": 0}}
    for what, settings in without.items():
        if _takes(model, settings):
            yield f"{model}-no-{what}", settings, "everything"


def _takes(model: str, settings: Mapping[str, bool | int]) -> bool:
    try:
        config_class(model).model_validate(settings)
    except ValidationError:
        return False
    return True


def quick_market(workspace: Workspace) -> str:
    """The name of a small synthetic market, made on the spot when it is not there."""
    if not (workspace.dataset(QUICK) / "dataset.json").is_file():
        market = generate(MarketKnobs(people=QUICK_PEOPLE), 0)
        about = {"source": f"the synthetic market, {QUICK_PEOPLE} people, seed 0"}
        workspace.save(QUICK, market.tables, about, extras=lambda folder: save_truth(market, folder / "oracle"))
    return QUICK
