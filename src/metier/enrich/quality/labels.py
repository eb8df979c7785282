"""Who counts as weak and who as strong: by how often they applied, or by what is known to be missing.

The first is LGIR's (Du et al., AAAI 2024): few-shot people are low quality, many-shot people high quality, those
between are not labelled. It says nothing about the text. The second is about nothing but the text: facts of a person
are left out by chance, and who lost some is weak.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from metier.enrich.grounds import MOST, Ground, Grounds, Kind
from metier.models.shots import STRONG, UNLABELLED, WEAK, Labels
from metier.sources.market.generate import world_of
from metier.sources.market.truth import Truth

SAID: tuple[Kind, ...] = ("text", "history")
"""What a résumé is made of: sentences of the person's own and past jobs."""


def leave_out(people: Sequence[Grounds], share: float, rng: np.random.Generator) -> tuple[list[Grounds], Labels]:
    """Half of the people, drawn, lose facts and are weak; the others are strong and stay as they are.

    Each fact of a weak person's résumé (sentence of their own, past job) is left out with probability `share`; one at
    least goes, and one at least stays. Profile fields stay. Who has fewer than two such facts is not labelled.
    """
    told = np.array([len(one.only(SAID).lines) for one in people])
    able = np.flatnonzero(told >= 2)
    labels = np.full(len(people), UNLABELLED, np.int8)
    labels[able] = STRONG
    labels[rng.permutation(able)[: len(able) // 2]] = WEAK
    return [
        _thinned(one, share, rng) if label == WEAK else one for one, label in zip(people, labels, strict=True)
    ], labels


def _thinned(grounds: Grounds, share: float, rng: np.random.Generator) -> Grounds:
    said = grounds.only(SAID).lines
    gone = rng.random(len(said)) < share
    if not gone.any() or gone.all():
        gone[rng.integers(len(said))] ^= True
    lost = {line.label for line, goes in zip(said, gone, strict=True) if goes}
    return replace(grounds, lines=tuple(line for line in grounds.lines if line.label not in lost))


def with_true_skills(people: Sequence[Grounds], truth: Truth, rng: np.random.Generator) -> list[Grounds]:
    """People of the synthetic market with the skills that they really have, each a line of their own, in any order.

    So complete a résumé is only known where the people were made up: no table of the market says what a person can do.
    """
    names = np.array([spellings[0] for spellings in world_of(truth.knobs).skills])
    bits = np.ascontiguousarray(truth.people["skills"].to_numpy()).view(np.uint8)
    has = np.unpackbits(bits, axis=1, bitorder="little")[:, : len(names)].astype(bool)  # (people, skills)
    rows = {person: row for row, person in enumerate(truth.people["id"])}
    return [_with(one, rng.permutation(names[has[rows[one.person]]])) for one in people]


def _with(grounds: Grounds, skills: NDArray[np.str_]) -> Grounds:
    said = len(grounds.only({"text"}).lines)
    lines = [Ground(f"T{said + place}", "text", str(name)) for place, name in enumerate(skills, start=1)]
    return replace(grounds, lines=(*grounds.lines, *lines[: MOST["text"] - said]))
