"""A résumé completed without a language model: the person's own facts arranged, and what can be inferred from them.

To the extractive résumé come skills that the person probably has though nobody wrote them down: those that the
occupations of past titles take and, in the interactive form, those that the jobs applied to name and take; there also
the titles of these jobs, as what the person looks for. An inferred skill cites the line it was inferred from, which
does not say it: the audit counts it as unsupported, and that is right.
"""

from collections.abc import Iterator

import polars as pl

from metier.data.splits import Fold
from metier.enrich.extractive import MOST_SKILLS, Extractor
from metier.enrich.grounds import PREFIXES, Ground, Grounds, cut, gather
from metier.enrich.inferred_skills import Trust, inferred_skills
from metier.enrich.resume import Resume, Skill, Statement
from metier.enrich.taxonomy import own_taxonomy

MOST_WISHES = 10
"""Jobs applied to that the résumé names, the newest first."""
FROM_PAST = Trust(profile=0, past=0, wish=0, wish_occupation=0)
"""What the extractive résumé does not say already: skills of the occupations of past titles."""
FROM_PAST_AND_WISHES = Trust(profile=0, past=0)
"""The same and what the jobs applied to name and take."""


def inferred_resumes(fold: Fold, *, wishes: bool) -> Iterator[tuple[Resume, Grounds]]:
    """The completed résumé of each person of a fold and the facts it rests on, in the order of `fold.train.people`.

    Parameters
    ----------
    wishes : whether jobs applied to before the cut-off are used (the interactive form).
    """
    trust = FROM_PAST_AND_WISHES if wishes else FROM_PAST
    inferred = inferred_skills(fold.train, own_taxonomy(), most=MOST_SKILLS, trust=trust)
    job = pl.concat_str("title", "city", "state", separator=", ", ignore_nulls=True)
    told = pl.when(pl.col("title").is_not_null()).then(job).fill_null("")
    wanted = dict(fold.train.jobs.select("id", told).iter_rows())
    extractor = Extractor()
    lines = inferred.select("skills", "evidence").iter_rows()
    for grounds, (skills, evidence) in zip(gather(fold), lines, strict=True):
        own = extractor.extract(grounds)
        said = {skill.name.casefold() for skill in own.skills}
        more = (
            Skill(name=name[:200], quote="", cites=_cited(why, grounds))
            for name, why in zip(skills, evidence, strict=True)
            if name.casefold() not in said
        )
        summary = [one for one in own.summary if not one.cites[0].startswith(PREFIXES["profile"])]
        if wishes and (sought := _sought(grounds, wanted)):
            summary.insert(0, sought)
        yield own.model_copy(update={"skills": (*own.skills, *more)[:MOST_SKILLS], "summary": tuple(summary)}), grounds


def _sought(grounds: Grounds, wanted: dict[str, str]) -> Statement | None:
    """ "Looking for: line cook, Dayton, OH; baker, Troy, OH", in the order of the grounds: the newest first."""
    applied = [(line, wanted[line.job]) for line in grounds.lines if line.job and wanted.get(line.job)][:MOST_WISHES]
    if not applied:
        return None
    named = "; ".join(dict.fromkeys(title for _, title in applied))
    return Statement(text=cut(f"Looking for: {named}", 398), cites=tuple(line.label for line, _ in applied))


def _cited(evidence: str, grounds: Grounds) -> tuple[str, ...]:
    """The labels of the lines that a skill was inferred from."""
    sources = evidence.split("; ")
    return tuple(line.label for line in grounds.lines if _is_among(line, sources))[:5]


def _is_among(line: Ground, sources: list[str]) -> bool:
    if line.kind == "job":
        return f"job {line.job}" in sources
    past = "past job: "
    return line.kind == "history" and any(
        source.startswith(past) and line.text.startswith(source.removeprefix(past)) for source in sources
    )
