"""The budget is a wall, also for many threads at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.enrich.spending import Budget, Spending
from metier.errors import BudgetError

WORST = Spending(60, 40, 1.0, 1)


def test_what_is_booked_is_what_it_took():
    budget = Budget(200, None)
    with budget.reserve(WORST) as reservation:
        reservation.actual = Spending(10, 5, 0.5, 1)
    assert budget.spent == Spending(10, 5, 0.5, 1)


def test_unknown_ends_are_booked_at_their_worst():
    budget = Budget(None, None)
    with pytest.raises(RuntimeError), budget.reserve(WORST):
        raise RuntimeError
    assert budget.spent == WORST


@pytest.mark.parametrize("budget", [Budget(99, None), Budget(None, 0.9), Budget(250, None, spent=Spending(100, 51))])
def test_nothing_starts_that_could_break_the_budget(budget):
    before = budget.spent
    with pytest.raises(BudgetError, match="budget"), budget.reserve(WORST):
        pytest.fail("it was let through")
    assert budget.spent == before


def test_a_request_waits_for_those_under_way_before_it_is_refused():
    budget, inside, leave = Budget(150, None), threading.Event(), threading.Event()

    def first() -> None:
        with budget.reserve(WORST) as reservation:
            inside.set()
            leave.wait(5)
            reservation.actual = Spending(5, 5, 0.0, 1)

    with ThreadPoolExecutor() as pool:
        one = pool.submit(first)
        inside.wait(5)
        two = pool.submit(lambda: budget.reserve(WORST).__enter__())
        assert not two.done()
        leave.set()
        one.result(5)
        assert two.result(5).worst == WORST


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 100), max_size=60), st.integers(1, 2000))
def test_the_sum_never_passes_the_limit(costs, limit):
    budget = Budget(limit, None)

    def spend(tokens: int) -> bool:
        try:
            with budget.reserve(WORST) as reservation:
                reservation.actual = Spending(tokens, 0, 0.0, 1)
        except BudgetError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(spend, costs))
    assert budget.spent.tokens <= limit
    assert all(done) or budget.spent.tokens + WORST.tokens > limit
