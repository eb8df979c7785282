"""What a model may know beside who applied to what: each field alone beside the ids, and each left out.

"ids alone": no attribute and no text of either side, only who applied to what. "only F": ids and the field F. "without F":
everything but F. "everything". F is person.<field>, job.<field>, person.text, job.text, or all of a side: person, job.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from metier.data import Features
from metier.enrich.study.texts import with_data
from metier.errors import UsageError
from metier.evaluate.evaluation import Stage

FIELD_CONDITION = re.compile(r"^(everything|ids alone|(?P<how>only|without) (?P<field>(person|job)(\..+)?))$")
SIDES = ("person", "job")
TEXT = "text"


def fields_of(stages: Iterable[Stage]) -> list[str]:
    """The fields there are, people's first, each side as a whole before its fields."""
    found: dict[str, dict[str, None]] = {side: {} for side in SIDES}
    for stage in stages:
        data = stage.data
        sides = (("person", data.user_features, data.user_texts), ("job", data.item_features, data.item_texts))
        for side, features, texts in sides:
            found[side] |= dict.fromkeys(features.field_names)
            found[side] |= dict.fromkeys([TEXT] if any(texts) else [])
    return [name for side in SIDES for name in (side, *(f"{side}.{field}" for field in found[side]))]


def field_conditions(fields: Iterable[str]) -> list[str]:
    """Every condition over these fields."""
    named = list(fields)
    return ["everything", "ids alone", *(f"only {one}" for one in named), *(f"without {one}" for one in named)]


def with_fields(stage: Stage, condition: str) -> Stage:
    """The stage in which models see the fields of a condition and nothing else.

    UsageError: a condition of another form.
    """
    found = FIELD_CONDITION.match(condition)
    if found is None:
        raise UsageError(f"no field condition {condition!r}; there are: everything, ids alone, only F, without F")
    if condition == "everything":
        return stage
    wanted, keeps = found["field"], found["how"] != "without"

    def stays(side: str, field: str) -> bool:
        return (wanted is not None and wanted in (side, f"{side}.{field}")) == keeps

    def kept(side: str, features: Features) -> Features:
        return features.select([name for name in features.field_names if stays(side, name)])

    data = stage.data
    return with_data(
        stage,
        replace(
            data,
            user_features=kept("person", data.user_features),
            item_features=kept("job", data.item_features),
            user_texts=data.user_texts if stays("person", TEXT) else [""] * len(data.users),
            item_texts=data.item_texts if stays("job", TEXT) else [""] * len(data.items),
        ),
    )
