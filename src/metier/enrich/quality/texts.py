"""Three ways to write the same facts: as the person did, in one template for everybody, and arranged without a model.

The template stands for what a fluent language model makes of thin facts (and for the seed of a known failure: weak and
strong résumés that it wrote could not be told apart): the same sentences for everybody around a handful of facts, and
where a fact is missing, something likely instead.
"""

import re
from collections.abc import Sequence

import numpy as np

from metier.enrich.grounds import Grounds
from metier.enrich.quality.labels import SAID
from metier.enrich.resume import Resume

TEMPLATE = """\
{title}
Motivated and reliable {title} with a strong background in {skill} and {other_skill} and a proven record of good results
in demanding environments. A team player with excellent communication and organisational abilities who learns quickly.
Core strengths: {skill}, {other_skill}, teamwork, time management, customer focus, problem solving, attention to detail.
Experience: as {title}, met and exceeded targets and worked closely with colleagues across departments. As {past}, took
on growing responsibility and was valued for dedication and accuracy.
Education: {degree}, {field}. Committed to continuous learning and professional growth.
Now looking for a position in which this experience contributes to the success of the company."""
SLOTS = tuple(dict.fromkeys(re.findall(r"{(\w+)}", TEMPLATE)))
UNHEARD = "relevant work"
"""What stands in a slot that nobody's facts fill."""


def raw(grounds: Grounds) -> str:
    """What the person wrote: sentences of their own and past jobs, one a line."""
    return "\n".join(line.text for line in grounds.only(SAID).lines)


def templated(resumes: Sequence[Resume], rng: np.random.Generator) -> list[str]:
    """(n,) texts from the extractive résumés, which differ only in the slots of TEMPLATE.

    A slot that a person's own facts leave empty gets the fact of another person, drawn: likely, and invented.
    """
    facts = [_facts(resume) for resume in resumes]
    pools = {slot: [one[slot] for one in facts if one[slot]] or [UNHEARD] for slot in SLOTS}
    return [
        TEMPLATE.format_map({slot: one[slot] or pools[slot][rng.integers(len(pools[slot]))] for slot in SLOTS})
        for one in facts
    ]


def _facts(resume: Resume) -> dict[str, str]:
    """The slots, "" where nothing is known."""
    titles = [one.title or "" for one in resume.experience] + ["", ""]
    skills = [one.name for one in resume.skills] + ["", ""]
    study = resume.education[0] if resume.education else None
    return {
        "title": titles[0],
        "past": titles[1],
        "skill": skills[0],
        "other_skill": skills[1],
        "degree": (study.degree if study else None) or "",
        "field": (study.field if study else None) or "",
    }
