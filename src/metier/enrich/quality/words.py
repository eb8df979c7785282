"""What the figures of a study say, in sentences that follow from them."""

from metier.enrich.quality.cases import LabelName
from metier.enrich.quality.detectors import Detector
from metier.enrich.quality.study import FeatureSet, Row, Study

ALPHA = 0.05
READ: Detector = "logistic regression"
"""The detector that the sentences read: the nearest to the linear one behind the null."""
WRITTEN = {"raw": "raw texts", "templated": "templated résumés", "profile": "extractive résumés"}


def in_words(study: Study) -> list[tuple[str, str]]:
    """Headings and paragraphs: what count labels show, what content labels show, what to use."""
    return [
        ("By number of applications", _by_count(study)),
        ("By what is missing", _by_content(study)),
        ("What works", _what_works(study)),
    ]


def _by_count(study: Study) -> str:
    texts = [_row(study, "count", name, "text") for name in _texts(study, "count")]
    profile = study.row("count", "", "completeness", READ)
    told = [row for row in (*texts, profile) if row.p < ALPHA]
    weak, strong = profile.people - profile.strong, profile.strong
    start = (
        f"{weak:,} people applied to at most {study.cuts.few} jobs before the cut-off and count as weak, {strong:,} to "
        f"at least {study.cuts.many} and count as strong. From text alone a detector tells them apart with "
        f"{_list([_figure(row) for row in texts])}; from how complete the profile is with {_auc(profile)}. "
    )
    if not told:
        return start + (
            "None of it can be told from permuted labels. So, as far as these detectors see, this label has nothing to "
            "do with what people say here, and no rewriting of it can teach a detector of weak texts. The count itself "
            "tells it perfectly, since it is the label: a gate on few-shot people needs the count and no detector."
        )
    return start + (
        f"More than permuted labels give: {_list([_source(row) for row in told])}. So who applies more also says other "
        "things, or more of them; the AUC says how much. The count itself tells it perfectly, since it is the label."
    )


def _by_content(study: Study) -> str:
    raw, template, own = (_row(study, "content", name, "text") for name in ("raw", "templated", "profile"))
    profile = study.row("content", "", "completeness", READ)
    start = (
        f"{raw.people - raw.strong:,} of {raw.people:,} people lost each sentence and past job with probability "
        f"{study.config.omit:g} and are weak. From text alone: {_list(list(map(_figure, (raw, template, own))))}; "
        f"from how complete the profile is {_auc(profile)}. "
    )
    alike = (
        f"Two people's templated résumés have a mean cosine of {study.sameness['content', 'templated']:.2f}, their raw "
        f"texts {study.sameness['content', 'raw']:.2f}: the template says the same about everybody and puts something "
        "likely where a fact is missing."
    )
    if raw.p >= ALPHA:
        return start + "Not even the raw texts can be told from permuted labels, so nothing was there to lose. " + alike
    kept = max(template.auc - 0.5, 0) / (raw.auc - 0.5)
    if template.high < raw.low:
        lost = f"The template keeps {kept:.0%} of what raw texts tell above one half"
        rest = ", and that is not more than permuted labels give. " if template.p >= ALPHA else ". "
        return start + lost + rest + alike
    return start + "The template did not hide what is missing. " + alike


def _what_works(study: Study) -> str:
    rows = [row for row in study.rows if row.label == "content"]
    best = max(rows, key=lambda row: row.auc)
    share = best.strong / best.people
    if best.p >= ALPHA:
        return "Nothing tells weak from strong better than permuted labels do; do not gate on such a detector."
    return (
        f"The best under content labels is {best.detector} on {_source(best)}: AUC {best.auc:.3f} ({best.low:.3f} to "
        f"{best.high:.3f}), Brier score {best.brier:.3f} where always saying {share:.0%} gives "
        f"{share * (1 - share):.3f}, expected calibration error {best.ece:.3f}. It was picked on these very people, "
        "which flatters it a little. Judge what people wrote and which fields they filled, before a model rewrites it."
    )


def _row(study: Study, label: LabelName, text: str, features: FeatureSet) -> Row:
    return study.row(label, text, features, READ)


def _texts(study: Study, label: LabelName) -> list[str]:
    return [name for one, name in study.sameness if one == label]


def _figure(row: Row) -> str:
    return f"{_auc(row)} on {_written(row.text)}"


def _auc(row: Row) -> str:
    return f"AUC {row.auc:.3f} (chance {row.null_low:.3f} to {row.null_high:.3f})"


def _source(row: Row) -> str:
    """What a row looks at: "text + completeness (raw texts)"."""
    return f"{row.features} ({_written(row.text)})" if row.text else row.features


def _written(name: str) -> str:
    return WRITTEN.get(name, f"résumés by {name}")


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
