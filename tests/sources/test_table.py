import gzip
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutate

from metier.data.splits import folds
from metier.errors import ConfigError, DataRejectedError
from metier.sources.table import read_table
from metier.sources.table_map import TableMap, read_map

PEOPLE = {"file": "people.csv", "id": "id"}
JOBS = {"file": "jobs.csv", "id": "job"}
PAIRS = {"file": "views.csv", "person": "who", "job": "what"}


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        people='id,town,about,skills,more,score,born\n1,Erie,"bakes, a lot",bread; cake,cake,7,1.2.1990\n2,NA,,,,x,\n',
        jobs="job,name,what,where\nj1,Baker,<p>Bread</p>,Erie\nj2,Cook,<p>Soup</p><p>Salad</p>,York\nj3,Idle,,\n",
        firms="posting,kind,size\nj1,chain,10\nj3,shop,NA\nj3,shop,3\nj9,chain,4\n",
        papers="person,paper\n1,knife licence\n1,NA\n1,oven licence\n2,\n7,oven licence\n1,knife licence\n",
        past="id,role,did,since\n1,Helper,sold bread,2001-05-01\n2,Driver,,\n1,Baker,,2009-13-01\n",
        views=(
            "who,what,at,part\n1,j2,2020-01-02T10:00:00Z,Train\n1,j1,2020-01-01,Train\n1,j2,2020-01-01,test\n"
            "2,j9,2020-01-01,train\n8,j1,2020-01-01,train\n2,j1,,TEST\n2,j2,soon,test\n"
        ),
    )


FULL = {
    "format": {"nulls": ["", "NA"]},
    "people": {
        **PEOPLE,
        "city": "town",
        "text": ["about", "papers", "skills"],
        "attributes": {
            "skills": {"from": ["skills", "more"], "kind": "list", "separator": ";"},
            "score": {"from": "score", "kind": "number"},
            "born": {"from": "born", "kind": "date", "format": "%d.%m.%Y"},
        },
        "joins": [
            {
                "file": "papers.csv",
                "id": "person",
                "many": True,
                "attributes": {"papers": {"from": "paper", "kind": "list"}},
            }
        ],
    },
    "jobs": {
        **JOBS,
        "title": "name",
        "city": "where",
        "text": ["what"],
        "html": True,
        "joins": [
            {
                "file": "firms.csv",
                "id": "posting",
                "attributes": {"firm": "kind", "size": {"from": "size", "kind": "number"}},
            }
        ],
    },
    "history": {"file": "past.csv", "person": "id", "title": "role", "text": ["did"], "time": "since"},
    "interactions": {**PAIRS, "time": "at", "split": "part"},
}


def test_a_full_map(shop) -> None:
    tables, report = read_table(shop, TableMap.model_validate(FULL), max_bad=1.0)
    assert tables.people.drop("window", "state", "country", "zip").to_dicts() == [
        {
            "id": "1", "city": "Erie", "text": "bakes, a lot knife licence oven licence bread cake",
            "skills": ["bread", "cake"], "score": 7.0, "born": datetime(1990, 2, 1),
            "papers": ["knife licence", "oven licence"],
        },
        {"id": "2", "city": None, "text": None, "skills": None, "score": None, "born": None, "papers": None},
    ]  # fmt: skip
    assert tables.jobs.select("id", "title", "city", "text", "firm", "size").rows() == [
        ("j1", "Baker", "Erie", "Bread", "chain", 10.0),
        ("j2", "Cook", "York", "Soup Salad", None, None),
        ("j3", "Idle", None, None, "shop", None),
    ]
    assert tables.history.rows() == [
        ("1", 1, "Helper", "sold bread", datetime(2001, 5, 1)),
        ("2", 1, "Driver", None, None),
        ("1", 2, "Baker", None, None),
    ]
    assert tables.interactions.rows() == [
        ("1", "j1", datetime(2020, 1, 1), 1.0, "train"),
        ("1", "j2", datetime(2020, 1, 1), 1.0, "test"),
        ("2", "j1", None, 1.0, "test"),
    ]
    assert report.quarantine.select("file", "line", "column", "code").rows() == [
        ("firms.csv", 4, "posting", "duplicate"),
        ("firms.csv", 5, "posting", "unknown-job"),
        ("papers.csv", 6, "person", "unknown-person"),
        ("views.csv", 2, "what", "duplicate"),
        ("views.csv", 5, "what", "unknown-job"),
        ("views.csv", 6, "who", "unknown-person"),
        ("views.csv", 8, "at", "value"),
    ]
    warned = {file.file: file.warnings for file in report.files if file.warnings}
    assert warned == {
        "people.csv": {"score: unreadable, set to unknown": 1},
        "past.csv": {"since: unreadable, set to unknown": 1},
    }


