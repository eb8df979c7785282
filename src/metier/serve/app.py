"""The application: routes behind their guard, surroundings around them, and what runs beside the requests."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from threadpoolctl import threadpool_limits

from metier import __version__
from metier.live import LiveModel
from metier.serve.fleet import fleet
from metier.serve.guard import COOKIE
from metier.serve.logs import set_up
from metier.serve.middleware import Surroundings
from metier.serve.models import Models
from metier.serve.pages import mount
from metier.serve.pages.visit import as_page
from metier.serve.policy import POLICY
from metier.serve.problems import MEDIA_TYPE, Problem, add_handlers
from metier.serve.rehearsal import rehearse, settle
from metier.serve.routes import ROUTERS
from metier.serve.service import Service
from metier.serve.settings import Settings, read_settings
from metier.store.database import Database
from metier.store.store import Store

DESCRIPTION = (
    "Recommends jobs to people and people to jobs, and says why. Errors are RFC 9457 problem details. Who may not see "
    "something is told, as for what does not exist, 404."
)
SWITCH = 0.0005
"""Seconds after which a thread yields to another. A request gives way a few times, at each statement and each write;
with Python's 0.005 each of these waits that long while the audit is written."""
_TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False}
"""FastAPI's own telemetry would see bodies."""


def create_app(settings: Settings, database: Database, models: Models) -> FastAPI:
    """The API over an open database and its models; both are closed when the application stops."""
    service = Service(settings, database, models, rehearse, settle)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="metier",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        telemetry=_TELEMETRY,
        redirect_slashes=False,
    )
    app.state.service = service
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # as they are: `include_router` would match each request twice
    mount(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.add_middleware(
        Surroundings,
        largest=settings.largest,
        strangers=service.strangers,
        metrics=service.metrics,
        answer=as_page,
    )
    add_handlers(app, as_page)
    return app


def from_environment() -> FastAPI:
    """The application of a worker process, from METIER_SERVE_*."""
    set_up()
    sys.setswitchinterval(SWITCH)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for what is loaded later: other requests run beside this one
    threadpool_limits(1)
    settings = read_settings()
    database = Database.open(settings.where)
    structlog.get_logger().info("starting", version=__version__)
    shards = fleet(settings.shards.split(","), settings.shard_secret) if settings.shards else None
    load = partial(LiveModel.load, shards=shards)
    models = Models(settings.home / "models", Store(database), load, main=settings.tenant)
    return create_app(settings, database, models)


def openapi() -> dict[str, Any]:
    """The OpenAPI 3.1 document; it needs neither a store nor a model."""
    app = FastAPI(title="metier", version=__version__, description=DESCRIPTION, telemetry=_TELEMETRY)
    for router in ROUTERS:
        app.router.routes.extend(router.routes)
    return _openapi(app)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with problems as the answer to everything that is no success."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    schemas |= {**problem.pop("$defs"), "Problem": problem}
    document["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    answer = {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: reference}}
    for path in document["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = answer
            rule = POLICY[operation["operationId"]]
            operation["security"] = [] if rule.public else [{"key": []}, {"session": []}]
            operation["x-roles"], operation["x-scopes"] = sorted(rule.roles), sorted(rule.scopes)
    app.openapi_schema = document
    return document
