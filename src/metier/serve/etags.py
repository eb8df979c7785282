"""Replacing only what was read: the header ETag names a state of a person or a job, If-Match asks for it (RFC 9110)."""

from typing import Annotated

from fastapi import Header, Response

from metier.serve.problems import Refused

NOTHING = 0
"""The sequence number of what the store does not hold, such as a person whom only the bundle knows."""
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description="The ETag that was read: refused (412) if somebody wrote since. Without it the last writer wins.",
    ),
]


def tag(sequence: int) -> str:
    """The ETag of a row; its number is drawn anew with each change and never given twice, even after an erasure."""
    return f'"{sequence}"'


def name_state(answer: Response, sequence: int) -> None:
    """Put the ETag on an answer."""
    answer.headers["ETag"] = tag(sequence)


def check_unchanged(wanted: str | None, sequence: int) -> None:
    """Refused (412) unless the row is one of those that If-Match names, or any where that is `*`."""
    if wanted is None or (wanted.strip() == "*" and sequence != NOTHING):
        return
    if tag(sequence) not in (one.strip() for one in wanted.split(",")):
        raise Refused(412, "It was changed meanwhile; read it again, then repeat the change.")