def test_people_without_a_file_are_those_that_appear(shop) -> None:
    people = {"from": ["interactions", "history", "joins"], "joins": FULL["people"]["joins"]}
    tables, _ = read_table(shop, TableMap.model_validate(FULL | {"people": people}), max_bad=1.0)
    assert tables.people["id"].to_list() == ["1", "2", "8", "7"]
    assert tables.people["papers"].to_list()[-1] == ["oven licence"]
    only = FULL | {"people": {"from": ["interactions"]}}
    assert read_table(shop, TableMap.model_validate(only), max_bad=1.0)[0].people["id"].to_list() == ["1", "2", "8"]


def test_without_times_the_first_row_of_a_pair_stays_and_the_order_of_the_file(tmp_path) -> None:
    write(tmp_path, people="id\n1\n2\n", jobs="job\na\nb\n", views="who,what,n\n2,b,1\n1,a,2\n2,b,3\n2,a,4\n")
    made = {"people": PEOPLE, "jobs": JOBS, "interactions": {**PAIRS, "weight": "n"}}
    tables, report = read_table(tmp_path, TableMap.model_validate(made))
    assert tables.interactions.select("person", "job", "weight").rows() == [("2", "b", 1), ("1", "a", 2), ("2", "a", 4)]
    assert report.files[-1].duplicates == 1


def test_a_weight_that_is_not_above_zero_costs_its_row(tmp_path) -> None:
    write(tmp_path, people="id\n1\n", jobs="job\na\nb\nc\nd\n", views="who,what,n\n1,a,0\n1,b,-2\n1,c,0.5\n1,d,\n")
    made = {"people": PEOPLE, "jobs": JOBS, "interactions": {**PAIRS, "weight": "n"}}
    tables, report = read_table(tmp_path, TableMap.model_validate(made), max_bad=1.0)
    assert tables.interactions.select("job", "weight").rows() == [("c", 0.5), ("d", 1.0)]
    assert report.quarantine.select("line", "column", "code").rows() == [(2, "n", "value"), (3, "n", "value")]


def test_history_may_come_from_several_files(tmp_path) -> None:
    write(
        tmp_path,
        jobs="job\na\n",
        views="who,what\n1,a\n",
        past="id,role,did\n1,Helper,<b>sold</b> bread\n2,Cook,\n",
        wishes="whose,wish,said\n1,Chef,2020-01-05\n3,Driver,2999-01-05\n4,Baker,2020-01-05\n1,Cook,2020-01-06\n",
    )
    past = {"file": "past.csv", "person": "id", "title": "role", "text": ["did"], "html": True}
    wishes = {"file": "wishes.csv", "person": "whose", "title": "wish", "time": "said"}
    made = {"people": {"from": ["interactions", "history"]}, "jobs": JOBS, "interactions": PAIRS}
    tables, report = read_table(tmp_path, TableMap.model_validate(made | {"history": [past, wishes]}), max_bad=1.0)
    assert tables.history.rows() == [
        ("1", 1, "Helper", "sold bread", None),
        ("2", 1, "Cook", None, None),
        ("1", 1, "Chef", None, datetime(2020, 1, 5)),
        ("4", 1, "Baker", None, datetime(2020, 1, 5)),
        ("1", 2, "Cook", None, datetime(2020, 1, 6)),
    ]
    assert tables.people["id"].to_list() == ["1", "2", "3", "4"]
    assert report.quarantine.select("file", "line", "code").rows() == [("wishes.csv", 3, "future")]
    one = TableMap.model_validate(made | {"history": past})
    assert one == TableMap.model_validate(made | {"history": [past]})
    assert read_table(tmp_path, one)[0].history["title"].to_list() == ["Helper", "Cook"]


