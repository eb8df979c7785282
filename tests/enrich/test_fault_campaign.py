"""Many questions to an endpoint that fails six times out of ten: each ends, waits are kept, the budget holds."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from metier.enrich.language_model import Prompt
from metier.enrich.model_config import LanguageModelConfig
from metier.enrich.openai_client import OpenAIModel
from metier.errors import BudgetError, ModelAnswerError
from metier.testing.endpoint import Faults, MockEndpoint

FAULTS = Faults(rate_limited=0.30, broken=0.15, hanging=0.10, garbage=0.10, cut=0.05, retry_after=0.05, hang=0.8)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["skills"],
    "properties": {"skills": {"type": "array", "minItems": 2, "items": {"type": "string", "minLength": 3}}},
}


def ask_all(model: OpenAIModel, n: int) -> list[str]:
    """How each of n questions ended."""

    def ask(number: int) -> str:
        try:
            model.complete(Prompt("Which skills?", f"person {number}"), SCHEMA)
        except (ModelAnswerError, BudgetError) as error:
            return type(error).__name__
        return "answer"

    with ThreadPoolExecutor(model.config.concurrency) as pool:
        return list(pool.map(ask, range(n)))


def settings(endpoint: MockEndpoint, **more) -> LanguageModelConfig:
    fast = {"backoff": 0.01, "timeout": 0.5, "breaker_pause": 0.2, "max_wait": 30, "concurrency": 8, "max_tokens": 40}
    return LanguageModelConfig(base_url=endpoint.url, model="mock", **fast | more)


@pytest.mark.parametrize("n", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_question_ends(n):
    told = []
    with MockEndpoint(FAULTS, seed=1) as endpoint:
        model = OpenAIModel(settings(endpoint), on_call=told.append)
        ends = ask_all(model, n)
        seen = list(endpoint.calls)
    assert len(ends) == n
    assert set(ends) <= {"answer", "ModelAnswerError"}
    assert ends.count("answer") > 0.5 * n
    assert len({call.outcome for call in seen}) == 6, "not every fault was met"

    ledger = {call.id: call for call in told if call.status is not None}
    assert {call.id for call in told} == set(ledger) == {call.id for call in seen}
    assert len(told) == 2 * len(seen)
    waits = [
        later.time - busy.time >= FAULTS.retry_after
        for question in {call.question for call in seen}
        for busy, later in pairwise(sorted((c for c in seen if c.question == question), key=lambda c: c.time))
        if busy.outcome == "rate_limited"
    ]
    assert len(waits) > 0.2 * n
    assert sum(waits) >= 0.99 * len(waits), f"{sum(waits)} of {len(waits)} waits kept"
    charged = sum(call.input_tokens + call.output_tokens for call in seen)
    assert charged <= model.spent.tokens, "the endpoint charges more than was booked"


@pytest.mark.parametrize("n", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_budget_holds_whatever_fails(n):
    budget = 90 * n
    with MockEndpoint(FAULTS, seed=2) as endpoint:
        model = OpenAIModel(settings(endpoint, budget_tokens=budget))
        ends = ask_all(model, n)
        charged = sum(call.input_tokens + call.output_tokens for call in endpoint.calls)
    assert "BudgetError" in ends, "the budget was never met"
    assert "answer" in ends
    assert charged <= budget
    assert budget - 1000 < model.spent.tokens <= budget, "it stopped long before the budget was spent"


def test_an_endpoint_that_is_down_does_not_take_hours():
    """1,000 questions to nobody: a few try, the rest is told at once."""
    with MockEndpoint() as endpoint:
        config = settings(endpoint, breaker_pause=0.1, attempts=3)
    model = OpenAIModel(config)
    assert ask_all(model, 1000) == ["ModelAnswerError"] * 1000
    assert model.spent.calls < 60
