"""The encoders' comparison: the right encoder wins on planted texts, and the reported truth is never read."""

import json
from datetime import datetime

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner
from werkzeug import Response

from metier.cli.embed import embed
from metier.data import Tables
from metier.data.workspace import Workspace
from metier.errors import UsageError
from metier.evaluate.encoder_comparison import compare_encoders

TRADES = ["welding", "nursing", "cooking", "driving"]


def planted(seen: int = 4) -> Tables:
    """40 people who each see `seen` jobs of their trade, one a day; texts name the trade, titles are numbers."""
    rng = np.random.default_rng(0)
    jobs = pl.DataFrame({"id": [str(n) for n in range(80)], "text": [f"work in {TRADES[n % 4]}" for n in range(80)]})
    people = pl.DataFrame({"id": [f"p{n}" for n in range(40)], "text": [f"I like {TRADES[n % 4]}" for n in range(40)]})
    pairs = [
        (f"p{person}", str(job), datetime(2026, 1, 1 + day))
        for person in range(40)
        for day, job in enumerate(rng.choice(np.arange(person % 4, 80, 4), seen, replace=False).tolist())
    ]
    return Tables.build(people, jobs, pl.DataFrame(pairs, schema=["person", "job", "time"], orient="row"))


class Blind:
    """All texts look alike."""

    def embed(self, texts):
        return np.ones((len(texts), 4), np.float32)


class Trade:
    """One number a trade, then noise that only confuses."""

    def embed(self, texts):
        return np.array([[float(trade in text) for trade in TRADES] for text in texts], np.float32)


def test_the_encoder_that_sees_the_trade_wins():
    scores = list(compare_encoders(planted(), "leave-last-out", {"blind": Blind(), "trade": Trade(), "tfidf": None}))
    by = {(score.encoder, score.asked): score for score in scores}
    assert {score.people for score in scores} == {40}
    for asked in ("history", "person"):
        assert by["trade", asked].recall == 1.0  # 20 jobs of the trade, two seen, 25 places
        assert by["tfidf", asked].recall == 1.0
        assert by["blind", asked].recall < 0.7
        assert by["trade", asked].map > 2 * by["blind", asked].map
    assert by["trade", "history"].size == 4
    assert by["trade", "history"].texts_per_second > 0


def test_smaller_vectors_by_truncation_and_components():
    scores = list(compare_encoders(planted(), "leave-last-out", {"trade": Trade(), "tfidf": None}, sizes=[2, 3, 400]))
    assert {(s.encoder, s.reduction, s.size) for s in scores} == {
        ("trade", "none", 4), ("trade", "truncated", 2), ("trade", "PCA", 2),
        ("trade", "truncated", 3), ("trade", "PCA", 3), ("tfidf", "none", 6), ("tfidf", "PCA", 2), ("tfidf", "PCA", 3),
    }  # fmt: skip
    recall = {(s.encoder, s.reduction, s.size): s.recall for s in scores if s.asked == "history"}
    assert recall["trade", "PCA", 3] == 1.0  # four trades less their mean lie in three dimensions
    assert recall["trade", "truncated", 2] < 1.0


def test_the_reported_truth_is_never_read():
    """Another last job for everybody changes nothing."""
    tables = planted()
    last = pl.col("time") == datetime(2026, 1, 4)
    other = tables.interactions.with_columns(job=pl.when(last).then(pl.lit("0")).otherwise("job"))
    changed = tables.replace(interactions=other)
    assert not changed.interactions.equals(tables.interactions)
    one, two = (
        [(s.map, s.recall) for s in compare_encoders(part, "leave-last-out", {"tfidf": None})]
        for part in (tables, changed)
    )
    assert one == two


def test_a_sample_is_seeded_and_nobody_is_an_error():
    runs = [
        [s.map for s in compare_encoders(planted(), "leave-last-out", {"b": Blind()}, most_people=7, seed=seed)]
        for seed in (1, 1, 2)
    ]
    assert runs[0] == runs[1] != runs[2]
    with pytest.raises(UsageError, match="nobody has a held-out job"):
        list(compare_encoders(planted(2), "leave-last-out", {"b": Blind()}))
    with pytest.raises(UsageError, match="at least 1"):
        list(compare_encoders(planted(), "leave-last-out", {"b": Blind()}, sizes=[0]))