def test_a_split_drops_the_wishes_named_after_its_cut_off(tmp_path) -> None:
    write(
        tmp_path,
        jobs="job\na\nb\n",
        views="who,what,at\n1,a,2020-01-01\n1,b,2020-01-03\n",
        wishes="who,wish,said\n1,Early,2020-01-02\n1,Late,2020-01-04\n",
    )
    wishes = {"file": "wishes.csv", "person": "who", "title": "wish", "time": "said"}
    made = {"people": {"from": ["history"]}, "jobs": JOBS, "history": wishes, "interactions": {**PAIRS, "time": "at"}}
    tables, _ = read_table(tmp_path, TableMap.model_validate(made))
    for protocol in ("temporal", "leave-last-out"):
        [fold] = folds(tables, protocol)
        assert fold.train.history["title"].to_list() == ["Early"], protocol
        assert fold.truth["job"].to_list() == ["b"], protocol


def test_tab_separated_gzip_and_parquet_say_the_same(tmp_path) -> None:
    write(tmp_path, people="id\n1\n", jobs="job\na\n", views="who,what,at\n1,a,86400\n")
    pairs = {**PAIRS, "time": {"from": "at", "format": "epoch"}}
    (tmp_path / "views.tsv.gz").write_bytes(gzip.compress(b"who\twhat\tat\n1\ta\t86400\n"))
    pl.DataFrame({"who": [1], "what": ["a"], "at": [86400]}).write_parquet(tmp_path / "views.parquet")
    for name in ("views.csv", "views.tsv.gz", "views.parquet"):
        made = {"people": PEOPLE, "jobs": JOBS, "interactions": pairs | {"file": name}}
        tables, _ = read_table(tmp_path, TableMap.model_validate(made))
        assert tables.interactions.rows() == [("1", "a", datetime(1970, 1, 2), 1.0, None)], name


def test_dates_of_jobs_and_the_order_of_past_jobs(tmp_path) -> None:
    write(
        tmp_path,
        people="id\n1\n",
        jobs="job,from,till\na,2012-03-01,2012-04-01\nb,2999-03-01,2012-04-01\nc,,later\n",
        past="id,n,did\n1,2,<p>sold</p><p>bread</p>\n1,1,\n",
        views="who,what\n1,a\n1,c\n",
    )
    made = {
        "people": PEOPLE,
        "jobs": {**JOBS, "start": "from", "end": "till"},
        "history": {"file": "past.csv", "person": "id", "sequence": "n", "text": ["did"], "html": True},
        "interactions": PAIRS,
    }
    tables, report = read_table(tmp_path, TableMap.model_validate(made), max_bad=0.5)
    assert tables.jobs.select("id", "start", "end").rows() == [
        ("a", datetime(2012, 3, 1), datetime(2012, 4, 1)),
        ("c", None, None),
    ]
    assert tables.history.select("sequence", "text").rows() == [(2, "sold bread"), (1, None)]
    assert report.quarantine.select("line", "code").rows() == [(3, "future")]
    assert report.files[0].warnings == {"till: unreadable, set to unknown": 1}


