"""`metier llm`: one question to an endpoint."""

import json

import pytest
from typer.testing import CliRunner

from metier.cli.llm import app
from metier.enrich import local_model
from metier.errors import ConfigError, UsageError
from metier.testing.endpoint import MockEndpoint


def run(*arguments: str):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_check_shows_what_the_endpoint_can_do(tmp_path):
    with MockEndpoint(supports=("json_object",)) as endpoint:
        file = tmp_path / "llm.toml"
        file.write_text(f'base_url = "{endpoint.url}"\nmodel = "mock"\ninput_price = 1.0\n')
        shown = json.loads(run("check", "--config", file, "--json").stdout)
        table = run("check", "--config", file).stdout
    assert shown["held_to_the_schema_by"] == "json_object"
    assert shown["answer"] == {"skills": []}
    assert shown["requests"] == 3  # json_schema, json_schema without limits, json_object
    assert shown["cost"] > 0
    assert "json_object" in table


def test_check_wants_one_model(tmp_path):
    file = tmp_path / "llm.toml"
    file.write_text("")
    assert isinstance(run("check").exception, UsageError)
    assert isinstance(run("check", "--config", file, "--embedded").exception, UsageError)
    assert isinstance(run("check", "--config", file).exception, ConfigError)
    assert isinstance(run("check", "--embedded", "--home", tmp_path).exception, UsageError)


def test_fetch_tells_where_the_model_is(tmp_path, monkeypatch):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    monkeypatch.setattr(local_model, "fetch", lambda home: path)
    assert json.loads(run("fetch", "--home", tmp_path, "--json").stdout)["bytes"] == 7
    assert str(path.name) in run("fetch", "--home", tmp_path).stdout


@pytest.mark.parametrize("command", ["fetch", "check"])
def test_help(command):
    assert run(command, "--help").exit_code == 0
