"""docs/scale.md shows what benchmarks/capacity.py prints, and the plan follows its inputs."""

import importlib.util
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def capacity():
    sys.path.insert(0, str(REPOSITORY / "benchmarks"))
    try:
        place = importlib.util.spec_from_file_location("capacity", REPOSITORY / "benchmarks" / "capacity.py")
        assert place is not None
        assert place.loader is not None
        module = importlib.util.module_from_spec(place)
        place.loader.exec_module(module)
    finally:
        sys.path.remove(str(REPOSITORY / "benchmarks"))
    return module


def test_the_page_shows_what_the_script_prints(capacity):
    page = (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
    for table in capacity.tables():
        assert table in page, "cure: copy what `python benchmarks/capacity.py` prints into docs/scale.md"


def test_a_plan_worked_out_by_hand(capacity, monkeypatch):
    for name, value in {"rows": 9, "import": 0.001, "job": 8e3, "fits": 3e9}.items():
        monkeypatch.setitem(capacity.INPUTS, name, capacity.INPUTS[name]._replace(value=value))
    found = {stage: value for stage, _, value in capacity.plan(1e6, 1e6)}
    assert found["import"].startswith("2.8 h, 5.2 min")  # 10 million rows x 1 ms
    assert found["memory of a serving process"] == "8.0 GB"
    assert found["shards of the catalogue"] == "3"
