"""What a worker process opens once and keeps, such as a memory-mapped catalogue or the data of a window."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

_there: dict[str, tuple[Hashable, Any]] = {}


def kept(what: str, key: Hashable, make: Callable[[], T]) -> T:
    """`make()`, or what it gave for the same `key` before; for each `what` a process keeps the last one.

    The former is dropped before the next is made, so memory holds one at a time.
    """
    if what in _there:
        before, value = _there[what]
        if before == key:
            return value  # type: ignore[no-any-return]
        del value, _there[what]
    made = make()
    _there[what] = key, made
    return made


def forget() -> None:
    """Drop everything."""
    _there.clear()
