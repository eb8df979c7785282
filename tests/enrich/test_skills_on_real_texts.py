"""Skills in real sentences and résumés, with bounds below what was measured; the data are not in the repository."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from metier.enrich.skill_scores import Mark, read_marks, score_skills
from metier.enrich.skills import SkillFinder
from metier.enrich.taxonomy import own_taxonomy
from metier.errors import DataRejectedError

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
ESCO_TAXONOMY = "ESCO sample"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What benchmarks/skills.py measures with our own vocabulary and the sample of ESCO."""
    if not (DATA / "texts").is_dir():
        pytest.skip(f"no real texts in {DATA}")
    command = [
        sys.executable,
        "benchmarks/skills.py",
        "--json",
        "--quick",
        "--home",
        str(tmp_path_factory.mktemp("home")),
    ]
    ran = subprocess.run([*command, "--data", str(DATA)], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return json.loads(ran.stdout)


def test_marked_skills_are_found(measured):
    rows = {(row["taxonomy"], row["how"]): row for row in measured["spans"]}
    exact, both = rows["own", "exact"], rows["own", "exact + meaning"]
    assert exact["marks"] == both["marks"] == 457
    assert exact["span_precision"] > 0.8
    assert exact["span_recall"] > 0.07
    assert both["span_recall"] > exact["span_recall"]
    assert both["span_precision"] > 0.8
    sample = rows[ESCO_TAXONOMY, "exact + meaning"]
    assert sample["span_precision"] > 0.8
    assert sample["label_recall"] >= rows[ESCO_TAXONOMY, "exact"]["label_recall"]


def test_categories_of_resumes_are_told(measured):
    """Chance is 1 in 25; the largest category is 7 of 83."""
    accuracy = {row["by"]: row["accuracy"] for row in measured["categories"]}
    assert accuracy["names of the categories"] > 0.5
    assert accuracy["words"] > 0.5
    assert accuracy["skills and occupations, own"] > 0.4
    assert all(sum(map(sum, map(dict.values, row["confusion"].values()))) == 83 for row in measured["categories"])


def test_scores_by_hand():
    """Two matches, one on a mark with the right name; three marks, one unnamed, one nobody finds."""
    text = "knife skills or wine, SQL Server"
    marks = {
        text: [
            Mark(0, 12, frozenset({"knife skills"})),
            Mark(16, 20, frozenset({"wine knowledge"})),
            Mark(0, 5, frozenset()),
        ]
    }
    scores = score_skills(SkillFinder(own_taxonomy(), threshold=None), marks)
    assert (scores.marks, scores.labelled, scores.matches) == (3, 2, 2)
    assert (scores.span_recall, scores.span_precision) == (2 / 3, 1 / 2)
    assert (scores.label_recall, scores.label_precision) == (1 / 2, 1 / 2)


def test_marks_are_read(tmp_path):
    path = tmp_path / "marks.csv"
    path.write_text(
        "sentence,span,sub_span,label\nIn C and Go,C and Go,Go,Go\nIn C and Go,C and Go,x,LABEL NOT PRESENT\n"
    )
    assert read_marks([path]) == {"In C and Go": [Mark(3, 11, frozenset()), Mark(9, 11, frozenset({"Go"}))]}
    path.write_text("sentence,span,sub_span,label\nIn C,Java,,x\n")
    with pytest.raises(DataRejectedError, match="a span of 4 characters is not in its sentence"):
        read_marks([path])
    path.write_text("sentence,span\na,b\n")
    with pytest.raises(DataRejectedError, match="no column 'label'"):
        read_marks([path])
