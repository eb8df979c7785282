"""The record of a text: against one read by hand, and never more than the text says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendered import ANNA
from test_real_resumes import stated

from metier.errors import DataRejectedError
from metier.sources.candidate import Contact, Education, Work
from metier.sources.documents.dates import dates_in
from metier.sources.documents.recognise import candidate


def test_anna():
    anna = candidate(ANNA)
    assert anna.contact == Contact(
        name="Anna Example",
        email="anna@example.org",
        phone="(212) 555-0123",
        city="New York",
        state="NY",
        zip="10001",
    )
    assert anna.headline == "Software Engineer"
    assert anna.summary == "Engineer who likes plain code and short meetings."
    assert anna.work == (
        Work(
            title="Senior Software Engineer",
            employer="Example Systems Ltd",
            start="2019-01",
            summary="• Moved the billing service to PostgreSQL.\n• Led four engineers.",
        ),
        Work(
            title="Web Developer",
            employer="Sample Labs Inc",
            start="2015-06",
            end="2018-12",
            summary="• Built shops in Python.",
        ),
    )
    assert anna.education == (
        Education(degree="Bachelor of Science", field="Computer Science", school="Sample University", end="2015"),
    )
    assert anna.skills == ("Python", "PostgreSQL", "Linux", "code review")
    assert anna.languages == ("English", "German")


LABELLED = """Education Details
January 2015 B.Sc. Mumbai University
Network Engineer

Network Engineer - Example Networks
Skill Details
CISCO- Exprience - 43 monthsCompany Details
company - Example Networks
description - Routers and switches.
company - Sample Ltd
Role: Field Technician
Duration: March 2012 to May 2014
Repaired.
PERSONAL DETAIL
Languages known: Hindi and English
"""


def test_labels():
    person = candidate(LABELLED)
    assert person.contact == Contact()
    assert person.work == (
        Work(title="Network Engineer", employer="Example Networks", summary="Routers and switches."),
        Work(
            title="Field Technician",
            employer="Sample Ltd",
            start="2012-03",
            end="2014-05",
            summary="Role: Field Technician\nDuration: March 2012 to May 2014\nRepaired.",
        ),
    )
    assert person.education == (Education(degree="B.Sc.", school="Mumbai University", end="2015-01"),)
    assert person.skills == ("CISCO",)
    assert person.languages == ("Hindi", "English")


ROWS = """Anna Example
Technical Skills\tPython, SQL
Languages\t: English, German
Education\tMBA, Sample University, 2015
"""


def test_a_heading_in_the_first_cell_of_a_table_row():
    person = candidate(ROWS)
    assert (person.skills, person.languages) == (("Python", "SQL"), ("English", "German"))
    assert person.education == (Education(degree="MBA", school="Sample University", end="2015"),)


@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        ("Jan 2019 - Present", "2019-01", None),
        ("01/2019 – 03/2020", "2019-01", "2020-03"),
        ("2010-2014", "2010", "2014"),
        ("from March 2015 to April 2016", "2015-03", "2016-04"),
        ("12 March 2015 to 1 Sept. 2016", "2015-03", "2016-09"),
        ("2019-07 to 2020-01", "2019-07", "2020-01"),
        ("since 2018", "2018", None),
        ("Graduated in May 2012", None, "2012-05"),
    ],
)
def test_dates(line, start, end):
    found = dates_in(line)
    assert found is not None
    assert (found.start, found.end) == (start, end)


@pytest.mark.parametrize("line", ["room 1234", "+1 212 555 2019", "2019 - 2010", "a@x2019.org"])
def test_no_dates(line):
    assert dates_in(line) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Sir or Madam, thank you for the lovely evening.",
        "Invoice 2019\nTotal 40.00",
        "1\n2\n3",
        "Lorem ipsum\n" * 50,
    ],
)
def test_nobody_is_invented(text):
    with pytest.raises(DataRejectedError, match="no contact, job, education or skill"):
        candidate(text)


words = st.sampled_from([*ANNA.split(), *LABELLED.split(), "\n", "\n\n", "•", "|", ",", "-", "2019 - 2021", "\t", ":"])


@given(st.lists(words, max_size=60).map(" ".join))
def test_every_value_stands_in_the_text(text):
    try:
        found = candidate(text)
    except DataRejectedError:
        return
    line = " ".join(text.split())
    for value in stated(found.model_dump()):
        assert " ".join(value.split()) in line
