"""What a completion may be based on: a person's facts known before the cut-off, each with a label to cite.

Everything comes from `Fold.train`, in which nothing after the cut-off exists, and contact data is masked here, before
any prompt is built. Labels: P1 a profile field, T1 a sentence of the person's own text, H1 a past job, J1 a job applied
to, newest first.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import polars as pl

from metier.data.splits import Fold, Protocol, folds
from metier.data.tables import Tables, attributes
from metier.enrich.masking import mask
from metier.sources.candidate import Contact

Kind = Literal["profile", "text", "history", "job"]
PREFIXES: Mapping[Kind, str] = {"profile": "P", "text": "T", "history": "H", "job": "J"}
MOST: Mapping[Kind, int] = {"profile": 30, "text": 60, "history": 20, "job": 12}
"""Lines of each kind that a prompt gets at most."""
LONGEST: Mapping[Kind, int] = {"profile": 200, "text": 400, "history": 500, "job": 600}
"""Characters of a line at most."""
CONTACT_COLUMNS: Mapping[str, str] = {
    "first_name": "name",
    "last_name": "name",
    "name": "name",
    "full_name": "name",
    "email": "email",
    "mail": "email",
    "phone": "phone",
    "url": "url",
    "website": "url",
}
"""Attributes that are contact data: never a line, and masked wherever else they occur."""
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\S)|\s*[\n\r•]+\s*")


@dataclass(frozen=True)
class Ground:
    """One fact and its label; `job` is the posting's id for a job applied to."""

    label: str
    kind: Kind
    text: str
    job: str | None = None


@dataclass(frozen=True)
class Grounds:
    """The facts of one person, and the moment before which all of them were known."""

    person: str
    cutoff: str
    lines: tuple[Ground, ...]

    def only(self, kinds: Collection[Kind]) -> "Grounds":
        """Those of some kinds; labels stay as they are."""
        return Grounds(self.person, self.cutoff, tuple(line for line in self.lines if line.kind in kinds))

    def texts(self) -> dict[str, str]:
        """label -> text."""
        return {line.label: line.text for line in self.lines}


def gather_all(
    tables: Tables, protocol: Protocol, *, inner: bool = False, people: Collection[str] | None = None
) -> Iterator[Grounds]:
    """The grounds of everybody a protocol asks about, each from before their own cut-off.

    Parameters
    ----------
    inner : from before the earlier cut-off that tuning uses.
    people : only these; all when None.
    """
    for fold in folds(tables, protocol, inner=inner):
        yield from gather(fold, people)


def gather(fold: Fold, people: Collection[str] | None = None) -> Iterator[Grounds]:
    """The grounds of each person of a fold, in the table's order.

    Parameters
    ----------
    people : only these; all when None.
    """
    train = fold.train
    if people is not None:
        train = train.keep(people=people, jobs=train.jobs["id"])
    cutoff = fold.cutoff.isoformat() if fold.cutoff else fold.name
    history, applied = _by_person(train.history, ["sequence"]), _applied(train)
    fields = [name for name in ("city", "state", "country", *attributes(train.people)) if name not in CONTACT_COLUMNS]
    for person in train.people.iter_rows(named=True):
        contact = _contact(person)
        said: list[tuple[Kind, str, str | None]] = [
            ("profile", f"{name.replace('_', ' ')}: {shown}", None)
            for name in fields
            if (shown := _shown(person[name]))
        ]
        own = mask(person["text"] or "", contact).text  # as a whole: an address may go over several lines
        said += [("text", sentence, None) for sentence in _SENTENCE.split(own)]
        said += [("history", _past_job(row), None) for row in history.get(person["id"], [])]
        said += [("job", _posting(row), row["job"]) for row in applied.get(person["id"], [])]
        yield Grounds(person["id"], cutoff, tuple(_labelled(said, contact)))


def _labelled(said: list[tuple[Kind, str, str | None]], contact: Contact) -> Iterator[Ground]:
    count = dict.fromkeys(PREFIXES, 0)
    for kind, text, job in said:
        if count[kind] == MOST[kind]:
            continue
        line = " ".join(cut((text if kind == "text" else mask(text, contact).text), LONGEST[kind]).split())
        if line:
            count[kind] += 1
            yield Ground(f"{PREFIXES[kind]}{count[kind]}", kind, line, job)


def cut(text: str, longest: int) -> str:
    """At most so many characters and " …", cut between words."""
    return text if len(text) <= longest else text[: longest + 1].rsplit(" ", 1)[0][:longest] + " …"


def _applied(train: Tables) -> dict[str, list[dict[str, Any]]]:
    """Jobs applied to, newest first; of one moment or without times by id, for the order of a file says nothing."""
    columns = [pl.col("id").alias("job"), "title", "text"]
    joined = train.interactions.join(train.jobs.select(columns), on="job", how="inner", maintain_order="left")
    ordered = joined.sort("time", "job", descending=[True, False], nulls_last=True)
    return _by_person(ordered.select("person", "job", "title", "text"), [])


def _by_person(frame: pl.DataFrame, order: list[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (frame.sort(order, maintain_order=True) if order else frame).iter_rows(named=True):
        found.setdefault(row["person"], []).append(row)
    return found


def _past_job(row: Mapping[str, Any]) -> str:
    when = f" ({row['time']:%Y-%m})" if row["time"] else ""
    return ": ".join(part for part in (f"{row['title'] or ''}{when}".strip(), row["text"]) if part)


def _posting(row: Mapping[str, Any]) -> str:
    return ": ".join(part for part in (row["title"], row["text"]) if part)


def _shown(value: Any) -> str:
    """A field as words: "2003-06" for a date, "14" for 14.0, "" for nothing."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m}"
        case float():
            return f"{value:g}" if value == value else ""
        case list():
            return ", ".join(shown for one in value if (shown := _shown(one)))
        case _:
            return str(value)


def _contact(person: Mapping[str, Any]) -> Contact:
    """What the table says about how to reach a person."""
    known: dict[str, str] = {}
    for column, kind in CONTACT_COLUMNS.items():
        if person.get(column):
            earlier = f"{known[kind]} " if column == "last_name" and kind in known else ""
            known[kind] = f"{earlier}{person[column]}"[:300]
    return Contact(**{kind: value for kind, value in known.items() if value.strip()})
