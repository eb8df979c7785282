"""`metier models` shows the registry as it is."""

import json

from metier.models.registry import MODELS, config_class


def test_every_model_and_setting_is_listed(metier):
    listed = json.loads(metier("models", "--json").out)["models"]
    assert [entry["model"] for entry in listed] == list(MODELS)
    for entry in listed:
        assert entry["summary"], entry["model"]
        assert {setting["name"] for setting in entry["settings"]} == set(config_class(entry["model"]).model_fields)
        assert all(setting["help"] for setting in entry["settings"]), entry


def test_one_model_with_bounds(metier):
    ease = json.loads(metier("models", "ease", "--json").out)
    reg = next(setting for setting in ease["settings"] if setting["name"] == "reg")
    assert reg["bounds"] == "> 0"
    assert float(reg["default"]) == config_class("ease")().reg
    assert "reg" in metier("models", "ease").out


def test_choices_are_spelled_out(metier):
    content = json.loads(metier("models", "content", "--json").out)
    assert "tfidf | embedding" in {setting["type"] for setting in content["settings"]}


def test_the_table_names_all(metier):
    shown = metier("models").out
    assert all(name in shown for name in MODELS)
