"""Inventions and true statements about the people of a market, to measure the audit with."""

from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import NamedTuple

from metier.data.splits import folds
from metier.enrich.claims import content, degrees
from metier.enrich.grounds import Grounds, gather
from metier.enrich.resume import Education, Experience, Resume, Skill, Statement
from metier.sources.market import generate
from metier.sources.market.knobs import MarketKnobs

DEGREES = ("PhD", "Master of Business Administration", "Doctorate in Law", "M.S.", "MBA")
EMPLOYERS = ("Globex", "Initech", "Umbrella Logistics", "Stark Industries", "Hooli", "Vandelay Imports")
SKILLS = ("welding", "phlebotomy", "Python", "AutoCAD", "payroll", "forklift", "EKG", "SQL", "beekeeping", "Mandarin")


class Plant(NamedTuple):
    """An item about a person, and of which kind it is."""

    kind: str
    grounds: Grounds
    resume: Resume


def people(count: int) -> list[Grounds]:
    """People of a market with at least two past jobs, a degree and known years."""
    tables = generate(MarketKnobs(people=400), seed=3).tables
    found = [one for fold in folds(tables, "temporal") for one in gather(fold)]
    rich = [one for one in found if field(one, "degree") and field(one, "experience years") and len(titles(one)) > 2]
    return rich[:count]


def field(one: Grounds, name: str) -> tuple[str, str] | None:
    """Label and value of a profile field; None where it says nothing."""
    lines = [(line.label, line.text.partition(": ")[2]) for line in one.lines if line.text.startswith(f"{name}: ")]
    return next((pair for pair in lines if pair[1] != "None"), None)


def titles(one: Grounds) -> list[tuple[str, str]]:
    """Label and title of the past jobs that name one."""
    return [(line.label, line.text) for line in one.lines if line.kind == "history" and content(line.text)]


def foreign(one: Grounds, others: Iterator[Grounds]) -> str:
    """A title of somebody else that shares no word with this person's facts."""
    mine = {token for text in one.texts().values() for token in content(text)}
    return next(text for other in others for _, text in titles(other) if not set(content(text)) & mine)


def _said(text: str, *labels: str) -> Resume:
    return Resume(summary=(Statement(text=text, cites=labels),))


def _held(title: str, label: str, *, employer: str | None = None, years: str | None = None, quote: str = "") -> Resume:
    return Resume(experience=(Experience(title=title, employer=employer, years=years, quote=quote, cites=(label,)),))


def _studied(degree: str, quote: str, *labels: str, field: str | None = None) -> Resume:
    return Resume(
        education=(Education(degree=degree, field=field, school=None, years=None, quote=quote, cites=labels),)
    )


def _skill(name: str, quote: str, *labels: str) -> Resume:
    return Resume(skills=(Skill(name=name, quote=quote, cites=labels),))


