"""`metier enrich`: complete the résumés of a dataset, with or without a language model, or compare ways to do so."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Home, Json, note, print_json, print_table
from metier.errors import BudgetError, UsageError

if TYPE_CHECKING:
    from metier.enrich.completion import Completer
    from metier.enrich.model_config import LanguageModelConfig
    from metier.enrich.run import Plan, Tally
    from metier.store import CompletionStore


def enrich(
    dataset: Annotated[str, typer.Argument(help="Name of an imported dataset.")],
    prompts: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            help="profile (no model), simple, interactive, skills-only, or a .toml file; repeatable with --compare "
            "[default: profile].",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Whose cut-off holds: temporal, leave-last-out or given [default: temporal with windows, given with "
            "a split, else leave-last-out]."
        ),
    ] = None,
    inner: Annotated[bool, typer.Option("--inner", help="For tuning: the cut-off inside the history.")] = False,
    model_configs: Annotated[
        list[Path] | None,
        typer.Option("--model-config", help="TOML file of a language model; repeatable with --compare."),
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Instead of a file: an endpoint without a key.")] = None,
    model: Annotated[str | None, typer.Option(help="Name of the model at --base-url.")] = None,
    embedded: Annotated[bool, typer.Option("--embedded", help="The small model of `metier llm fetch`.")] = False,
    people: Annotated[str | None, typer.Option(help="Ids, comma separated [default: everybody].")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="The first so many people; with --compare the sample.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Completions under way at once [default: the model's own setting].")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again what failed or needs review.")] = False,
    keep_unsupported: Annotated[
        bool, typer.Option("--keep-unsupported", help="Keep items that failed the audit; dropped by default.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Each prompt with each model side by side, on a sample.")
    ] = False,
    database: Annotated[
        str | None,
        typer.Option(envvar="METIER_DATABASE", help="URL of PostgreSQL or SQLite [default: metier.db in the home]."),
    ] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Complete résumés from what was known before the cut-off; every item cites its source and is audited.

    Stopped or killed, the same command goes on where it was. Ends with 1 when some people have no result.
    """
    from metier.data.workspace import Workspace
    from metier.enrich.audit import Auditor
    from metier.enrich.lock import only_run
    from metier.store import CompletionStore, Database

    workspace = Workspace.open(home)
    tables = workspace.load(dataset)
    chosen: Any = protocol
    if chosen is None:
        from metier.evaluate.experiment import default_protocol

        chosen = default_protocol(tables)
    if chosen not in ("temporal", "leave-last-out", "given"):
        raise UsageError(f"no protocol {chosen!r}; cure: temporal, leave-last-out or given")
    names = prompts or ["profile"]
    if (not compare and len(names) + len(model_configs or [None]) > 2) or (compare and (people or inner)):
        raise UsageError("several prompts or models go with --compare, which takes neither --people nor --inner")
    with ExitStack() as opened:
        configs = opened.enter_context(_models(model_configs or [], base_url, model, embedded, home))
        opened.enter_context(only_run(workspace, dataset))
        store = CompletionStore(Database.open(database or workspace.home / "metier.db"))
        auditor, pairs = Auditor(), _pairs(names, configs)
        if compare:
            from metier.enrich.comparison import Sample
            from metier.enrich.comparison import compare as side_by_side
            from metier.features.text import StaticEmbedder

            sample = Sample.draw(tables, chosen, limit or 20)
            if not sample.grounds:
                raise UsageError(f"{dataset!r} has nobody with a later job in the history; cure: another --protocol")
            plans = [_plan(name, config, dataset, sample.grounds, store) for name, config in pairs]
            for plan, (_, config) in zip(plans, pairs, strict=True):
                _run(plan, store, auditor, concurrency or _slots(config), retry)
            _show_comparison([asdict(row) for row in side_by_side(plans, sample, store, StaticEmbedder())], as_json)
            return
        from metier.enrich.grounds import gather_all
        from metier.enrich.texts import texts_of, write_texts

        [(name, config)] = pairs
        wanted = [one.strip() for one in people.split(",") if one.strip()] if people else None
        if unknown := sorted(set(wanted or ()) - set(tables.people["id"])):
            raise UsageError(f"no person {unknown[0]!r} in {dataset!r}; cure: an id of the people table")
        grounds = list(gather_all(tables, chosen, inner=inner, people=wanted))[:limit]
        plan = _plan(name, config, dataset, grounds, store)
        tally, stopped = _run(plan, store, auditor, concurrency or _slots(config), retry)
        texts = texts_of(plan, store, unsupported="keep" if keep_unsupported else "drop")
        label = f"{plan.completer.prompt.name}-{plan.completer.model}-{chosen}{'-inner' if inner else ''}"
        path = write_texts(workspace, dataset, label, texts)
        _show(plan, tally, path, as_json)
    if stopped is not None:
        raise stopped
    if tally.finished < tally.total or tally.states["failed"] or tally.states["needs-review"]:
        note("some people have no result; --retry asks for them again")
        raise typer.Exit(1)


