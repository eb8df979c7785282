"""Assessments out of CSV files and out of a trained model."""

import numpy as np
import polars as pl
import pytest

from metier.bundle import load
from metier.data.workspace import Workspace
from metier.errors import DataRejectedError, UsageError
from metier.operate.assessments import categories, of_bundle, read_csv

READ = {"person": "id", "selected": "selected", "score": "score"}


@pytest.fixture
def table(tmp_path):
    def write(*lines):
        path = tmp_path / "people.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def test_a_row_is_an_assessment(table):
    path = table("id,sex,selected,score", "a,f,1,3", "b, F ,0,1", "c,,0,2", "d,Unknown,1,", "a,f,0,9")
    found = read_csv(path, ["sex"], unknown=["unknown"], **READ)
    assert found["selection"].rows() == [("a", "f", 2, 1), ("b", "F", 1, 0), ("c", None, 1, 0), ("d", None, 1, 1)]
    # The scores 3, 1, 2, 9 have the median 2.5, which 3 and 9 are above; d was not scored.
    assert found["scoring"].rows() == [("a", "f", 2, 2), ("b", "F", 1, 0), ("c", None, 1, 0)]


def test_one_outcome_is_enough(table):
    assert set(read_csv(table("id,sex,selected", "a,f,1"), ["sex"], **READ)) == {"selection"}
    assert set(read_csv(table("id,sex,score", "a,f,1.5"), ["sex"], **READ)) == {"scoring"}


@pytest.mark.parametrize(
    ("lines", "error", "said"),
    [
        (["id,sex,selected", "a,f,2"], DataRejectedError, "line 2, column 'selected': neither 0 nor 1"),
        (["id,sex,selected", "a,f,1", "b,f,"], DataRejectedError, "line 3, column 'selected'"),
        (["id,sex,score", "a,f,x"], DataRejectedError, "line 2, column 'score': no number"),
        (["id,sex,score", "a,f,inf"], DataRejectedError, "column 'score': no number"),
        (["id,sex,selected", ",f,1"], DataRejectedError, "column 'id': nobody's id"),
        (["id,sex,selected", "a,f,1", "a,m,1"], DataRejectedError, "line 3, column 'sex': another value"),
        (["id,selected", "a,1"], UsageError, "no column 'sex'"),
        (["id,sex", "a,f"], UsageError, "no column 'selected'"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_line(table, lines, error, said):
    with pytest.raises(error, match=said):
        read_csv(table(*lines), ["sex"], **READ)


def test_a_value_is_never_quoted(table):
    with pytest.raises(DataRejectedError) as caught:
        read_csv(table("id,sex,selected", "canary,f,canary"), ["sex"], **READ)
    assert "canary" not in str(caught.value)


def test_numbers_become_bands_and_lists_are_joined():
    people = pl.DataFrame({"age": [17.0, 18.0, 39.0, 40.0, None], "tags": [["b", "a"], ["a"], None, [], ["c"]]})
    made = categories(people, ["age", "tags"], {"age": [40, 18]})
    assert made["age"].to_list() == ["under 18", "18 to under 40", "18 to under 40", "40 and over", None]
    assert made["tags"].to_list() == ["a, b", "a", None, None, "c"]
    with pytest.raises(UsageError, match="--bands age=18,40"):
        categories(people, ["age"], {})
    with pytest.raises(UsageError, match="no attribute 'sex'"):
        categories(people, ["sex"], {})


@pytest.fixture
def content(town_home, metier):
    assert metier("train", "town", "--model", "content", "--as", "content").code == 0
    return load(Workspace(town_home).model("content"))


def test_people_for_a_job(content, town_home):
    """Of each job's people the k with the highest scores are selected, counted here with a plain sort."""
    people = Workspace(town_home).load("town").people
    jobs = np.array([0, 5, 7], np.int32)
    found = of_bundle(content, people, ["state"], jobs, 10, direction="people")
    scores = content.model.score(content.dataset.query(np.arange(len(people), dtype=np.int32)), jobs)
    chosen = found["selection"]["selected"].to_numpy()
    assert chosen.sum() == 30
    for person in np.flatnonzero(chosen == 3):
        assert all((scores[:, job] > scores[person, job]).sum() < 10 for job in range(3))
    for person in np.flatnonzero(chosen == 0):
        assert all((scores[:, job] >= scores[person, job]).sum() > 10 for job in range(3))
    above = (scores > np.median(scores, axis=0)).sum(axis=1)
    np.testing.assert_array_equal(found["scoring"]["selected"].to_numpy(), above)
    assert found["selection"]["assessed"].to_list() == [3] * len(people)


def test_a_job_among_those_suggested(content, town_home):
    people = Workspace(town_home).load("town").people
    jobs = np.arange(0, 80, 2, dtype=np.int32)
    query = content.dataset.query(np.arange(len(people), dtype=np.int32))
    found = of_bundle(content, people, ["state"], jobs, 5, direction="jobs")["selection"]
    items = content.recommend(query, 5).items
    expected = [sum(item in set(jobs.tolist()) for item in row) for row in items.tolist()]
    assert found["selected"].to_list() == expected
    assert set(found["assessed"]) == {len(jobs)}


def test_people_without_attributes_are_unknown(content, town_home):
    people = Workspace(town_home).load("town").people.head(100)
    found = of_bundle(content, people, ["degree"], np.array([0], np.int32), 5, direction="people")["selection"]
    assert found["degree"].null_count() == len(content.dataset.users) - 100
