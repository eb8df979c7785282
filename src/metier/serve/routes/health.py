"""Is it alive, is it ready, and what does it count."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from metier.serve.guard import Asking, Guarded
from metier.serve.metrics import CONTENT_TYPE
from metier.serve.problems import busy
from metier.serve.records import Sent

router = APIRouter(route_class=Guarded, tags=["health"])


class Health(Sent):
    """The state of this process."""

    status: Literal["ok"]


@router.get("/health/live")
async def is_live() -> Health:
    """The process answers; asks neither the store nor a model."""
    return Health(status="ok")


@router.get("/health/ready")
def is_ready(request: Request) -> Health:
    """The store answers, the models of its tenants are loaded and the threads beside the requests run; else 503."""
    if not request.app.state.service.ready():
        raise busy("A model is not loaded, or a thread has ended; the log says which.")
    return Health(status="ok")


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def get_metrics(call: Asking) -> Response:
    """Counters for Prometheus."""
    return Response(call.service.metrics.text(), media_type=CONTENT_TYPE)
