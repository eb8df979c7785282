"""NDJSON, one record a line: read as it arrives, each bad line set aside with its number and a reason."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from metier.serve.problems import Refused, faults
from metier.store.imports import Refusal

T = TypeVar("T", bound=BaseModel)
MEDIA_TYPES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
LONGEST_LINE = 1_000_000
LINES = 1000
"""Of a batch: one transaction."""


class Batch(Generic[T]):
    """Records and the numbers of their lines, and the lines that are none."""

    def __init__(self) -> None:
        self.records: list[tuple[int, T]] = []
        self.refused: list[Refusal] = []

    def __len__(self) -> int:
        return len(self.records) + len(self.refused)

    def read(self, number: int, line: bytes, kind: type[T]) -> None:
        """Take a line; an empty one is nothing."""
        if not line.strip():
            return
        if len(line) > LONGEST_LINE:
            self.refused.append(Refusal(number, f"longer than {LONGEST_LINE:,} bytes"))
            return
        try:
            self.records.append((number, kind.model_validate_json(line)))
        except ValidationError as error:
            said = "; ".join(f"{one.where or 'line'}: {one.message}" for one in faults(error.errors())[:5])
            self.refused.append(Refusal(number, said[:500]))


async def batches(request: Request, kind: type[T]) -> AsyncIterator[Batch[T]]:
    """The body's records in batches; Refused: 415 for another kind of body, 413 for a line that never ends.

    What came before such a line is given first.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in MEDIA_TYPES:
        raise Refused(415, f"The body must be {MEDIA_TYPES[0]}: one JSON object a line.")
    batch, number, rest = Batch[T](), 0, b""
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            batch.read(number, line, kind)
            if len(batch) >= LINES:
                yield batch
                batch = Batch[T]()
        if len(rest) > LONGEST_LINE:
            if len(batch):
                yield batch
            raise Refused(413, f"A line is longer than {LONGEST_LINE:,} bytes; what came before it is imported.")
    batch.read(number + 1, rest, kind)
    if len(batch):
        yield batch
