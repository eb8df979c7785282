"""The command itself in a process of its own: fuzzed by schemathesis, stopped in order, started first."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import schemathesis

from metier.cli.serve import listen, newest_bundle
from metier.serve.first_start import give
from metier.serve.settings import Settings
from metier.store.store import Store
from metier.store.tokens import hash_password

REPOSITORY = Path(__file__).parents[2]


@schemathesis.serializer("application/x-ndjson")
def ndjson(_, value):
    """Lines as they are; anything else as one line of JSON."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else json.dumps(value).encode()


@pytest.mark.parametrize("examples", [5, pytest.param(100, marks=pytest.mark.slow)])
def test_every_operation_stands_any_input(server, examples):
    """No 5xx, no answer off its schema, nothing accepted that the schema refuses."""
    from hypothesis import HealthCheck, given, settings
    from schemathesis.checks import CHECKS

    with server.running():
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        left_out = CHECKS.get_by_names(["positive_data_acceptance"])  # ids, bundles and orders of dates may be refused
        failures = []
        for operation in (one.ok() for one in schema.get_all_operations()):

            @given(case=operation.as_strategy())
            @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            def fuzz(case):
                case.call_and_validate(headers=server.headers, excluded_checks=left_out)

            try:
                fuzz()
            except (Exception, ExceptionGroup) as failure:
                failures.append(f"{operation.label}: {failure}")
    assert not failures, "\n\n".join(failures)
    log = (server.home / "log").read_text()
    assert '"level": "error"' not in log
    assert server.key not in log


def test_audit_of_reads_is_written_when_the_server_stops(server):
    with server.running():
        answer = httpx2.get(f"{server.url}/api/v1/people/p2/recommendations", headers=server.headers)
        assert answer.status_code == 200, answer.text
    store = Store.open(server.home / "metier.db")
    with store.read(server.tenant) as rows:
        (row,) = rows.audit.page(object="p2").items
    store.close()
    assert row.action == "recommendations.served"
    assert json.loads(row.details)["version"] == answer.json()["version"]


def test_first_start_prints_a_token_and_listens_here_only(town_bundles, tmp_path, monkeypatch, capsys):
    shutil.copytree(town_bundles, tmp_path / "models")
    hosts = []
    monkeypatch.setattr("uvicorn.run", lambda app, *, host, **_: hosts.append(host))
    settings = Settings(home=tmp_path, host="0.0.0.0")
    listen(settings, "first")
    told, *where = capsys.readouterr().err.splitlines()
    assert "one-time token for the first administrator" in told
    assert all("http://127.0.0.1:8000" in one for one in where)
    store = Store.open(settings.where)
    assert store.setup.complete(told.split()[-1], "root", hash_password("correct horse battery"))
    store.close()
    listen(settings, "first")
    assert hosts == ["127.0.0.1", "0.0.0.0"]


def test_a_taken_port_is_said_with_its_cure_before_any_work(tmp_path):
    """So a token that another process printed stays good. The database that was looked into is its owner's alone."""
    home = tmp_path / "home"
    command = [sys.executable, "-c", "from metier.cli.app import main; main()", "serve", "--home", home]
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = subprocess.run([*command, "--port", str(port)], capture_output=True, text=True, umask=0o022)
    assert (ran.returncode, ran.stdout) == (2, "")
    [said] = ran.stderr.splitlines()
    for part in (f"port {port} of 127.0.0.1", "already in use", "cure: stop what listens there", "--port N"):
        assert part in said
    assert [path.name for path in home.iterdir() if path.suffix == ".db" or path.is_dir()] == ["metier.db"]
    assert (home.stat().st_mode & 0o777, (home / "metier.db").stat().st_mode & 0o777) == (0o700, 0o600)
    store = Store.open(home / "metier.db")
    assert (store.tenants(), store.setup.waiting()) == ([], False)
    store.close()


def test_the_first_model_is_the_newest_bundle_that_is_no_other_tenants(town_bundles, tmp_path, monkeypatch):
    shutil.copytree(town_bundles, tmp_path / "models")
    for age, name in enumerate(("other", "second", "first")):
        os.utime(tmp_path / "models" / name, (1e9 - age, 1e9 - age))
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    settings, trained = Settings(home=tmp_path), []
    monkeypatch.setattr("metier.cli.serve.train_one", lambda _, name: trained.append(name))
    assert newest_bundle(settings) == "other"
    store = Store.open(settings.where)
    acme = store.add_tenant("acme")
    for name in ("other", "second"):
        give(store, tmp_path / "models" / name, acme)
    listen(settings, newest_bundle(settings))
    main = store.tenant("main")
    with store.read(main.id) as rows:
        assert rows.models.live().bundle == "first"
    assert newest_bundle(settings) == "first", "its own one is not another's"
    with store.write(acme.id) as rows:
        rows.models.add("demo@000000000000", "demo")
        rows.models.add("first@000000000000", "first")
    assert newest_bundle(settings) == "demo-2", "the other tenant's demo is not trained over"
    assert trained == ["demo-2"]
    store.close()


def test_openapi_document_is_the_committed_one():
    """`make docs` writes it."""
    from metier.serve.app import openapi

    kept = json.loads((REPOSITORY / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(openapi())), "docs/reference/openapi.json is old; cure: make docs"
