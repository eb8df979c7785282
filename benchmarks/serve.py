"""The service on a bundle of 100,000 jobs: stored recommendations and live scoring over HTTP.

    python benchmarks/serve.py [--jobs 100000] [--model profile] [--seconds 20] [--connections 16] [--quick]

`metier serve` runs in a process of its own with its ordinary settings, a store in SQLite beside it; limits per key are
lifted. Stored: the top 20 of 500 people in turn, asked once before. Live: the top 20 for a description that nobody sent
before, made of the market's own words. The load comes from wrk where it is installed, else from an asyncio client in a
process of its own, which takes its share of the machine. Bundles are kept under .bench/.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import polars as pl

from environments import CACHE, machine, table
from live import bundle

PEOPLE, K = 500, 20
COLUMNS = ["", "requests/s", "p50 ms", "p99 ms", "errors", "CPU ms each"]
LUA = """
local lines, at = {}, 0
for line in io.lines(os.getenv("REQUESTS")) do lines[#lines + 1] = line end
math.randomseed(os.time())
function request()
  at = at % #lines + 1
  local path, body = lines[at]:match("^(%S+) ?(.*)$")
  if body == "" then return wrk.format("GET", path) end
  wrk.headers["Content-Type"] = "application/json"
  return wrk.format("POST", path, nil, body)
end
function done(summary, latency)
  local wrong = summary.errors.status + summary.errors.timeout + summary.errors.read + summary.errors.connect
  io.write(string.format('\\n{"rate": %f, "p50": %f, "p99": %f, "errors": %d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, wrong))
end
"""


async def load(port: int, key: str, lines: list[str], seconds: float, connections: int) -> dict[str, float]:
    """Ask over keep-alive connections, each as soon as it was answered."""
    head = f"Host: bench\r\nAuthorization: Bearer {key}\r\n"
    asked = []
    for line in lines:
        path, _, body = line.partition(" ")
        more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        asked.append(f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\n{head}{more}\r\n{body}".encode())
    spent: list[float] = []
    errors, at, until = 0, 0, time.perf_counter() + seconds

    async def connection() -> None:
        nonlocal errors, at
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (began := time.perf_counter()) < until:
            at += 1
            writer.write(asked[at % len(asked)])
            answer = await reader.readuntil(b"\r\n\r\n")
            length = answer.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await reader.readexactly(int(length))
            spent.append(1000 * (time.perf_counter() - began))
            errors += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    middle, late = np.quantile(spent, [0.5, 0.99])
    return {"rate": len(spent) / seconds, "p50": middle, "p99": late, "errors": errors}


def measured(port: int, key: str, lines: list[str], seconds: float, connections: int) -> dict[str, float]:
    """The same load, from wrk or from a process of this script."""
    with tempfile.TemporaryDirectory() as folder:
        requests = Path(folder) / "requests"
        requests.write_text("\n".join(lines))
        if wrk := shutil.which("wrk"):
            script = Path(folder) / "load.lua"
            script.write_text(LUA)
            command = [wrk, "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", str(script)]
            command += ["-H", f"Authorization: Bearer {key}", f"http://127.0.0.1:{port}"]
        else:
            command = [sys.executable, __file__, "--load", f"{port} {key} {seconds} {connections} {requests}"]
        variables = os.environ | {"REQUESTS": str(requests)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def descriptions(folder: Path, count: int) -> list[str]:
    """Requests of people made of the words and places of the bundle's, no two alike."""
    from metier.live import LiveModel

    rng = np.random.default_rng(2)
    known, model = pl.read_parquet(folder / "people.parquet")["id"].to_list(), LiveModel.load(folder)
    lines = []
    for person in rng.choice(known, count):
        one = model.asker(person)
        words = (one.text.split() * 100)[:100]
        rng.shuffle(words)
        place = {name: getattr(one, name) for name in ("city", "state", "country") if getattr(one, name)}
        body = {"profile": {"text": " ".join(words), **place}, "asked": {"k": K}}
        lines.append(f"/api/v1/recommendations {json.dumps(body)}")
    return lines


def resident(process: int) -> float:
    """Megabytes of a process and its children."""
    mine = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return mine + sum(resident(int(child)) for child in children)


def worked(process: int) -> float:
    """Seconds of processor time that a process and its children used: what a busy machine does not change."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    mine = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return mine + sum(worked(int(child)) for child in children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--model", default="profile", help="profile or ranker")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the bundles")
    parser.add_argument("--quick", action="store_true", help="5,000 jobs, 5 seconds")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        port, key, seconds, connections, file = given.load.split(" ", 4)
        lines = Path(file).read_text().splitlines()
        print(json.dumps(asyncio.run(load(int(port), key, lines, float(seconds), int(connections)))))
        return
    jobs, seconds = (5_000, 5.0) if given.quick else (given.jobs, given.seconds)
    folder = given.cache / f"live-{given.model}-{jobs}"
    if not folder.is_dir():
        bundle(folder, given.model, jobs)
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "models").mkdir()
        shutil.copytree(folder, Path(home) / "models" / "bench", copy_function=os.link)
        print(report(Path(home), given, jobs, seconds))


def report(home: Path, given: argparse.Namespace, jobs: int, seconds: float) -> str:
    """Start the service, ask it, stop it."""
    from metier.store.store import Store

    store = Store.open(home / "metier.db")
    tenant = store.add_tenant("main").id
    with store.write(tenant) as rows:
        _, key = rows.keys.add("bench", ["read", "people", "jobs"], "system")
    store.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"MOMENT": "data", "KEY_REQUESTS_PER_MINUTE": "100000000", "PORT": str(port), "HOME": str(home)}
    settings |= {"WORKERS": str(given.workers)}
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-c", "from metier.cli.app import main; main()", "serve"],
        env={name: value for name, value in os.environ.items() if name != "METIER_HOME"}
        | {f"METIER_SERVE_{name}": value for name, value in settings.items()},
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _ready(port):
            if server.poll() is not None:
                raise SystemExit("metier serve ended before it was ready")
            time.sleep(0.02)
        ready = time.perf_counter() - began
        known = pl.read_parquet(home / "models" / "bench" / "people.parquet")["id"].to_list()
        people = np.random.default_rng(1).choice(known, PEOPLE, replace=False)
        stored = [f"/api/v1/people/{person}/recommendations?k={K}" for person in people]
        live = descriptions(home / "models" / "bench", 5_000)
        for line in stored:
            urlopen(Request(f"http://127.0.0.1:{port}{line}", headers={"Authorization": f"Bearer {key}"})).read()
        time.sleep(1.5)  # answers are stored within a second
        loaded = resident(server.pid)
        lines = []
        for name, asked in (("stored", stored), ("live", live)):
            before = worked(server.pid)
            found = measured(port, key, asked, seconds, given.connections)
            each = 1000 * (worked(server.pid) - before) / (found["rate"] * seconds)
            shown = [f"{found['rate']:.0f}", f"{found['p50']:.1f}", f"{found['p99']:.1f}", f"{found['errors']:.0f}"]
            lines.append([name, *shown, f"{each:.2f}"])
        grown = resident(server.pid)
    finally:
        server.terminate()
        server.wait()
    how = "wrk" if shutil.which("wrk") else "an asyncio client on the same machine"
    said = (
        f"{machine()}. {jobs:,} jobs, {given.model}, top {K}, {given.workers} process, {given.connections} "
        f"connections, {seconds:.0f} s each, load by {how}. Ready after {ready:.1f} s; {loaded:.0f} MB resident "
        f"before, {grown:.0f} after."
    )
    return f"{said}\n\n{table(COLUMNS, lines)}"


def _ready(port: int) -> bool:
    try:
        return urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1).status == 200
    except OSError:
        return False


if __name__ == "__main__":
    main()
