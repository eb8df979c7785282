"""A person's words in whole statements, whatever the page that they stood on broke."""

import pytest

from metier.live.statements import LONGEST, quoted, statements


def said(text):
    return [quoted(text, *span) for span in statements(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "- Resolve incidents &\ncreating tickets as well.\n- Debug",
            ["Resolve incidents & creating tickets as well.", "Debug"],
        ),
        ("Developed services in\nJava for banks", ["Developed services in Java for banks"]),
        ("Registered nurse\nWard nurse", ["Registered nurse", "Ward nurse"]),
        ("I weld. I also drive! Do you?", ["I weld.", "I also drive!", "Do you?"]),
        (
            "B. Tech at Acme Pvt. Ltd. in Pune. Dr. Who led it.",
            ["B. Tech at Acme Pvt. Ltd. in Pune.", "Dr. Who led it."],
        ),
        ("Skills: Java * SQL and more * Git", ["Skills: Java", "SQL and more", "Git"]),
        ("RESPONSIBILITIES:\nExperience\nWelder", ["Welder"]),
        ("Works on the\n\nnext page", ["Works on the", "next page"]),
        ("Works on the\fnext page", ["Works on the next page"]),
        ("Led a team,\ncompany - Acme", ["Led a team, company - Acme"]),
        ("Led a team\ncompany - Acme", ["Led a team", "company - Acme"]),
        ("Worked for the Govt. of India; led ten.", ["Worked for the Govt. of India;", "led ten."]),
        ("2019 - 2021\n12345 !!", []),
        ("", []),
    ],
)
def test_statements(text, expected):
    assert said(text) == expected


def test_lines_as_wide_as_the_page_go_on_and_short_ones_end():
    wide = "Kept the books of three branches and closed each of the months on time at"
    text = f"{wide}\nAcme\n{wide[:-3]}\nSteel Works\n{wide[:-11]}\nAccountant\nBookkeeper"
    assert said(text) == [f"{wide} Acme", f"{wide[:-3]} Steel Works", wide[:-11], "Accountant", "Bookkeeper"]
    assert said(f"{wide[:-3]}\nSteel Works\nWelder") == [wide[:-3], "Steel Works", "Welder"]


def test_spans_are_in_order_and_apart_and_hold_what_is_quoted():
    text = "  • Java, SQL\n\tand Git.  Then\tmore.\nNurse "
    spans = statements(text)
    assert [text[start:end] for start, end in spans] == ["Java, SQL\n\tand Git.", "Then\tmore.", "Nurse"]


def test_what_is_cut_off_is_shown():
    text = "Kept the books of a branch, " * 20
    (span,) = statements(text)
    short = quoted(text, *span)
    assert len(short) <= LONGEST + 2
    assert short.endswith(" …")
    assert text.startswith(short.removesuffix(" …"))
    assert text[len(short) - 2] in " ,"
