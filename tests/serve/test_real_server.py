"""The command itself in a process of its own: fuzzed by schemathesis, killed without warning, stopped in order."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
import schemathesis

from metier.cli.serve import listen
from metier.serve.policy import SCOPES
from metier.serve.settings import Settings
from metier.store.store import Store
from metier.store.tokens import hash_password

REPOSITORY = Path(__file__).parents[2]


class Server:
    """`metier serve` on a free port, with a key of all scopes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        store = Store.open(home / "metier.db")
        self.tenant = store.add_tenant("main").id
        with store.write(self.tenant) as rows:
            _, self.key = rows.keys.add("tests", SCOPES, "system")
        store.close()
        self.headers = {"Authorization": f"Bearer {self.key}"}

    def start(self) -> subprocess.Popen:
        given = {"METIER_SERVE_MOMENT": "data", "METIER_SERVE_REQUESTS_PER_MINUTE": "1000000"}
        command = [sys.executable, "-c", "from metier.cli.app import main; main()", "serve"]
        process = subprocess.Popen(
            [*command, "--home", self.home, "--port", str(self.port)],
            env=os.environ | given,
            stderr=(self.home / "log").open("ab"),
        )
        for _ in range(1200):
            try:
                if httpx2.get(f"{self.url}/health/ready").status_code == 200:
                    return process
            except httpx2.TransportError:
                pass
            assert process.poll() is None, (self.home / "log").read_text()
            time.sleep(0.1)
        process.kill()
        raise AssertionError("not ready in two minutes")

    @contextmanager
    def running(self):
        process = self.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM  # uvicorn hands the signal on once it is done
            assert '"stopped"' in (self.home / "log").read_text().splitlines()[-3]


@pytest.fixture(scope="module")
def server(town_bundles, tmp_path_factory):
    home = tmp_path_factory.mktemp("served")
    shutil.copytree(town_bundles, home / "models")
    return Server(home)


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


@pytest.mark.parametrize("kills", [3, pytest.param(500, marks=pytest.mark.slow)])
def test_no_acknowledged_event_is_lost_when_the_process_is_killed(server, kills):
    acknowledged, sent, chance = set(), 0, random.Random(1)
    for _ in range(kills):
        process, over = server.start(), threading.Event()

        def write(thread, over=over):
            nonlocal sent
            with httpx2.Client(base_url=server.url, headers=server.headers) as client:
                while not over.is_set():
                    sent += 1
                    event = {"id": f"{thread}-{sent}-{chance.random()}", "kind": "viewed", "person": "p1", "job": "j1"}
                    try:
                        if client.post("/api/v1/events", json=event).status_code == 201:
                            acknowledged.add(event["id"])
                    except httpx2.TransportError:
                        return

        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(0.3 + chance.random())
        process.kill()
        over.set()
        process.wait()
        for thread in threads:
            thread.join()
    store = Store.open(server.home / "metier.db")
    with store.read(server.tenant) as rows:
        kept = {event.source for event in rows.events.of_person("p1")}
        assert rows.audit.verify().broken is None
    with store.database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    store.close()
    assert len(acknowledged) > kills
    assert acknowledged <= kept


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


def test_openapi_document_is_the_committed_one():
    """`make docs` writes it."""
    from metier.serve.app import openapi

    kept = json.loads((REPOSITORY / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(openapi())), "docs/reference/openapi.json is old; cure: make docs"
