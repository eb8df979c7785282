"""CSV that no spreadsheet runs: a cell that would be a formula begins with an apostrophe."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

MEDIA_TYPE = "text/csv; charset=utf-8"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: Any) -> Any:
    """A value as a cell: text that a spreadsheet would take for a formula is marked as text, numbers stay.

    >>> cell("=1+1"), cell(-1.5), cell("nurse")
    ("'=1+1", -1.5, 'nurse')
    """
    if isinstance(value, str) and value.lstrip(" \u00a0").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A header and rows, UTF-8, lines ended by CRLF (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([cell(one) for one in row] for row in rows)
    return out.getvalue().encode()
