"""A budget in tokens and money with a hard stop: the worst case is set aside before a request, the truth booked after.

Nothing is sent that could break the budget, whatever the endpoint answers, so a run ends at most one call short of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from metier.errors import BudgetError
from metier.store import Spending


class Reservation:
    """What one request may cost; `actual` is set to what it did cost, and stays the worst case when nobody knows."""

    def __init__(self, worst: Spending) -> None:
        self.worst = worst
        self.actual = worst


class Budget:
    """What may be spent and what has been; safe to share between threads."""

    def __init__(self, tokens: int | None, cost: float | None, *, spent: Spending | None = None) -> None:
        """Limits (None: no limit), and what an earlier run already spent of them."""
        self._tokens, self._cost = tokens, cost
        self._spent = spent or Spending()
        self._reserved: list[Spending] = []
        self._changed = Condition()

    @property
    def spent(self) -> Spending:
        """All that was booked so far."""
        with self._changed:
            return self._spent

    @contextmanager
    def reserve(self, worst: Spending) -> Iterator[Reservation]:
        """Set the worst case of one request aside for as long as it runs, then book its actual cost.

        Requests under way mostly cost less than they reserve, so a request that does not fit beside them waits for
        them to be booked.

        Raises
        ------
        BudgetError : the request would not fit, even with nothing else under way.
        """
        with self._changed:
            while not self._fits(worst):
                if not self._reserved:
                    raise BudgetError(self._refusal(worst))
                self._changed.wait()
            self._reserved.append(worst)
        reservation = Reservation(worst)
        try:
            yield reservation
        finally:
            with self._changed:
                self._reserved.remove(worst)
                self._spent += reservation.actual
                self._changed.notify_all()

    def _fits(self, worst: Spending) -> bool:
        total = sum(self._reserved, self._spent) + worst
        return (self._tokens is None or total.tokens <= self._tokens) and (
            self._cost is None or total.cost <= self._cost
        )

    def _refusal(self, worst: Spending) -> str:
        tokens = "" if self._tokens is None else f" {self._spent.tokens:,} of {self._tokens:,} tokens"
        cost = "" if self._cost is None else f" {self._spent.cost:.4f} of {self._cost:.4f} in money"
        return (
            f"the budget is spent:{tokens}{' and' if tokens and cost else ''}{cost}; the next request could take "
            f"{worst.tokens:,} tokens ({worst.cost:.4f}); cure: raise budget_tokens or budget_cost, or lower max_tokens"
        )
