"""MAP@25 of every model on the synthetic market and on each real board at hand: one table, models by boards.

    python benchmarks/boards.py [DATA] [--boards market,quickhire] [--models place,fm]

DATA is a folder with careerbuilder_slice, quickhire and scout (default ../shared/data); boards that are absent are
left out and named. Each cell is MAP@25 with its 95 % interval; defaults everywhere, seed 0.
"""

import argparse
import sys
from pathlib import Path

from metier.data import Tables
from metier.data.splits import Protocol
from metier.evaluate.evaluation import Evaluation, evaluate
from metier.evaluate.summary import rows
from metier.models.registry import available
from metier.sources.market import MarketKnobs, generate
from metier.sources.table import read_table
from metier.sources.table_map import read_map

EXAMPLES = Path(__file__).parent.parent / "examples"
BOARDS: dict[str, Protocol] = {
    "careerbuilder_slice": "leave-last-out",
    "quickhire": "leave-last-out",
    "scout": "given",
}


def tables_of(board: str, data: Path) -> tuple[Tables, Protocol] | None:
    """Tables and protocol of a board; None where it is not at hand."""
    if board == "market":
        return generate(MarketKnobs(), 0).tables, "temporal"
    if not (data / board).is_dir():
        print(f"{board}: not in {data}, left out", file=sys.stderr)
        return None
    return read_table(data / board, read_map(EXAMPLES / f"{board}.toml"))[0], BOARDS[board]


def cells(evaluation: Evaluation) -> dict[str, str]:
    """Model -> MAP@25 with its interval; the best in bold."""
    kept = [row for row in rows(evaluation, ["all"]) if row["metric"] == "map" and row["k"] == evaluation.k]
    texts = {row["model"]: f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]" for row in kept}
    best = max(kept, key=lambda row: row["value"] or 0.0)["model"]
    return texts | {best: f"**{texts[best]}**"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--boards", default=",".join(["market", *BOARDS]), help="comma separated")
    parser.add_argument("--models", default=",".join(available()), help="comma separated")
    given = parser.parse_args()
    models, columns = given.models.split(","), {}
    for board in given.boards.split(","):
        if found := tables_of(board, given.data):
            tables, protocol = found
            evaluation = evaluate(tables, protocol, {model: (model, {}) for model in models}, progress=tell)
            columns[f"{board}, {protocol}, {len(evaluation.people):,} people"] = cells(evaluation)
    print("| model | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for model in models:
        print(f"| {model} | " + " | ".join(found.get(model, "failed") for found in columns.values()) + " |")


def tell(done: int, steps: int, what: str) -> None:
    """A line for each fit."""
    print(f"{done} of {steps}: {what}", file=sys.stderr)


if __name__ == "__main__":
    main()