def inventions(found: list[Grounds], count: int) -> list[Plant]:
    """False items, each about one person, each citing a real fact of theirs unless the lie is the citation."""
    employers, wrong_degrees, skills, others = cycle(EMPLOYERS), cycle(DEGREES), cycle(SKILLS), cycle(found)

    def unknown_skill(one: Grounds) -> str:
        mine = " ".join(one.texts().values()).casefold()
        return next(skill for skill in skills if skill.casefold()[:4] not in mine)

    def years_off(one: Grounds) -> str:
        return str(int(field(one, "experience years")[1]) + 7)

    def higher(one: Grounds) -> str:
        return next(degree for degree in wrong_degrees if not degrees(degree) & degrees(field(one, "degree")[1]))

    kinds: dict[str, Callable[[Grounds], Resume]] = {
        "degree": lambda one: _studied(higher(one), "", field(one, "degree")[0]),
        "degree, in a sentence": lambda one: _said(f"Holds a {higher(one)}.", field(one, "degree")[0]),
        "employer": lambda one: _held(titles(one)[0][1], titles(one)[0][0], employer=next(employers)),
        "employer, in a sentence": lambda one: _said(
            f"Worked as {titles(one)[0][1]} for {next(employers)}.", titles(one)[0][0]
        ),
        "years": lambda one: _held(titles(one)[0][1], titles(one)[0][0], years="2004 to 2009"),
        "years, in a sentence": lambda one: _said(
            f"Has {years_off(one)} years of experience.", field(one, "experience years")[0]
        ),
        "title": lambda one: _held(foreign(one, others), titles(one)[0][0]),
        "title, in a sentence": lambda one: _said(f"Worked as {foreign(one, others)}.", titles(one)[0][0]),
        "seniority": lambda one: _held(f"Chief {titles(one)[-1][1]}", titles(one)[-1][0]),
        "skill": lambda one: _skill(unknown_skill(one), "", titles(one)[0][0]),
        "skill, with a true quote": lambda one: _skill(unknown_skill(one), titles(one)[0][1], titles(one)[0][0]),
        "skill, in a sentence": lambda one: _said(
            f"{titles(one)[0][1]} skilled in {unknown_skill(one)}.", titles(one)[0][0]
        ),
        "quote": lambda one: _skill(titles(one)[0][1], "as everybody knows", titles(one)[0][0]),
        "label": lambda one: _held(titles(one)[0][1], "H99"),
        "no label": lambda one: _said(f"Worked as {titles(one)[0][1]}."),
        "applied to, said to be held": lambda one: _applied_as_held(one) or _held("Astronaut", titles(one)[0][0]),
        "applied to, said in a sentence": lambda one: (
            _applied_as_said(one) or _said("Worked as an astronaut.", titles(one)[0][0])
        ),
    }
    return _plants(kinds, found, count)


def _applied_as_held(one: Grounds) -> Resume | None:
    jobs = [line for line in one.lines if line.kind == "job"]
    return _held(jobs[0].text.partition(":")[0], jobs[0].label) if jobs else None


def _applied_as_said(one: Grounds) -> Resume | None:
    jobs = [line for line in one.lines if line.kind == "job"]
    return _said(f"Worked as {jobs[0].text.partition(':')[0]}.", jobs[0].label) if jobs else None


def true_statements(found: list[Grounds], count: int) -> list[Plant]:
    """True items: the facts themselves, and light paraphrases of them."""

    def turned(title: str) -> str:
        head, comma, tail = title.partition(", ")
        return f"{tail} {head}" if comma else title.replace("Sr ", "Senior ").replace("Part Time", "Part-time")

    kinds: dict[str, Callable[[Grounds], Resume]] = {
        "title": lambda one: _held(titles(one)[0][1], titles(one)[0][0], quote=titles(one)[0][1]),
        "title, turned": lambda one: _held(turned(titles(one)[1][1]), titles(one)[1][0]),
        "title, in a sentence": lambda one: _said(f"Has worked as a {titles(one)[1][1]}.", titles(one)[1][0]),
        "two titles": lambda one: _said(
            f"Experienced {titles(one)[0][1].lower()}, formerly {titles(one)[1][1]}.",
            titles(one)[0][0],
            titles(one)[1][0],
        ),
        "headline": lambda one: Resume(
            headline=Statement(text=f"Experienced {titles(one)[0][1]}", cites=(titles(one)[0][0],))
        ),
        "years": lambda one: _said(
            f"Brings {field(one, 'experience years')[1]} years of professional experience.",
            field(one, "experience years")[0],
        ),
        "degree": lambda one: _studied(field(one, "degree")[1], field(one, "degree")[1], field(one, "degree")[0]),
        "degree, in a sentence": lambda one: _said(
            f"Completed a {field(one, 'degree')[1]} degree.", field(one, "degree")[0]
        ),
        "place": lambda one: _said(f"Based in {field(one, 'city')[1]}.", field(one, "city")[0]),
        "seeks": lambda one: _said(f"Seeks a role similar to {titles(one)[0][1]}.", titles(one)[0][0]),
        "plural and order": lambda one: _said(
            f"Roles as {titles(one)[2][1]} and {titles(one)[0][1]}s.", titles(one)[2][0], titles(one)[0][0]
        ),
    }
    return _plants(kinds, found, count)


def _plants(kinds: dict[str, Callable[[Grounds], Resume]], found: list[Grounds], count: int) -> list[Plant]:
    pairs = islice(zip(cycle(kinds.items()), cycle(found), strict=False), count)
    return [Plant(kind, one, make(one)) for (kind, make), one in pairs]
