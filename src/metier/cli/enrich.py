"""`metier enrich`: complete the résumés of a dataset, with or without a language model, or compare ways to do so."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Engine, Home, Json, Workers, note, print_json, print_table
from metier.errors import BudgetError, UsageError

if TYPE_CHECKING:
    from metier.data.tables import Tables
    from metier.data.workspace import Workspace
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
    name: Annotated[
        str | None, typer.Option("--as", help="Keep a dataset under this name whose people have the completed texts.")
    ] = None,
    add: Annotated[
        bool, typer.Option("--add", help="With --as: after the person's own text, not in its place.")
    ] = False,
    shuffled: Annotated[
        bool, typer.Option("--shuffled", help="With --as: everybody gets another person's completed text, a control.")
    ] = False,
    erase: Annotated[
        str | None, typer.Option(help="Only delete what is kept about this person's completions; an id.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(envvar="METIER_DATABASE", help="URL of PostgreSQL or SQLite [default: metier.db in the home]."),
    ] = None,
    engine: Engine = "local",
    workers: Workers = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Complete résumés from what was known before the cut-off; every item cites its source and is audited.

    Stopped or killed, the same command goes on where it was. Ends with 1 when some people have no result.
    """
    from metier.data.workspace import Workspace
    from metier.enrich.audit import Auditor
    from metier.enrich.lock import only_run
    from metier.enrich.prompt import WITHOUT_MODEL

    workspace = Workspace.open(home)
    tables = workspace.load(dataset)
    if erase is not None:
        with only_run(workspace, dataset), _store(workspace, database) as store:
            _erase(workspace, store, dataset, erase, as_json)
        return
    chosen: Any = protocol
    if chosen is None:
        from metier.evaluate.experiment import default_protocol

        chosen = default_protocol(tables)
    if chosen not in ("temporal", "leave-last-out", "given"):
        raise UsageError(f"no protocol {chosen!r}; cure: temporal, leave-last-out or given")
    names = list(dict.fromkeys(prompts or [WITHOUT_MODEL]))
    if (base_url is None) != (model is None):
        raise UsageError("--base-url and --model go together")
    models = len(model_configs or ()) + (base_url is not None) + embedded
    several = (engine, workers or 1) != ("local", 1)
    if compare and several:
        raise UsageError("--compare runs in this process; cure: leave --engine and --workers out")
    if compare and (people is not None or inner or name):
        raise UsageError("--compare takes neither --people nor --inner nor --as")
    if not compare and (len(names) > 1 or models > 1):
        raise UsageError("several prompts or models go with --compare; cure: one of each")
    if models and names == [WITHOUT_MODEL]:
        raise UsageError(f"the prompt {WITHOUT_MODEL!r} asks no model; cure: leave the model out, or --prompt simple")
    if (add or shuffled) and name is None:
        raise UsageError("--add and --shuffled go with --as NAME")
    if name == dataset:
        raise UsageError(f"--as {name} would replace the dataset itself; cure: another name")
    wanted = _wanted(people, tables, dataset)
    with ExitStack() as opened:
        configs = opened.enter_context(_models(model_configs or [], base_url, model, embedded, home))
        opened.enter_context(only_run(workspace, dataset))
        store = opened.enter_context(_store(workspace, database))
        auditor, pairs = Auditor(), _pairs(names, configs)
        if compare:
            from metier.enrich.comparison import Sample
            from metier.enrich.comparison import compare as side_by_side
            from metier.features.text import StaticEmbedder

            sample = Sample.draw(tables, chosen, limit or 20)
            if not sample.grounds:
                raise UsageError(f"{dataset!r} has nobody with a later job in the history; cure: another --protocol")
            plans, stops = [], []
            for prompt, config in pairs:
                plans.append(_plan(prompt, config, dataset, sample.grounds, store))
                stops.append(_run(plans[-1], store, auditor, concurrency or _slots(config), retry)[1])
            _show_comparison([asdict(row) for row in side_by_side(plans, sample, store, StaticEmbedder())], as_json)
            for stop in filter(None, stops):
                raise stop
            return
        from metier.enrich.grounds import gather_all
        from metier.enrich.run import Plan
        from metier.enrich.texts import (
            Unsupported,
            audit_summary,
            texts_name,
            texts_of,
            with_completed_texts,
            write_texts,
        )

        [(prompt, config)] = pairs
        everybody = list(gather_all(tables, chosen, inner=inner))
        asked = [one for one in everybody if wanted is None or one.person in wanted][:limit]
        plan = _plan(prompt, config, dataset, asked, store)
        slots = concurrency or _slots(config)
        if several:
            from metier.engine import open_engine
            from metier.enrich.spread import spread

            running = opened.enter_context(open_engine(engine, workers=workers))
            cells = workspace.dataset(dataset).with_name(f".{dataset}.enrich")
            where = _database(workspace, database)
            tally, stopped = spread(
                plan,
                store,
                running,
                cells,
                database=where,
                prompt=prompt,
                config=config,
                concurrency=slots,
                retry=retry,
            )
        else:
            tally, stopped = _run(plan, store, auditor, slots, retry)
        unsupported: Unsupported = "keep" if keep_unsupported else "drop"
        texts = texts_of(Plan.make(plan.completer, dataset, everybody, store), store, unsupported=unsupported)
        label = texts_name(plan.completer, chosen, inner=inner, unsupported=unsupported)
        path = write_texts(workspace, dataset, label, texts)
        if name is not None:
            about = {**workspace.about(dataset), "completed_for": f"{chosen}{', inner' if inner else ''}"}
            about["completed"] = {
                "from": dataset,
                "texts": path.stem,
                "prompt": plan.completer.prompt.name,
                "model": plan.completer.model,
                **audit_summary(texts),
                "unsupported_items": "kept" if keep_unsupported else "dropped",
                "add": add,
                "shuffled": shuffled,
            }
            workspace.save(name, with_completed_texts(tables, texts, add=add, shuffled=shuffled), about)
            note(f"dataset {name!r} kept; its texts know what came before the cut-off of {about['completed_for']!r}")
        _show(plan, tally, path, as_json)
    if stopped is not None:
        raise stopped
    if tally.finished < tally.total or tally.states["failed"] or tally.states["needs-review"]:
        note("some people have no result; --retry asks for them again")
        raise typer.Exit(1)