@contextmanager
def _models(
    files: list[Path], base_url: str | None, model: str | None, embedded: bool, home: Path | None
) -> Iterator[list["LanguageModelConfig"]]:
    """The models asked for, the embedded one's server running as long as the block."""
    from metier.cli.llm import configured
    from metier.enrich.model_config import LanguageModelConfig

    if (base_url is None) != (model is None):
        raise UsageError("--base-url and --model go together")
    found = [LanguageModelConfig.load(path) for path in files]
    if base_url and model:
        found.append(LanguageModelConfig(base_url=base_url, model=model))
    with ExitStack() as running:
        if embedded:
            found.append(running.enter_context(configured(None, True, home)))
        yield found


def _pairs(names: list[str], configs: list["LanguageModelConfig"]) -> list[tuple[str, "LanguageModelConfig | None"]]:
    """Each prompt with each model; the prompt without a model once."""
    from metier.enrich.prompt import WITHOUT_MODEL

    found: list[tuple[str, LanguageModelConfig | None]] = []
    for name in dict.fromkeys(names):
        if name != WITHOUT_MODEL and not configs:
            raise UsageError(
                f"prompt {name!r} needs a language model; cure: --model-config FILE, or --base-url and --model"
            )
        found += [(name, None)] if name == WITHOUT_MODEL else [(name, config) for config in configs]
    return found


def _plan(
    name: str, config: "LanguageModelConfig | None", dataset: str, grounds: Any, store: "CompletionStore"
) -> "Plan":
    """The plan of a prompt and a model; what earlier runs of it spent counts against the model's budget."""
    from metier.enrich.completion import Extractive, Generative
    from metier.enrich.openai_client import OpenAIModel
    from metier.enrich.prompt import PromptFile
    from metier.enrich.run import Plan
    from metier.enrich.spending import Spending

    if config is None:
        return Plan.make(Extractive(), dataset, grounds, store)
    prompt = PromptFile.read(name)
    plan = Plan.make(Generative(prompt, OpenAIModel(config)), dataset, grounds, store)
    before = plan.spent(store)
    spent = Spending(before.input_tokens, before.output_tokens, before.cost, before.calls)
    completer: Completer = Generative(prompt, OpenAIModel(config, spent=spent))
    return replace(plan, completer=completer)


def _slots(config: "LanguageModelConfig | None") -> int:
    return config.concurrency if config else 1


def _run(
    plan: "Plan", store: "CompletionStore", auditor: Any, concurrency: int, retry: bool
) -> tuple["Tally", BudgetError | None]:
    """Run a plan under a bar with its ETA, cost and audit rate; a spent budget is given back, not raised."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from metier.enrich.run import run

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    latest: list[Tally] = []
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(plan.grounds))

        def report(tally: "Tally") -> None:
            latest[:] = [tally]
            bar.update(task, completed=tally.finished, description=f"{plan.completer.prompt.name} {_live(tally)}")

        try:
            return run(plan, store, auditor, concurrency=concurrency, retry=retry, report=report), None
        except BudgetError as error:
            return latest[0], error


def _live(tally: "Tally") -> str:
    rate = tally.audit_rate
    return f"cost {tally.cost:.4f}, unsupported " + ("-" if rate is None else f"{100 * rate:.1f} %")


def _show(plan: "Plan", tally: "Tally", path: Path, as_json: bool) -> None:
    facts = {
        "prompt": plan.completer.prompt.name,
        "model": plan.completer.model,
        "people": tally.total,
        **{state: tally.states[state] for state in ("done", "needs-review", "failed")},
        "made now": tally.here,
        "requests": tally.requests,
        "tokens": tally.tokens,
        "cost": round(tally.cost, 6),
        "items": tally.items,
        "unsupported share": tally.audit_rate,
    }
    if as_json:
        by_class = dict(tally.unsupported)
        print_json({**{k.replace(" ", "_"): v for k, v in facts.items()}, "by_class": by_class, "file": str(path)})
        return
    print_table(list(facts), [list(facts.values())])
    if tally.unsupported:
        print_table(["unsupported because of", "items"], tally.unsupported.most_common())
    print(path.resolve())


def _show_comparison(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"rows": rows})
        return
    heads = {"audit_rate": "unsupported share", "own_jobs": "nearest own job", "others_jobs": "nearest other's job"}
    print_table([heads.get(name, name) for name in rows[0]], [list(row.values()) for row in rows])
