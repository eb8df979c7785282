"""The answer in sentences that follow from the figures by fixed rules."""

from collections.abc import Sequence

from metier.enrich.study.study import Contrast, Mean

PROFILE_OR_COMPLETED = ("raw", "simple", "interactive")
"""The texts of which one must help for the answer yes."""
NAMES = {"raw": "what people wrote", "simple": "the simple completion", "interactive": "the interactive completion"}
ALPHA = 0.05


def answers(
    dataset: str, means: Sequence[Mean], contrasts: Sequence[Contrast], main: Sequence[str], k: int
) -> list[str]:
    """The answer for everybody and for people without a history; empty where the figures allow none.

    The model is the one of `main` with the highest mean MAP over all its texts, among those with the most texts, so
    that no text is favoured. A text helps when its interval lies above zero against no text and against the text of
    somebody else; of several, the one with the highest mean is named.
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
    asked = [text for text in PROFILE_OR_COMPLETED if (text, "none") in tests and (text, "shuffled") in tests]
    if not asked:
        return None
    helps = [text for text in asked if all(tests[text, other]["low"] > 0 for other in ("none", "shuffled"))]
    best = max(helps or asked, key=lambda text: tests[text, "none"]["difference"])
    gain, control = tests[best, "none"], tests[best, "shuffled"]
    told = (
        f"with {model}, {NAMES[best]} gives MAP@{k} {level[best]['map']:.4f} and no text {level['none']['map']:.4f}, "
        f"{_told(gain)}; against somebody else's text {_told(control)} ({gain['people']:,} people)."
    )
    completed = [tests[text, "raw"] for text in ("simple", "interactive") if (text, "raw") in tests]
    further = ""
    if completed:
        most = max(completed, key=lambda one: one["difference"])
        further = f" Beside what people wrote, {NAMES[most['condition']]} gives {_told(most)}."
    if helps:
        worst = max(gain["p_holm"], control["p_holm"])
        held = "holds" if worst < ALPHA else "does not hold"
        return f"{start} yes, {told} It {held} after Holm's correction (p {worst:.3f}).{further}"
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
    for name, what in (("LGIR − BASE", "the whole of it adds"), ("LGIR − IRC", "its adversarial part alone adds")):
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
    return f"{dataset}, LGIR against raw text without its adversarial part: {'; '.join(parts)}." if parts else None


def _told(one: Contrast) -> str:
    """ "+0.0120 (95 % interval 0.0080 to 0.0160)"."""
    return f"{one['difference']:+.4f} (95 % interval {one['low']:.4f} to {one['high']:.4f})"
