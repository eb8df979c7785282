"""JSON Resume: what goes out comes back; what others write is understood."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.errors import DataRejectedError
from metier.sources.candidate import Candidate, Contact, Education, Work
from metier.sources.json_resume import as_text, from_json_resume, to_json_resume

lines = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).map(str.strip).filter(bool)
known = st.none() | lines
dates = st.none() | st.builds(
    "{:04d}{}".format, st.integers(1950, 2049), st.sampled_from(["", *(f"-{month:02d}" for month in range(1, 13))])
)
contacts = st.builds(Contact, **dict.fromkeys(Contact.model_fields, known))
jobs = st.builds(Work, title=known, employer=known, start=dates, end=dates, summary=known)
courses = st.builds(Education, degree=known, field=known, school=known, start=dates, end=dates)
candidates = st.builds(
    Candidate,
    contact=contacts,
    headline=known,
    summary=known,
    work=st.lists(jobs, max_size=3).map(tuple),
    education=st.lists(courses, max_size=3).map(tuple),
    skills=st.lists(lines, max_size=4).map(tuple),
    languages=st.lists(lines, max_size=3).map(tuple),
)


@given(candidates)
def test_round_trip(candidate):
    assert from_json_resume(json.loads(json.dumps(to_json_resume(candidate)))) == candidate


def test_what_other_programs_write():
    resume = from_json_resume(
        {
            "basics": {
                "name": "Anna",
                "website": "https://example.org",
                "location": {"countryCode": "DE"},
                "image": "",
            },
            "work": [
                {
                    "company": "Example",
                    "position": "Engineer",
                    "startDate": "2019-01-31",
                    "endDate": "",
                    "summary": "Did.",
                    "highlights": ["Built a shop", "Closed it"],
                }
            ],
            "skills": [{"name": "Web", "level": "", "keywords": ["HTML", "CSS"]}],
            "languages": [{"language": "German", "fluency": "Native"}],
            "awards": None,
        }
    )
    assert resume.contact == Contact(name="Anna", url="https://example.org", country="DE")
    job = Work(title="Engineer", employer="Example", start="2019-01", summary="Did.\nBuilt a shop\nClosed it")
    assert resume.work == (job,)
    assert (resume.skills, resume.languages) == (("Web", "HTML", "CSS"), ("German",))
    assert as_text(resume).splitlines()[0] == "Anna"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ([], "none of basics, work"),
        ({"name": "Anna"}, "none of basics, work"),
        ({"basics": {"name": ["Anna"]}}, "basics.name"),
        ({"work": [{"startDate": "last spring"}]}, "work.0.startDate"),
        ({"skills": [{"name": "x" * 400}]}, "skills.0.name"),
        ({"skills": "all"}, "skills"),
    ],
)
def test_what_is_refused(value, place):
    with pytest.raises(DataRejectedError, match=place) as caught:
        from_json_resume(value)
    assert "xxx" not in str(caught.value)
    assert "spring" not in str(caught.value)
