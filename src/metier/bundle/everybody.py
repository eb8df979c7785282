"""Recommendations for all people of a bundle, as partitions of them on an engine."""

from pathlib import Path

import numpy as np
import polars as pl

from metier.bundle.answer import Bundle
from metier.bundle.storage import check_files, digest, load_shared
from metier.engine import RunningEngine, Work, kept, work
from metier.engine import parts as storage
from metier.engine.base import Progress

ROWS = 16_384
"""People a partition: enough that laying out the catalogue for their window is a small part of ranking it."""


def recommend_everybody(
    engine: RunningEngine, folder: Path, out: str, k: int, *, rows: int = ROWS, progress: Progress | None = None
) -> list[str]:
    """Rank the open jobs for everybody in a bundle; exactly what `Bundle.recommend` gives.

    Parameters
    ----------
    folder : of the bundle; workers find it under the same path, and share its pages where they share a machine.
    out : folder or URL of the partitions: person, rank (1 is best), job, score. People by window, then in the order of
        the bundle; who gets nothing has no row.
    rows : people a partition.

    Returns
    -------
    URLs of the partitions.

    Raises
    ------
    BundleError : the folder is no whole bundle; its hashes are checked here, once. MetierError : as the engine.
    """
    check_files(folder)
    windows = pl.read_parquet(folder / "people.parquet", columns=["window"])
    people = windows.with_row_index("row").sort("window", "row").select("row")
    asked = storage.join(out, ".people")
    parts = storage.save_table(people, asked, rows)
    settings = {"folder": str(folder.absolute()), "digest": digest(folder), "k": k}
    found = engine.map_batches(
        Work("metier.bundle.everybody:recommend_people", settings), parts, out, progress=progress
    )
    storage.remove(asked)
    return found


@work
def recommend_people(batch: pl.DataFrame, *, folder: str, digest: str, k: int) -> pl.DataFrame:
    """person, rank, job, score for the people in the rows `row` of the bundle."""
    bundle: Bundle = kept("bundle", (folder, digest), lambda: load_shared(Path(folder), digest))
    users = batch["row"].to_numpy().astype(np.int32)
    ranking = bundle.recommend(bundle.dataset.query(users), k)
    person, place = np.nonzero(ranking.items >= 0)
    return pl.DataFrame(
        {
            "person": bundle.people_table["id"].gather(users[person]),
            "rank": (place + 1).astype(np.int32),
            "job": bundle.job_table["id"].gather(ranking.items[person, place]),
            "score": ranking.scores[person, place],
        }
    )
