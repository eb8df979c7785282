"""Models of a tenant: at most one is live; promoting one and going back are one transaction each."""

from dataclasses import dataclass
from typing import Literal

from metier.errors import UnknownIdError, UsageError
from metier.store.recommendations import Recommendations
from metier.store.schema import model_changes, models
from metier.store.scope import Page, Scope

ModelState = Literal["candidate", "live", "retired"]


@dataclass(frozen=True)
class Model:
    """A trained bundle that a tenant may answer with."""

    version: str
    """"<bundle name>@<first 12 digits of the SHA-256 of its manifest>"."""
    bundle: str
    """Where it lies: the name of its folder."""
    state: ModelState
    before: str | None
    """What was live when this one was promoted; where a roll-back goes."""
    made: float
    changed: float


@dataclass(frozen=True)
class ModelChange:
    """A model went live."""

    sequence: int
    time: float
    action: Literal["promote", "roll back"]
    version: str
    actor: str


class Models:
    """Models of a tenant. Another live model voids all stored answers."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(self, version: str, bundle: str) -> Model:
        """Make a candidate; a version that is known stays what it is."""
        if self.get(version) is None:
            now = self._scope.clock()
            self._scope.insert(models, [vars(Model(version, bundle, "candidate", None, now, now))])
        return self._known(version)

    def get(self, version: str) -> Model | None:
        """One model, if it is there."""
        return next(iter(self._scope.read(Model, models, models.c.version == version)), None)

    def live(self) -> Model | None:
        """The model that answers, if there is one."""
        return next(iter(self._scope.read(Model, models, models.c.state == "live")), None)

    def all(self) -> list[Model]:
        """All models, the last changed first."""
        return self._scope.read(Model, models, order=[models.c.changed.desc(), models.c.version])

    def promote(self, version: str, actor: str) -> Model:
        """Make a model live in the place of the one that is; UnknownIdError for no such version."""
        model, live = self._known(version), self.live()
        if live is None or live.version != version:
            before = live.version if live else None
            self._change(live, model, actor, "promote", {"before": before})
        return self._known(version)

    def roll_back(self, actor: str) -> Model:
        """Make that model live which was live before this one was promoted; UsageError where there was none."""
        live = self.live()
        if live is None or live.before is None:
            raise UsageError("no model was live before this one; cure: promote one")
        self._change(live, self._known(live.before), actor, "roll back", {})
        return self._known(live.before)

    def history(self, after: str | None = None, limit: int = 100) -> Page[ModelChange]:
        """Which model went live when, the last one first."""
        return self._scope.page(ModelChange, model_changes, "sequence", after, limit, descending=True)

    def _change(self, old: Model | None, new: Model, actor: str, action: str, values: dict[str, str | None]) -> None:
        now = self._scope.clock()
        if old is not None:
            self._scope.update(models, {"state": "retired", "changed": now}, models.c.version == old.version)
        self._scope.update(models, {"state": "live", "changed": now, **values}, models.c.version == new.version)
        row = {"sequence": self._scope.draw(), "time": now, "action": action, "version": new.version, "actor": actor}
        self._scope.insert(model_changes, [row])
        Recommendations(self._scope).void_all()

    def _known(self, version: str) -> Model:
        model = self.get(version)
        if model is None:
            raise UnknownIdError(f"no model {version!r}; cure: one of {[one.version for one in self.all()]}")
        return model
