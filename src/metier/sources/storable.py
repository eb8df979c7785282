"""What every database can hold and every clock can show: text without NUL, moments of years near our own."""

from datetime import datetime

YEARS = 1900, 2200
"""First and last year of a moment; near year 1 or 9999 an offset leads out of the calendar."""


def storable_moment(value: str) -> datetime:
    """The moment of ISO 8601 text, without an offset where it names none.

    Raises
    ------
    ValueError : it is no such text, or its year is not one of `YEARS`; the message does not repeat it.
    """
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("is no date such as 2026-11-23 or 2026-11-23T09:00:00Z") from None
    first, last = YEARS
    if not first <= parsed.year <= last:
        raise ValueError(f"is of a year before {first} or after {last}; cure: a year between, or leave it out")
    return parsed


def storable_text(value: object) -> object:
    """The value of a field, unless it is or lists text with a NUL character, which PostgreSQL refuses: ValueError."""
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, str) and "\0" in one:
            raise ValueError("holds a NUL character (U+0000); cure: leave it out")
    return value
