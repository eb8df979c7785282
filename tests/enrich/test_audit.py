"""The audit against what was planted: how many inventions it catches, how many true statements it flags."""

from collections import Counter

import audit_plants
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.data.splits import folds
from metier.enrich.audit import Auditor
from metier.enrich.extractive import Extractor
from metier.enrich.grounds import Ground, Grounds, gather
from metier.enrich.resume import Education, Experience, Resume, Skill, Statement
from metier.sources.market import MarketKnobs, generate

FACTS = Grounds(
    "p",
    "c",
    (
        Ground("P1", "profile", "degree: Bachelor's"),
        Ground("P2", "profile", "major: Nursing"),
        Ground("P3", "profile", "experience years: 14"),
        Ground("P4", "profile", "managed count: 6"),
        Ground("T1", "text", "I keep electronic health records and draw blood at St. Mary Hospital since 2009."),
        Ground("H1", "history", "Sr. Sales Associate, Temp (2011-05): sold phones for Acme Corp"),
        Ground("H2", "history", "Store Manager"),
        Ground("J1", "job", "Pharmacist: needs SQL and customer service", "j9"),
    ),
)


AUDITOR, EXTRACTOR = Auditor(), Extractor()


@pytest.fixture
def auditor():
    return AUDITOR


@pytest.fixture(scope="module")
def people():
    return audit_plants.people(40)


def verdict(auditor, **sections) -> str:
    [found] = auditor.audit(Resume(**sections), FACTS).verdicts.values()
    return found


def test_of_100_planted_inventions_at_least_98_are_caught(auditor, people, capsys):
    planted = audit_plants.inventions(people, 100)
    missed = [plant for plant in planted if not auditor.audit(plant.resume, plant.grounds).unsupported]
    with capsys.disabled():
        print(
            f"\naudit: {100 - len(missed)} of 100 planted inventions caught; missed: {Counter(p.kind for p in missed)}"
        )
    assert len(missed) <= 2, [(plant.kind, plant.resume.items(), plant.grounds.texts()) for plant in missed]


def test_of_100_true_statements_at_most_5_are_flagged(auditor, people, capsys):
    planted = audit_plants.true_statements(people, 100)
    flagged = [plant for plant in planted if auditor.audit(plant.resume, plant.grounds).unsupported]
    with capsys.disabled():
        print(f"\naudit: {len(flagged)} of 100 true statements flagged: {Counter(p.kind for p in flagged)}")
    assert len(flagged) <= 5, [(plant.kind, plant.resume.items(), plant.grounds.texts()) for plant in flagged]


def test_the_extractive_resume_has_nothing_to_drop(auditor):
    tables = generate(MarketKnobs(people=200), seed=1).tables
    everybody = [one for fold in folds(tables, "temporal") for one in gather(fold)]
    for one in everybody:
        found = auditor.audit(EXTRACTOR.extract(one), one)
        assert not found.unsupported, (found.unsupported, one.texts())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.text(max_size=60).filter(str.strip), max_size=4),
    st.lists(st.text(max_size=60), max_size=3),
    st.integers(1, 9),
)
def test_whatever_a_person_writes_the_extractive_resume_has_nothing_to_drop(said, past, times):
    lines = [Ground(f"T{i}", "text", " ".join(text.split())) for i, text in enumerate(said, 1)]
    lines += [Ground(f"H{i}", "history", " ".join((f"{text} " * times).split())) for i, text in enumerate(past, 1)]
    lines = [line for line in lines if line.text]
    grounds = Grounds("p", "c", tuple(lines))
    assert not AUDITOR.audit(EXTRACTOR.extract(grounds), grounds).unsupported


STATEMENTS = [
    ("title", "Worked as a pharmacist.", ["J1"]),  # applied to, not held
    ("title", "Pharmacist", ["J1"]),
    ("supported", "Seeks work as a pharmacist.", ["J1"]),
    ("supported", "Applied for work as a pharmacist.", ["J1"]),
    ("supported", "Has 14 years of experience.", ["P3"]),
    ("supported", "Fourteen years of experience and a bachelor's degree in nursing.", ["P1", "P2", "P3"]),
    ("supported", "Sold phones as a senior sales associate.", ["H1"]),
    ("supported", "Worked at Acme Corp.", ["H1"]),
    ("supported", "Handles EHR.", ["T1"]),  # another spelling of what T1 names
    ("years", "Has 15 years of experience.", ["P3"]),
    ("years", "Has 6 years of experience.", ["P3", "P4"]),  # six people managed are no years
    ("years", "Since 2012.", ["H1"]),
    ("degree", "Holds a master's degree in nursing.", ["P1", "P2"]),
    ("employer", "Sales associate at Globex.", ["H1"]),
    ("skill", "Sales associate who knows phlebotomy.", ["H1"]),
    ("title", "Sales associate and welder.", ["H1"]),
    ("statement", "Loves painting mountains.", ["H1"]),
    ("uncited", "Has 14 years of experience.", []),
    ("uncited", "Has 14 years of experience.", ["P3", "P9"]),
]