def test_a_missing_file_and_a_missing_column_are_named(shop) -> None:
    with pytest.raises(DataRejectedError, match=r"folks.csv: no such file; the folder has firms.csv, jobs.csv"):
        read_table(shop, TableMap.model_validate(FULL | {"people": PEOPLE | {"file": "folks.csv"}}))
    with pytest.raises(DataRejectedError, match=r"people.csv: no column 'city'; found 'id', 'town'"):
        read_table(shop, TableMap.model_validate(FULL | {"people": PEOPLE | {"city": "city"}}))


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('[people]\nfile = "a"\nid = "b"\ntown = "c"', r"people: unknown key 'town'; allowed: city, state"),
        ('[people]\nfile = "a"\nid = "b"\nwindow = "c"', r"people: unknown key 'window'"),
        ('[people]\nfile = "a"', "people: give either file and id, or from"),
        ('[people]\nid = "a"\nfrom = ["interactions"]', "people: give either file and id, or from"),
        ('[people]\nfrom = ["jobs"]', r"people.from.0: Input should be 'interactions', 'history' or 'joins'"),
        (
            '[people]\nfrom = ["joins"]\nattributes = { a = { from = ["x", "y"] } }',
            "people.attributes.a: several columns",
        ),
        (
            '[people]\nfrom = ["joins"]\nattributes = { city = "x" }',
            "attribute 'city' is used twice or is a fixed name",
        ),
        ('[people]\nfrom = ["joins"]\nattributes = { a = { from = "x", kind = "text" } }', "people.attributes.a.kind"),
        ('[people]\nfrom = ["joins"]\nattributes = { a = { from = "x", separator = ";" } }', "a separator needs kind"),
        (
            '[people]\nfrom = ["joins"]\njoins = [{ file = "f", id = "i", many = true, attributes = { a = "x" } }]',
            "many",
        ),
        (
            '[people]\nfrom = ["joins"]\nattributes = { a = "x" }\n'
            'joins = [{ file = "f", id = "i", attributes = { a = "y" } }]',
            "attribute 'a' is used twice",
        ),
        ('[people]\nfrom = ["interactions"]\ncity = "x"', "people: city needs a file of people"),
        ('[people]\nfrom = ["interactions"]\nattributes = { a = "x" }', "people: attributes needs a file of people"),
        (
            '[people]\nfrom = ["interactions"]\ntext = ["x"]',
            r"people: text: 'x' is no joined attribute \(there are none",
        ),
        (
            '[people]\nfrom = ["joins"]\ntext = ["y", "x"]\n'
            'joins = [{ file = "f", id = "i", attributes = { y = "z" } }]',
            r"people: text: 'x' is no joined attribute \(y\)",
        ),
        ('[jobs]\nid = "a"', "jobs.file: Field required"),
        ('history = [{ file = "a" }]', "history.0.person: Field required"),
        ("[people", "is not TOML"),
    ],
)
def test_a_wrong_map_names_the_key_and_the_keys_there_are(tmp_path, toml: str, message: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(toml)
    with pytest.raises(ConfigError, match=message):
        read_map(path)


def test_the_example_maps_are_valid() -> None:
    examples = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
    maps = [path for path in examples if "[interactions]" in path.read_text()]
    assert len(maps) >= 3
    for path in maps:
        assert read_map(path).interactions.file


def test_the_words_of_scout_are_no_attribute() -> None:
    """A control model without words must not hear them from a category."""
    read = read_map(Path(__file__).parents[2] / "examples" / "scout.toml")
    for section in (read.people, read.jobs):
        joined = [attribute for join in section.joins for attribute in join.attributes.values()]
        heard = {column for one in (*section.attributes.values(), *joined) for column in one.columns}
        assert section.text == ("text_keyword",)
        assert "text_keyword" not in heard


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), quote=st.sampled_from(['"', ""]))
def test_a_thousand_damaged_rows_are_all_accounted_for(tmp_path_factory, seed: int, quote: str) -> None:
    """Ten examples of 1,000 damaged rows: accepted + quarantined = input for every file, and no crash."""
    rng = np.random.default_rng(seed)
    folder = write(
        tmp_path_factory.mktemp("table"),
        people="id,town,about,skills,more,score,born\n"
        + "".join(f"{i},Erie,bakes,bread;cake,,7,1.2.1990\n" for i in range(300)),
        jobs="job,name,what,where\n" + "".join(f"j{i},Baker,<p>Bread</p>,Erie\n" for i in range(300)),
        firms="posting,kind,size\n" + "".join(f"j{i},chain,10\n" for i in range(100)),
        papers="person,paper\n" + "".join(f"{i % 90},licence {i}\n" for i in range(100)),
        past="id,role,did,since\n" + "".join(f"{i},Helper,sold,2001-05-01\n" for i in range(100)),
        views="who,what,at,part\n" + "".join(f"{i % 300},j{i % 290},2020-01-02,train\n" for i in range(400)),
    )
    lines = {}
    for path in folder.iterdir():
        header, *rows = path.read_bytes().removesuffix(b"\n").split(b"\n")
        damaged = set(rng.permutation(len(rows))[: 1000 * len(rows) // 1300])
        rows = [mutate(row, rows, b",", rng) if i in damaged else row for i, row in enumerate(rows)]
        content = b"\n".join([header, *rows, b""])
        path.write_bytes(content)
        lines[path.name] = content.count(b"\n") - 1
    made = FULL | {"format": {"quote": quote}}
    tables, report = read_table(folder, TableMap.model_validate(made), max_bad=1.0)
    assert {file.file for file in report.files} == set(lines)
    for file in report.files:
        listed = report.quarantine.filter(pl.col("file") == file.file)
        assert file.accepted + len(listed) == file.rows
        assert file.rows <= lines[file.file] if quote else file.rows == lines[file.file]
        assert listed["line"].n_unique() == len(listed)
    assert len(tables.interactions) == report.files[-1].accepted
    assert set(tables.interactions["person"]) <= set(tables.people["id"])
    assert set(tables.interactions["job"]) <= set(tables.jobs["id"])
