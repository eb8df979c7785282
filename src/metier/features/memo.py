"""What was computed a moment ago and will be asked for again, up to a number of bytes."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """The values asked for last, as many as fit.

    Parameters
    ----------
    limit : bytes that are kept together; the newest value stays even when it is larger.
    weigh : (key, value) -> bytes; keys can be hashed.
    """

    def __init__(self, limit: int, weigh: Callable[[Any, Value], int]) -> None:
        self.limit, self._weigh = limit, weigh
        self._kept: OrderedDict[Any, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Any, make: Callable[[], Value]) -> Value:
        """The value kept under `key`, made and kept where there is none."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        self.put(key, value)
        return value

    def put(self, key: Any, value: Value) -> None:
        """Keep a value; the oldest ones go where they do not fit beside it."""
        with self._lock:
            self._kept[key] = value, self._weigh(key, value)
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self.limit:
                self._kept.popitem(last=False)
