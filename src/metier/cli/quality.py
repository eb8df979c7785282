"""`metier quality`: can weak résumés be told from strong ones, and by what?"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Home, Json, Seed, note, print_json, print_table, progress
from metier.errors import UsageError

if TYPE_CHECKING:
    from metier.enrich.quality.config import QualityConfig
    from metier.enrich.quality.study import Study


def quality(
    dataset: Annotated[str, typer.Argument(help="Name of an imported dataset.")],
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Whose cut-off holds: temporal, leave-last-out or given [default: temporal with windows, given with "
            "a split, else leave-last-out]."
        ),
    ] = None,
    few: Annotated[
        float | None, typer.Option(min=0, max=1, help="Quantile of applications that is weak (κ2) [default: 1/3].")
    ] = None,
    many: Annotated[
        float | None, typer.Option(min=0, max=1, help="Quantile of applications that is strong (κ1) [default: 2/3].")
    ] = None,
    omit: Annotated[
        float | None,
        typer.Option(help="Chance of each sentence and past job of a weak person to be left out [default: 0.5]."),
    ] = None,
    people: Annotated[
        int | None, typer.Option(min=100, help="Look at a drawn sample of so many [default: 2000].")
    ] = None,
    permutations: Annotated[
        int | None, typer.Option(min=499, help="Permutations of the labels behind the null [default: 1000].")
    ] = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for quality.html and quality.json.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Tell weak résumés from strong ones: by text, profile and counts, beside what permuted labels give.

    Labels come from counts of applications (LGIR) and from parts that were left out. Texts are what people wrote, one
    template for everybody, the extractive résumé, and completions by the prompt simple where there are any.
    """
    from pydantic import ValidationError

    from metier.data.workspace import Workspace
    from metier.enrich.quality.cases import stored_completions
    from metier.enrich.quality.config import QualityConfig
    from metier.enrich.quality.study import study
    from metier.evaluate.experiment import default_protocol
    from metier.features.text import StaticEmbedder
    from metier.sources.market.truth import load_truth

    given = {"few": few, "many": many, "omit": omit, "people": people, "permutations": permutations, "seed": seed}
    try:
        config = QualityConfig.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(f"--{one['loc'][0] if one['loc'] else 'few'}: {one['msg']}" for one in error.errors())
        raise UsageError(f"{wrong}; cure: a value in its bounds, see metier quality --help") from None
    workspace = Workspace.open(home)
    tables = workspace.load(dataset)
    chosen: Any = protocol or default_protocol(tables)
    if chosen not in ("temporal", "leave-last-out", "given"):
        raise UsageError(f"no protocol {chosen!r}; cure: temporal, leave-last-out or given")
    folder = workspace.dataset(dataset)
    with progress() as bar:
        task = bar.add_task("reading")
        found = study(
            tables,
            chosen,
            config,
            StaticEmbedder(),
            truth=load_truth(folder / "oracle") if (folder / "oracle").is_dir() else None,
            completions=stored_completions(folder, chosen),
            progress=lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
        )
    page = _save(found, dataset, chosen, out) if out is not None else None
    _show(found, dataset, chosen, page.resolve() if page else None, as_json)


def _save(found: "Study", dataset: str, protocol: str, out: Path) -> Path:
    import platform
    from importlib.metadata import version

    from metier.enrich.quality.report import save

    versions = {name: version(name) for name in ("metier", "scikit-learn", "lightgbm", "numpy", "wordllama")}
    command = ["metier", "quality", dataset, "--protocol", protocol, *_options(found.config)]
    about = {"dataset": dataset, "protocol": protocol, "command": shlex.join(command)}
    return save(found, {**about, "versions": {"python": platform.python_version(), **versions}}, out)


def _options(config: "QualityConfig") -> list[str]:
    """The options that repeat a study, those at their defaults left out."""
    changed = config.model_dump(exclude_defaults=True)
    return [part for name, value in changed.items() for part in (f"--{name}", str(value))]


def _show(found: "Study", dataset: str, protocol: str, page: Path | None, as_json: bool) -> None:
    from metier.enrich.quality.words import in_words

    words = in_words(found)
    for reason in found.left_out:
        note(f"left out: {reason}")
    if as_json:
        print_json({"dataset": dataset, "protocol": protocol, "words": words, **found.as_json(), "report": page})
        return
    lines = [
        [
            row.label,
            row.text or "–",
            row.features + (" (the label itself)" if row.by_definition else ""),
            row.detector,
            row.people,
            row.auc,
            f"{row.low:.3f}–{row.high:.3f}",
            f"{row.null_low:.3f}–{row.null_high:.3f}",
            row.p,
            row.brier,
            row.ece,
        ]
        for row in found.rows
    ]
    columns = ["label", "text", "features", "detector", "people", "AUC", "95 %", "permuted", "p Holm", "Brier", "ECE"]
    print_table(columns, lines, title=f"{dataset}, {protocol}: {found.people:,} people")
    for heading, paragraph in words:
        print(f"{heading}. {paragraph}\n")
    if page is not None:
        print(page)
