"""quality.html and quality.json: what a study of weak and strong résumés found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from metier.enrich.quality.charts import auc_bars, name_of, reliability_curve
from metier.enrich.quality.study import Study
from metier.enrich.quality.words import in_words
from metier.evaluate.charts import DARK, LIGHT
from metier.evaluate.report import p_value, page_template

ABOUT = {
    "count": "Few applications before the cut-off are weak, many are strong; those between are not labelled (LGIR).",
    "content": "People whose sentences and past jobs were partly left out are weak, those with all of them strong.",
}


def save(study: Study, meta: dict[str, Any], folder: Path) -> Path:
    """Write quality.json and quality.html into `folder`, which is made; the path of the page.

    Parameters
    ----------
    meta : dataset, protocol, command and versions, as `render` shows them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    document = {**meta, "words": in_words(study), **study.as_json()}
    (folder / "quality.json").write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))
    page = folder / "quality.html"
    page.write_text(render(study, meta), encoding="utf-8")
    return page


def render(study: Study, meta: dict[str, Any]) -> str:
    """One self-contained page, light and dark, no script, nothing fetched."""
    filters: dict[str, Callable[..., str]] = {"name": name_of, "p": p_value}
    themes = {"light": LIGHT, "dark": DARK}
    best = max((row for row in study.rows if row.label == "content"), key=lambda row: row.auc)
    curves = [row for row in study.rows if (row.label, row.text, row.features) == ("content", best.text, best.features)]
    parts = [
        {
            "label": label,
            "about": about,
            "rows": (rows := [row for row in study.rows if row.label == label]),
            "sameness": {name: value for (one, name), value in study.sameness.items() if one == label},
            "charts": {
                scheme: auc_bars([row for row in rows if not row.by_definition], theme)
                for scheme, theme in themes.items()
            },
        }
        for label, about in ABOUT.items()
    ]
    return page_template("metier.enrich.quality", "quality.html.j2", filters).render(
        study=study,
        meta=meta,
        words=in_words(study),
        parts=parts,
        best=best,
        reliability={scheme: reliability_curve(curves, theme) for scheme, theme in themes.items()},
    )
