"""Peers of the benchmarks: each in a virtual environment of its own, each run in a process of its own."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

CACHE = Path(__file__).parent.parent / ".bench"


class PeerError(Exception):
    """Why a peer has no figures, in one line."""


def environment(name: str, steps: Sequence[str], cache: Path = CACHE) -> Path:
    """The Python of a virtual environment, made anew when `steps` changed: arguments of one `pip install` each.

    PeerError with pip's last line when an installation fails.
    """
    folder, wanted = cache / name, "\n".join(steps)
    python, ready = folder / "bin" / "python", folder / "installed"
    if ready.is_file() and ready.read_text() == wanted:
        return python
    print(f"{name}: installing {', then '.join(steps)}", file=sys.stderr)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], 300)
    for step in steps:
        _run([str(python), "-m", "pip", "install", "--quiet", *step.split()], 1800)
    ready.write_text(wanted)
    return python


def python_with(requirement: str, cache: Path = CACHE) -> Path:
    """This Python where "name==version" is installed, else that of an environment with it and NumPy."""
    name, _, wanted = requirement.partition("==")
    try:
        if not wanted or version(name).split("+")[0] == wanted:
            return Path(sys.executable)
    except PackageNotFoundError:
        pass
    return environment(requirement, [f"{requirement} numpy"], cache)


def child(
    python: Path, script: Path, arguments: Sequence[str], seconds: float, variables: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The JSON that a script prints last; PeerError when it fails or takes longer."""
    printed = _run([str(python), str(script), *arguments], seconds, variables)
    try:
        return dict(json.loads(printed.splitlines()[-1]))
    except (IndexError, ValueError):
        raise PeerError(f"printed no result: {printed[-200:]!r}") from None


def machine() -> str:
    """Processor, cores, memory and Python, for the line above a table."""
    name = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").is_file() else []:
        if line.startswith("model name"):
            name = line.split(":", 1)[1].strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = f"load {os.getloadavg()[0]:.1f} at the start"
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, {load}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are set to the right."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _run(command: Sequence[str], seconds: float, variables: Mapping[str, str] | None = None) -> str:
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, env=os.environ | dict(variables or {})
        )
    except subprocess.TimeoutExpired:
        raise PeerError(f"not done after {seconds:.0f} s") from None
    if done.returncode < 0:
        raise PeerError(f"ended by signal {-done.returncode} after {time.monotonic() - started:.0f} s")
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise PeerError(said[-1].strip() if said else f"exit code {done.returncode}")
    return done.stdout