def _wanted(people: str | None, tables: "Tables", dataset: str) -> set[str] | None:
    """The ids of --people, None without the option."""
    if people is None:
        return None
    wanted = {one.strip() for one in people.split(",") if one.strip()}
    if not wanted:
        raise UsageError("--people names nobody; cure: ids, comma separated, or leave it out for everybody")
    if unknown := sorted(wanted - set(tables.people["id"])):
        raise UsageError(f"no person {unknown[0]!r} in {dataset!r}; cure: an id of the people table")
    return wanted


@contextmanager
def _store(workspace: "Workspace", database: str | None) -> Iterator["CompletionStore"]:
    """The store, closed at the end, which also empties SQLite's log into the file."""
    from metier.store import CompletionStore, Database

    opened = Database.open(_database(workspace, database))
    try:
        yield CompletionStore(opened)
    finally:
        opened.close()


def _database(workspace: "Workspace", given: str | None) -> str:
    """What --database says, else the home's own; a file by its whole path, since workers may run elsewhere."""
    named = given or str(workspace.home / "metier.db")
    return named if "://" in named else str(Path(named).absolute())


def _erase(workspace: "Workspace", store: "CompletionStore", dataset: str, person: str, as_json: bool) -> None:
    from metier.operate.holdings import erase_in, only_eraser

    with only_eraser(workspace):
        files = len(erase_in(workspace.dataset(dataset) / "completions", person))
    completions = store.erase(dataset, person)
    if as_json:
        print_json({"dataset": dataset, "person": person, "completions": completions, "files": files})
    else:
        print_table(["person", "completions deleted", "in files"], [[person, completions, files]])


@contextmanager
def _models(
    files: list[Path], base_url: str | None, model: str | None, embedded: bool, home: Path | None
) -> Iterator[list["LanguageModelConfig"]]:
    """The models asked for, the embedded one's server running as long as the block."""
    from metier.cli.llm import configured
    from metier.enrich.model_config import LanguageModelConfig

    found = [LanguageModelConfig.load(path) for path in files]
    if base_url is not None:
        found.append(LanguageModelConfig.checked("--base-url and --model", {"base_url": base_url, "model": model}))
    for one in found:
        one.api_key()  # absent, it is to be told before the first call is paid for
    with ExitStack() as running:
        if embedded:
            found.append(running.enter_context(configured(None, True, home)))
        yield found


def _pairs(names: list[str], configs: list["LanguageModelConfig"]) -> list[tuple[str, "LanguageModelConfig | None"]]:
    """Each prompt with each model; the prompt without a model once."""
    from metier.enrich.prompt import WITHOUT_MODEL, PromptFile

    found: list[tuple[str, LanguageModelConfig | None]] = []
    for name in names:
        PromptFile.read(name)  # a wrong one is to be told before the first call is paid for
        if name != WITHOUT_MODEL and not configs:
            raise UsageError(
                f"prompt {name!r} needs a language model; cure: --model-config FILE, or --base-url and --model"
            )
        found += [(name, None)] if name == WITHOUT_MODEL else [(name, config) for config in configs]
    return found


def _plan(
    name: str, config: "LanguageModelConfig | None", dataset: str, grounds: Any, store: "CompletionStore"
) -> "Plan":
    """The plan of a prompt and a model; all that the ledger has for the model by now counts against its budget."""
    from metier.enrich.completion import Extractive, Generative
    from metier.enrich.openai_client import OpenAIModel
    from metier.enrich.prompt import PromptFile
    from metier.enrich.run import Plan

    if config is None:
        return Plan.make(Extractive(), dataset, grounds, store)
    model = OpenAIModel(config, spent=store.spent_on(config.model))
    return Plan.make(Generative(PromptFile.read(name), model), dataset, grounds, store)


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
        except KeyboardInterrupt:
            bar.stop()
            note("interrupted; what was finished is kept, and the same command goes on from there")
            raise typer.Exit(130) from None


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
