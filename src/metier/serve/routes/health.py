"""Is it alive, is it ready, and what does it count."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from metier.serve.guard import Asking, Guarded
from metier.serve.metrics import CONTENT_TYPE
from metier.serve.problems import busy
from metier.serve.records import Sent
from metier.serve.service import Service

router = APIRouter(route_class=Guarded, tags=["health"])


class Health(Sent):
    """The state of this process."""

    status: Literal["ok"]


class Readiness(Health):
    """What this process can answer."""

    models: int
    """Tenants whose live model is loaded."""
    missing: int
    """Tenants whose live model could not be loaded; they are answered 503, the others are served."""
    behind: int
    """Tenants that are answered by the model before: another process promoted one, and it is being loaded here or could
    not be."""


@router.get("/health/live")
async def is_live() -> Health:
    """The process answers; asks neither the store nor a model."""
    return Health(status="ok")


@router.get("/health/ready")
def is_ready(request: Request) -> Readiness:
    """The store answers, the threads beside the requests run, and a live model is loaded unless there is none; else
    503."""
    service: Service = request.app.state.service
    models, missing, behind = service.models.loaded()
    if not service.running_beside() or (missing and not models):
        raise busy("No live model is loaded, or a thread has ended; the log says which.")
    return Readiness(status="ok", models=models, missing=missing, behind=behind)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(call: Asking) -> Response:
    """Counters for Prometheus."""
    return Response(call.service.metrics.text(), media_type=CONTENT_TYPE)
