"""Wishes in plain words, and where postings hold them."""

import pytest

from metier.live import Wishes


@pytest.mark.parametrize(
    ("said", "wanted", "unwanted"),
    [
        ("no travel; python, not java; remote", ["python", "remote"], ["travel", "java"]),
        ("I would like to work with Python or Rust", ["Python", "Rust"], []),
        ("I don't want night shifts", [], ["night shifts"]),
        ("please no sales and no cold calls", [], ["sales", "cold calls"]),
        ("no nights or weekends", [], ["nights", "weekends"]),
        ("without overtime, but with a company car", ["company car"], ["overtime"]),
        ("anything but retail", [], ["retail"]),
        ("python not java", ["python"], ["java"]),
        ("not necessarily in sales", [], []),
        ("not only python", ["python"], []),
        ("no experience needed", ["no experience needed"], []),
        ("no degree required, remote", ["no degree required", "remote"], []),
        ("no preference", [], []),
        ("not sure", [], []),
        ("no more than 40 hours", [], []),
        ("not for profit", ["not for profit"], []),
        ("remote, no remote", [], ["remote"]),
        ("never on call. Avoid travel", [], ["on call", "travel"]),
        ("", [], []),
        ("; , !! --", [], []),
        ("C++; .NET", ["C++", ".NET"], []),
        ("not Software jobs, developer roles", ["developer"], ["Software"]),
        ("not as a software developer", [], ["software developer"]),
        ("no “front-end”", [], ["front-end"]),
        ("developer; welder; Developers", ["developer", "welder"], []),
        ("developer, not developers", [], ["developers"]),
    ],
)
def test_what_is_said(said, wanted, unwanted):
    found = Wishes.parse(said)
    assert [*found.wanted] == wanted
    assert [*found.unwanted] == unwanted


def test_phrases_are_found_with_their_characters():
    wishes, text = Wishes.parse("python; night shift; no travel"), "Night Shifts.\nPython and travels to clients"
    found = {phrase: text[start:end] for phrase, (start, end) in wishes.found_in(text).items()}
    assert found == {"python": "Python", "night shift": "Night Shifts", "travel": "travels"}


@pytest.mark.parametrize("text", ["No travel.", "never travel", "without travel", "traveling", "non-travel position"])
def test_what_a_posting_denies_or_does_not_say_is_not_there(text):
    assert Wishes.parse("no travel").found_in(text) == {}


@pytest.mark.parametrize("title", ["Software Developer", "SOFTWARE DEVELOPERS", "Senior software-developer (Java)"])
def test_a_wish_catches_each_form_of_a_title_and_does_not_hide_another(title):
    wishes = Wishes.parse("not software; developer; software developer; not Software Developer jobs at night")
    assert {"software", "developer"} <= set(wishes.found_in(title))
    both = Wishes.parse("software developer, not software")
    assert set(both.found_in(title)) == {"software developer", "software"}


@pytest.mark.parametrize("said", ["front end", "front-end", "frontend", "Front Ends"])
def test_words_in_one_or_apart_are_the_same(said):
    for text in ("Front-End engineer", "front end", "Frontends"):
        assert Wishes.parse(said).found_in(f"A {text}.") == {said: (2, 2 + len(text.removesuffix(" engineer")))}
    assert Wishes.parse(said).found_in("upfront ending") == {}


def test_a_short_word_is_meant_as_typed_or_in_capitals():
    assert Wishes.parse("it").found_in("As it is, IT.") == {"it": (10, 12)}
    assert Wishes.parse("IT").found_in("As it is.") == {}
    assert Wishes.parse("hr").found_in("Our HR.") == {"hr": (4, 6)}


def test_a_denial_holds_inside_its_sentence():
    assert Wishes.parse("not software").found_in("Ready or not? Software it is.") == {"software": (14, 22)}
    assert Wishes.parse("not software").found_in("Non-software work") == {}


def test_what_is_not_understood():
    """The limits that docs/reference/live.md names."""
    assert Wishes.parse("no travel").found_in("Travel is not required") != {}
    assert Wishes.parse("nothing boring").wanted == ("nothing boring",)


def test_nothing_is_wished_by_default():
    assert not Wishes()
    assert Wishes(wanted=("x",))
