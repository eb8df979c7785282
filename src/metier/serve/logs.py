"""Structured logs that cannot tell what people wrote: only fields of a fixed list leave, as JSON lines on stderr."""

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict

FIELDS = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "request",
        "method",
        "route",
        "status",
        "ms",
        "tenant",
        "actor",
        "version",
        "error",
        "at",
        "count",
        "seconds",
        "host",
        "port",
        "logger",
    }
)
"""All that a line may hold: no body, no query, no header, no name, no key. `route` is the template, not the path."""


def allowed(_: Any, __: str, event: EventDict) -> EventDict:
    """Drop every field that is not in `FIELDS`."""
    return {name: value for name, value in event.items() if name in FIELDS}


def failure(error: BaseException) -> dict[str, str]:
    """Which error it was and where, innermost last; its message could quote what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "error": type(error).__name__,
        "at": " > ".join(f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}" for frame in frames),
    }


class _Foreign(logging.Handler):
    """Lines of other libraries: who spoke and how loud; the words only of the server's own start and stop."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and not record.name.startswith("uvicorn"):
            return
        error = record.exc_info[1] if record.exc_info else None
        said = record.getMessage() if record.name == "uvicorn.error" and error is None else "another library's message"
        log = structlog.get_logger()
        log.log(record.levelno, said, logger=record.name, **(failure(error) if error else {}))


def set_up(level: int = logging.INFO) -> None:
    """Make structlog and the standard library write JSON lines to stderr."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Foreign()], level=max(level, logging.INFO), force=True)
    logging.getLogger("uvicorn.access").disabled = True
