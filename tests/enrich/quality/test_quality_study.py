"""The whole study on worlds whose answer is known: a market by construction, and labels planted in the text."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from metier.data.splits import folds
from metier.enrich.quality.cases import gather_cases, stored_completions
from metier.enrich.quality.config import QualityConfig
from metier.enrich.quality.report import render, save
from metier.enrich.quality.study import study
from metier.enrich.quality.words import in_words
from metier.enrich.texts import TEXTS
from metier.errors import UsageError
from metier.sources.market.generate import generate
from metier.sources.market.knobs import MarketKnobs
from metier.testing.worlds import small_town

CONFIG = QualityConfig(people=400, permutations=499, resamples=100, folds=3)
META = {"dataset": "toy", "protocol": "temporal", "command": "metier quality toy", "versions": {"metier": "1"}}
READ = "logistic regression"


class Words:
    """Embeds a text as counts of its words in 24 buckets, scaled to length 1: quick, and the same everywhere."""

    def embed(self, texts):
        counts = np.zeros((len(texts), 24), np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                counts[row, sum(map(ord, word)) % 24] += 1
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


@pytest.fixture(scope="module")
def market():
    return generate(MarketKnobs(people=400, windows=1), 5)


@pytest.fixture(scope="module")
def found(market):
    return study(market.tables, "temporal", CONFIG, Words(), truth=market.truth)


def planted():
    """People of a town; in the summary of each who applies often before the cut-off one word more."""
    tables = small_town(people=400, jobs=80)
    [fold] = folds(tables, "temporal")
    counts = dict(fold.train.interactions.group_by("person").len().iter_rows())
    often = [counts.get(person, 0) >= 2 for person in tables.people["id"]]
    text = [
        f"{text} always searching" if more else text for text, more in zip(tables.people["text"], often, strict=True)
    ]
    return tables.replace(people=tables.people.with_columns(text=pl.Series(text)))


def test_on_the_market_no_text_tells_who_applies_often(found):
    for text in ("raw", "templated", "profile"):
        row = found.row("count", text, "text", READ)
        assert row.p > 0.05
        assert 0.4 < row.auc < 0.6
    assert found.row("count", "", "counts", READ).auc == 1.0
    assert [row.features for row in found.rows if row.by_definition] == ["counts"] * 3
    assert not [row for row in found.rows if row.label == "count" and row.features == "all"]


def test_what_is_missing_shows_in_raw_texts_and_hides_behind_the_template(found):
    raw, template = (found.row("content", name, "text", READ) for name in ("raw", "templated"))
    assert raw.auc > 0.75
    assert raw.p < 0.05
    assert template.high < raw.low
    assert found.row("content", "", "completeness", READ).auc > 0.85
    assert 0.4 < found.row("content", "", "counts", READ).auc < 0.6
    assert found.sameness["content", "templated"] > found.sameness["content", "raw"] + 0.3


def test_every_detector_has_a_row_for_every_set(found):
    sets = {(row.label, row.text, row.features) for row in found.rows}
    assert len(sets) == 8 + 11
    assert len(found.rows) == 3 * len(sets)
    for row in found.rows:
        assert row.low <= row.auc <= row.high
        assert row.null_low < 0.5 < row.null_high
        assert sum(one.people for one in row.bins) == row.people


def test_a_text_that_gives_the_label_away_is_found_out():
    told = study(planted(), "temporal", QualityConfig(permutations=499, resamples=100, folds=3), Words())
    row = told.row("count", "raw", "text", READ)
    assert row.auc > 0.97
    assert row.p < 0.05
    assert "More than permuted labels give" in dict(in_words(told))["By number of applications"]
    assert "text (raw texts)" in dict(in_words(told))["By number of applications"]


def test_jobs_applied_to_and_the_future_reach_no_text_and_no_count(market):
    tables = market.tables
    [fold] = folds(tables, "temporal")
    loud = tables.replace(jobs=tables.jobs.with_columns(title=pl.lit("SECRET"), text=pl.lit("SECRET")))
    before, after = (gather_cases(one, "temporal", CONFIG) for one in (tables, loud))
    assert {name: text.texts for name, text in before.count.texts.items()} == {
        name: text.texts for name, text in after.count.texts.items()
    }
    cutoff = fold.cutoff
    known = tables.interactions.filter(pl.col("time") < cutoff)
    assert len(known) < len(tables.interactions)
    assert before.count.counts.sum() == len(known)


def test_texts_of_a_model_are_judged_where_enough_were_made_from_the_same_cutoff(market, tmp_path):
    cases = gather_cases(market.tables, "temporal", CONFIG)
    people = cases.count.people
    rows = [
        {"person": one.person, "state": "done", "text": f"x {i % 7}", "skills": [], "items": 0, "unsupported": 0}
        | {"cutoff": one.cutoff}
        for i, one in enumerate(people)
    ]
    folder = tmp_path / "completions"
    folder.mkdir()
    frame = pl.DataFrame(rows, schema=TEXTS)
    frame.write_parquet(folder / "simple-m-temporal.parquet")
    frame.with_columns(cutoff=pl.lit("2013-01-01")).write_parquet(folder / "simple-old-temporal.parquet")
    frame.write_parquet(folder / "interactive-m-temporal.parquet")
    frame.write_parquet(folder / "simple-m-leave-last-out.parquet")
    stored = stored_completions(tmp_path, "temporal")
    assert sorted(stored) == ["simple-m", "simple-old"]
    cases = gather_cases(market.tables, "temporal", CONFIG, completions=stored)
    assert cases.count.texts["simple-m"].judged.sum() == cases.count.texts["raw"].judged.sum()
    assert "simple-m" not in cases.content.texts
    assert "simple-old" not in cases.count.texts
    [reason] = cases.left_out
    assert reason.startswith("simple-old: fewer than 50")


def test_words_follow_from_the_figures(found):
    words = dict(in_words(found))
    assert "None of it can be told from permuted labels" in words["By number of applications"]
    assert "The template keeps" in words["By what is missing"]
    assert words["What works"].startswith("The best under content labels is")
    chance = replace(found, rows=[replace(row, auc=0.5, low=0.45, high=0.55, p=1.0) for row in found.rows])
    words = dict(in_words(chance))
    assert "nothing was there to lose" in words["By what is missing"]
    assert words["What works"].startswith("Nothing tells weak from strong")
    kept = [replace(row, auc=0.8, low=0.75, high=0.85, p=0.001) for row in found.rows]
    assert "did not hide" in dict(in_words(replace(found, rows=kept)))["By what is missing"]


def test_the_page_shows_every_row_and_fetches_nothing(found, tmp_path):
    page = save(found, META, tmp_path / "out")
    html, document = page.read_text(encoding="utf-8"), json.loads((tmp_path / "out" / "quality.json").read_text())
    assert html == render(found, META)
    assert html.count('<th scope="row">') == len(found.rows) == len(document["rows"])
    assert html.count("<svg") == 6
    assert "<script" not in html
    assert "src=" not in html
    assert document["words"][2][1] in html.replace("&#39;", "'")
    assert "(the label itself)" in html


def test_too_few_people_are_refused_with_the_cure():
    with pytest.raises(UsageError, match=r"count labels: [0-9]+ weak and [0-9]+ strong.*cure"):
        gather_cases(small_town(people=40), "temporal", QualityConfig(few=0.5, many=0.5))
