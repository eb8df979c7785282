"""`metier recommend`: ask a bundle for jobs, for known people or for one new person with a résumé."""

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.read import visible
from metier.cli.terminal import Engine, Home, Json, Workers, note, print_json, print_table, progress
from metier.errors import DataRejectedError, UnknownIdError, UsageError

if TYPE_CHECKING:
    import polars as pl

    from metier.bundle import Bundle
    from metier.data import Query, Ranking
    from metier.sources.documents.document import Document


class Format(StrEnum):
    """How recommendations are written."""

    table = "table"
    json = "json"
    trec = "trec"
    csv = "csv"


def recommend(
    bundle: Annotated[str, typer.Argument(help="Name of a trained bundle.")],
    users: Annotated[
        str | None, typer.Option("--users", help="Ids of known people: a file with one a line, or id,id,...")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="A new person instead: their résumé (PDF, DOCX, ODT, RTF, HTML, text, scan)."),
    ] = None,
    city: Annotated[str | None, typer.Option("--city", help="City of the new person, spelled as in the data.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="State of the new person.")] = None,
    country: Annotated[str | None, typer.Option("--country", help="Country of the new person.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Jobs a person.")] = 25,
    format_: Annotated[Format, typer.Option("--format", help="How to write them.")] = Format.table,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="All people of the bundle: Parquet files in the folder --out.")
    ] = False,
    out: Annotated[
        str | None,
        typer.Option("--out", help="Write to this file instead of stdout; with --everybody a folder, or its URL."),
    ] = None,
    skip_unknown: Annotated[bool, typer.Option("--skip-unknown", help="Leave out ids that are not known.")] = False,
    engine: Engine = "local",
    workers: Workers = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Recommend open jobs, best first. What a person applied to already is left out.

    With --everybody, stopped or killed, the same command goes on with the partitions of people that are left.
    """
    import numpy as np

    from metier.bundle import load
    from metier.data.workspace import Workspace

    is_new = any(given is not None for given in (resume, city, state, country))
    if (users is not None) + is_new + everybody != 1:
        raise UsageError(
            "name known people with --users, describe a new person with --resume, --city, --state and --country, or "
            "take --everybody; one of the three"
        )
    if everybody and out is None:
        raise UsageError("--everybody needs a folder to write to; cure: --out FOLDER")
    if everybody and (format_ is not Format.table):
        raise UsageError("--everybody writes Parquet; cure: leave --format out")
    if not everybody and (engine, workers) != ("local", None):
        raise UsageError("--engine and --workers go with --everybody")
    workspace = Workspace.open(home)
    folder = workspace.model(bundle)
    if not folder.is_dir():
        there = ", ".join(workspace.names("models")) or "none yet"
        raise UsageError(
            f"no bundle {bundle!r} in {workspace.home} (there: {there}); cure: metier train ... --as {bundle}"
        )
    if everybody and out is not None:
        _everybody(folder, out, k, engine, workers, as_json)
        return
    loaded = load(folder)
    if users is not None:
        ids = _known(loaded, _ids(users), skip_unknown=skip_unknown)
        query = loaded.dataset.query(loaded.dataset.users.numbers(ids))
    else:
        ids = ["new"]
        document = visible(resume) if resume else None
        place = {"city": city, "state": state, "country": country}
        if document is not None and not any(place.values()):
            place = _own_place(loaded, document)
        query = _newcomer(loaded, document.text if document else "", **place)
    ranking = loaded.recommend(query, k)
    if (city or state or country) and query.features is not None and query.features.nnz:
        elsewhere = loaded.recommend(replace(query, features=query.features * 0), k)
        same = np.array_equal(ranking.scores, elsewhere.scores, equal_nan=True)
        if same and np.array_equal(ranking.items, elsewhere.items):
            note(f"model {loaded.name!r} ignores the place: without it these are the same; `place` and `fm` use it")
    rows = _rows(loaded, ids, query, ranking)
    silent = len(ids) - rows["person"].n_unique()
    if silent:
        cure = "; `content` and `fm` read a résumé, `place` a place" if users is None else ""
        note(
            f"{silent:,} of {len(ids):,} people got no recommendation: model {loaded.name!r} knows too little of them"
            f"{cure}"
        )
    _write(rows, Format.json if as_json else format_, Path(out) if out else None)


def _everybody(folder: Path, out: str, k: int, engine: str, workers: int | None, as_json: bool) -> None:
    """Partitions of everybody's recommendations, and how many there are."""
    import polars as pl

    from metier.bundle.everybody import recommend_everybody
    from metier.engine import open_engine
    from metier.engine import parts as storage

    with open_engine(engine, workers=workers) as running, progress() as bar:
        task = bar.add_task("ranking")
        parts = recommend_everybody(
            running, folder, out, k, progress=lambda done, total, _: bar.update(task, completed=done, total=total)
        )
    counts = [storage.load(part).select(pl.len(), pl.col("person").n_unique()).row(0) for part in parts]
    rows, answered = (sum(one) for one in zip(*counts, strict=True))
    facts = {"folder": out, "partitions": len(parts), "people": answered, "recommendations": rows}
    if as_json:
        print_json(facts)
    else:
        note(f"{rows:,} recommendations for {answered:,} people")
        print(out)


def _ids(users: str) -> list[str]:
    """Distinct ids in the order given."""
    is_file = "," not in users and Path(users).is_file()
    given = Path(users).read_text(encoding="utf-8-sig").splitlines() if is_file else users.split(",")
    found = list(dict.fromkeys(line.strip() for line in given if line.strip()))
    if not found:
        raise UsageError(f"--users {users!r} names nobody; give a file with one id a line, or id,id,...")
    return found


