"""The port before there is a model: whether it is free; alive, not ready, and a page that says what is being done."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from threading import Thread
from types import SimpleNamespace
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from metier.errors import UsageError
from metier.serve.middleware import HEADERS
from metier.serve.pages.templates import render
from metier.serve.pages.visit import POLICY_OF_CONTENT
from metier.serve.problems import problem

RETRY = {"retry-after": "10"}
_PATIENCE = 10.0
"""Seconds that the last answers may take once the work is done."""


@contextmanager
def getting_ready(host: str, port: int) -> Iterator[Callable[[str], None]]:
    """Answer at a port until the block ends; what it yields is told each stage of the work.

    Raises
    ------
    UsageError : the port cannot be had; better now than after the work.
    """
    stage = "starting"

    def say(what: str) -> None:
        nonlocal stage
        stage = what

    config = uvicorn.Config(
        _application(lambda: stage), host=host, port=port, log_config=None, access_log=False, server_header=False
    )
    server, log = uvicorn.Server(config), logging.getLogger("uvicorn.error")
    level = log.level
    log.setLevel(logging.CRITICAL)  # whoever waits reads the stages, not this server's beginning and end
    thread = Thread(target=_run, args=(server,), name="getting-ready", daemon=True)
    thread.start()
    try:
        while thread.is_alive() and not server.started:
            thread.join(0.02)
        if not server.started:
            check_free(host, port)
            raise UsageError(f"port {port} of {host} cannot be listened at; cure: metier serve --port N with another")
        yield say
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)
        log.setLevel(level)


def check_free(host: str, port: int) -> None:
    """Raise UsageError if nobody can listen at a port, because something else does or it is not allowed."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise UsageError(
            f"port {port} of {host} cannot be listened at: {why}; cure: stop what listens there, another metier serve "
            "perhaps, or metier serve --port N with another number"
        ) from None


def _run(server: uvicorn.Server) -> None:
    with suppress(SystemExit):  # how uvicorn says that it has no port; `started` tells
        server.run()


def _application(stage: Callable[[], str]) -> Starlette:
    def live(_: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_plain())

    def ready(_: Request) -> Response:
        return problem(503, uuid4().hex, f"The first model is being trained: {stage()}.", headers=_plain() | RETRY)

    def page(_: Request) -> Response:
        nobody = SimpleNamespace(places=(), actor=None, csrf="")
        html = render("getting_ready.html.j2", visitor=nobody, here="/", errors={}, stage=stage())
        return HTMLResponse(html, 503, _plain() | RETRY | {"content-security-policy": POLICY_OF_CONTENT})

    static = StaticFiles(directory=str(files("metier.serve") / "static"))
    return Starlette(
        routes=[
            Route("/health/live", live),
            Route("/health/ready", ready),
            Mount("/static", static),
            Route("/api/{path:path}", ready, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/{path:path}", page),
        ]
    )


def _plain() -> dict[str, str]:
    """The headers that every answer of the service has."""
    return {name.decode(): value.decode() for name, value in HEADERS}
