"""Skills that a person probably has, worked out from what they did: the cheap alternative to a whole résumé."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from metier.data import Tables
from metier.data.splits import folds
from metier.data.tables import Schema, conform
from metier.enrich.skills import SkillFinder, skill_finder
from metier.enrich.taxonomy import Taxonomy
from metier.errors import UsageError

COLUMN = "inferred_skills"
"""The attribute of people that `with_inferred_skills` adds."""
_EVIDENCE: Schema = {"person": pl.String, "skill": pl.String, "weight": pl.Float64, "source": pl.String}
_INFERRED: Schema = {
    "person": pl.String,
    "skills": pl.List(pl.String),
    "weights": pl.List(pl.Float32),
    "evidence": pl.List(pl.String),
}


@dataclass(frozen=True)
class Trust:
    """How far one piece of evidence speaks for a skill, from 0 (not at all) to 1 (it is certain). Fixed, not learned.

    Parameters
    ----------
    profile : named in the person's own text.
    past : named in the title or description of a past job.
    past_occupation : belongs to the occupation of a past title.
    wish : named in a posting the person applied to or looked at.
    wish_occupation : belongs to the occupation of such a posting's title.
    """

    profile: float = 0.9
    past: float = 0.8
    past_occupation: float = 0.4
    wish: float = 0.15
    wish_occupation: float = 0.1


def inferred_skills(
    tables: Tables, vocabulary: Taxonomy, *, most: int = 20, trust: Trust = Trust(), least: float = 0.0
) -> pl.DataFrame:
    """Ranked skills of every person, each with what speaks for it. Equal tables give equal answers.

    Everything in `tables` is used, so cut it to the past first (`metier.data.splits`). Texts are searched for exact
    phrases; titles are also brought to the nearest occupation, whose skills count where the vocabulary has any.
    Pieces of evidence with trust t1, t2, ... add up to the weight 1 - (1 - t1)(1 - t2)..., as if each alone would
    have convinced us with that probability.

    Parameters
    ----------
    most : skills kept for a person, the heaviest first, equal ones by name.
    least : skills of a smaller weight are dropped.

    Returns
    -------
    One row a person of `tables.people`, in its order: person; skills, weights, evidence: lists of one length, empty
    when nothing is known. Evidence reads "profile", "past job: line cook" or "job 1234", joined by "; ".
    """
    if most < 1:
        raise UsageError(f"most is {most}; cure: keep at least one skill a person")
    finder = skill_finder(vocabulary)
    parts = [_named(finder, *given) for given in _texts(tables, trust)]
    parts += [_of_occupations(finder, vocabulary, *given) for given in _titles(tables, trust)]
    found = pl.concat(parts).filter(pl.col("weight") > 0)
    ranked = (
        found.group_by("person", "skill")
        .agg(
            weight=1 - (1 - pl.col("weight").sort()).product(),
            source=pl.struct(-pl.col("weight"), "source")
            .unique()
            .sort()
            .struct.field("source")
            .unique(maintain_order=True)
            .head(5)
            .str.join("; "),
        )
        .filter(pl.col("weight") >= least)
        .sort("person", -pl.col("weight").round(9), "skill")
        .group_by("person", maintain_order=True)
        .agg(pl.all().head(most))
        .select("person", skills="skill", weights=pl.col("weight").cast(pl.List(pl.Float32)), evidence="source")
    )
    everyone = tables.people.select(person="id").join(ranked, on="person", how="left", maintain_order="left")
    return conform(everyone, _INFERRED).with_columns(pl.col("skills", "weights", "evidence").fill_null([]))


def with_inferred_skills(tables: Tables, inferred: pl.DataFrame, *, as_text: bool = False) -> Tables:
    """The tables with the skills as the people's attribute `inferred_skills`, which models read as several values.

    Parameters
    ----------
    inferred : what `inferred_skills` gave.
    as_text : the skills, joined by ", ", take the place of the person's text, and past jobs lose title and text: the
        control that asks what skills alone are worth.
    """
    skills = inferred.select(pl.col("person").alias("id"), pl.col("skills").alias(COLUMN))
    people = tables.people.drop(COLUMN, strict=False).join(skills, on="id", how="left", maintain_order="left")
    if not as_text:
        return tables.replace(people=people)
    said = pl.col(COLUMN).list.join(", ").replace("", None)
    nothing = pl.lit(None, pl.String)
    return tables.replace(
        people=people.with_columns(text=said).drop(COLUMN),
        history=tables.history.with_columns(title=nothing, text=nothing),
    )


def known_before(tables: Tables) -> Tables:
    """Without interactions, and without past jobs that some split would not know: safe under every protocol.

    A past job with a time stays when it is dated before the person's first interaction and before the inner cut-off
    of the protocol "temporal", which holds for those, too, who first apply after it, or never.
    """
    first = tables.interactions.group_by("person").agg(bound=pl.col("time").min())
    bounds = pl.concat([first, *_cutoffs(tables)]).group_by("person").agg(pl.col("bound").min())
    history = tables.history.join(bounds, on="person", how="left", maintain_order="left")
    early = pl.col("time").is_null() | pl.col("bound").is_null() | (pl.col("time") < pl.col("bound"))
    return tables.replace(history=history.filter(early).drop("bound"), interactions=tables.interactions.clear())


def _cutoffs(tables: Tables) -> Iterator[pl.DataFrame]:
    """person, bound: the inner cut-off of each person's window; nothing where the data have no times to cut at."""
    if tables.windows.is_empty() and tables.interactions["time"].count() == 0:
        return
    for fold in folds(tables, "temporal", inner=True):
        yield fold.train.people.select(person="id", bound=pl.lit(fold.cutoff, tables.interactions["time"].dtype))


