"""`metier recommend --everybody`: what `Bundle.recommend` gives, in partitions, from pages that workers share."""

import hashlib
import json
import mmap
import shutil

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from safetensors.numpy import load_file, save_file

from metier.bundle import digest, load, load_shared
from metier.bundle.everybody import recommend_everybody
from metier.bundle.mapped import mapped
from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.errors import BundleError

MODELS = ("popularity", "item-knn", "content")


@pytest.fixture(scope="module")
def bundles(town_home):
    from metier.cli.app import run

    for name in MODELS:
        run(["train", "town", "--model", name, "--as", f"all-{name}", "--home", str(town_home), "--json"])
    return Workspace(town_home)


def table(parts) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(part) for part in parts])


def expected(folder, k) -> pl.DataFrame:
    """The slow way: each person asked alone."""
    bundle, rows = load(folder), []
    for number, person in enumerate(bundle.dataset.users.ids):
        found = bundle.recommend(bundle.dataset.query(np.array([number], np.int32)), k)
        for place, (item, score) in enumerate(zip(found.items[0], found.scores[0], strict=True), 1):
            if item >= 0:
                rows.append((person, place, bundle.dataset.items.ids[item], score))
    schema = {"person": pl.String, "rank": pl.Int32, "job": pl.String, "score": pl.Float32}
    return pl.DataFrame(rows, schema, orient="row")


@pytest.mark.parametrize("name", MODELS)
def test_everybody_gets_what_each_alone_gets(bundles, tmp_path, name):
    folder = bundles.model(f"all-{name}")
    with open_engine() as engine:
        parts = recommend_everybody(engine, folder, str(tmp_path / "out"), 5, rows=50)
    assert len(parts) == 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"part-0000{n}.parquet" for n in range(3)]
    assert_frame_equal(table(parts), expected(folder, 5), rel_tol=1e-5)


def test_two_workers_give_the_same_and_do_nothing_twice(bundles, tmp_path, metier):
    out, asked = tmp_path / "out", ["recommend", "all-content", "--everybody", "-k", "3", "--json", "--out"]
    ran = metier(*asked, out, "--engine", "local", "--workers", "2")
    assert ran.code == 0, ran.err
    assert_frame_equal(table(out.iterdir()), expected(bundles.model("all-content"), 3), rel_tol=1e-5)
    written = next(out.iterdir()).stat().st_mtime_ns
    again = metier(*asked, out)
    assert json.loads(again.out) == json.loads(ran.out)
    assert next(out.iterdir()).stat().st_mtime_ns == written
    assert metier("recommend", "all-popularity", *asked[2:], out).code == 0
    assert next(out.iterdir()).stat().st_mtime_ns != written


def test_people_of_a_window_are_ranked_together(bundles, tmp_path):
    folder = shutil.copytree(bundles.model("all-popularity"), tmp_path / "bundle")
    people = pl.read_parquet(folder / "people.parquet")
    people.with_columns(window=pl.Series([2, 1] * 60, dtype=pl.Int16)).write_parquet(folder / "people.parquet")
    jobs = pl.read_parquet(folder / "jobs.parquet")
    jobs.with_columns(window=pl.lit(None, pl.Int16)).write_parquet(folder / "jobs.parquet")
    rehash(folder)
    with open_engine() as engine:
        parts = recommend_everybody(engine, folder, str(tmp_path / "out"), 1, rows=60)
    windows = dict(zip(people["id"], [2, 1] * 60, strict=True))
    assert [{windows[person] for person in pl.read_parquet(part)["person"]} for part in parts] == [{1}, {2}]


def rehash(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in manifest["sha256"]}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_damaged_bundle_is_refused(bundles, tmp_path):
    folder = shutil.copytree(bundles.model("all-popularity"), tmp_path / "bundle")
    (folder / "jobs.parquet").write_bytes(b"other")
    with open_engine() as engine, pytest.raises(BundleError, match=r"jobs\.parquet was altered"):
        recommend_everybody(engine, folder, str(tmp_path / "out"), 5)
    with pytest.raises(BundleError, match="was replaced"):
        load_shared(bundles.model("all-popularity"), digest(bundles.model("all-content")))


def test_mapped_tensors_are_those_that_were_saved(tmp_path):
    rng = np.random.default_rng(0)
    kinds = [np.bool_, np.int8, np.int16, np.int32, np.int64, np.float32, np.float64]
    saved = {np.dtype(kind).name: (rng.random((3, 2)) * 9).astype(kind) for kind in kinds}
    saved |= {"nothing": np.empty((0, 4), np.float32)}
    save_file(saved, tmp_path / "a.safetensors", {"about": "x"})
    found = mapped(tmp_path / "a.safetensors")
    for name, array in load_file(tmp_path / "a.safetensors").items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].flags.aligned
    root = found["float32"]
    while isinstance(root, np.ndarray):
        root = root.base
    assert isinstance(root, mmap.mmap)
    found["int32"][:] = 0  # stays here
    np.testing.assert_array_equal(mapped(tmp_path / "a.safetensors")["int32"], saved["int32"])
    (tmp_path / "short").write_bytes(b"abc")
    with pytest.raises(ValueError, match="no safetensors"):
        mapped(tmp_path / "short")


def test_texts_come_when_they_are_asked_for(bundles):
    folder = bundles.model("all-content")
    shared, whole = load_shared(folder, digest(folder)), load(folder)
    assert shared.job_table["text"].null_count() == len(shared.job_table)
    assert "_column" not in vars(shared.dataset.item_texts)
    assert list(shared.dataset.user_texts) == list(whole.dataset.user_texts)
    assert shared.dataset.user_texts[3:5] == whole.dataset.user_texts[3:5]
    assert len(shared.dataset.item_texts) == len(whole.dataset.item_texts)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--everybody"], "cure: --out FOLDER"),
        (["--everybody", "--users", "p1", "--out", "x"], "one of the three"),
        (["--users", "p1", "--engine", "dask"], "--engine and --workers go with --everybody"),
        (["--users", "p1", "--workers", "2"], "--engine and --workers go with --everybody"),
        (["--everybody", "--out", "x", "--format", "csv"], "Parquet"),
    ],
)
def test_wrong_use(bundles, metier, options, why):
    ran = metier("recommend", "all-popularity", *options)
    assert ran.code == 2
    assert why in ran.err
