"""Contact data goes, honest text stays: counted on hand-made and on generated cases."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metier.enrich.masking import mask
from metier.sources.candidate import Contact

PERSON = Contact(name="Jane Q. Baker", email="jane.baker@example.com", phone="555-0100", zip="62704", country="US")

CONTACT = {
    "email": [
        "jane.baker@example.com",
        "J_B+jobs@mail.example.co.uk",
        "jane (at) example (dot) org",
        "jane[at]example[dot]org",
        "o'neil@example.org",
        "jane@münchen.example",
    ],
    "phone": [
        "(555) 123-4567",
        "555-123-4567",
        "555.123.4567",
        "+1 415 555 2671",
        "1-800-555-0199",
        "(800) 555-0199 ext. 12",
        "5551234567",
        "+49 171 1234567",
        "+44 20 7946 0958",
        "+82-10-1234-5678",
        "0171 1234567",
        "010-1234-5678",
        "555-0100",
    ],
    "url": [
        "https://jane.example/cv?x=1",
        "http://example.org",
        "www.example.org",
        "linkedin.com/in/jane-baker",
        "github.com/jb",
        "HTTPS://WWW.EXAMPLE.ORG/Jane",
    ],
    "street": [
        "123 Main Street",
        "123 Main St., Apt 4B",
        "4500 N. Lake Shore Blvd",
        "12 West 42nd Street, Suite 900",
        "77 Oak Hill Rd #5",
        "9 Elm Way",
        "1600 MLK Parkway",
        "P.O. Box 1234",
        "PO Box 7",
        "Hauptstraße 12a",
        "Lindenweg 3",
        "12 rue de la Paix",
    ],
    "name": [
        "Jane Baker",
        "JANE BAKER",
        "Jane Q. Baker",
        "Baker, Jane",
        "J. Baker",
        "Jane",
        "BAKER",
        "Jane Quinn Baker",
    ],
}

HONEST = [
    "Java 8 and Java 11, Python 3.11, C++, C#, F#, .NET 4.8, ASP.NET/C#",
    "Node.js, Vue.js/Nuxt.js, Socket.io, D3.js, TCP/IP, CI/CD, I/O, 24/7, and/or",
    "2012-2016, 2017 - 2019, 06/2012 - 07/2015, 2019-07-01 to 2021-08-31, 1998",
    "Jan 2010 to Mar 2014; 01.02.2015 - 03.04.2018; 05-2011 to 06-2013",
    "Salary $85,000 - 120,000; $15.50/hour; EUR 45.000-55.000; 60k; USD 120000",
    "Windows 10, Windows 95 98 2000 2003, Office 365, SQL Server 2008 R2, SAP R/3, AutoCAD 2014 2015 2016",
    "ISO 9001:2015, ISO 27001, SOC 15-1252.00, NAICS 541511, OSHA 30, HIPAA, 29 CFR 1910.120",
    "GPA 3.85/4.00, top 5 %, rank 12 of 480, 65 wpm, 10,000 invoices, 1,200,000 users, 1.5 million",
    "Managed 12 people in 3 plants, 2 Way radio, 10 Key, 3 Way merges, 12 Place settings",
    "Booking.com, Salesforce.com, Amazon.com, 3M, 7-Eleven, 84 Lumber, Forever 21, Motel 6",
    "head baker at Sunrise Bakery, jane street trading, a quick drive to court",
    "IP 192.168.100.200, port 8080, RS-232, 802.11ac, IEEE 802.3, 10.0.19041.1234",
    "Class A CDL, 5 axles, 40,000 lbs, 18 wheelers, Route 66, I-95, Hwy patrol",
    "Licensed in OH, PA and WV; Columbus, OH; Reno NV",
    "Led 4 Drive Test teams and the 2020 Way Forward programme",
    "Employee 1234567 of 2345678, order 44556677",
]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in CONTACT.items() for value in values])
@pytest.mark.parametrize("frame", ["{}", "Contact: {}, Springfield", "x\n{} | more\n", "({})"])
def test_contact_data_is_masked(kind, value, frame):
    masked = mask(frame.format(value), PERSON)
    assert masked.text == frame.format(f"[{kind} 1]")


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_stays(text):
    assert mask(text, PERSON).text == text
    assert mask(text).text == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Springfield, IL 62704-1234", "Springfield, IL [zip 1]"),
        ("Dayton OH 45402", "Dayton OH [zip 1]"),
        ("Ottawa K1A 0B1, London SW1A 1AA", "Ottawa [zip 1], London [zip 2]"),
        ("62704 Springfield", "[zip 1] Springfield"),
        ("Tel: 867-5309 Mobile 0171/1234567", "Tel: [phone 1] Mobile [phone 2]"),
    ],
)
def test_parts_around_the_data_stay(text, masked):
    assert mask(text, PERSON).text == masked


def test_one_value_has_one_placeholder():
    masked = mask("a@b.org, c@d.org, A@B.ORG and (555) 123-4567 or 555.123.4567")
    assert masked.text == "[email 1], [email 2], [email 1] and [phone 1] or [phone 1]"
    assert mask("see [email 1], write to a@b.org").text == "see [email 1], write to [email 2]"


def test_values_are_not_shown_by_accident():
    assert "a@b.org" not in repr(mask("write to a@b.org"))


def test_names_without_spaces_and_of_any_script():
    assert mask("김민수 간호사, 김민수", Contact(name="김민수")).text == "[name 1] 간호사, [name 1]"
    assert mask("Zoë Œuvrard-Łoś", Contact(name="Zoë Œuvrard-Łoś")).text == "[name 1]"
    assert mask("Al saw it all", Contact(name="Al")).text == "[name 1] saw it all"


NUMBERS = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["", "+1 ", "1-"]),
    st.sampled_from(["415", "212", "312", "614"]),
    st.sampled_from(["-", ".", " "]),
    st.integers(200, 999).filter(lambda n: n % 100 != 11),
    st.sampled_from(["-", ".", " "]),
    st.integers(1000, 9999).map(str).filter(lambda n: n[:2] not in ("19", "20")),
)
MAILS = st.builds(
    "{}@{}.{}".format,
    st.text("abcxyz09._-", min_size=1, max_size=12).map(lambda name: f"a{name}b"),
    st.text("abcxyz09-", min_size=1, max_size=12).map(lambda name: f"a{name}b"),
    st.sampled_from(["com", "org", "co.uk", "example"]),
)


@settings(deadline=None)
@given(NUMBERS, MAILS, st.sampled_from(HONEST))
def test_generated_contacts_inside_honest_text(number, mail, honest):
    text = f"{honest}\n{number}\n{mail}\n{honest}"
    assert mask(text).text == f"{honest}\n[phone 1]\n[email 1]\n{honest}"


@settings(deadline=None)
@given(st.text())
def test_any_text_comes_back(text):
    masked = mask(text, PERSON)
    assert len(masked.values) == 0 or masked.text != text
    assert mask(masked.text, PERSON).text == masked.text


def test_time_grows_with_the_length_only():
    for evil in ("1 " * 20_000, "a.a" * 15_000, "A" * 40_000, "1 A " * 10_000, "(at)" * 10_000, "0-123" * 8_000):
        began = time.perf_counter()
        mask(evil, PERSON)
        assert time.perf_counter() - began < 5, evil[:8]
