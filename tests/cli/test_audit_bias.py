"""`metier audit bias`: figures worked by hand, in every form."""

import csv
import io
import json

import pytest

from metier.cli.audit_bias import STATEMENT


@pytest.fixture
def people(tmp_path):
    """Women 3 of 10 and men 5 of 10 selected: ratio 0.6. One more of unknown sex. Race by turns."""
    lines = ["person,sex,race,selected"]
    for sex, chosen in (("female", 3), ("male", 5)):
        lines += [f"{sex}{i},{sex},{'xy'[i % 2]},{int(i < chosen)}" for i in range(10)]
    path = tmp_path / "people.csv"
    path.write_text("\n".join([*lines, "z,,x,1"]) + "\n")
    return path


def test_json(metier, people):
    ran = metier("audit", "bias", people, "--by", "sex", "--by", "race", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert report["statement"] == STATEMENT
    sex, race, crossed = report["selection"]
    assert (sex["by"], sex["people"], sex["unknown"]) == (["sex"], 20, 1)
    women, men = sex["rows"]
    assert women["category"] == {"sex": "female"}
    assert (women["people"], women["selected"], women["rate"], women["ratio"]) == (10, 3, 0.3, pytest.approx(0.6))
    assert women["below_four_fifths"]
    assert not women["interval_below_four_fifths"]
    assert (men["ratio"], men["p"]) == (1.0, None)
    assert (race["people"], race["unknown"]) == (21, 0)
    # Selected women are 0, 1, 2: two of the five with x, one of the five with y.
    assert [(tuple(row["category"].values()), row["selected"]) for row in crossed["rows"]] == [
        (("female", "x"), 2),
        (("female", "y"), 1),
        (("male", "x"), 3),
        (("male", "y"), 2),
    ]


def test_the_tables_of_the_law(metier, people):
    ran = metier("audit", "bias", people, "--by", "sex", "--by", "race", "--format", "ll144")
    rows = list(csv.reader(io.StringIO(ran.out)))
    assert rows[0] == ["sex Categories", "# of Applicants", "# Selected", "Selection Rate", "Impact Ratio"]
    assert rows[1:3] == [["female", "10", "3", "30.0%", "0.600"], ["male", "10", "5", "50.0%", "1.000"]]
    assert rows[3] == ["Note: 1 people of unknown sex are not in these figures."]
    assert ["sex", "race", "# of Applicants", "# Selected", "Selection Rate", "Impact Ratio"] in rows
    assert ["female", "y", "5", "1", "20.0%", "0.333"] in rows
    assert rows[-1] == [STATEMENT]


def test_a_scoring_rate(metier, tmp_path):
    """Scores 1 to 8, the median 4.5: of the women 1, 2, 3, 8 one is above, of the men 4, 5, 6, 7 three are."""
    path = tmp_path / "scores.csv"
    pairs = [*((f"w{s}", "f", s) for s in (1, 2, 3, 8)), *((f"m{s}", "m", s) for s in (4, 5, 6, 7))]
    path.write_text("person,sex,score\n" + "".join(f"{p},{sex},{s}\n" for p, sex, s in pairs))
    rows = list(csv.reader(io.StringIO(metier("audit", "bias", path, "--by", "sex", "--format", "ll144").out)))
    assert rows[:3] == [
        ["sex Categories", "# of Applicants", "Scoring Rate", "Impact Ratio"],
        ["f", "4", "25.0%", "0.333"],
        ["m", "4", "75.0%", "1.000"],
    ]


def test_csv_has_every_figure_and_no_formula(metier, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("person,=sex,selected\na,=1+1,1\nb,m,0\nc,m,1\n")
    ran = metier("audit", "bias", path, "--by", "=sex", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert [row["category"] for row in rows] == ["'=sex==1+1", "'=sex=m"]
    assert [float(row["ratio"]) for row in rows] == [1.0, 0.5]
    assert metier("audit", "bias", path, "--by", "=sex", "--format", "ll144").out.splitlines()[1].startswith("'=1+1,")


def test_the_table_says_what_it_is_not(metier, people):
    ran = metier("audit", "bias", people, "--by", "sex")
    assert "below, interval reaches 0.8" in ran.out
    assert STATEMENT in ran.err
    assert "1 people of unknown category are left out" in ran.err


def test_a_small_category_may_be_left_out(metier, tmp_path):
    path = tmp_path / "people.csv"
    rows = [*(f"m{i},m,{i % 2}" for i in range(60)), *(f"f{i},f,{i % 2}" for i in range(60)), "d,d,1"]
    path.write_text("\n".join(["person,sex,selected", *rows]) + "\n")
    asked = ["audit", "bias", path, "--by", "sex", "--format", "ll144"]
    assert "d,1,1,100.0%,1.000" in metier(*asked).out
    assert "d,1,1,100.0%,excluded (below 2 %)" in metier(*asked, "--exclude-small").out


def test_a_model_is_asked_about_its_own_people(metier, town_home):
    assert metier("train", "town", "--model", "content", "--as", "content").code == 0
    asked = ["audit", "bias", "--bundle", "content", "--dataset", "town", "--by", "state", "--json"]
    ran = metier(*asked, "--sample", "5", "-k", "12")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    [table] = report["selection"]
    assert sum(row["selected"] for row in table["rows"]) == 5 * 12
    assert sum(row["assessed"] for row in table["rows"]) == 5 * 120
    assert {row["p"] for row in table["rows"]} == {None}  # each person was assessed five times
    assert set(report) == {"statement", "selection", "scoring"}
    one = json.loads(metier(*asked, "--jobs", "j1", "--direction", "jobs").out)
    assert set(one) == {"statement", "selection"}
    banded = metier(*asked[:-2], "experience_years", "--bands", "experience_years=10,20", "--json")
    names = [row["category"]["experience_years"] for row in json.loads(banded.out)["selection"][0]["rows"]]
    assert names == ["10 to under 20", "20 and over", "under 10"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "whose figures"),
        (["--bundle", "content", "--by", "state"], "whose figures"),
        (["FILE"], "by which categories"),
        (["FILE", "--by", "age"], "no column 'age'"),
        (["FILE", "--by", "sex", "--bands", "age=1"], "--bands goes with --dataset"),
        (["--bundle", "b", "--dataset", "town", "--by", "experience_years"], "--bands experience_years=18,40"),
        (["--bundle", "b", "--dataset", "town", "--by", "state", "--bands", "x"], "COLUMN=NUMBER"),
    ],
)
def test_wrong_use(metier, people, arguments, said):
    ran = metier("audit", "bias", *[people if one == "FILE" else one for one in arguments])
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
