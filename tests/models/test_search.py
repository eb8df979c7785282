"""Search spaces: drawn settings are allowed, spread over the range, and near ones are near."""

from typing import Annotated, Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from metier.errors import ConfigError
from metier.models.base import ModelConfig
from metier.models.registry import MODELS, config_class
from metier.models.search import Search, draw, near, space


class Config(ModelConfig):
    rate: Annotated[float, Search(1e-3, 1, log=True)] = Field(default=0.1, gt=0)
    size: Annotated[int, Search(8, 128, log=True)] = Field(default=64, ge=8)
    share: Annotated[float, Search(0, 1)] = Field(default=0.5, ge=0, le=1)
    kind: Annotated[Literal["a", "b"], Search(choices=("a", "b"))] = "a"
    half_life: Annotated[float | None, Search(choices=(None, 3.0))] = None
    fixed: int = 3


SPACE = space(Config)


def test_space_lists_the_annotated_settings_with_bounds_of_their_type() -> None:
    assert list(SPACE) == ["rate", "size", "share", "kind", "half_life"]
    assert [type(SPACE[name].low) for name in ("rate", "size", "share")] == [float, int, float]


@given(st.integers(0, 2**32))
def test_drawn_and_near_settings_are_allowed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = draw(SPACE, rng)
    moved = near(SPACE, drawn, 0.5, rng)
    assert Config(**drawn).fixed == Config(**moved).fixed == 3
    assert draw(SPACE, np.random.default_rng(seed)) == drawn


def test_a_draw_reaches_both_ends_evenly_on_its_scale() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw(SPACE, rng) for _ in range(3000)]
    rates = np.log10([one["rate"] for one in drawn])
    assert np.histogram(rates, 3, (-3, 0))[0] == pytest.approx(1000, abs=120)
    sizes = np.array([one["size"] for one in drawn])
    assert (sizes.min(), sizes.max()) == (8, 128)
    assert (sizes <= 32).mean() == pytest.approx(np.log(32.5 / 7.5) / np.log(128.5 / 7.5), abs=0.04)
    assert np.mean([one["kind"] == "a" for one in drawn]) == pytest.approx(0.5, abs=0.04)
    assert all(one["rate"] == float(f"{one['rate']:.3g}") for one in drawn)


def test_near_moves_by_the_radius_and_not_at_all_by_none() -> None:
    rng = np.random.default_rng(0)
    start = {"rate": 0.03, "size": 32, "share": 0.5, "kind": "b", "half_life": 3.0}
    moved = [near(SPACE, start, 0.1, rng) for _ in range(2000)]
    assert np.std([one["share"] for one in moved]) == pytest.approx(0.1, rel=0.1)
    assert np.std(np.log10([one["rate"] for one in moved])) == pytest.approx(0.3, rel=0.1)
    assert np.mean([one["kind"] == "b" for one in moved]) == pytest.approx(0.95, abs=0.02)
    assert near(SPACE, start, 0.0, rng) == start
    outside = near(SPACE, start | {"size": 4, "half_life": 7.0}, 0.0, rng)
    assert (outside["size"], outside["half_life"]) == (8, 7.0)


class Wrong(ModelConfig):
    no_range: Annotated[bool, Search(0, 1)] = True


class Half(ModelConfig):
    size: Annotated[int, Search(0.5, 3)] = 1


class Elsewhere(ModelConfig):
    kind: Annotated[str, Search(choices=("a", "b"))] = "c"


class Null(ModelConfig):
    days: Annotated[float | None, Search(choices=(None, 3.0))] = 3.0


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (Wrong, "Wrong.no_range"),
        (Half, "Half.size is a whole number"),
        (Elsewhere, "Elsewhere.kind: its default 'c'"),
        (Null, "Null.days: None is a choice"),
    ],
)
def test_a_search_that_does_not_fit_its_field_is_named(config: type[ModelConfig], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        space(config)


@pytest.mark.parametrize(
    "given", [{}, {"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"low": 1, "high": 2, "choices": (1,)}]
)
def test_a_search_without_sense_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="cure"):
        Search(**given)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_searched(name: str) -> None:
    """Most draws are allowed; a model may forbid some settings together."""
    config, rng = config_class(name), np.random.default_rng(0)
    searched = space(config)
    if not searched:
        assert name == "random", f"{name} declares no search space: annotate the settings worth tuning"
        return
    allowed = 0
    for _ in range(100):
        try:
            config(**draw(searched, rng))
        except ValidationError:
            continue
        allowed += 1
    assert allowed >= 25
