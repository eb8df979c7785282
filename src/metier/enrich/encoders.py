"""Text encoders by name, and their comparison as batch work: a partition is an encoder."""

import json
from pathlib import Path

import polars as pl

from metier.data.splits import Protocol
from metier.data.workspace import Workspace
from metier.engine import kept, work
from metier.enrich.grounds import with_masked_people
from metier.errors import MissingExtraError, ModelAnswerError, UsageError
from metier.evaluate.encoder_comparison import compare_encoders
from metier.features.endpoint import EndpointEmbedder
from metier.features.sentences import SentenceEmbedder
from metier.features.text import Embedder, StaticEmbedder

ENCODERS = ("tfidf", "static", "sentences")
RESULT = pl.Schema({"row": pl.String, "left_out": pl.String, "code": pl.Int64})
"""A row of the comparison as JSON, or why the encoder has none and the exit code that this is worth."""


def encoder(name: str, base_url: str | None) -> Embedder | None:
    """What goes by a name, None for words themselves; with a `base_url` the name is a model's there.

    UsageError lists the names.
    """
    if base_url is not None:
        return EndpointEmbedder(base_url, name)
    match name:
        case "tfidf":
            return None
        case "static":
            return StaticEmbedder()
        case "sentences":
            return SentenceEmbedder()
    raise UsageError(f"no encoder {name!r}; there: {', '.join(ENCODERS)}")


@work
def compare(
    batch: pl.DataFrame,
    *,
    home: str,
    dataset: str,
    fingerprint: str,
    protocol: Protocol,
    sizes: list[int],
    k: int,
    seed: int,
    people: int | None,
) -> pl.DataFrame:
    """The rows of one encoder: a partition of one row, name and base_url. What goes to an endpoint is masked."""
    (name, base_url) = batch.select("name", "base_url").row(0)
    tables = kept("dataset", (home, dataset, fingerprint), lambda: Workspace(Path(home)).load(dataset))
    shown = with_masked_people(tables) if base_url else tables
    try:
        chosen = {name: encoder(name, base_url)}
        found = list(compare_encoders(shown, protocol, chosen, sizes=sizes, k=k, seed=seed, most_people=people))
    except (MissingExtraError, ModelAnswerError) as error:
        code = error.exit_code if isinstance(error, ModelAnswerError) else 0
        return pl.DataFrame([(None, str(error), code)], RESULT, orient="row")
    return pl.DataFrame([(json.dumps(one.as_row()), None, 0) for one in found], RESULT, orient="row")
