"""Labels of weak and strong people: by counts, and by what was left out of their résumés."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metier.enrich.grounds import Ground, Grounds
from metier.enrich.quality.labels import SAID, leave_out, with_true_skills
from metier.errors import UsageError
from metier.models.shots import STRONG, UNLABELLED, WEAK, count_labels
from metier.sources.market.generate import generate, world_of
from metier.sources.market.knobs import MarketKnobs


def person(number: int, titles: int, sentences: int = 0) -> Grounds:
    lines = [Ground("P1", "profile", "city: Dayton")]
    lines += [Ground(f"T{i}", "text", f"sentence {i}") for i in range(1, sentences + 1)]
    lines += [Ground(f"H{i}", "history", f"title {i}") for i in range(1, titles + 1)]
    return Grounds(f"p{number}", "2012-04-10", tuple(lines))


def test_few_are_weak_many_strong_and_the_middle_is_open():
    labels, cuts = count_labels(np.array([0, 0, 1, 2, 3, 9]), 1 / 3, 2 / 3)
    assert (cuts.few, cuts.many) == (0, 2)
    assert labels.tolist() == [WEAK, WEAK, UNLABELLED, STRONG, STRONG, STRONG]


def test_nobody_is_both_when_most_counts_are_equal():
    labels, cuts = count_labels(np.array([1, 1, 1, 1, 1, 4]), 1 / 3, 2 / 3)
    assert (cuts.few, cuts.many) == (1, 2)
    assert labels.tolist() == [WEAK] * 5 + [STRONG]


def test_without_anybody_strong_the_cure_is_told():
    with pytest.raises(UsageError, match="nobody applied to 1 jobs"):
        count_labels(np.zeros(9, np.int64), 1 / 3, 2 / 3)


@given(st.lists(st.integers(0, 30), min_size=2), st.floats(0, 1), st.floats(0, 1))
def test_every_label_follows_from_the_cuts(counts, few, many):
    counts = np.array([*counts, max(counts) + 31])  # somebody is above every quantile but the last
    try:
        labels, cuts = count_labels(counts, few, many)
    except UsageError:
        return
    assert cuts.few < cuts.many
    assert (labels == WEAK).tolist() == (counts <= cuts.few).tolist()
    assert (labels == STRONG).tolist() == (counts >= cuts.many).tolist()


def test_half_lose_parts_of_the_resume_and_nothing_else():
    people = [person(i, titles=3, sentences=2) for i in range(40)]
    thinned, labels = leave_out(people, 0.5, np.random.default_rng(0))
    assert (labels == WEAK).sum() == (labels == STRONG).sum() == 20
    for before, after, label in zip(people, thinned, labels, strict=True):
        if label == STRONG:
            assert after == before
            continue
        assert set(after.lines) < set(before.lines)
        assert 1 <= len(after.only(SAID).lines) <= 4
        assert after.only({"profile"}) == before.only({"profile"})
    lost = sum(5 - len(one.only(SAID).lines) for one in thinned) / (20 * 5)
    assert 0.35 < lost < 0.65


def test_who_has_little_to_lose_is_not_labelled():
    people = [person(0, titles=1), person(1, titles=0), person(2, titles=2), person(3, titles=1, sentences=1)]
    thinned, labels = leave_out(people, 0.5, np.random.default_rng(0))
    assert labels[:2].tolist() == [UNLABELLED] * 2
    assert sorted(labels[2:].tolist()) == [WEAK, STRONG]
    assert thinned[:2] == people[:2]


def test_a_rare_omission_still_takes_one_part():
    thinned, labels = leave_out([person(i, titles=4) for i in range(30)], 1e-9, np.random.default_rng(1))
    assert {len(one.only(SAID).lines) for one, label in zip(thinned, labels, strict=True) if label == WEAK} == {3}


def test_the_market_completes_people_with_what_they_can_really_do():
    market = generate(MarketKnobs(people=60, windows=1), 3)
    world, bits = world_of(market.truth.knobs), market.truth.people["skills"].to_numpy()
    ids = market.truth.people["id"].to_list()
    people = [Grounds(one, "2012-04-10", (Ground("T1", "text", "own words"),)) for one in reversed(ids)]
    complete = with_true_skills(people, market.truth, np.random.default_rng(0))
    for one in complete:
        row = bits[ids.index(one.person)]
        true = {names[0] for i, names in enumerate(world.skills) if int(row[i // 64]) >> (i % 64) & 1}
        own, *skills = one.lines
        assert own.text == "own words"
        assert {line.text for line in skills} == true
        assert [line.label for line in skills] == [f"T{i}" for i in range(2, len(skills) + 2)]
