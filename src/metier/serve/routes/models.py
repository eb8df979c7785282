"""Models: which there are, which is live, and changing that."""

from fastapi import APIRouter

from metier.serve.guard import Asking, Call, Guarded
from metier.serve.records import Id, Record, Sent, moment
from metier.store.models import Model, ModelState

router = APIRouter(prefix="/api/v1/models", route_class=Guarded, tags=["models"])


class Bundle(Record):
    """A bundle by the name of its folder in the workspace's `models`."""

    bundle: Id


class ModelOut(Sent):
    """A model of the tenant."""

    version: str
    bundle: str
    state: ModelState
    before: str | None
    """What was live before it was promoted."""
    changed: str


class Models(Sent):
    """Models that were live, and bundles that may be promoted."""

    items: list[ModelOut]
    bundles: list[str]


def sent(model: Model) -> ModelOut:
    """A model as it is sent."""
    return ModelOut(
        version=model.version,
        bundle=model.bundle,
        state=model.state,
        before=model.before,
        changed=moment(model.changed),
    )


def promoted(call: Call, bundle: str) -> ModelOut:
    """What `promote_model` does."""
    return sent(call.service.models.promote(call.tenant, bundle, call.actor.id))


def rolled_back(call: Call) -> ModelOut:
    """What `roll_back_model` does."""
    return sent(call.service.models.roll_back(call.tenant, call.actor.id))


@router.get("")
def list_models(call: Asking) -> Models:
    """Models of the tenant, the last changed first, and the bundles it may promote."""
    with call.service.store.read(call.tenant) as rows:
        items = [sent(one) for one in rows.models.all()]
    return Models(items=items, bundles=call.service.models.bundles(call.tenant))


@router.post("/promote")
async def promote_model(call: Asking, body: Bundle) -> ModelOut:
    """Load a bundle beside the live one, let it answer a question, and make it live; 422 says why it cannot be."""
    return await call.service.change(promoted, call, body.bundle)


@router.post("/rollback")
async def roll_back_model(call: Asking) -> ModelOut:
    """Make that model live again which was live before this one was promoted."""
    return await call.service.change(rolled_back, call)
