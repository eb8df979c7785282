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
    **dict.fromkeys(("firstname", "givenname", "forename", "first", "middlename"), "name"),
    **dict.fromkeys(("name", "fullname", "personname", "candidatename", "username"), "name"),
    **dict.fromkeys(("lastname", "surname", "familyname", "maidenname", "last"), "name"),
    **dict.fromkeys(("email", "mail", "emailaddress"), "email"),
    **dict.fromkeys(("phone", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "fax"), "phone"),
    **dict.fromkeys(("url", "website", "homepage", "web", "linkedin", "linkedinurl", "github", "twitter"), "url"),
    **dict.fromkeys(("address", "street", "streetaddress", "homeaddress", "address1", "address2"), "street"),
}
"""Attributes that are contact data, by their name in lower case without anything but letters and digits: never a line,
and, but for streets, masked wherever else they occur."""
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
    history, applied = _by_person(_newest_first(train.history)), _applied(train)
    fields = [name for name in ("city", "state", "country", *attributes(train.people)) if not _contact_kind(name)]
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


def with_masked_people(tables: Tables) -> Tables:
    """The tables with contact data masked in what people say of themselves and of their past jobs."""
    contacts = {person["id"]: _contact(person) for person in tables.people.iter_rows(named=True)}

    def masked(frame: pl.DataFrame, person: str, column: str) -> pl.Series:
        said = frame.select(person, column).iter_rows()
        texts = [text and mask(text, contacts.get(owner, Contact())).text for owner, text in said]
        return pl.Series(column, texts, dtype=pl.String)

    return tables.replace(
        people=tables.people.with_columns(masked(tables.people, "id", "text")),
        history=tables.history.with_columns(
            masked(tables.history, "person", "title"), masked(tables.history, "person", "text")
        ),
    )


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
    return _by_person(ordered.select("person", "job", "title", "text"))


def _newest_first(history: pl.DataFrame) -> pl.DataFrame:
    """Past jobs by time, the newest first; those without one follow, by their number."""
    return history.sort("time", "sequence", descending=[True, False], nulls_last=True, maintain_order=True)


def _by_person(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
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


def _contact_kind(column: str) -> str | None:
    return CONTACT_COLUMNS.get(re.sub(r"[\W_]+", "", column).lower())


def _is_last_name(column: str) -> bool:
    return bool(re.search(r"last|sur|family", column, re.IGNORECASE))


def _contact(person: Mapping[str, Any]) -> Contact:
    """What the table says about how to reach a person; of the name every word once, over all its columns."""
    known: dict[str, list[str]] = {}
    for column in sorted(person, key=_is_last_name):
        if (kind := _contact_kind(column)) and kind != "street" and person[column]:
            known.setdefault(kind, []).append(str(person[column]).strip())
    whole = {kind: values[0] for kind, values in known.items()}
    whole["name"] = " ".join(dict.fromkeys(word for value in known.get("name", ()) for word in value.split()))
    whole |= {name: person[name].strip() for name in ("zip", "country") if person.get(name)}
    return Contact(**{kind: value[:300] for kind, value in whole.items() if value})
