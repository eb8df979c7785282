"""The answer in sentences that follow from the figures by fixed rules."""

from collections.abc import Iterable, Sequence

from metier.enrich.study.study import Contrast, Mean, Row
from metier.enrich.study.texts import SHUFFLED

CONTROL = {text: control for control, text in SHUFFLED.items()}
"""The texts of which one must help for the answer yes -> the same text of somebody else, which it must beat."""
NAMES = {"raw": "what people wrote", "simple": "the simple completion", "interactive": "the interactive completion"}
ALPHA = 0.05
WITH_APPLICATIONS = ("skills", "interactive")
"""Texts that tell a person's own applications."""
SEEDS = (
    "Only people are drawn again: values are averaged over seeds, ± is the standard deviation between them, and their "
    "noise is in no interval and no p."
)
TAUGHT = (
    "Skills and interactive texts that a model learns from know the older half of a person's applications, which is "
    "among what it learns as well; only the newer half is in no such text."
)
LESSONS = (
    "The ranker's lessons hold back applications but not the texts made of them: with skills and interactive it learns "
    "from texts that hold some of the answers, which flatters them there and probably makes it worse when it is asked."
)
ONE_TEXT = (
    "Interactive texts from --completions are the same while a model learns and when it is asked: they may name every "
    "application that it learns, which the texts made by rules avoid for the newer half."
)


def answers(
    dataset: str, means: Sequence[Mean], contrasts: Sequence[Contrast], main: Sequence[str], k: int
) -> list[str]:
    """The answer for everybody and for people without a history; empty where the figures allow none.

    The model is the one of `main` with the highest mean MAP over all its texts, among those with the most texts, so
    that no text is favoured. A text helps when its intervals against no text and against the same text of somebody else
    lie above zero and Holm's correction leaves both p below ALPHA; of several, the one that gains most is named.
    """
    chosen = chosen_model(means, main)
    if chosen is None:
        return []
    found = [
        _answer(f"{dataset}:", "all", chosen, means, contrasts, k),
        _answer(f"{dataset}, people without past applications:", "cold", chosen, means, contrasts, k),
        _of_lgir(dataset, contrasts),
    ]
    return [one for one in found if one]


def limits(rows: Iterable[Row], completions: Iterable[str]) -> list[str]:
    """What the figures of these rows do not hold, to be said beside them.

    Parameters
    ----------
    rows : (label, text). completions : the texts that files of a language model gave.
    """
    read = {(label, text) for label, text in rows if text in WITH_APPLICATIONS}
    told = {
        SEEDS: True,
        TAUGHT: bool(read),
        LESSONS: any(label == "ranker" for label, _ in read),
        ONE_TEXT: "interactive" in completions,
    }
    return [sentence for sentence, holds in told.items() if holds]


def chosen_model(means: Sequence[Mean], main: Sequence[str]) -> str | None:
    """The model of `main` with the highest mean MAP over all its texts, among those with the most texts."""
    maps: dict[str, list[float]] = {}
    for one in means:
        if one["segment"] == "all" and one["model"] in main:
            maps.setdefault(one["model"], []).append(one["map"])
    most = max(map(len, maps.values()), default=0)
    full = {label: sum(some) / len(some) for label, some in maps.items() if len(some) == most}
    return max(full, key=lambda label: full[label], default=None)


def _answer(
    start: str, segment: str, model: str, means: Sequence[Mean], contrasts: Sequence[Contrast], k: int
) -> str | None:
    level = {one["condition"]: one for one in means if (one["model"], one["segment"]) == (model, segment)}
    tests = {
        (one["condition"], one["other_condition"]): one
        for one in contrasts
        if one["model"] == one["other_model"] == model and one["segment"] == segment
    }
    pairs = {
        text: (tests[text, "none"], tests[text, control])
        for text, control in CONTROL.items()
        if (text, "none") in tests and (text, control) in tests
    }
    if not pairs:
        return None
    above = [text for text, pair in pairs.items() if all(one["low"] > 0 for one in pair)]
    helps = [text for text in above if all(one["p_holm"] < ALPHA for one in pairs[text])]
    best = max(helps or above or pairs, key=lambda text: pairs[text][0]["difference"])
    gain, control = pairs[best]
    seeds = min(gain["seeds"], control["seeds"])
    told = (
        f"with {model}, {NAMES[best]} gives MAP@{k} {level[best]['map']:.4f} and no text {level['none']['map']:.4f}, "
        f"{_told(gain)}; against somebody else's text {_told(control)} ({gain['people']:,} people, "
        f"{f'mean of {seeds} seeds' if seeds > 1 else 'one seed, so nothing tells how far another would differ'})."
    )
    completed = [tests[text, "raw"] for text in ("simple", "interactive") if (text, "raw") in tests]
    further = ""
    if completed:
        most = max(completed, key=lambda one: one["difference"])
        further = f" Beside what people wrote, {NAMES[most['condition']]} gives {_told(most)}."
    if above:
        verdict = "yes" if helps else "by its intervals, not after Holm's correction"
        return f"{start} {verdict}, {told} Holm's p is {max(gain['p_holm'], control['p_holm']):.3f}.{further}"
    if gain["seen"] == 0:
        why = "The model ranks alike with and without it, so it says nothing about texts."
    elif gain["low"] > 0:
        why = (
            "It beats no text but not the control, so what it says about the person does not help; a lead over the "
            f"control above {control['seen']:.4f} would have been seen with 80 % chance."
        )
    elif gain["high"] < 0:
        why = "It does harm."
    else:
        why = f"An effect above {gain['seen']:.4f} would have been seen with 80 % chance."
    return f"{start} no, {told} {why}{further}"


def _of_lgir(dataset: str, contrasts: Sequence[Contrast]) -> str | None:
    """What LGIR adds to its BASE, and its adversarial part alone, for everybody and for those who applied least."""
    parts = []
    for name, what in (
        ("LGIR − BASE", "against raw text without its adversarial part the whole of it adds"),
        ("LGIR − IRC", "on the interactive text its adversarial part alone adds"),
    ):
        told = [
            f"{who} {_told(one)}"
            for segment, who in (
                ("all", "over everybody"),
                ("cold", "without past applications"),
                ("history 1", "with one"),
            )
            for one in contrasts
            if (one["name"], one["segment"]) == (name, segment)
        ]
        parts += [f"{what} {', '.join(told)}"] if told else []
    return f"{dataset}, LGIR: {'; '.join(parts)}." if parts else None


def _told(one: Contrast) -> str:
    """ "+0.0120 (95 % interval 0.0080 to 0.0160)"."""
    return f"{one['difference']:+.4f} (95 % interval {one['low']:.4f} to {one['high']:.4f})"