@pytest.mark.parametrize(("expected", "text", "cites"), STATEMENTS)
def test_a_sentence(auditor, expected, text, cites):
    assert verdict(auditor, summary=(Statement(text=text, cites=cites),)) == expected


EXPERIENCES = [
    ("supported", "Senior Sales Associate", "Acme Corp", "2011", "sold phones", ["H1"]),
    ("supported", "Temporary Sales Associate", None, None, "", ["H1"]),
    ("title", "Chief Store Manager", None, None, "", ["H2"]),
    ("title", "Sales Manager", None, None, "", ["H1", "H2"]),  # made of two jobs
    ("title", "Pharmacist", None, None, "", ["J1"]),  # applied to, not held
    ("employer", "Store Manager", "Acme Corp", None, "", ["H2"]),
    ("years", "Store Manager", None, "2011", "", ["H2"]),
    ("misquoted", "Store Manager", None, None, "store manager at night", ["H2"]),
]


@pytest.mark.parametrize(("expected", "title", "employer", "years", "quote", "cites"), EXPERIENCES)
def test_a_job_held(auditor, expected, title, employer, years, quote, cites):
    item = Experience(title=title, employer=employer, years=years, quote=quote, cites=cites)
    assert verdict(auditor, experience=(item,)) == expected


EDUCATIONS = [
    ("supported", "Bachelor's degree", "Nursing", None, ["P1", "P2"]),
    ("degree", "Bachelor of Arts", "Nursing", None, ["P1", "P2"]),
    ("degree", "Bachelor's", "Nursing", None, ["P2"]),
    ("degree", "Bachelor's", None, "Yale", ["P1"]),
]


@pytest.mark.parametrize(("expected", "degree", "field", "school", "cites"), EDUCATIONS)
def test_studies(auditor, expected, degree, field, school, cites):
    item = Education(degree=degree, field=field, school=school, years=None, quote="", cites=cites)
    assert verdict(auditor, education=(item,)) == expected


SKILLS = [
    ("supported", "EHR", "", ["T1"]),
    ("supported", "electronic health records", "keep electronic health records", ["T1"]),
    ("supported", "SQL", "needs SQL", ["J1"]),  # a job applied to may tell of a skill
    ("supported", "phone sales", "", ["H1"]),
    ("skill", "advanced EHR", "", ["T1"]),
    ("skill", "SQL", "", ["H1"]),
    ("skill", "Python", "electronic health records", ["T1"]),  # a true quote about something else
]


@pytest.mark.parametrize(("expected", "name", "quote", "cites"), SKILLS)
def test_a_skill(auditor, expected, name, quote, cites):
    assert verdict(auditor, skills=(Skill(name=name, quote=quote, cites=cites),)) == expected


def test_a_resume_without_its_unsupported_items(auditor):
    resume = Resume(
        headline=Statement(text="Astronaut", cites=["H2"]),
        skills=(Skill(name="Python", quote="", cites=["T1"]), Skill(name="EHR", quote="", cites=["T1"])),
    )
    audit = auditor.audit(resume, FACTS)
    assert audit.as_json() == {
        "items": 3,
        "unsupported": {"headline": "statement", "skills/0": "skill"},
        "by_class": {"statement": 1, "skill": 1},
    }
    assert resume.without(list(audit.unsupported)) == Resume(skills=(Skill(name="EHR", quote="", cites=["T1"]),))


def test_the_extractive_resume_says_what_the_facts_say():
    assert EXTRACTOR.extract(FACTS.only({"profile", "text", "history"})).text() == (
        "Sr. Sales Associate, Temp\n"
        "degree: Bachelor's; major: Nursing; experience years: 14; managed count: 6 I keep electronic health records "
        "and draw blood at St. Mary Hospital since 2009. sold phones for Acme Corp\n"
        "Skills: electronic health records\n"
        "Experience: Sr. Sales Associate, Temp, 2011-05; Store Manager\n"
        "Education: Bachelor's, Nursing"
    )
