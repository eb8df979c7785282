"""A résumé without a model: the facts themselves, arranged. The default, the offline fake, and the yardstick.

Nothing is written that a fact does not say, so its audit finds nothing to drop.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from metier.enrich.claims import content
from metier.enrich.grounds import Ground, Grounds, cut
from metier.enrich.resume import Education, Experience, Resume, Skill, Statement
from metier.enrich.skills import SkillFinder
from metier.enrich.taxonomy import Taxonomy, own_taxonomy

STUDIES = {
    "degree": ("degree", "education", "diploma", "qualification"),
    "field": ("major", "field", "field of study", "subject"),
    "school": ("school", "university", "college"),
    "years": ("graduated", "graduation", "graduation date"),
}
"""Names of profile fields, after "_" became " ", that tell about studies."""
MOST_SKILLS = 25
_PAST_JOB = re.compile(r"(?P<title>.*?)(?: \((?P<when>\d{4}-\d{2})\))?(?:: |$)")


class Extractor:
    """Arranges grounds as a résumé.

    Parameters
    ----------
    taxonomy : whose skills are looked for, as exact phrases; metier's own when None.
    """

    def __init__(self, taxonomy: Taxonomy | None = None) -> None:
        self._finder = SkillFinder(taxonomy or own_taxonomy(), threshold=None)

    def extract(self, grounds: Grounds) -> Resume:
        """The résumé that the profile, own text and past jobs make; jobs applied to are not looked at."""
        profile, texts, history = (grounds.only({kind}).lines for kind in ("profile", "text", "history"))
        return Resume(
            headline=_headline(history),
            summary=(*_fields(profile), *(_said(line, line.text) for line in texts), *_duties(history)),
            skills=tuple(islice(self._skills((*texts, *history)), MOST_SKILLS)),
            experience=tuple(_experience(line) for line in history),
            education=_education(profile),
        )

    def _skills(self, lines: Sequence[Ground]) -> Iterator[Skill]:
        seen = set()
        for line in lines:
            for match in self._finder.find(line.text):
                words = line.text[match.start : match.end]
                if match.kind == "skill" and match.id not in seen and content(words):
                    seen.add(match.id)
                    yield Skill(name=words, quote=words, cites=(line.label,))


def _headline(history: Sequence[Ground]) -> Statement | None:
    """The newest past job."""
    return Statement(text=_title(history[0])[0], cites=(history[0].label,)) if history else None


def _fields(profile: Sequence[Ground]) -> tuple[Statement, ...]:
    """The profile's fields, a few to a statement: "city: Dayton; state: OH"."""
    parts = [profile[start : start + 5] for start in range(0, len(profile), 5)]
    return tuple(
        Statement(text="; ".join(cut(line.text, 75) for line in some), cites=tuple(line.label for line in some))
        for some in parts
    )


def _duties(history: Sequence[Ground]) -> Iterator[Statement]:
    """What a past job says beyond its title."""
    for line in history:
        found = _PAST_JOB.match(line.text)
        if found and line.text[found.end() :].strip():
            yield _said(line, line.text[found.end() :])


def _said(line: Ground, text: str) -> Statement:
    return Statement(text=cut(text.strip(), 398), cites=(line.label,))


def _experience(line: Ground) -> Experience:
    title, when = _title(line)
    return Experience(title=title, employer=None, years=when, quote=title, cites=(line.label,))


def _title(line: Ground) -> tuple[str, str | None]:
    """ "Cook (2009-04): fried fish" -> "Cook", "2009-04"."""
    found = _PAST_JOB.match(line.text)
    title, when = (found["title"], found["when"]) if found else (line.text, None)
    return cut(title.strip() or line.text, 198), when


def _education(profile: Sequence[Ground]) -> tuple[Education, ...]:
    """The fields about studies as one course; none when the degree is said to be none."""
    values, cites = dict.fromkeys(STUDIES), []
    for line in profile:
        name, _, value = line.text.partition(": ")
        for part, names in STUDIES.items():
            if name.casefold() in names and values[part] is None and value.casefold() not in ("none", "no"):
                values[part] = value[:200]
                cites.append(line)
    if not any(values[part] for part in ("degree", "field", "school")):
        return ()
    quote = next(line.text.partition(": ")[2] for line in cites)[:200]
    return (Education(**values, quote=quote, cites=tuple(line.label for line in cites)),)
