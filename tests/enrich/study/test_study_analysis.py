"""Contrasts against a case worked out by hand, and the rules of the sentences."""

import numpy as np
import polars as pl
import pytest

from metier.enrich.study.study import Contrast, Mean, Measured, contrasts, field_pairs, means, text_pairs
from metier.enrich.study.words import LESSONS, ONE_TEXT, SEEDS, TAUGHT, answers, chosen_model, limits
from metier.errors import MetierError


def frame(maps: list[float], history: list[int]) -> pl.DataFrame:
    people = [f"p{number}" for number in range(len(maps))]
    columns = {"fold": "given", "relevant": 1, "ndcg": 0.5, "mrr": 0.25}
    return pl.DataFrame({"person": people, "history": history, "map": maps}).with_columns(
        **{name: pl.lit(value) for name, value in columns.items()}
    )


HISTORY = [0, 0, 1, 3]
MEASURED = Measured.of(
    [
        (("fm", "raw"), 0, frame([0.4, 0.2, 0.6, 1.0], HISTORY)),
        (("fm", "raw"), 1, frame([0.6, 0.2, 0.4, 0.8], HISTORY)),
        (("fm", "none"), 0, frame([0.1, 0.1, 0.5, 0.5], HISTORY)),
        (("fm", "none"), 1, frame([0.1, 0.3, 0.3, 0.5], HISTORY)),
    ]
)


def test_contrast_is_what_the_hand_works_out():
    """raw is (0.5, 0.2, 0.5, 0.9) and none (0.1, 0.2, 0.4, 0.5) over two seeds: differences 0.4, 0, 0.1, 0.4."""
    pairs = text_pairs(MEASURED.values)
    assert [name for name, *_ in pairs] == ["raw − none"]
    whole, warm, cold = contrasts(MEASURED, pairs, ["all", "warm", "cold"])
    assert whole["difference"] == pytest.approx(0.225)
    # squares about 0.225: 0.175^2 + 0.225^2 + 0.125^2 + 0.175^2 = 0.1275; / 3 = 0.0425; sqrt(0.0425 / 4) = 0.10308
    assert whole["seen"] == pytest.approx(2.8 * 0.10308, rel=1e-4)
    assert (whole["people"], whole["seeds"]) == (4, 2)
    assert 0 <= whole["low"] < 0.225 < whole["high"] <= 0.4
    assert (cold["people"], cold["difference"]) == (2, pytest.approx(0.2))
    assert (warm["people"], warm["difference"]) == (2, pytest.approx(0.25))


def test_means_are_over_seeds_and_people():
    one = next(one for one in means(MEASURED, ["all"]) if one["condition"] == "raw")
    assert one["map"] == pytest.approx(0.525)
    assert one["between_seeds"] == pytest.approx(np.std([0.55, 0.5], ddof=1))
    assert (one["seeds"], one["people"], one["ndcg"], one["mrr"]) == (2, 4, 0.5, 0.25)


def test_holm_is_over_all_contrasts_of_a_segment():
    values = {**MEASURED.values, ("afm", "raw"): MEASURED.values["fm", "none"]}
    values["afm", "none"] = MEASURED.values["fm", "raw"]
    alone = contrasts(MEASURED, text_pairs(MEASURED.values), ["all"])[0]
    both = contrasts(Measured(MEASURED.history, values), text_pairs(values), ["all"])
    assert both[0]["p"] == alone["p"] == alone["p_holm"]
    assert both[0]["p_holm"] == pytest.approx(min(1.0, 2 * alone["p"]))
    assert both[1]["difference"] == -both[0]["difference"]


def test_only_seeds_that_both_have_are_compared():
    values = {**MEASURED.values, ("fm", "none"): {1: MEASURED.values["fm", "none"][1]}}
    one = contrasts(Measured(MEASURED.history, values), text_pairs(values), ["all"])[0]
    assert (one["seeds"], one["difference"]) == (1, pytest.approx(0.2))


def test_cells_about_other_people_are_refused():
    with pytest.raises(MetierError, match="judged other people"):
        Measured.of([(("fm", "raw"), 0, frame([1.0], [0])), (("fm", "none"), 0, frame([1.0, 0.0], [0, 0]))])


def test_lgir_and_field_contrasts():
    rows = [("lgir", "interactive"), ("lgir-no-gan", "raw"), ("lgir-no-gan", "interactive")]
    assert [name for name, *_ in text_pairs(rows)] == ["interactive − raw", "LGIR − BASE", "LGIR − IRC"]
    conditions = ["everything", "ids alone", "only person.degree", "without person.degree"]
    rows = [("fm", one) for one in conditions] + [("fm-no-ids", "everything")]
    assert field_pairs(rows) == [
        ("only person.degree − ids alone", ("fm", "only person.degree"), ("fm", "ids alone")),
        ("everything − without person.degree", ("fm", "everything"), ("fm", "without person.degree")),
        ("everything − without ids", ("fm", "everything"), ("fm-no-ids", "everything")),
    ]
    assert text_pairs(rows) == []


def test_a_text_is_held_against_the_same_text_of_somebody_else():
    rows = [("fm", text) for text in ("raw", "raw-shuffled", "simple", "interactive", "shuffled")]
    assert [name for name, *_ in text_pairs(rows)] == [
        "raw − raw-shuffled", "interactive − shuffled", "simple − raw", "interactive − raw",
    ]  # fmt: skip


def level(model: str, condition: str, value: float, segment: str = "all") -> Mean:
    return Mean(
        model=model, condition=condition, segment=segment, people=100, seeds=1, map=value, low=0, high=1,
        between_seeds=None, ndcg=0, mrr=0,
    )  # fmt: skip


