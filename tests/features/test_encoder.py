"""Columns become features by their dtype; what is unknown stays empty."""

import numpy as np
import polars as pl

from metier.features.assemble import assemble
from metier.features.encoder import Encoder
from metier.testing.worlds import small_town


def people() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "city": ["Springfield", "Springfield", None, "Dayton"],
            "state": ["IL", "MO", "OH", None],
            "country": ["US", "US", "US", None],
            "zip": ["62701", "65801", None, "45402"],
            "degree": ["None", "PhD", None, "None"],
            "skills": [["welding", "driving", "welding"], ["driving"], [], None],
            "years": [1.0, 2.0, 3.0, None],
        },
        schema_overrides={"skills": pl.List(pl.String)},
    )


def row(features, n: int) -> dict[str, float]:
    line = features.matrix[[n]].toarray()[0]
    return {features.names[column]: round(float(line[column]), 4) for column in np.flatnonzero(line)}


def test_every_kind_by_hand() -> None:
    features = Encoder.fit(people(), bins=3).encode(people())
    assert row(features, 0) == {
        "country=US": 1, "state=IL|US": 1, "city=Springfield|IL|US": 1, "zip3=627|US": 1, "degree=None": 1,
        "skills=welding": 0.7071, "skills=driving": 0.7071, "years=[-inf,1.66667)": 1,
    }  # fmt: skip
    assert "city=Springfield|MO|US" in row(features, 1), "two Springfields stay apart"
    assert set(row(features, 2)) == {"country=US", "state=OH|US", "years=[2.33333,inf)"}
    assert set(row(features, 3)) == {"city=Dayton|?|?", "zip3=454|?", "degree=None"}
    assert features.field("degree").names == ("degree=None", "degree=PhD")


def test_a_new_person_uses_the_learned_columns() -> None:
    encoder = Encoder.fit(people(), bins=3)
    new = encoder.encode(pl.DataFrame({"state": ["OH"], "country": ["US"], "degree": ["unheard of"], "years": [99.0]}))
    assert new.names == encoder.encode(people()).names
    assert set(row(new, 0)) == {"country=US", "state=OH|US", "years=[2.33333,inf)"}


def test_rare_values_and_constant_numbers() -> None:
    frame = pl.DataFrame({"degree": ["a", "a", "b"], "same": [5.0, 5.0, 5.0], "when": [None, None, None]})
    features = Encoder.fit(frame, min_count=2).encode(frame)
    assert features.names == ("degree=a", "same=[-inf,inf)")
    counted = pl.DataFrame({"n": ["x", "y"], "value": ["a", "b"], "row": ["c", "c"]})
    assert Encoder.fit(counted).encode(counted).names == ("n=x", "n=y", "value=a", "value=b", "row=c")


def test_moments_are_binned_in_days() -> None:
    times = pl.Series([0, 1, 2, 3], dtype=pl.Int64) * 86_400_000_000
    frame = pl.DataFrame({"when": times.cast(pl.Datetime("us"))})
    assert Encoder.fit(frame, bins=2).encode(frame).names == ("when=[-inf,1.5)", "when=[1.5,inf)")


def test_assemble_numbers_in_table_order_and_joins_texts() -> None:
    town = small_town()
    made = assemble(town)
    data = made.dataset
    assert list(data.users.ids) == town.people["id"].to_list()
    assert data.user_texts[0].splitlines() == [town.people["text"][0], town.history["title"][0]]
    assert data.item_texts[0].splitlines() == [town.jobs["title"][0], town.jobs["text"][0]]
    assert data.matrix.nnz == len(town.interactions)
    one = town.interactions.row(5, named=True)
    at = data.users.number(one["person"]), data.items.number(one["job"])
    assert data.times[at] == one["time"].timestamp() + one["time"].astimezone().utcoffset().total_seconds()
    np.testing.assert_array_equal(made.people.encode(town.people).matrix.toarray(), data.user_features.matrix.toarray())
