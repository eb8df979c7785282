"""A bundle gives back the model it was given, and refuses every kind of damage, naming the file."""

import hashlib
import json
import shutil
from datetime import datetime
from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file, save_file

from metier.bundle import digest, load, load_profile, open_people, person_text, restore, save, storage
from metier.data import Tables
from metier.errors import BundleError, UsageError
from metier.features.assemble import assemble
from metier.models.registry import MODELS, create
from metier.testing.worlds import small_town

WRITTEN = [name for name, place in MODELS.items() if find_spec(place.split(":")[0])]


def train(folder, name="item-knn", tables=None):
    tables = tables or small_town()
    assembled = assemble(tables)
    model = create(name).fit(assembled.dataset, rng=np.random.default_rng(0))
    save(folder, model, tables, assembled, {"dataset": "town", "seed": 0})
    return model, assembled


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "intact"
    train(folder)
    return folder


@pytest.fixture
def folder(intact, tmp_path):
    """A copy to damage."""
    return shutil.copytree(intact, tmp_path / "bundle")


def rehash(folder):
    """Bring the manifest in line with the files, so that only the content itself can be refused."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["sha256"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", WRITTEN)
def test_round_trip_recommends_the_same(name, tmp_path):
    model, assembled = train(tmp_path / "m", name)
    bundle = load(tmp_path / "m")
    everyone = assembled.dataset.query(np.arange(len(assembled.dataset.users), dtype=np.int32))
    again = bundle.dataset.query(everyone.users)
    np.testing.assert_array_equal(bundle.model.score(again), model.score(everyone))
    assert bundle.name == name
    assert bundle.model.config == model.config
    assert bundle.about == {"dataset": "town", "seed": 0}


def test_round_trip_keeps_data_and_encoders(intact):
    bundle, expected = load(intact), assemble(small_town())
    assert bundle.people == expected.people
    assert bundle.jobs == expected.jobs
    assert bundle.dataset.users == expected.dataset.users
    assert bundle.dataset.items == expected.dataset.items
    assert bundle.dataset.user_texts == expected.dataset.user_texts
    assert bundle.dataset.item_texts == expected.dataset.item_texts
    for side in ("user_features", "item_features"):
        ours, theirs = getattr(bundle.dataset, side), getattr(expected.dataset, side)
        assert (ours.names, ours.field_names) == (theirs.names, theirs.field_names)
        np.testing.assert_array_equal(ours.matrix.toarray(), theirs.matrix.toarray())
    for name in ("users", "items", "weights", "times"):
        np.testing.assert_array_equal(
            getattr(bundle.dataset.interactions, name), getattr(expected.dataset.interactions, name)
        )


def test_saving_again_replaces_the_old_bundle(tmp_path):
    train(tmp_path / "m", "random")
    train(tmp_path / "m", "popularity")
    assert load(tmp_path / "m").name == "popularity"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_failed_save_leaves_nothing(tmp_path):
    assembled = assemble(small_town())
    model = create("popularity").fit(assembled.dataset, rng=np.random.default_rng(0))
    with pytest.raises(Exception, match="serialize"):
        save(tmp_path / "m", model, small_town(), assembled, {"bad": object()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "config.json", "data.safetensors", "encoders.json", "jobs.parquet", "model.safetensors"],
)
def test_altered_byte(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BundleError, match=rf"{name} was altered.*cure"):
        load(folder)


def test_missing_file(folder):
    (folder / "people.parquet").unlink()
    with pytest.raises(BundleError, match=r"people.parquet is missing; cure"):
        load(folder)


def test_missing_manifest(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"no manifest.json"):
        load(folder)


@pytest.mark.parametrize("name", ["model.pkl", ".hidden", "model.safetensors.bak"])
def test_extra_file(folder, name):
    (folder / name).write_text("x")
    with pytest.raises(BundleError, match=rf"{name} does not belong"):
        load(folder)


def test_file_behind_a_link(folder, tmp_path):
    shutil.move(folder / "config.json", tmp_path / "elsewhere.json")
    (folder / "config.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(BundleError, match=r"config.json does not belong"):
        load(folder)


def test_manifest_cannot_name_a_file_outside(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    edit_json(folder / "manifest.json", sha256=manifest["sha256"] | {"../secret": "0" * 64})
    with pytest.raises(BundleError, match=r"lists .*\.\./secret"):
        load(folder)


def test_other_version(folder):
    edit_json(folder / "manifest.json", format=3)
    with pytest.raises(BundleError, match=r"manifest.json cannot be used.*format"):
        load(folder)


@pytest.mark.parametrize("keep", [0, 4, 0.5, 0.99])
def test_truncated_tensors(folder, keep):
    path = folder / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if keep < 1 else keep])
    with pytest.raises(BundleError, match=r"model.safetensors was altered"):
        load(folder)
    rehash(folder)
    with pytest.raises(BundleError, match=r"model.safetensors cannot be used"):
        load(folder)


def truncate(name):
    def change(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return change


def retensor(name, key, edit):
    """Change one tensor of a file."""

    def change(folder):
        tensors = load_file(folder / name)
        tensors[key] = edit(tensors[key].copy())
        save_file(tensors, folder / name)

    return change


def put(at, value):
    def edit(array):
        array[at] = value
        return array

    return edit


def first_learned(folder):
    return next(iter(load_file(folder / "model.safetensors")))


def with_infinity(folder):
    key = next(k for k, v in load_file(folder / "model.safetensors").items() if v.dtype.kind == "f")
    retensor("model.safetensors", key, put(0, np.inf))(folder)


def without_a_tensor(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors[first_learned(folder)]
    save_file(tensors, folder / "model.safetensors")


def fewer_jobs(folder):
    pl.read_parquet(folder / "jobs.parquet").head(-1).write_parquet(folder / "jobs.parquet")


def other_columns(folder):
    pl.read_parquet(folder / "jobs.parquet").drop("title").write_parquet(folder / "jobs.parquet")


def same_id_twice(folder):
    people = pl.read_parquet(folder / "people.parquet").with_columns(id=pl.lit("p1"))
    people.write_parquet(folder / "people.parquet")


CONTENT_DAMAGE = {
    "config.json is cut": ("config.json", truncate("config.json")),
    "encoders.json is cut": ("encoders.json", truncate("encoders.json")),
    "jobs.parquet is cut": ("jobs.parquet", truncate("jobs.parquet")),
    "data.safetensors is cut": ("data.safetensors", truncate("data.safetensors")),
    "unknown model": ("config.json", lambda folder: edit_json(folder / "config.json", model="nonsense")),
    "unknown setting": ("config.json", lambda folder: edit_json(folder / "config.json", settings={"no": 1})),
    "unknown key": ("config.json", lambda folder: edit_json(folder / "config.json", code="x")),
    "infinity": ("model.safetensors", with_infinity),
    "missing tensor": ("model.safetensors", without_a_tensor),
    "other model's state": (
        "model.safetensors",
        lambda folder: edit_json(folder / "config.json", model="ease", settings={}),
    ),
    "row out of range": ("data.safetensors", retensor("data.safetensors", "interactions.users", put(0, 10**6))),
    "negative row": ("data.safetensors", retensor("data.safetensors", "interactions.items", put(0, -1))),
    "column out of range": ("data.safetensors", retensor("data.safetensors", "user_features.indices", put(0, 10**6))),
    "weight NaN": ("data.safetensors", retensor("data.safetensors", "interactions.weights", put(0, np.nan))),
    "feature NaN": ("data.safetensors", retensor("data.safetensors", "item_features.data", put(0, np.nan))),
    "wrong dtype": (
        "data.safetensors",
        retensor("data.safetensors", "interactions.users", lambda a: a.astype(np.int64)),
    ),
    "wrong length": ("data.safetensors", retensor("data.safetensors", "interactions.items", lambda a: a[:-1].copy())),
    "a job less": ("data.safetensors", fewer_jobs),
    "other columns": ("jobs.parquet", other_columns),
    "same id twice": ("data.safetensors", same_id_twice),
}


@pytest.mark.parametrize("damage", CONTENT_DAMAGE)
def test_damage_under_a_correct_hash(folder, damage):
    named, change = CONTENT_DAMAGE[damage]
    change(folder)
    rehash(folder)
    with pytest.raises(BundleError, match=rf"{named} cannot be used.*cure"):
        load(folder)


@pytest.mark.parametrize("name", ["score", "config", "__class__", "_private_", "query.vectors_"])
def test_only_learned_attributes_are_set(name):
    with pytest.raises(ValueError, match="no learned attribute"):
        restore(create("popularity"), {name: np.zeros(3, np.float32)}, {})
    with pytest.raises(ValueError, match="no learned attribute"):
        restore(create("popularity"), {}, {name: "x"})


def two_windows() -> Tables:
    """One person a window; job b has closed before the newest application of window 1, d opens after that of 2."""
    day = [datetime(2012, 4, 1 + number) for number in range(10)]
    return Tables.build(
        people=pl.DataFrame({"id": ["x", "y"], "window": [1, 2], "text": ["", ""]}),
        jobs=pl.DataFrame(
            {
                "id": ["a", "b", "c", "d", "e"],
                "window": [1, 1, 2, 2, None],
                "start": [day[0], day[0], day[5], day[9], None],
                "end": [day[4], day[1], day[9], None, None],
            }
        ),
        interactions=pl.DataFrame({"person": ["x", "y"], "job": ["b", "d"], "time": [day[3], day[8]]}),
    )


def test_people_get_open_jobs_of_their_own_window(tmp_path):
    train(tmp_path / "m", "popularity", two_windows())
    bundle = load(tmp_path / "m")
    jobs = np.array(bundle.dataset.items.ids)
    assert jobs[bundle.live_jobs(1)].tolist() == ["a", "e"]
    assert jobs[bundle.live_jobs(2)].tolist() == ["c", "e"]
    assert jobs[bundle.live_jobs(-1)].tolist() == ["c", "e"]
    ranking = bundle.recommend(bundle.dataset.query(np.array([1, 0], np.int32)), 5)
    assert [sorted(jobs[row[row >= 0]]) for row in ranking.items] == [["c", "e"], ["a", "e"]]
    newcomer = bundle.recommend(bundle.newcomer("welder"), 5)
    assert sorted(jobs[newcomer.items[0][newcomer.items[0] >= 0]]) == ["c", "e"]


def test_a_model_outside_the_registry_is_refused(tmp_path):
    class Private:
        config = create("popularity").config

    assembled = assemble(small_town())
    with pytest.raises(TypeError, match=r"not in metier\.models\.registry"):
        save(tmp_path / "m", Private(), small_town(), assembled, {})


def test_offers_are_kept_and_an_older_format_has_none(tmp_path):
    tables = small_town()
    offers = tables.jobs.with_columns(
        employer=pl.lit("Ward & Co"), remote=pl.col("id") == "j3", salary_min=pl.lit(50_000), salary_max=pl.lit("much")
    )
    train(tmp_path / "m", "popularity", tables.replace(jobs=offers))
    jobs = load(tmp_path / "m").job_table
    assert jobs.row(3, named=True) | {"text": "", "title": "", "city": "", "state": ""} == {
        "id": "j3", "window": 1, "text": "", "city": "", "state": "", "country": "US", "title": "", "start": None,
        "end": None, "zip": None, "employer": "Ward & Co", "remote": True, "salary_min": 50_000.0, "salary_max": None,
        "currency": None, "level": None,
    }  # fmt: skip
    older = [name for name in jobs.columns if name not in {"zip", "employer", "remote", "salary_min", "salary_max"}]
    older = [name for name in older if name not in {"currency", "level"}]
    jobs.select(older).write_parquet(tmp_path / "m" / "jobs.parquet")
    people = load_people(tmp_path / "m").select("id", "window", "text")
    people.write_parquet(tmp_path / "m" / "people.parquet")
    edit_json(tmp_path / "m" / "manifest.json", format=1)
    rehash(tmp_path / "m")
    first = load(tmp_path / "m").job_table
    assert first.columns == jobs.columns
    assert first["employer"].null_count() == len(first)


def load_people(folder):
    return pl.read_parquet(folder / "people.parquet")


def test_a_part_is_enough_for_newcomers(tmp_path):
    model, assembled = train(tmp_path / "m", "ranker")
    part = load_profile(tmp_path / "m")
    inner = model.sources_["profile"]
    np.testing.assert_array_equal(part.profile.meaning_, inner.meaning_)
    assert part.profile.topics_.vocabulary_ == inner.topics_.vocabulary_
    assert part.job_table["id"].to_list() == list(assembled.dataset.items.ids)
    assert part.people_table["id"].to_list() == list(assembled.dataset.users.ids)
    with open_people(tmp_path / "m", part.digest) as people:
        assert person_text(people, 3) == assembled.dataset.user_texts[3]
    train(tmp_path / "k", "item-knn")
    with pytest.raises(UsageError, match=r"item-knn.*cure"):
        load_profile(tmp_path / "k")


@pytest.mark.parametrize("edit", [put(0, -1), put(0, 10**6), None])
def test_a_profile_reads_words_through_postings_that_are_there(tmp_path, edit):
    train(tmp_path / "m", "profile")
    if edit:
        retensor("model.safetensors", "sample_", edit)(tmp_path / "m")
    else:  # written before there was a sample
        tensors = load_file(tmp_path / "m" / "model.safetensors")
        del tensors["sample_"]
        save_file(tensors, tmp_path / "m" / "model.safetensors")
    rehash(tmp_path / "m")
    with pytest.raises(BundleError, match=r"model.safetensors cannot be used.*sample_.*cure: train again"):
        load_profile(tmp_path / "m")


def test_people_of_another_bundle_are_not_opened(tmp_path):
    train(tmp_path / "m", "profile")
    before = digest(tmp_path / "m")
    train(tmp_path / "m", "ranker")
    with pytest.raises(BundleError, match=r"replaced.*cure"):
        open_people(tmp_path / "m", before)


def test_bundle_that_is_replaced_while_it_is_read_is_refused(tmp_path, monkeypatch):
    train(tmp_path / "m", "profile")

    def restored(*learned):
        train(tmp_path / "m", "ranker")
        return restore(*learned)

    monkeypatch.setattr(storage, "restore", restored)
    with pytest.raises(BundleError, match=r"replaced.*cure"):
        load_profile(tmp_path / "m")
