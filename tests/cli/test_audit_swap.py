"""`metier audit swap` by the command line."""

import json

import pytest


@pytest.fixture
def content(metier):
    assert metier("train", "town", "--model", "content", "--as", "content").code == 0


def test_a_model_that_is_not_served_is_told_apart(metier, content):
    ran = metier("audit", "swap", "content", "--pairs", "40", "-k", "5", "--json")
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert (report["as_served"], report["pairs"]) == (False, 30)  # schools are apart
    assert sum(row["pairs"] for row in report["rows"]) == 40
    assert {row["kind"] for row in report["rows"] if not row["must_not_move"]} == {"school"}
    assert "this model is not served" in ran.err
    assert "swapped" in metier("audit", "swap", "content", "--pairs", "8").out


def test_a_served_model_that_minds_names_fails(metier, content, monkeypatch):
    import metier.operate.swap as swap

    def minding(folder, k):
        return lambda text: {"j1": float(" he " in text.lower())}, True

    monkeypatch.setattr(swap, "ask_bundle", minding)
    ran = metier("audit", "swap", "content", "--pairs", "200", "--json")
    assert ran.code == 1
    assert json.loads(ran.out)["moved"] > 0
    monkeypatch.setattr(swap, "ask_bundle", lambda folder, k: (lambda text: {"j1": 1.0}, True))
    assert metier("audit", "swap", "content", "--pairs", "200").code == 0


def test_no_such_bundle(metier):
    ran = metier("audit", "swap", "nonsense")
    assert (ran.code, "no bundle 'nonsense'" in ran.err) == (2, True)
