"""The pages: HTML made on the server, for people. One module an audience; what they show comes from the operations of
the API."""

from importlib.resources import as_file, files
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from metier.serve.pages import accounts, door, job, operator, recruiter, resume, seeker, trial

MODULES = (seeker, job, resume, trial, door, recruiter, operator, accounts)
ROUTES = [route for module in MODULES for route in module.ROUTES]


class _Kept(StaticFiles):
    """Files that a browser may keep for an hour."""

    def file_response(self, *args: Any, **how: Any) -> Response:
        """As `StaticFiles`, with how long it may be kept."""
        answer = super().file_response(*args, **how)
        answer.headers["Cache-Control"] = "max-age=3600"
        return answer


def mount(app: FastAPI) -> None:
    """Add the pages to an application of the API."""
    app.router.routes.extend(ROUTES)
    with as_file(files("metier.serve") / "static") as folder:
        app.mount("/static", _Kept(directory=folder), name="static")