def _known(bundle: "Bundle", ids: list[str], *, skip_unknown: bool) -> list[str]:
    known = bundle.dataset.users.numbers(ids, missing="negative") >= 0
    unknown = [one for one, there in zip(ids, known, strict=True) if not there]
    if not unknown:
        return ids
    named = ", ".join(map(repr, unknown[:5])) + (f" and {len(unknown) - 5:,} more" if len(unknown) > 5 else "")
    if not skip_unknown or len(unknown) == len(ids):
        raise UnknownIdError(
            f"no person {named} among the {len(bundle.dataset.users):,} of this bundle, and no "
            "file of that name; cure: --skip-unknown for the known ones, --resume for a new person"
        )
    note(f"skipped {len(unknown):,} unknown people: {named}")
    return [one for one, there in zip(ids, known, strict=True) if there]


def _newcomer(bundle: "Bundle", text: str, **place: str | None) -> "Query":
    from metier.features.encoder import PLACES

    if not bundle.model.scores_new_users:
        raise UsageError(f"model {bundle.name!r} cannot rank for a new person; cure: train content, place or fm")
    query = bundle.newcomer(text, **place)
    columns = query.features.indices if query.features is not None else []
    found = {bundle.dataset.user_features.names[column].split("=")[0] for column in columns}
    for name, (_, *coarser) in PLACES.items():
        value, lacking = place.get(name), [f"--{one}" for one in coarser if place[one] is None]
        if value is not None and name not in found:
            cure = f"give {' and '.join(lacking)}, too" if lacking else "spell it as there"
            note(f"{name} {value!r} is left out: nobody in the training data is there, written so; cure: {cure}")
    return query


def _own_place(bundle: "Bundle", document: "Document") -> dict[str, str | None]:
    """Where a résumé says its person lives, if people of the training data live there, too; else nowhere.

    The country, which addresses leave out, is that of the training data's state.
    """
    from metier.sources.documents.recognise import candidate_of

    nowhere: dict[str, str | None] = {"city": None, "state": None, "country": None}
    try:
        contact = candidate_of(document).contact
    except DataRejectedError:  # words without a résumé's shape
        return nowhere
    states = [one.removeprefix("state=") for one in bundle.dataset.user_features.names if one.startswith("state=")]
    countries = {country for state, country in (one.split("|") for one in states) if state == contact.state}
    if len(countries) != 1:
        return nowhere
    city, country = contact.city, countries.pop()
    known = f"city={city}|{contact.state}|{country}" in bundle.dataset.user_features.names
    note("the place that the résumé states is used; --city, --state and --country say otherwise")
    return {"city": city if known else None, "state": contact.state, "country": country}


def _rows(bundle: "Bundle", ids: list[str], query: "Query", ranking: "Ranking") -> "pl.DataFrame":
    """person, rank, job, score, title, city, state, country: one row a recommendation, best first."""
    import numpy as np
    import polars as pl

    person, place = np.nonzero(ranking.items >= 0)
    shown = pl.DataFrame(
        {
            "person": pl.Series(ids, dtype=pl.String).gather(person),
            "rank": place + 1,
            "row": ranking.items[person, place].astype(np.uint32),
            "score": _descending(ranking.scores)[person, place],
        }
    )
    jobs = bundle.job_table.with_row_index("row").select("row", "id", "title", "city", "state", "country")
    joined = shown.join(jobs, on="row", how="left", maintain_order="left").rename({"id": "job"})
    return joined.select("person", "rank", "job", "score", "title", "city", "state", "country")


def _descending(scores: Any) -> Any:
    """(b, k) float32 scores, equal ones moved apart by one step each.

    Tools that read runs sort by score again, and by job id where scores are equal; the order shown must survive that.
    """
    import numpy as np

    apart = scores.copy()
    for place in range(1, apart.shape[1]):
        below = np.nextafter(apart[:, place - 1], np.float32(-np.inf))
        apart[:, place] = np.where(np.isnan(apart[:, place]), np.nan, np.fmin(apart[:, place], below))
    return apart


def _write(rows: "pl.DataFrame", format_: Format, out: Path | None) -> None:
    """To `out` or stdout in the format asked for."""
    if format_ is not Format.table:
        text = _render(rows, format_)
        if out is None:
            print(text, end="")
            return
        out.write_text(text, encoding="utf-8")
        note(f"{len(rows):,} recommendations for {rows['person'].n_unique():,} people in {out}")
    elif out is not None:
        raise UsageError(f"a table is for the screen; cure: --format csv, json or trec for {out}")
    else:
        lines = [
            [person, rank, job, title, ", ".join(part for part in place if part), score]
            for person, rank, job, score, title, *place in rows.iter_rows()
        ]
        print_table(["person", "rank", "job", "title", "place", "score"], lines)


def _render(rows: "pl.DataFrame", format_: Format) -> str:
    """The text of a CSV table, a TREC run ("user Q0 job rank score metier") or JSON."""
    import json

    import polars as pl

    if format_ is Format.json:
        parts = rows.group_by("person", maintain_order=True)
        people = [{"person": person, "jobs": part.drop("person").to_dicts()} for (person,), part in parts]
        return json.dumps({"recommendations": people}, indent=2, ensure_ascii=False) + "\n"
    if format_ is Format.csv:
        return rows.write_csv()
    spaced = [one for one in (*rows["person"].unique(), *rows["job"].unique()) if re.search(r"\s", one)]
    if spaced:
        raise UsageError(f"id {spaced[0]!r} has a space, which a TREC run cannot hold; cure: --format csv")
    run = rows.select("person", pl.lit("Q0"), "job", "rank", "score", pl.lit("metier").alias("tag"))
    return run.write_csv(include_header=False, separator=" ", quote_style="never")