def _wishes(tables: Tables) -> pl.DataFrame:
    """person, title, text, source of the jobs each person applied to or looked at."""
    pairs = tables.interactions.select("person", "job").unique(maintain_order=True)
    jobs = tables.jobs.select("id", "title", "text")
    joined = pairs.join(jobs, left_on="job", right_on="id", how="inner", maintain_order="left")
    return joined.select("person", "title", "text", source=pl.lit("job ") + pl.col("job"))


def _past(tables: Tables) -> pl.DataFrame:
    said = pl.coalesce(pl.col("title").str.strip_chars(), pl.lit("untitled"))
    return tables.history.select("person", "title", "text", source=pl.lit("past job: ") + said)


def _texts(tables: Tables, trust: Trust) -> Iterator[tuple[pl.DataFrame, float]]:
    """Frames of person, text, source, and the trust in each."""
    yield tables.people.select(pl.col("id").alias("person"), "text", source=pl.lit("profile")), trust.profile
    both = pl.concat_str("title", "text", separator="\n", ignore_nulls=True)
    yield _past(tables).select("person", both.alias("text"), "source"), trust.past
    yield _wishes(tables).select("person", both.alias("text"), "source"), trust.wish


def _titles(tables: Tables, trust: Trust) -> Iterator[tuple[pl.DataFrame, float]]:
    """Frames of person, title, source, and the trust in what the occupation of each takes."""
    yield _past(tables).select("person", "title", "source"), trust.past_occupation
    yield _wishes(tables).select("person", "title", "source"), trust.wish_occupation


def _named(finder: SkillFinder, frame: pl.DataFrame, trust: float) -> pl.DataFrame:
    """_EVIDENCE of the skills named in a column `text`; each distinct text is read once."""
    texts = _distinct(frame, "text") if trust > 0 else []
    lines = [sorted({one.name for one in found if one.kind == "skill"}) for found in finder.find_exact(texts)]
    return _spread(frame, "text", texts, lines, trust)


def _of_occupations(finder: SkillFinder, vocabulary: Taxonomy, frame: pl.DataFrame, trust: float) -> pl.DataFrame:
    """_EVIDENCE of the skills that the occupations of a column `title` take."""
    titles = _distinct(frame, "title") if trust > 0 else []
    names = vocabulary.names()
    occupations = vocabulary.of_kind("occupation").select("id", "skills").iter_rows()
    takes = {key: [names[skill] for skill in skills if skill in names] for key, skills in occupations}
    lines = [takes[match.id] if match else [] for match in finder.nearest(titles, "occupation")]
    return _spread(frame, "title", titles, lines, trust)


def _distinct(frame: pl.DataFrame, column: str) -> list[str]:
    return frame[column].drop_nulls().unique(maintain_order=True).to_list()


def _spread(
    frame: pl.DataFrame, column: str, texts: Sequence[str], skills: Sequence[Sequence[str]], trust: float
) -> pl.DataFrame:
    """The skills of each distinct text, given to everybody it belongs to."""
    by_text = pl.DataFrame(
        {column: texts, "skill": [list(line) for line in skills]},
        schema={column: pl.String, "skill": pl.List(pl.String)},
    )
    said = frame.join(by_text, on=column, how="inner", maintain_order="left").explode("skill").drop_nulls("skill")
    return conform(said.select("person", "skill", "source", weight=pl.lit(trust)), _EVIDENCE)
