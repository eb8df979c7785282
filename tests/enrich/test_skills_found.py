"""Phrases, clauses and matches: what is found, where, and what must not be."""

import time
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.enrich.phrases import PhraseMatcher, fold, words
from metier.enrich.skills import SkillFinder, clauses, skill_finder
from metier.enrich.taxonomy import Taxonomy, own_taxonomy


def taxonomy(*rows: tuple[str, str, str, list[str]]) -> Taxonomy:
    return Taxonomy.build("tiny", pl.DataFrame(rows, schema=["id", "kind", "name", "aliases"], orient="row"))


TINY = taxonomy(
    ("s1", "skill", "Java (computer programming)", []),
    ("s2", "skill", "C#", [".NET"]),
    ("s3", "skill", "SQL", []),
    ("s4", "skill", "SQL Server", ["T-SQL"]),
    ("s5", "skill", "LESS", []),
    ("s6", "skill", "R", []),
    ("s7", "skill", "unit testing", []),
    ("s8", "skill", "café service", []),
    ("s9", "skill", "storage area networks", ["SAN"]),
    ("o1", "occupation", "server", ["waiter"]),
    ("o2", "occupation", "registered nurse", ["RN"]),
)


def exact(text: str) -> list[tuple[str, str]]:
    return [(match.id, text[match.start : match.end]) for match in SkillFinder(TINY, threshold=None).find(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SQL Server and sql", [("s4", "SQL Server"), ("s3", "sql")]),
        ("a server of .NET, c# and JAVA", [("o1", "server"), ("s2", ".NET"), ("s2", "c#"), ("s1", "JAVA")]),
        ("unit-testing, Unit Tests", [("s7", "unit-testing")]),
        ("less than a year; LESS", [("s5", "LESS")]),
        ("I R one r", [("s6", "R")]),
        ("San Jose, san diego, the SAN", [("s9", "SAN")]),
        ("Waiters, RNs? RN", [("o1", "Waiters"), ("o2", "RN")]),
        ("CAFE SERVICES", [("s8", "CAFE SERVICES")]),
        ("Javanese C C++ networked", []),
        ("", []),
    ],
)
def test_exact_phrases(text, found):
    assert exact(text) == found


@given(st.text(max_size=200))
def test_any_text_has_sound_spans(text):
    spans = [(match.start, match.end) for match in SkillFinder(TINY, threshold=None).find(text + " T-SQL")]
    assert all(0 <= start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert all(text[start:end].strip() for start, end in clauses(text))


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=3), min_size=1, max_size=6), st.data())
def test_the_trie_finds_what_a_slow_search_finds(phrases, data):
    """Leftmost, then longest, without overlaps: against trying every window."""
    text = " ".join(word * 3 for word in data.draw(st.lists(st.sampled_from("abcde"), max_size=15)))
    lists = [[letter * 3 for letter in phrase] for phrase in phrases]
    found = [text[one.start : one.end].split() for one in PhraseMatcher(
        (" ".join(phrase), number) for number, phrase in enumerate(lists)
    ).find(text)]  # fmt: skip
    spoken, slow, at = text.split(), [], 0
    while at < len(spoken):
        fitting = [phrase for phrase in lists if spoken[at : at + len(phrase)] == phrase]
        if fitting:
            slow.append(max(fitting, key=len))
        at += len(slow[-1]) if fitting else 1
    assert found == slow


def test_plurals_and_accents_fold():
    folded = ["studies", "skills", "glass", "bus", "analysis", "Ünïts", "gas"]
    assert [fold(word) for word in folded] == ["study", "skill", "glass", "bus", "analysis", "unit", "gas"]
    assert [word.folded for word in words("PL/SQL (C++) node.js 401(k)")] == [
        "pl",
        "sql",
        "c++",
        "node",
        "js",
        "401",
        "k",
    ]


def test_a_clause_is_matched_by_meaning_with_its_span():
    text = "You will write unit tests, and enjoy long lunches."
    (match,) = SkillFinder(TINY).find(text)
    assert (match.id, match.how, text[match.start : match.end]) == ("s7", "embedding", "write unit tests")
    assert 0.7 <= match.score < 1
    assert SkillFinder(TINY, threshold=0.99).find(text) == []


def test_a_term_is_not_found_twice_in_one_clause():
    matches = SkillFinder(TINY, threshold=0.3).find("Great unit testing work here.")
    assert [match.how for match in matches] == ["exact"]


def test_a_title_goes_to_its_occupation():
    found = skill_finder(own_taxonomy()).nearest(
        ["Sr. Line Cook", "nurse in a hospital ward", "Owner", ""], "occupation"
    )
    assert [match.name if match else None for match in found[:2]] == ["cook", "registered nurse"]
    assert found[3] is None
    assert all(match is None or match.kind == "occupation" for match in found)


def test_without_a_threshold_only_phrases_count():
    assert SkillFinder(TINY, threshold=None).nearest(["waiter", "waitressing"], "occupation")[1] is None


class Fixed:
    """Every text has the same vector."""

    def embed(self, texts):
        return np.ones((len(texts), 1), np.float32)


def test_another_embedder_can_be_given():
    matches = SkillFinder(TINY, embedder=Fixed()).find("pipe organs")
    assert [(match.how, match.score) for match in matches] == [("embedding", 1.0)]


def test_every_spelling_of_our_own_vocabulary_is_found():
    terms = own_taxonomy().terms
    finder = skill_finder(own_taxonomy(), None)
    spellings = [name for line in terms.select("name", "aliases").iter_rows() for name in (line[0], *line[1])]
    lost = [name for name, found in zip(spellings, finder.find_exact(spellings), strict=True) if not found]
    assert not lost


def test_time_does_not_grow_with_the_phrases():
    text = "the quick brown fox jumps over the lazy dog " * 2000
    seconds = []
    for size in (100, 20_000):
        matcher = PhraseMatcher((f"quick brown word{number}", number) for number in range(size))
        spent = []
        for _ in range(3):  # the least of three: what else the machine does only adds
            start = time.process_time()
            assert list(matcher.find(text)) == []
            spent.append(time.process_time() - start)
        seconds.append(min(spent))
    assert seconds[1] < 5 * seconds[0] + 0.1


def test_an_abbreviation_alone_is_not_what_a_longer_name_adds_to_it():
    finder = skill_finder(own_taxonomy())
    for text in ("AWS", "Moved services to AWS", "five years of AWS cloud"):
        assert "AWS certification" not in [match.name for match in finder.find(text)]
    assert [match.name for match in finder.find("AWS certification")] == ["AWS certification"]


def test_until_when_is_no_presentation():
    finder = skill_finder(own_taxonomy())
    for text in ("Present: Acme", "2019 - \nPresent\nAcme"):
        assert finder.find(text) == []
    assert [match.name for match in finder.find("gave presentations")] == ["presentations"]
