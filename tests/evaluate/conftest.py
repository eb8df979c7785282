"""The toy recommenders under registry names, and a workspace."""

from pathlib import Path

import pytest
from toys import TOYS

from metier.data.workspace import Workspace
from metier.models.registry import MODELS
from metier.testing.worlds import small_town


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, toy in TOYS.items():
        monkeypatch.setitem(MODELS, name, f"{toy.__module__}:{toy.__name__}")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace that holds the small town as "town"."""
    there = Workspace(tmp_path)
    there.save("town", small_town(), {})
    return there
