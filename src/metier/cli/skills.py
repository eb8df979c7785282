"""`metier skills`: which skills and occupations a text names, and which ones people probably have."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.read import visible
from metier.cli.terminal import Engine, Home, Json, Workers, note, print_json, print_table
from metier.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from metier.data import Tables
    from metier.data.workspace import Workspace
    from metier.enrich.taxonomy import Taxonomy

SHOWN = 25
"""Rows of the list of skills of a dataset."""


def skills(
    what: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A document (PDF, DOCX, text, ...), or a dataset's name.")
    ],
    taxonomy: Annotated[str, typer.Option(help="Comma separated: own, and what metier taxonomy list shows.")] = "own",
    exact: Annotated[bool, typer.Option("--exact", help="In a file: exact phrases only, nothing by meaning.")] = False,
    person: Annotated[str | None, typer.Option(help="In a dataset: the skills of one person, with evidence.")] = None,
    name: Annotated[
        str | None,
        typer.Option("--as", help="Keep the dataset under this name, with the column inferred_skills (of past only)."),
    ] = None,
    as_text: Annotated[bool, typer.Option("--as-text", help="With --as: skills replace the texts of people.")] = False,
    engine: Engine = "local",
    workers: Workers = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show the skills found in a file with their places, or those that the people of a dataset probably have."""
    from metier.data.workspace import Workspace
    from metier.enrich.taxonomy import load_taxonomy

    workspace = Workspace.open(home)
    datasets = workspace.names("datasets")
    is_file = what not in datasets and Path(what).is_file()
    if what not in datasets and not is_file:
        there = ", ".join(datasets) or "none yet"
        raise UsageError(
            f"no file {what} and no dataset of that name in {workspace.home} (there: {there}); "
            "cure: the path of a résumé (PDF, DOCX, text, ...), or a dataset's name"
        )
    several = (engine, workers or 1) != ("local", 1)
    of_datasets = {"--person": person, "--as": name, "--as-text": as_text, "--engine or --workers": several}
    _check(is_file, what, {"--exact": exact}, of_datasets, name)
    names = [one.strip() for one in taxonomy.split(",") if one.strip()]
    terms = load_taxonomy(workspace, names)
    if is_file:
        _of_file(Path(what), terms, exact, as_json)
    else:
        from metier.enrich.inferred_skills import inferred_skills, known_before

        tables = workspace.load(what)
        if several:
            from metier.engine import open_engine
            from metier.enrich.skills_by_people import skills_by_people

            cells = workspace.dataset(what).with_name(f".{what}.skills")
            with open_engine(engine, workers=workers) as running:
                inferred = skills_by_people(running, known_before(tables), workspace, names, cells)
        else:
            inferred = inferred_skills(known_before(tables), terms)
        _of_dataset(workspace, what, tables, inferred, terms, person, name, as_text, as_json)


def _check(is_file: bool, what: str, of_files: dict[str, Any], of_datasets: dict[str, Any], name: str | None) -> None:
    """UsageError for options that would be ignored, and for a dataset that would be written over itself."""
    kind, idle = ("a file", of_datasets) if is_file else ("a dataset", of_files)
    for option, given in idle.items():
        if given:
            raise UsageError(f"{what!r} is {kind}, where {option} means nothing; cure: leave it out")
    if of_datasets["--as-text"] and name is None:
        raise UsageError("--as-text says what --as keeps; cure: give --as NAME, too")
    if name == what and not is_file:
        raise UsageError(f"--as {name} would write over the dataset the skills come from; cure: another name")


def _of_file(path: Path, terms: "Taxonomy", exact: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from metier.enrich.skills import THRESHOLD, skill_finder

    text = visible(path).text
    found = skill_finder(terms, None if exact else THRESHOLD).find(text)
    if as_json:
        rows = [{**asdict(match), "text": text[match.start : match.end]} for match in found]
        print_json({"file": str(path), "taxonomy": terms.name, "matches": rows})
        return
    lines = [[m.kind, m.name, text[m.start : m.end], m.start, m.end, m.how, m.score] for m in found]
    print_table(["kind", "name", "in the text", "from", "to", "how", "score"], lines, title=f"{path}, {terms.name}")


def _of_dataset(
    workspace: "Workspace",
    dataset: str,
    tables: "Tables",
    inferred: "pl.DataFrame",
    terms: "Taxonomy",
    person: str | None,
    name: str | None,
    as_text: bool,
    as_json: bool,
) -> None:
    import polars as pl

    from metier.enrich.inferred_skills import with_inferred_skills
    from metier.errors import UnknownIdError

    if name is not None:
        about = {**workspace.about(dataset), "inferred_skills": {"from": dataset, "taxonomy": terms.name}}
        if as_text:  # what told of the texts before tells of none that is left
            about = {key: value for key, value in about.items() if key not in ("completed", "completed_for")}
        workspace.save(name, with_inferred_skills(tables, inferred, as_text=as_text), about)
        note(f"dataset {name!r} kept; its skills come from profiles and past jobs, not from interactions")
    if person is not None:
        mine = inferred.filter(pl.col("person") == person)
        if mine.is_empty():
            raise UnknownIdError(f"no person {person!r} in {dataset!r}; cure: an id of its people table")
        rows = mine.explode("skills", "weights", "evidence").drop_nulls("skills").drop("person").to_dicts()
        _print({"dataset": dataset, "person": person, "skills": rows}, rows, f"person {person}", as_json)
        return
    counts = inferred.explode("skills").drop_nulls("skills").group_by(skill="skills").agg(people=pl.len())
    counts = counts.filter(pl.col("people") >= 5).sort("people", "skill", descending=[True, False]).head(SHOWN)
    rows = counts.to_dicts()
    facts: dict[str, Any] = {
        "dataset": dataset,
        "taxonomy": terms.name,
        "people": len(inferred),
        "with skills": int((inferred["skills"].list.len() > 0).sum()),
        "most common": rows,
    }
    title = f"{dataset}, {terms.name}: {facts['with skills']:,} of {facts['people']:,} people have skills"
    _print(facts, rows, title, as_json)


def _print(facts: dict[str, Any], rows: list[dict[str, Any]], title: str, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    else:
        print_table(list(rows[0]) if rows else ["skill"], [list(row.values()) for row in rows], title=title)
