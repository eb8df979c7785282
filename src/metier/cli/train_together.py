"""How `metier train` uses more than one process: torch's group of processes, or the workers of an engine."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import typer

from metier.data.workspace import Workspace
from metier.engine import open_engine
from metier.errors import MissingExtraError, UsageError
from metier.models.registry import BY_PROCESSES, BY_WORKERS, create

GROUP = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun sets for each process it starts."""
LOOPBACK = "127.0.0.1"
GLANCE = 0.1
"""Seconds between two looks at whether a process has ended."""


def in_group() -> bool:
    """Whether this process was started as one of a group."""
    return all(name in os.environ for name in GROUP)


def group(model: str) -> AbstractContextManager[bool]:
    """Join the group that this process was started in; whether it is the first of it, as a process alone is."""
    if not in_group():
        return nullcontext(True)
    _can(model, BY_PROCESSES, "in a group of processes", "start it without torchrun")
    try:
        from metier.models.processes import joined
    except ModuleNotFoundError as error:
        raise MissingExtraError(model, "torch") from error
    return joined()


@contextmanager
def crew(engine: str, workers: int | None, model: str, workspace: Workspace) -> Iterator[None]:
    """Train on the workers of an engine; one worker of the local engine is this process, as it always trains."""
    if engine == "local" and workers in (None, 1):
        yield
        return
    _can(model, BY_WORKERS, "on the workers of an engine", "leave --engine and --workers out")
    from metier.models.rounds import over

    with open_engine(engine, workers=workers) as running, over(running, running.workers, workspace.home / "rounds"):
        yield


def start(
    processes: int, workspace: Workspace, dataset: str, bundle: str, model: str, settings: dict[str, Any], seed: int
) -> dict[str, Any]:
    """Run `metier train` in a group of processes of this machine, connected by loopback; what the first one did.

    When a process ends with an error the others are ended, too, and so is this command, with its exit code: what was
    wrong it has said.
    """
    _can(model, BY_PROCESSES, "in a group of processes", "leave --processes out")
    create(model, settings)  # what is wrong with them is said once
    if dataset not in workspace.names("datasets"):
        workspace.load(dataset)  # says which there are
    command = [sys.executable, "-m", "metier", "train", dataset, "--as", bundle, "--model", model, "--json"]
    command += ["--seed", str(seed), "--home", str(workspace.home)]
    for key, value in settings.items():
        command += ["--set", f"{key}={json.dumps(value)}"]
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    common = {"WORLD_SIZE": processes, "MASTER_ADDR": LOOPBACK, "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": loopback}
    running = []
    try:
        for rank in range(processes):
            own = {name: str(value) for name, value in {"RANK": rank, "LOCAL_RANK": rank, **common}.items()}
            out = subprocess.DEVNULL if rank else subprocess.PIPE
            running.append(subprocess.Popen(command, env=os.environ | own, stdout=out, text=True))  # noqa: S603
        while any(one.poll() is None for one in running) and not any(one.returncode for one in running):
            time.sleep(GLANCE)
        failed = next((one.returncode for one in running if one.returncode), 0)
        if failed:
            raise typer.Exit(failed if failed > 0 else 1)
        assert running[0].stdout is not None  # noqa: S101
        return dict(json.load(running[0].stdout))
    finally:
        for one in running:
            one.kill()
            one.wait()


def _can(model: str, known: tuple[str, ...], how: str, cure: str) -> None:
    """UsageError where a model is not trained so; one that does not exist is `create`'s to name."""
    create(model)
    if model not in known:
        raise UsageError(f"model {model!r} is not trained {how}, as are {', '.join(known)}; cure: {cure}")
