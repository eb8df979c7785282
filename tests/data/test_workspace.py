"""A dataset is on disk whole or not at all."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from metier.data.tables import Tables, attributes
from metier.data.workspace import Workspace, swap
from metier.errors import UsageError
from metier.testing.worlds import small_town


def test_tables_come_back_equal(tmp_path: Path) -> None:
    workspace, town = Workspace.open(tmp_path), small_town()
    workspace.save("town", town, {"source": "test"})
    again = workspace.load("town")
    for name in ("people", "jobs", "history", "interactions", "windows"):
        assert_frame_equal(getattr(again, name), getattr(town, name))
    assert workspace.about("town") == {"source": "test"}
    assert workspace.names("datasets") == ["town"]


def test_saving_twice_replaces_and_leaves_no_litter(tmp_path: Path) -> None:
    workspace, town = Workspace.open(tmp_path), small_town()
    workspace.save("town", town, {"turn": 1})
    workspace.save("town", town, {"turn": 2})
    assert workspace.about("town") == {"turn": 2}
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["town"]


def test_extras_appear_with_the_dataset_or_nothing_does(tmp_path: Path) -> None:
    workspace, town = Workspace.open(tmp_path), small_town()

    def more(folder: Path) -> None:
        assert not workspace.dataset("town").exists()
        (folder / "more.txt").write_text("x")

    def fails(folder: Path) -> None:
        (folder / "more.txt").write_text("half")
        raise OSError("no space left")

    folder = workspace.save("town", town, {"turn": 1}, extras=more)
    with pytest.raises(OSError, match="no space"):
        workspace.save("town", town, {"turn": 2}, extras=fails)
    assert (folder / "more.txt").read_text() == "x"
    assert workspace.about("town") == {"turn": 1}
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["town"]


def test_what_a_crash_left_behind_is_no_dataset(tmp_path: Path) -> None:
    for name in (".town.123", ".town.old", "town"):
        (tmp_path / "datasets" / name).mkdir(parents=True)
    assert Workspace.open(tmp_path).names("datasets") == ["town"]


def test_swap_survives_what_a_crash_left_behind(tmp_path: Path) -> None:
    for name, text in ((".x.old", "older"), ("x", "old"), ("new", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(text)
    swap(tmp_path / "new", tmp_path / "x")
    assert (tmp_path / "x" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_home_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_HOME", str(tmp_path / "there"))
    assert Workspace.open().home == tmp_path / "there"
    assert Workspace.open(tmp_path / "flag").home == tmp_path / "flag"


def test_unknown_dataset_lists_what_is_there(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    workspace.save("town", small_town(), {})
    with pytest.raises(UsageError, match=r"no dataset 'city'.*town.*metier import"):
        workspace.load("city")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "-x", "a b"])
def test_names_cannot_leave_the_workspace(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        Workspace.open(tmp_path).dataset(name)


def test_build_adds_what_is_missing_and_keeps_attributes() -> None:
    tables = Tables.build(
        people=pl.DataFrame({"id": ["p"], "degree": ["None"]}),
        jobs=pl.DataFrame({"id": ["j"]}),
        interactions=pl.DataFrame({"person": ["p"], "job": ["j"]}),
    )
    assert attributes(tables.people) == ["degree"]
    assert tables.people["city"].to_list() == [None]
    assert tables.interactions["weight"].to_list() == [1.0]
    assert tables.history.is_empty()
    kept = tables.keep(people=["p"], jobs=[])
    assert kept.interactions.is_empty()
    assert len(kept.people) == 1


def test_a_swap_that_fails_puts_the_old_folder_back(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "file").write_text("old")
    with pytest.raises(FileNotFoundError):
        swap(tmp_path / "never-written", tmp_path / "x")
    assert (tmp_path / "x" / "file").read_text() == "old"
