"""`metier train` learns from everything and leaves a bundle that loads."""

import json

import pytest

from metier.bundle import load
from metier.cli.train import parse_settings
from metier.data.workspace import Workspace
from metier.errors import ConfigError


def test_trains_on_every_interaction(metier, town_home):
    done = json.loads(
        metier("train", "town", "--model", "item-knn", "--as", "m", "--set", "neighbours=7", "--json").out
    )
    bundle = load(Workspace(town_home).model("m"))
    assert done["interactions"] == len(Workspace(town_home).load("town").interactions)
    assert len(bundle.dataset.interactions) == done["interactions"]
    assert bundle.model.config.neighbours == done["settings"]["neighbours"] == 7
    assert bundle.about == {"dataset": "town", "seed": 0}


def test_the_folder_is_named(metier, town_home):
    ran = metier("train", "town", "-m", "popularity", "--as", "pop")
    assert ran.code == 0
    assert str(Workspace(town_home).model("pop")) in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "nonsense"], "no model 'nonsense'"),
        (["--model", "item-knn", "--set", "nonsense=1"], "nonsense"),
        (["--model", "item-knn", "--set", "shrink=-1"], "shrink"),
        (["--model", "item-knn", "--set", "shrink"], "KEY=VALUE"),
        (["--model", "item-knn", "--as", "../x"], "'../x'"),
    ],
)
def test_wrong_use_writes_nothing(metier, town_home, arguments, said):
    before = Workspace(town_home).names("models")
    ran = metier("train", "town", "--as", "never", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert Workspace(town_home).names("models") == before


def test_settings_are_parsed():
    assert parse_settings(["a=1", "b=x=y", "c=[1]", "d=true"]) == {"a": 1, "b": "x=y", "c": [1], "d": True}
    with pytest.raises(ConfigError):
        parse_settings(["=1"])