def contrast(a: str, b: str, low: float, high: float, segment: str = "all", p_holm: float = 0.01) -> Contrast:
    return Contrast(
        name=f"{a} − {b}", model="fm", condition=a, other_model="fm", other_condition=b, segment=segment, people=100,
        seeds=1, difference=(low + high) / 2, low=low, high=high, p=0.01, p_holm=p_holm, seen=0.03,
    )  # fmt: skip


LEVELS = [level("fm", "none", 0.1), level("fm", "raw", 0.2), level("content", "none", 0.9)]


@pytest.mark.parametrize(
    ("none", "shuffled", "p", "said"),
    [
        ((0.1, 0.3), (0.1, 0.3), 0.01, ["yes", "Holm's p is 0.010"]),
        ((0.1, 0.3), (0.1, 0.3), 0.05, ["by its intervals, not after Holm's correction", "Holm's p is 0.050"]),
        ((0.1, 0.3), (-0.1, 0.3), 0.01, ["no", "not the control"]),
        ((-0.1, 0.3), (0.1, 0.3), 0.01, ["no", "above 0.0300 would have been seen"]),
        ((-0.3, -0.1), (-0.1, 0.3), 0.01, ["no", "does harm"]),
    ],
)
def test_answer_follows_the_rules(none, shuffled, p, said):
    tests = [contrast("raw", "none", *none), contrast("raw", "raw-shuffled", *shuffled, p_holm=p)]
    (answer,) = answers("town", LEVELS, tests, ["fm"], 25)
    assert answer.startswith(f"town: {said[0]}, with fm, what people wrote gives MAP@25 0.2000 and no text 0.1000")
    assert said[1] in answer


def test_the_better_completion_is_held_against_what_people_wrote():
    tests = [contrast("raw", other, 0.1, 0.3) for other in ("none", "raw-shuffled")]
    tests += [contrast("simple", "raw", -0.2, 0.1), contrast("interactive", "raw", -0.1, 0.2)]
    (answer,) = answers("town", LEVELS, tests, ["fm"], 25)
    assert answer.endswith("the interactive completion gives +0.0500 (95 % interval -0.1000 to 0.2000).")


def test_a_text_without_a_control_or_against_another_texts_control_earns_no_yes():
    tests = [contrast(text, other, 0.1, 0.3) for text in ("raw", "simple") for other in ("none", "shuffled")]
    assert answers("town", LEVELS, tests, ["fm"], 25) == []


def test_a_text_that_stands_the_correction_goes_before_one_that_gains_more():
    levels = [*LEVELS, level("fm", "interactive", 0.3)]
    raw = [contrast("raw", other, 0.1, 0.3) for other in ("none", "raw-shuffled")]
    more = [contrast("interactive", other, 0.2, 0.4, p_holm=0.2) for other in ("none", "shuffled")]
    (answer,) = answers("town", levels, [*raw, *more], ["fm"], 25)
    assert answer.startswith("town: yes, with fm, what people wrote gives")


@pytest.mark.parametrize(("seeds", "said"), [(1, "(100 people, one seed, so nothing tells"), (3, "mean of 3 seeds)")])
def test_the_answer_tells_its_seeds(seeds, said):
    tests: list[Contrast] = [{**contrast("raw", other, 0.1, 0.3), "seeds": seeds} for other in ("none", "raw-shuffled")]
    assert said in answers("town", LEVELS, tests, ["fm"], 25)[0]


def test_limits_are_told_where_they_hold():
    assert limits([("ranker", "raw"), ("fm", "shuffled")], ["simple"]) == [SEEDS]
    assert limits([("fm", "skills")], []) == [SEEDS, TAUGHT]
    assert limits([("ranker", "interactive")], ["interactive"]) == [SEEDS, TAUGHT, LESSONS, ONE_TEXT]


def test_a_model_that_reads_no_text_has_no_power_to_claim():
    tests: list[Contrast] = [{**contrast("raw", other, 0.0, 0.0), "seen": 0.0} for other in ("none", "raw-shuffled")]
    (answer,) = answers("town", LEVELS, tests, ["fm"], 25)
    assert answer.endswith("The model ranks alike with and without it, so it says nothing about texts.")


def test_lgir_has_a_sentence():
    whole = {**contrast("interactive", "raw", 0.1, 0.3), "name": "LGIR − BASE", "other_model": "lgir-no-gan"}
    part = {**whole, "name": "LGIR − IRC", "segment": "cold", "difference": -0.1}
    (said,) = answers("town", LEVELS, [whole, part], ["fm"], 25)  # type: ignore[list-item]
    assert said.startswith(
        "town, LGIR: against raw text without its adversarial part the whole of it adds over everybody"
    )
    assert "the whole of it adds over everybody +0.2000 (95 % interval 0.1000 to 0.3000);" in said
    assert "on the interactive text its adversarial part alone adds without past applications -0.1000" in said


def test_cold_people_have_an_answer_of_their_own():
    levels = [*LEVELS, level("fm", "none", 0.1, "cold"), level("fm", "raw", 0.3, "cold")]
    tests = [
        contrast("raw", other, low, 0.3, segment)
        for other in ("none", "raw-shuffled")
        for segment, low in (("all", -0.1), ("cold", 0.1))
    ]
    everybody, cold = answers("town", levels, tests, ["fm"], 25)
    assert everybody.startswith("town: no")
    assert cold.startswith("town, people without past applications: yes")


def test_the_model_of_the_answer_has_the_most_texts_and_then_the_highest_mean():
    assert chosen_model(LEVELS, ["fm", "content"]) == "fm"
    assert chosen_model([*LEVELS, level("content", "raw", 0.1)], ["fm", "content"]) == "content"
    assert chosen_model(LEVELS, []) is None
    assert answers("town", LEVELS, [], ["fm"], 25) == []
