"""Impact ratios of what recruiters were shown, worked by hand."""

import pytest

from metier.errors import DataRejectedError, UsageError
from metier.serve.impact import impact_of_candidates
from metier.store.store import Store

PEOPLE = ["a", "b", "c", "d", "e"]


@pytest.fixture
def rows(tmp_path):
    store = Store.open(tmp_path / "store.db")
    tenant = store.add_tenant("main").id
    with store.write(tenant) as writing:
        for shown in (["a", "b"], ["a", "c"]):
            writing.audit.append("someone", "candidates.served", "job", people=[(one, 0.5) for one in shown])
        writing.audit.append("someone", "person.viewed", "d")
    with store.read(tenant) as reading:
        yield reading
    store.close()


def test_rates_and_ratios(rows, tmp_path):
    file = tmp_path / "groups.csv"
    file.write_text("person,sex\na,f\nb,f\nc,m\nd,m\nnobody,m\n")
    (table,) = impact_of_candidates(rows, file, PEOPLE)
    assert (table.people, table.unknown) == (4, 1)
    by_group = {row.category: (row.assessed, row.selected, row.rate, row.ratio) for row in table.rows}
    assert by_group[("f",)] == (4, 3, 0.75, 1.0)
    assert by_group[("m",)] == (4, 1, 0.25, pytest.approx(1 / 3))


def test_file_that_is_none(rows, tmp_path):
    file = tmp_path / "groups.csv"
    with pytest.raises(DataRejectedError):
        impact_of_candidates(rows, file, PEOPLE)
    file.write_text("id,sex\na,f\n")
    with pytest.raises(UsageError):
        impact_of_candidates(rows, file, PEOPLE)


def test_nobody_shown(tmp_path):
    store = Store.open(tmp_path / "store.db")
    tenant = store.add_tenant("main").id
    file = tmp_path / "groups.csv"
    file.write_text("person,sex\na,f\n")
    with store.read(tenant) as reading:
        assert impact_of_candidates(reading, file, PEOPLE) == []
    store.close()
