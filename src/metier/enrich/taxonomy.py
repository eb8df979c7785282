"""Names of skills and occupations in one form: our own, or taxonomies kept in the workspace.

TERMS  id, kind ("skill" or "occupation"), name, aliases (other spellings), skills (ids of what an occupation takes)
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from os import getpid
from pathlib import Path
from typing import Literal

import polars as pl

from metier.data.tables import Schema, conform
from metier.data.workspace import Workspace, swap
from metier.errors import DataRejectedError, UsageError
from metier.sources.market.world import load_world

Kind = Literal["skill", "occupation"]
OWN = "own"
"""The name of the vocabulary that comes with metier."""
TERMS: Schema = {
    "id": pl.String,
    "kind": pl.String,
    "name": pl.String,
    "aliases": pl.List(pl.String),
    "skills": pl.List(pl.String),
}


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """A name and a frame of TERMS; ids are unique."""

    name: str
    terms: pl.DataFrame

    @classmethod
    def build(cls, name: str, terms: pl.DataFrame) -> "Taxonomy":
        """Missing columns become empty lists, names and aliases are stripped, rows without a name dropped.

        Raises
        ------
        DataRejectedError : two terms with one id, or a kind that is neither skill nor occupation.
        """
        strip = pl.element().str.strip_chars()
        frame = conform(terms, TERMS).select(
            "id",
            "kind",
            pl.col("name").str.strip_chars(),
            pl.col("aliases").fill_null([]).list.eval(strip.filter(strip.str.len_chars() > 0)),
            pl.col("skills").fill_null([]),
        )
        frame = frame.filter(pl.col("name").str.len_chars() > 0)
        twice = frame.filter(pl.col("id").is_duplicated())["id"]
        if len(twice):
            raise DataRejectedError(f"taxonomy {name!r}: id {twice[0]!r} stands for two terms; cure: make ids unique")
        odd = frame.filter(~pl.col("kind").is_in(["skill", "occupation"]))["kind"]
        if len(odd):
            raise DataRejectedError(f"taxonomy {name!r}: kind {odd[0]!r} is neither 'skill' nor 'occupation'")
        return cls(name, frame)

    def of_kind(self, kind: Kind) -> pl.DataFrame:
        """The skills, or the occupations."""
        return self.terms.filter(pl.col("kind") == kind)

    def names(self) -> dict[str, str]:
        """id -> name."""
        return dict(self.terms.select("id", "name").iter_rows())


@cache
def own_taxonomy() -> Taxonomy:
    """Occupations and skills of the synthetic labour market, with their spellings: compact, written for metier."""
    world = load_world(1)
    skills = [f"own/skill/{_slug(names[0])}" for names in world.skills]
    rows = [
        {"id": key, "kind": "skill", "name": names[0], "aliases": list(names[1:]), "skills": []}
        for key, names in zip(skills, world.skills, strict=True)
    ]
    rows += [
        {
            "id": f"own/occupation/{_slug(one.name)}",
            "kind": "occupation",
            "name": one.name,
            "aliases": list(dict.fromkeys([*one.postings, *one.past])),
            "skills": [skills[number] for number in one.skills],
        }
        for one in world.occupations
    ]
    return Taxonomy.build(OWN, pl.DataFrame(rows, schema=TERMS))


def load_taxonomy(workspace: Workspace, names: Sequence[str] = (OWN,)) -> Taxonomy:
    """One taxonomy or several as one; of two terms with one spelling, the earlier taxonomy's is found.

    Raises
    ------
    UsageError : no name, or one that is neither "own" nor in the workspace; the message lists what is there.
    """
    if not names:
        raise UsageError(f"no taxonomy was named; there: {', '.join([OWN, *workspace.names('taxonomies')])}")
    parts = [own_taxonomy() if name == OWN else _read(workspace, name) for name in dict.fromkeys(names)]
    if len(parts) == 1:
        return parts[0]
    return Taxonomy.build("+".join(part.name for part in parts), pl.concat([part.terms for part in parts]))


def save_taxonomy(workspace: Workspace, taxonomy: Taxonomy, attribution: str) -> Path:
    """Write <home>/taxonomies/<name>/terms.parquet and ATTRIBUTION.txt; the folder appears whole or not at all."""
    target = workspace.taxonomy(taxonomy.name)
    if taxonomy.name == OWN:
        raise UsageError(f"the name {OWN!r} is taken by the vocabulary of metier; cure: choose another")
    partial = target.with_name(f".{target.name}.{getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        taxonomy.terms.write_parquet(partial / "terms.parquet")
        (partial / "ATTRIBUTION.txt").write_text(attribution, encoding="utf-8")
        swap(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return target


def read_export(folder: Path, name: str) -> Taxonomy:
    """A taxonomy in the CSV files of an ESCO export by Tabiya: skills.csv and occupations.csv, either may be absent.

    Columns: ID, PREFERREDLABEL, ALTLABELS (one a line). Where occupation_to_skill_relations.csv (OCCUPATIONID,
    SKILLID) is there, occupations get their skills.

    Raises
    ------
    DataRejectedError : neither file, or a column is missing.
    """
    frames = []
    for kind, file in (("skill", "skills.csv"), ("occupation", "occupations.csv")):
        if (folder / file).is_file():
            read = _csv(folder / file, "ID", "PREFERREDLABEL", "ALTLABELS")
            labels = pl.col("ALTLABELS").fill_null("").str.split("\n")
            frames.append(read.select(id="ID", kind=pl.lit(kind), name="PREFERREDLABEL", aliases=labels))
    if not frames:
        raise DataRejectedError(f"{folder}: neither skills.csv nor occupations.csv is there; cure: check the folder")
    terms = pl.concat(frames)
    if (folder / "occupation_to_skill_relations.csv").is_file():
        pairs = _csv(folder / "occupation_to_skill_relations.csv", "OCCUPATIONID", "SKILLID")
        taken = pairs.group_by("OCCUPATIONID", maintain_order=True).agg(skills="SKILLID")
        terms = terms.join(taken, left_on="id", right_on="OCCUPATIONID", how="left", maintain_order="left")
    return Taxonomy.build(name, terms)


def _csv(path: Path, *columns: str) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False).select(columns)
    except pl.exceptions.PolarsError as error:
        raise DataRejectedError(
            f"{path}: no readable CSV with the columns {', '.join(columns)} ({str(error).splitlines()[0]})"
        ) from None


def _read(workspace: Workspace, name: str) -> Taxonomy:
    path = workspace.taxonomy(name) / "terms.parquet"
    if not path.is_file():
        there = ", ".join([OWN, *workspace.names("taxonomies")])
        raise UsageError(f"no taxonomy {name!r} in {workspace.home} (there: {there}); cure: metier taxonomy fetch")
    return Taxonomy.build(name, pl.read_parquet(path))


def _slug(name: str) -> str:
    """ "PL/SQL" -> "pl-sql"; "C++" and "C#" keep their signs, so they stay apart."""
    return "-".join("".join(c if c.isalnum() or c in "+#." else " " for c in name.lower()).split())
