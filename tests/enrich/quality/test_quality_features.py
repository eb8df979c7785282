"""The three texts and the numbers made of them: what each says, and what none of them may know."""

import numpy as np
import pytest

from metier.enrich.grounds import Ground, Grounds
from metier.enrich.quality.features import count_features, profile_features, sameness, text_features
from metier.enrich.quality.texts import TEMPLATE, UNHEARD, raw, templated
from metier.enrich.resume import Education, Experience, Resume, Skill


class Letters:
    """Embeds a text as the counts of a, b and c, scaled to length 1."""

    def embed(self, texts):
        counts = np.array([[text.count(letter) for letter in "abc"] for text in texts], np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def grounds(*lines: tuple[str, str, str]) -> Grounds:
    return Grounds("p", "2012-04-10", tuple(Ground(*line) for line in lines))


def resume(titles=(), skills=(), degree=None, field=None) -> Resume:
    held = [Experience(title=title, employer=None, years=None, quote=title, cites=("H1",)) for title in titles]
    known = [Skill(name=name, quote=name, cites=("T1",)) for name in skills]
    study = Education(degree=degree, field=field, school=None, years=None, quote=degree or "", cites=("P1",))
    return Resume(experience=tuple(held), skills=tuple(known), education=(study,) if degree else ())


RICH = resume(["Cook", "Baker"], ["pastry", "grilling"], "Diploma", "Catering")


def test_raw_text_is_what_the_person_wrote_and_no_job_applied_to():
    lines = [
        ("P1", "profile", "city: Dayton"),
        ("T1", "text", "I cook."),
        ("H1", "history", "Cook"),
        ("J1", "job", "x"),
    ]
    assert raw(grounds(*lines)) == "I cook.\nCook"


def test_template_says_the_facts_and_the_same_around_them():
    [text] = templated([RICH], np.random.default_rng(0))
    facts = {"title": "Cook", "past": "Baker", "skill": "pastry", "other_skill": "grilling"}
    assert text == TEMPLATE.format(**facts, degree="Diploma", field="Catering")


def test_template_fills_holes_with_other_peoples_facts():
    texts = templated([RICH, resume(["Welder"])], np.random.default_rng(0))
    assert texts[1].startswith("Welder\n")
    assert "as Welder" in texts[1]
    assert "Education: Diploma, Catering." in texts[1]
    assert UNHEARD not in "".join(texts)
    assert UNHEARD in templated([resume(["Welder"])], np.random.default_rng(0))[0]


def test_holes_are_filled_by_chance_from_everybody():
    people = [resume([f"Title {i}"]) for i in range(50)] + [resume() for _ in range(50)]
    invented = {text.partition("\n")[0] for text in templated(people, np.random.default_rng(0))[50:]}
    assert len(invented) > 20
    assert invented <= {f"Title {i}" for i in range(50)}


def test_text_features_are_the_vector_and_the_length():
    matrix = text_features(["aa b", ""], Letters())
    assert matrix == pytest.approx(np.array([[2 / 5**0.5, 1 / 5**0.5, 0, np.log(3)], [0, 0, 0, 0]]))


def test_completeness_by_hand():
    one = grounds(
        ("P1", "profile", "degree: Diploma"),
        ("P2", "profile", "experience years: 12"),
        ("P3", "profile", "graduated: 1999-06"),
        ("T1", "text", "I cook."),
        ("H1", "history", "Cook (2004-05): fried fish"),
        ("H2", "history", "Baker"),
    )
    other = grounds(("P1", "profile", "city: Dayton"))
    matrix, names = profile_features([one, other])
    assert dict(zip(names, matrix[0], strict=True)) == pytest.approx(
        {
            "has city": 0,
            "has degree": 1,
            "has experience years": 1,
            "has graduated": 1,
            "lines of profile": 3,
            "characters of profile": np.log1p(15 + 20 + 18),
            "lines of text": 1,
            "characters of text": np.log1p(7),
            "lines of history": 2,
            "characters of history": np.log1p(26 + 5),
            "years of experience": 12,
            "years spanned": 5,
        }
    )
    assert matrix[1].sum() == pytest.approx(1 + 1 + np.log1p(12))


def test_jobs_applied_to_are_no_feature():
    told = [("P1", "profile", "city: Dayton"), ("H1", "history", "Cook")]
    applied = [*told, *((f"J{i}", "job", "posting") for i in range(1, 9))]
    few, many = profile_features([grounds(*told), grounds(*applied)])[0]
    assert few.tolist() == many.tolist()


def test_counts_and_sameness_by_hand():
    assert count_features(np.array([0, 3])).tolist() == [[0.0], [np.log(4)]]
    assert sameness(["a", "b", "a"], Letters()) == pytest.approx(1 / 3)
    assert sameness(["a", ""], Letters()) == 0.0
