"""Fixtures that every test folder shares."""

import os
import shutil
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from metier.cli.app import run
from metier.data.workspace import Workspace
from metier.models.registry import TRAINED_BY
from metier.testing.worlds import small_town


class Ran(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


def absent(component: str) -> None:
    """Skip a test that needs a component this machine lacks; on CI, where all are installed, fail instead."""
    message = f"{component} is not installed"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{message}, and CI=true allows no skip for that")
    pytest.skip(message)


@pytest.fixture
def require_program():
    """`require_program("chromium")` gives the program's path, or skips (on CI: fails) the test."""

    def require(name: str) -> str:
        return shutil.which(name) or absent(name)

    return require


@pytest.fixture(autouse=True)
def _extra_of_the_model(request):
    """A test that runs over the models by `name` skips (on CI: fails) those whose extra is absent."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    extra = TRAINED_BY.get(parameters.get("name", ""))
    if extra and find_spec(extra) is None:
        absent(extra)


@pytest.fixture
def torch():
    """The package torch, or a skipped (on CI: failed) test."""
    return import_module("torch") if find_spec("torch") else absent("torch")


@pytest.fixture(scope="session")
def town_home(tmp_path_factory) -> Path:
    """A workspace with the dataset "town"; read it, train into it, never change the dataset."""
    home = tmp_path_factory.mktemp("home")
    Workspace(home).save("town", small_town(), {"source": "metier.testing.worlds.small_town"})
    return home


@pytest.fixture
def metier(town_home, monkeypatch, capsys):
    """`metier("train", "town", ...)` runs a command in this process and gives code, stdout and stderr."""
    monkeypatch.setenv("METIER_HOME", str(town_home))

    def call(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return Ran(code, *capsys.readouterr())

    return call
