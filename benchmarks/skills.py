"""Skills and occupations in real texts: how many are found, how many are right, how fast, and what they tell.

    python benchmarks/skills.py [--data ../shared/data] [--home metier-home] [--json] [--quick]

Spans: sentences of job ads whose skills were marked by hand (columns as in metier.enrich.skill_scores), exact phrases
alone beside exact phrases and meaning. Categories: leave-one-out nearest centroid over the résumés of `texts`, once by
words, once by skills, and by the names of the categories alone. Threshold: on half of ESCO's skills, with one alias of
each skill left out and asked for; a skill of the other half has no right answer. Taxonomies that are not in the
workspace are left out.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from environments import table
from metier.data import CSR
from metier.data.workspace import Workspace
from metier.enrich.skill_scores import read_marks, score_skills
from metier.enrich.skills import THRESHOLD, SkillFinder
from metier.enrich.taxonomy import OWN, Taxonomy, load_taxonomy, read_export
from metier.features.text import StaticEmbedder, Tfidf

SAMPLE = "ESCO sample"
THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75)


def taxonomies(given: argparse.Namespace) -> list[Taxonomy]:
    """Our own, the sample of ESCO among the data, and what the workspace holds."""
    workspace = Workspace.open(given.home)
    there = [load_taxonomy(workspace, [name]) for name in (OWN, *workspace.names("taxonomies"))]
    sample = given.data / "esco_sample"
    found = [*there, *([read_export(sample, SAMPLE)] if sample.is_dir() else [])]
    return [*found, load_taxonomy(workspace, (OWN, "esco"))] if "esco" in workspace.names("taxonomies") else found


def spans(given: argparse.Namespace, of: list[Taxonomy]) -> list[dict[str, Any]]:
    """Recall and precision on marked sentences."""
    marked = read_marks(sorted((given.data / "texts" / "skill_spans").glob("*.csv")))
    return [
        {
            "taxonomy": taxonomy.name,
            "how": "exact" if threshold is None else "exact + meaning",
            **score_skills(SkillFinder(taxonomy, threshold=threshold), marked).as_row(),
        }
        for taxonomy in of
        for threshold in (None, THRESHOLD)
    ]


def speed(given: argparse.Namespace, of: list[Taxonomy]) -> list[dict[str, Any]]:
    """Characters per CPU second, over all résumés."""
    texts = resumes(given)["Resume"].to_list()
    rows = []
    for taxonomy in of:
        exact, both = SkillFinder(taxonomy, threshold=None), SkillFinder(taxonomy)
        both.find("first the word vectors are loaded")
        seconds = []
        for finder in (exact, both):
            start = time.process_time()
            finder.find_all(texts)
            seconds.append(time.process_time() - start)
        per_second = [round(sum(map(len, texts)) / one) for one in seconds]
        rows.append({"taxonomy": taxonomy.name, "phrases": exact.phrases.size, "exact": per_second[0]})
        rows[-1]["exact + meaning"] = per_second[1]
    return rows


def resumes(given: argparse.Namespace) -> pl.DataFrame:
    return pl.read_csv(given.data / "texts" / "resumes.csv.gz")


def categories(given: argparse.Namespace, of: list[Taxonomy]) -> list[dict[str, Any]]:
    """Accuracy of the category of a résumé, and what was taken for what."""
    frame = resumes(given)
    texts, truth = frame["Resume"].to_list(), np.array(frame["Category"].to_list())
    names = sorted(set(truth))
    static = StaticEmbedder()
    similar = static.embed(texts) @ static.embed(names).T
    found = [("names of the categories", np.array(names)[similar.argmax(axis=1)])]
    found.append(("words", left_out(Tfidf.fit(texts).encode(texts), truth)))
    for taxonomy in of:
        lines = SkillFinder(taxonomy).find_all(texts)
        said = [" ".join(f"term{match.id.encode().hex()}" for match in line) for line in lines]
        found.append((f"skills and occupations, {taxonomy.name}", left_out(Tfidf.fit(said).encode(said), truth)))
    return [
        {
            "by": by,
            "résumés": len(truth),
            "right": int((guess == truth).sum()),
            "accuracy": float((guess == truth).mean()),
            "confusion": {name: dict(Counter(guess[truth == name].tolist())) for name in names},
        }
        for by, guess in found
    ]


def left_out(vectors: CSR, truth: np.ndarray) -> np.ndarray:
    """(n,) the category whose mean vector, without the row itself, has the highest cosine."""
    rows = vectors.toarray().astype(np.float64)
    names = np.unique(truth)
    scores = np.full((len(rows), len(names)), -np.inf)
    for column, name in enumerate(names):
        mine = truth == name
        total = rows[mine].sum(axis=0)
        for row in range(len(rows)):
            centroid = total - rows[row] if mine[row] else total
            length = np.linalg.norm(centroid)
            if length > 1e-9:
                scores[row, column] = rows[row] @ centroid / length
    return np.asarray(names[scores.argmax(axis=1)])


def thresholds(taxonomy: Taxonomy, asked: int = 3000) -> list[dict[str, float]]:
    """Precision and recall of the nearest skill by threshold, on aliases that the finder does not know."""
    rng = np.random.default_rng(0)
    skills = taxonomy.of_kind("skill").filter(pl.col("aliases").list.len() > 0)
    skills = skills.sample(fraction=1, shuffle=True, seed=0).with_columns(known=pl.int_range(pl.len()) % 2 == 0)
    aliases = [list(one) for one in skills["aliases"]]
    queries = [one.pop(int(rng.integers(len(one)))) for one in aliases][:asked]
    known = skills.with_columns(aliases=pl.Series(aliases, dtype=pl.List(pl.String))).filter("known").drop("known")
    finder = SkillFinder(Taxonomy("half", known), threshold=-1.0)
    found = finder.nearest(queries, "skill")
    asked_ids = skills["id"].to_list()[: len(queries)]
    right = np.array([match.id == key if match else False for match, key in zip(found, asked_ids, strict=True)])
    score = np.array([match.score if match else -1.0 for match in found])
    answerable = skills["known"].to_numpy()[: len(queries)].sum()
    rows = []
    for threshold in THRESHOLDS:
        kept = score >= threshold
        hits = float((right & kept).sum())
        row = {"precision": hits / max(kept.sum(), 1), "recall": hits / answerable}
        rows.append({"threshold": threshold, **row, "F1": 2 * hits / (kept.sum() + answerable)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared" / "data")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="our own vocabulary and the sample only, no speed")
    given = parser.parse_args()
    if not (given.data / "texts").is_dir():
        sys.exit(f"skills.py: no real texts in {given.data}; give --data FOLDER")
    of = taxonomies(given)
    if given.quick:
        of = [one for one in of if one.name in (OWN, SAMPLE)]
    shown = {"spans": spans(given, of), "categories": categories(given, of[:1] if given.quick else of)}
    if not given.quick:
        shown["speed"] = speed(given, of)
        shown["thresholds"] = [row for one in of if one.name == "esco" for row in thresholds(one)]
    if given.json:
        print(json.dumps(shown))
        return
    for name, rows in shown.items():
        if not rows:
            continue
        columns = [column for column in rows[0] if column != "confusion"]
        print(f"\n{name}\n")
        print(table(columns, [[_shown(row[column]) for column in columns] for row in rows]))
        for row in rows:
            if "confusion" in row:
                print(f"\ncategory by {row['by']}\n")
                print(table(["category", "résumés", "right", "taken for"], confusion(row["confusion"])))


def confusion(counts: dict[str, dict[str, int]]) -> list[list[str]]:
    """One line a category: how many are right, and what the others were taken for."""
    lines = []
    for name, taken in counts.items():
        wrong = ", ".join(f"{other} {n}" for other, n in sorted(taken.items()) if other != name)
        lines.append([name, str(sum(taken.values())), str(taken.get(name, 0)), wrong])
    return lines


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
