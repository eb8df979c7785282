"""What goes to a worker, what it does with it, and what comes back: names, URLs and messages."""

import threading
from collections.abc import Sequence
from typing import Any, TypedDict

from metier import errors
from metier.engine import parts
from metier.engine.base import Work
from metier.errors import MetierError

DEATHS = 3
"""So many workers may die over an order before it is given up."""

_turn = threading.Lock()  # kernels use all threads a worker has: one partition at a time in a process


class Order(TypedDict):
    """Consecutive partitions for one worker; pairs of (partition, result)."""

    name: str
    settings: dict[str, Any]
    pairs: list[tuple[str, str]]


class Failure(TypedDict):
    """An error as plain text; `kind` is a name in `metier.errors`."""

    kind: str
    message: str


def orders(work: Work, given: Sequence[str], out: str) -> list[Order]:
    """The work cut into orders; result n is `out`/part-n.parquet."""
    folder = parts.absolute(out)
    pairs = [(parts.absolute(url), parts.named(folder, number)) for number, url in enumerate(given)]
    return [
        Order(name=work.name, settings=dict(work.settings), pairs=pairs[first : first + work.together])
        for first in range(0, len(pairs), work.together)
    ]


def results(planned: Sequence[Order], out: str) -> list[str]:
    """The URLs of finished orders, in order; what else an earlier call left in `out` goes."""
    urls = [result for order in planned for _, result in order["pairs"]]
    parts.sweep(parts.absolute(out), urls)
    return urls


def carry_out(order: Order) -> Failure | None:
    """Do the partitions of an order that are not done yet, in a worker; an error comes back as text."""
    work = Work(order["name"], order["settings"])
    try:
        for partition, result in order["pairs"]:
            do(work, partition, result)
    except MetierError as error:
        return Failure(kind=type(error).__name__, message=str(error))
    return None


def do(work: Work, partition: str, result: str) -> None:
    """One partition, unless its result is there. MetierError names it; the work's own class of error is kept."""
    with _turn:
        try:
            stamp = work.fingerprint(parts.content(partition))
            if parts.fingerprint(result) != stamp:
                parts.save(result, work.function()(parts.load(partition), **work.settings), stamp)
        except MetierError as error:
            raise raised(type(error).__name__, f"partition {partition}: {error}") from error
        except Exception as error:
            raise MetierError(
                f"partition {partition}: {work.name} failed with {type(error).__name__}: {error}; "
                "cure: remove the cause and repeat the call, which goes on with what is left"
            ) from error


def raised(kind: str, message: str) -> MetierError:
    """The error of a failure, of its own class where that takes a message."""
    known: type[MetierError] = getattr(errors, kind, MetierError)
    return known.__new__(known, message)  # past an __init__ that would make the message from other things


def given_up(order: Order) -> MetierError:
    """The error for an order that keeps killing its workers."""
    named = ", ".join(partition for partition, _ in order["pairs"])
    return MetierError(
        f"{DEATHS} workers died over partition {named} of {order['name']}; cure: if the machine ran out of memory, "
        "fewer workers or smaller partitions; then repeat the call, which goes on with what is left"
    )
