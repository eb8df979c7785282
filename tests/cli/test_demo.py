"""`metier demo` on a small market: a dataset, a run with the oracle in it, and the report's path last."""

import json
from pathlib import Path

import pytest

from metier.data.workspace import Workspace
from metier.models import registry


@pytest.fixture
def two_models(monkeypatch):
    """Every model is fitted in its own tests; two will do here, and one that the demo leaves out."""
    monkeypatch.setattr(registry, "MODELS", {name: registry.MODELS[name] for name in ("random", "place", "lgir-fm")})
    monkeypatch.setattr(registry, "TRAINED_BY", {})


def test_report_comes_last(metier, two_models, tmp_path):
    ran = metier("demo", "--people", "300", "--home", tmp_path)
    assert ran.code == 0, ran.err
    report = Path(ran.out.splitlines()[-1])
    assert report == Workspace(tmp_path).run("demo") / "report.html"
    assert "oracle" in report.read_text()
    assert len(Workspace(tmp_path).load("demo").people) == 300
    assert "random (2 of" in ran.err  # no terminal shows a bar here, so lines say that work goes on
    assert "lgir-fm" not in ran.err
    assert "judging 2 models; with 4,000 people 8 minutes" in ran.err


def test_the_seed_decides(metier, two_models, tmp_path):
    def figures(seed: int) -> list[tuple[str, float]]:
        ran = metier("demo", "--people", "300", "--home", tmp_path, "--seed", str(seed), "--json")
        rows = [row for row in json.loads(ran.out)["rows"] if row["metric"] == "map" and row["segment"] == "all"]
        assert {row["model"] for row in rows} == {"random", "place", "oracle"}
        return [(row["model"], row["value"]) for row in rows]

    assert figures(1) == figures(1)
    assert figures(1) != figures(2)