def windows() -> Tables:
    """Two windows of other people and jobs; in the second one the trades of jobs are not told."""
    one = planted()
    frames = {name: getattr(one, name) for name in ("people", "jobs", "interactions")}
    two = {
        "people": frames["people"].with_columns(id=pl.lit("q") + pl.col("id")),
        "jobs": frames["jobs"].with_columns(id=pl.lit("j") + pl.col("id"), text=pl.lit("work in baking")),
        "interactions": frames["interactions"].with_columns(
            person=pl.lit("q") + pl.col("person"), job=pl.lit("j") + pl.col("job")
        ),
    }
    joined = [
        pl.concat([frames[name], two[name]]).with_columns(
            *([] if name == "interactions" else [pl.Series("window", [1] * len(frames[name]) + [2] * len(two[name]))])
        )
        for name in frames
    ]
    cuts = {"window": [1, 2], "start": [datetime(2026, 1, 1)] * 2, "cutoff": [datetime(2026, 1, 4)] * 2}
    both = Tables.build(*joined)
    schema = both.windows.schema
    return both.replace(windows=pl.DataFrame(cuts | {"end": [datetime(2026, 1, 6)] * 2}, schema=schema))


def test_every_window_is_judged():
    by = {score.asked: score for score in compare_encoders(windows(), "temporal", {"trade": Trade()})}
    first = {s.asked: s for s in compare_encoders(planted(), "leave-last-out", {"trade": Trade()})}
    assert by["person"].people > 60 > first["person"].people
    assert 0.3 < by["person"].recall < 0.9, "window 1 is easy, window 2 is chance"
    sampled = list(compare_encoders(windows(), "temporal", {"trade": Trade()}, most_people=50))
    assert {score.people for score in sampled} == {50}


@pytest.fixture
def command(tmp_path):
    """`metier embed` on the planted dataset "trades"."""
    told = planted()
    told = told.replace(
        people=told.people.with_columns(text=pl.col("text") + ", call Ada on 415-555-0134", name=pl.lit("Ada"))
    )
    Workspace(tmp_path).save("trades", told, {"source": "test"})
    Workspace(tmp_path).save("windows", windows(), {"source": "test"})
    app = typer.Typer()
    app.command("embed")(embed)

    def run(name: str, *options: str):
        arguments = ["--compare", name, "--home", str(tmp_path), "--encoders", "tfidf", "--json", *options]
        return CliRunner().invoke(app, arguments, standalone_mode=False)

    return run


def test_an_endpoint_gets_no_contact_data(command, httpserver):
    sent = []

    def vectors(request):
        sent.extend(request.get_json()["input"])
        rows = [{"index": at, "embedding": [1.0, at]} for at in range(len(request.get_json()["input"]))]
        return Response(json.dumps({"data": rows}), content_type="application/json")

    httpserver.expect_request("/v1/embeddings").respond_with_handler(vectors)
    done = command("trades", "--base-url", httpserver.url_for("/v1"), "--model", "m")
    assert {row["encoder"] for row in json.loads(done.stdout)["encoders"]} == {"tfidf", "m"}
    assert "I like welding, call [name 1] on [phone 1]" in sent
    assert not [text for text in sent if "Ada" in text or "555" in text]


def test_a_failing_endpoint_leaves_the_other_rows(command, httpserver):
    httpserver.expect_request("/v1/embeddings").respond_with_data("no", 404)
    done = command("trades", "--base-url", httpserver.url_for("/v1"), "--model", "m")
    assert {row["encoder"] for row in json.loads(done.stdout)["encoders"]} == {"tfidf"}
    assert "left out" in done.stderr
    assert done.return_value == 1


def test_workers_change_no_figure(command, tmp_path):
    def figures(*options: str):
        rows = json.loads(command("trades", "--encoders", "tfidf,static", *options).stdout)["encoders"]
        return [{key: value for key, value in row.items() if key != "texts_per_second"} for row in rows]

    assert figures("--workers", "2") == figures()
    assert not (tmp_path / "datasets" / ".trades.embed").exists()


def test_the_protocol_is_told_by_the_data(command):
    assert json.loads(command("windows").stdout)["protocol"] == "temporal"
    assert json.loads(command("trades").stdout)["protocol"] == "leave-last-out"


def test_the_command_prints_one_table(tmp_path):
    Workspace(tmp_path).save("trades", planted(), {"source": "test"})
    app = typer.Typer()
    app.command("embed")(embed)

    def run(*options: str):
        return CliRunner().invoke(app, ["--compare", "trades", "--home", str(tmp_path), *options])

    rows = json.loads(run("--encoders", "tfidf,static", "--sizes", "2", "--json").stdout)["encoders"]
    assert {row["encoder"] for row in rows} == {"tfidf", "static"}
    assert "recall@5" in run("--encoders", "tfidf", "-k", "5").stdout
    for wrong in (["--encoders", "word2vec"], ["--sizes", "x"], ["--model", "m"]):
        assert isinstance(run(*wrong).exception, UsageError)
