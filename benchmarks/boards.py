"""MAP@25 of every model on the synthetic market and on each real board at hand: one table, models by boards.

    python benchmarks/boards.py [DATA]

DATA is a folder with careerbuilder_slice, quickhire and scout (default ../shared/data); boards that are absent are
left out and named. Each cell is MAP@25 with its 95 % interval; defaults everywhere, seed 0.
"""

import sys
from pathlib import Path

from metier.data import Tables
from metier.data.splits import Protocol
from metier.evaluate.evaluation import Evaluation, evaluate
from metier.evaluate.summary import rows
from metier.models.registry import MODELS
from metier.sources.market import MarketKnobs, generate
from metier.sources.table import read_table
from metier.sources.table_map import read_map

EXAMPLES = Path(__file__).parent.parent / "examples"
BOARDS: dict[str, Protocol] = {
    "careerbuilder_slice": "leave-last-out",
    "quickhire": "leave-last-out",
    "scout": "given",
}


def boards(data: Path) -> dict[str, tuple[Tables, Protocol]]:
    """Name -> tables and protocol."""
    found: dict[str, tuple[Tables, Protocol]] = {"market": (generate(MarketKnobs(), 0).tables, "temporal")}
    for name, protocol in BOARDS.items():
        if (data / name).is_dir():
            tables, _ = read_table(data / name, read_map(EXAMPLES / f"{name}.toml"))
            found[name] = (tables, protocol)
        else:
            print(f"{name}: not in {data}, left out", file=sys.stderr)
    return found


def cells(evaluation: Evaluation) -> dict[str, str]:
    """Model -> MAP@25 with its interval; the best in bold."""
    kept = [row for row in rows(evaluation, ["all"]) if row["metric"] == "map" and row["k"] == evaluation.k]
    texts = {row["model"]: f"{row['value']:.4f} [{row['low']:.4f}, {row['high']:.4f}]" for row in kept}
    best = max(kept, key=lambda row: row["value"] or 0.0)["model"]
    return texts | {best: f"**{texts[best]}**"}


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data")
    columns = {}
    for name, (tables, protocol) in boards(data).items():
        evaluation = evaluate(tables, protocol, {model: (model, {}) for model in MODELS})
        columns[f"{name}, {protocol}, {len(evaluation.people):,} people"] = cells(evaluation)
        print(f"{name} done", file=sys.stderr)
    print("| model | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for model in MODELS:
        print(f"| {model} | " + " | ".join(found[model] for found in columns.values()) + " |")


if __name__ == "__main__":
    main()
