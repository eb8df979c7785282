"""What only the generator knows, and how it is kept: in the folder `oracle/` of a dataset's folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from metier.errors import DataRejectedError
from metier.sources.market.knobs import MarketKnobs

if TYPE_CHECKING:
    from metier.sources.market.generate import Market

FORMAT = 1
"""Version of the files; raised when a market of the same knobs and seed would differ."""


@dataclass(frozen=True)
class Truth:
    """The latent side of people and jobs, in the row order of their tables.

    people : id, window, worked, occupation (the one they seek), city, seniority, applications (that they set out to
        make), is_test, skills.
    jobs : id, window, occupation, city, seniority, popularity, skills.

    Occupations and cities are numbers into `World`; seniority runs from 0 to 3; popularity is standard normal; skills
    are sets of bits.
    """

    knobs: MarketKnobs
    seed: int
    people: pl.DataFrame
    jobs: pl.DataFrame


def save_truth(market: "Market", folder: Path) -> None:
    """Write people.parquet, jobs.parquet and market.json into `folder`, which is made.

    In a workspace it is "oracle" in the dataset's folder, written with the dataset by the `extras` of
    `Workspace.save`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    market.truth.people.write_parquet(folder / "people.parquet")
    market.truth.jobs.write_parquet(folder / "jobs.parquet")
    about = {"format": FORMAT, "seed": market.truth.seed, "knobs": market.truth.knobs.model_dump()}
    (folder / "market.json").write_text(json.dumps(about, indent=2))


def load_truth(folder: Path) -> Truth:
    """What `save_truth` wrote; DataRejectedError when it is absent or of another version."""
    try:
        about = json.loads((folder / "market.json").read_text())
    except (OSError, ValueError) as error:
        raise DataRejectedError(f"{folder}: no readable market.json ({error}); cure: make the market again") from None
    if about.get("format") != FORMAT:
        raise DataRejectedError(
            f"{folder}/market.json has format {about.get('format')!r}, this version reads {FORMAT}; "
            "cure: make the market again"
        )
    return Truth(
        MarketKnobs(**about["knobs"]),
        about["seed"],
        pl.read_parquet(folder / "people.parquet"),
        pl.read_parquet(folder / "jobs.parquet"),
    )
