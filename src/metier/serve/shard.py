"""`metier serve --shard I/N`: one part of every catalogue, searched for the processes that answer people."""

import os
import re
import sys
import time
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from threading import Lock, Thread

import structlog
from fastapi.concurrency import run_in_threadpool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from threadpoolctl import threadpool_limits

from metier.bundle import load_profile, version
from metier.errors import BundleError, MetierError
from metier.live.scan import Scan, Sites
from metier.live.shards import answer_bytes, divided, read_question
from metier.serve.logs import failure, set_up
from metier.serve.settings import Settings, read_settings

KEPT = 600.0
"""Seconds for which a bundle is kept that nobody asks about, once another one is loaded."""
LARGEST = 256 * 2**20
"""Bytes of a question: a bit for each job of the shard, and little else."""
VERSION = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]*)@([0-9a-f]{12})")


@dataclass
class Held:
    """A shard's part of a bundle, and when it was asked about last."""

    scan: Scan
    asked: float


class Parts:
    """The parts that shard `number` (from 0) of `count` holds, each loaded when it is first asked for."""

    def __init__(self, folder: Path, number: int, count: int) -> None:
        self._folder, self._number, self._count = folder, number, count
        self._held: dict[str, Held] = {}
        self._loading, self._lock = set[str](), Lock()
        self._failed: dict[str, str] = {}

    def of(self, bundle: str) -> Scan | None:
        """This shard's jobs of a bundle by its version; None while they are being loaded, which it begins.

        Raises
        ------
        BundleError : the last attempt failed; the next call begins another one.
        """
        with self._lock:
            held, said = self._held.get(bundle), self._failed.pop(bundle, None)
            if held is not None:
                held.asked = time.monotonic()
                return held.scan
            if said is not None:
                raise BundleError(said)
            if bundle not in self._loading:
                self._loading.add(bundle)
                Thread(target=self._load, args=(bundle,), name="load", daemon=True).start()
        return None

    def _load(self, bundle: str) -> None:
        scan, said = None, ""
        try:
            part = load_profile(self._folder / bundle.rpartition("@")[0])
            if version(part.folder.name, part.digest) != bundle:
                raise BundleError(
                    f"the folder {part.folder.name!r} holds no {bundle}; cure: share the folder of bundles"
                )
            sites = Sites.of(part)
            scan = Scan(part, sites, divided(sites.group, self._count)[self._number])
        except Exception as error:  # whatever it is, it is said to whoever asks
            said = str(error) if isinstance(error, MetierError) else type(error).__name__
            structlog.get_logger().error("bundle not loaded", bundle=bundle, **failure(error))
        now = time.monotonic()
        with self._lock:
            self._loading.discard(bundle)
            if scan is None:
                self._failed[bundle] = said
                return
            self._held = {name: one for name, one in self._held.items() if now - one.asked < KEPT}
            self._held[bundle] = Held(scan, now)
        structlog.get_logger().info("bundle loaded", bundle=bundle, jobs=len(scan.rows))


def create_shard(settings: Settings) -> Starlette:
    """The application of a shard: whether it lives, whether it holds a bundle, and its best jobs for a question."""
    number, count = (int(part) for part in settings.shard.split("/"))
    parts = Parts(settings.home / "models", number - 1, count)

    async def alive(_: Request) -> Response:
        return JSONResponse({"status": "ok", "shard": settings.shard})

    async def asked(request: Request) -> Response:
        """Answered 401 without the secret, 404 for another shard's part, 422 for no question, 503 while loading."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not compare_digest(given.encode(), settings.shard_secret.encode()):
            return Response(status_code=401)
        known = VERSION.fullmatch(request.path_params["version"])
        if known is None or (request.path_params["number"], request.path_params["count"]) != (number, count):
            return Response(status_code=404)
        if int(request.headers.get("content-length") or LARGEST + 1) > LARGEST and request.method == "POST":
            return Response(status_code=413)
        try:
            scan = parts.of(known[0])
        except BundleError as error:
            return Response(str(error), 422)
        if scan is None:
            return Response(status_code=503, headers={"Retry-After": "1"})
        if request.method == "GET":
            return Response(status_code=204)
        try:
            question, k, allowed = read_question(await request.body())
            if len(allowed) != len(scan.rows):
                raise ValueError(f"{len(allowed)} jobs and a shard of {len(scan.rows)}")
            found = await run_in_threadpool(scan.best, question, k, allowed)
        except ValueError as error:
            return Response(str(error), 422)
        return Response(answer_bytes(*found), media_type="application/octet-stream")

    path = "/shards/{number:int}/{count:int}/{version}"
    return Starlette(routes=[Route("/health/live", alive), Route(path, asked, methods=["GET", "POST"])])


def from_environment() -> Starlette:
    """The application of a shard's process, from METIER_SERVE_*."""
    set_up()
    sys.setswitchinterval(0.0005)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    threadpool_limits(1)
    return create_shard(read_settings())
