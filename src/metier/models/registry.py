"""The models by the names the command line uses. Nothing is imported until a model is asked for."""

from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from metier.errors import ConfigError, UsageError
from metier.models.base import ModelConfig, Recommender

MODELS = {
    "random": "metier.models.random:Random",
    "popularity": "metier.models.popularity:Popularity",
    "place": "metier.models.place:Place",
    "user-knn": "metier.models.user_knn:UserKNN",
    "item-knn": "metier.models.item_knn:ItemKNN",
    "rp3beta": "metier.models.rp3beta:RP3Beta",
    "ease": "metier.models.ease:EASE",
    "svd": "metier.models.svd:PureSVD",
    "svd-naive": "metier.models.svd_naive:NaiveSVD",
    "svdpp": "metier.models.svdpp:SVDpp",
    "svdpp-naive": "metier.models.svdpp_naive:NaiveSVDpp",
    "ials": "metier.models.ials:IALS",
    "bpr": "metier.models.bpr:BPR",
    "fm": "metier.models.fm:FM",
    "fm-no-resume": "metier.models.fm:FMNoResume",
    "afm": "metier.models.afm:AFM",
    "review-afm": "metier.models.review_afm:ReviewAFM",
    "content": "metier.models.content:Content",
    "two-tower": "metier.models.two_tower:TwoTower",
    "lgir": "metier.models.lgir:LGIR",
    "lgir-fm": "metier.models.lgir_fields:LGIRFM",
    "lgir-afm": "metier.models.lgir_fields:LGIRAFM",
    "lightgcn": "metier.models.lightgcn:LightGCN",
    "profile": "metier.models.profile:Profile",
    "ranker": "metier.models.ranker:Ranker",
}
"""Name -> "module:class"."""
TRAINED_BY = dict.fromkeys(("two-tower", "lgir", "lgir-fm", "lgir-afm", "lightgcn"), "torch")
"""Models whose training needs a package of an extra of the same name."""

BY_PROCESSES = ("two-tower", "lgir", "lgir-fm", "lgir-afm")
"""Models, or their parts, that torch trains in a group of processes (`metier.models.processes`)."""
BY_WORKERS = ("fm", "fm-no-resume", "bpr", "svdpp", "afm", "review-afm", "lgir-fm", "lgir-afm", "ranker")
"""Models with a factorization machine that an engine's workers train (`metier.models.rounds`)."""


def available() -> list[str]:
    """The models that can be trained here: all whose extra is installed."""
    return [name for name in MODELS if name not in TRAINED_BY or find_spec(TRAINED_BY[name])]


def model_class(name: str) -> type[Recommender]:
    """The class behind a name; UsageError lists the names."""
    if name not in MODELS:
        near = get_close_matches(name, MODELS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no model {name!r}{hint}; there are {', '.join(MODELS)}")
    module, attribute = MODELS[name].split(":")
    found: type[Recommender] = getattr(import_module(module), attribute)
    return found


def config_class(name: str) -> type[ModelConfig]:
    """The settings class of a model: the annotation of its `config`."""
    from typing import get_type_hints

    hint: type[ModelConfig] = get_type_hints(model_class(name))["config"]
    return hint


def create(name: str, settings: dict[str, Any] | None = None) -> Recommender:
    """A fresh model with the given settings over its defaults; ConfigError names a wrong setting."""
    from pydantic import ValidationError

    try:
        config = config_class(name)(**(settings or {}))
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        settings_there = ", ".join(config_class(name).model_fields) or "none"
        raise ConfigError(f"model {name!r}: {details}; its settings are {settings_there}") from None
    return model_class(name)(config)  # type: ignore[call-arg]
