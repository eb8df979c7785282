"""Impact ratios of what recruiters were shown, worked by hand."""

import pytest

from metier.errors import DataRejectedError, UsageError
from metier.operate import shown as module
from metier.operate.shown import DAY, ShownToRecruiters, shown_to_recruiters
from metier.store.audit import Entry
from metier.store.people import Person
from metier.store.store import Store

NOW = 1_800_000_000.0
PEOPLE = dict.fromkeys("abcde", 0.0)


@pytest.fixture
def store(tmp_path):
    store = Store.open(tmp_path / "store.db")
    store.clock = lambda: NOW
    yield store
    store.close()


@pytest.fixture
def shown(store, tmp_path):
    """Impact ratios of lists (days ago, people) for people (id -> since when), who are of the groups of a file."""
    tenant = store.add_tenant("main").id

    def ask(lists, people=PEOPLE, groups="person,sex\na,f\nb,f\nc,m\nd,m\nnobody,m\n", days=365):
        file = tmp_path / "groups.csv"
        if groups is not None:
            file.write_text(groups)
        with store.write(tenant) as rows:
            for ago, names in lists:
                told = {"version": "m@1", "people": [(one, 0.5) for one in names]}
                rows.audit.append_many([Entry("someone", "candidates.served", "job", told, NOW - ago * DAY)])
            rows.audit.append("someone", "person.viewed", "d")
        with store.read(tenant) as rows:
            return shown_to_recruiters(rows, file, people, days=days)

    return ask


def counts(found):
    (table,) = found.tables
    return {row.category: (row.people, row.assessed, row.selected, row.rate, row.ratio) for row in table.rows}


def test_rates_and_ratios(shown):
    found = shown([(2, "ab"), (1, "ac")])
    assert (found.days, found.lists) == (365, 2)
    assert (found.tables[0].people, found.tables[0].unknown) == (4, 1)
    assert counts(found) == {("f",): (2, 4, 3, 0.75, 1.0), ("m",): (2, 4, 1, 0.25, pytest.approx(1 / 3))}


def test_nobody_is_assessed_for_a_list_from_before_they_could_be_found(shown):
    """c came between the lists, d after both; without this rule m would have 4 assessments and half the rate."""
    since = PEOPLE | {"c": NOW - 1.5 * DAY, "d": NOW - 0.5 * DAY}
    found = shown([(2, "abc"), (1, "ac")], since)
    assert counts(found) == {("f",): (2, 4, 3, 0.75, 0.75), ("m",): (1, 1, 1, 1.0, 1.0)}


def test_only_lists_of_the_period_count(shown):
    found = shown([(366, "c"), (364, "a"), (31, "c"), (29, "ac")], days=30)
    assert (found.days, found.lists) == (30, 1)
    assert counts(found) == {("f",): (2, 2, 1, 0.5, 1.0), ("m",): (2, 2, 1, 0.5, 1.0)}
    assert shown([]).lists == 3


def test_every_list_of_the_period_counts_however_many_rows_there_are(shown, store):
    with store.write(store.tenants()[0].id) as rows:
        for _ in range(21):
            rows.audit.append_many([Entry("someone", "recommendations.served", "a")] * 1000)
    found = shown([(200, "a")])
    assert (found.lists, counts(found)[("f",)][1:3]) == (1, (2, 1))


@pytest.mark.parametrize(
    ("groups", "error", "said"),
    [
        (None, DataRejectedError, "cannot be read"),
        ("id,sex\na,f\n", UsageError, "no column person"),
        ("person\na\n", UsageError, "or no other"),
        ("person,sex\na,f\na,m\n", DataRejectedError, "line 3, column 'sex': another value"),
        ("person,sex\n,f\n", DataRejectedError, "nobody's id"),
    ],
)
def test_file_that_is_none(shown, groups, error, said):
    with pytest.raises(error, match=said):
        shown([(1, "a")], groups=groups)


def test_nobody_could_be_on_a_list(shown):
    assert (shown([]).lists, shown([]).tables) == (0, ())
    assert shown([(1, "a")], people={}).tables == ()
    assert shown([], people={"a": NOW}).tables == ()


def test_ratios_are_kept_until_a_list_a_person_or_a_group_changes(store, tmp_path, monkeypatch):
    tenant, file, made = store.add_tenant("main").id, tmp_path / "groups.csv", []
    monkeypatch.setattr(module, "shown_to_recruiters", lambda *a, **k: made.append(1) or shown_to_recruiters(*a, **k))
    kept, now = ShownToRecruiters(), NOW

    def write(work):
        with store.write(tenant) as rows:
            work(rows)

    def listed(*people, ago=0.0):
        told = {"version": "m@1", "people": [(one, 0.5) for one in people]}
        write(lambda rows: rows.audit.append_many([Entry("a", "candidates.served", "job", told, now - ago * DAY)]))

    def ask():
        """Whether it was counted anew, and how many of f were selected."""
        before = len(made)
        with store.read(tenant) as rows:
            selected = sum(row.selected for table in kept.over(rows, file, 30).tables for row in table.rows[:1])
        return len(made) - before, selected

    with pytest.raises(DataRejectedError, match="cannot be read"):
        ask()
    file.write_text("person,sex\na,f\nb,m\n")
    store.clock = lambda: now - 99 * DAY
    write(lambda rows: rows.people.save([Person("a", discoverable=True), Person("b", discoverable=True)]))
    store.clock = lambda: now
    listed("a", ago=29)
    assert [ask(), ask()] == [(1, 1), (0, 1)]
    write(lambda rows: rows.audit.append("a", "person.viewed", "b"))
    assert ask() == (0, 1), "a row that is no list"
    listed("a", "b")
    assert [ask(), ask()] == [(1, 2), (0, 2)]
    file.write_text("person,sex\na,m\nb,f\n")
    assert [ask(), ask()] == [(1, 1), (0, 1)]
    now += 2 * DAY
    listed("a")
    assert [ask(), ask()] == [(1, 1), (0, 1)], "as many lists, of which the first is another"
    write(lambda rows: rows.people.save([Person("b")]))
    assert [ask(), ask()] == [(1, 2), (0, 2)], "only a is left, of m"
