"""`metier serve` in a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Self

import httpx2

from metier.serve.policy import SCOPES
from metier.store.store import Store

SETTINGS = {"METIER_SERVE_MOMENT": "data", "METIER_SERVE_REQUESTS_PER_MINUTE": "1000000"}


class Server:
    """`metier serve` on a free port over a home with bundles, with a key of all scopes."""

    def __init__(self, home: Path, database: str = "") -> None:
        self.settings: dict[str, str] = {}
        self.home, self.database = home, database or f"sqlite:///{home / 'metier.db'}"
        self.port = free_port()
        store = Store.open(self.database)
        self.tenant = store.add_tenant("main").id
        with store.write(self.tenant) as rows:
            _, self.key = rows.keys.add("tests", SCOPES, "system")
        store.close()
        self.headers = {"Authorization": f"Bearer {self.key}"}

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def beside(self, home: Path) -> Self:
        """Another process over the same database, with a home and a port of its own."""
        other = copy(self)
        other.home, other.port = home, free_port()
        return other

    @property
    def arguments(self) -> list[str]:
        """Of the command."""
        return ["serve", "--home", str(self.home), "--port", str(self.port), "--database", self.database]

    def start(self) -> subprocess.Popen:
        """The process, once it is ready."""
        with (self.home / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", "from metier.cli.app import main; main()", *self.arguments],
                env=os.environ | SETTINGS | self.settings,
                stderr=log,
            )
        self.wait_for(lambda: process.poll() is None)
        return process

    def wait_for(self, alive: Callable[[], bool]) -> None:
        """Until it is ready, two minutes at most."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                if httpx2.get(f"{self.url}/health/ready", verify=False).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            assert alive(), (self.home / "log").read_text()
            time.sleep(0.02)
        raise AssertionError("not ready in two minutes")

    @contextmanager
    def running(self):
        """The server, stopped in order at the end."""
        process = self.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM  # uvicorn hands the signal on once it is done
            assert '"stopped"' in (self.home / "log").read_text().splitlines()[-3]


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
