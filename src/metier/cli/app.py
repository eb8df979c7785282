"""The `metier` command: one function a file, mounted here; errors become one line and an exit code.

Exit codes: 0 done, 1 failed, 2 wrong use, 3 data rejected, 130 interrupted. Results go to stdout, all else to stderr.
Only typer is imported at the start; a command imports what it computes with when it runs.
"""

import json
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from metier import __version__
from metier.cli import (
    audit,
    backup,
    compare,
    demo,
    describe,
    doctor,
    embed,
    enrich,
    evaluate,
    export,
    import_,
    llm,
    models,
    person,
    quality,
    read,
    recommend,
    serve,
    skills,
    study,
    taxonomy,
    tenant,
    train,
    tune,
)
from metier.errors import MetierError

app = typer.Typer(
    name="metier",
    help="Recommend jobs to people, and prove on held-out behaviour how well.",
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
app.add_typer(import_.app, name="import")
app.command("export")(export.export)
app.command("describe")(describe.describe)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("tune")(tune.tune)
app.command("train")(train.train)
app.command("recommend")(recommend.recommend)
app.command("serve")(serve.serve)
app.command("read")(read.read)
app.command("skills")(skills.skills)
app.command("enrich")(enrich.enrich)
app.command("quality")(quality.quality)
app.add_typer(study.app, name="study")
app.command("embed")(embed.embed)
app.add_typer(taxonomy.app, name="taxonomy")
app.add_typer(llm.app, name="llm")
app.add_typer(person.app, name="person")
app.add_typer(tenant.app, name="tenant")
app.add_typer(audit.app, name="audit")
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("models")(models.models)
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"metier {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; `arguments` are those after "metier" (`sys.argv` when None).

    What commands write holds data of people: whatever it is, it is its owner's alone, folders 0700 and files 0600.
    """
    os.umask(0o077)
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line; a foreseen error is one line on stderr, or JSON there with `--json`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without accents shows "?" instead of a traceback
    try:
        command = typer.main.get_command(app)
        code = command.main(list(arguments) or ["--help"], prog_name="metier", standalone_mode=False)
        sys.stdout.flush()
    except MetierError as error:
        return _report(type(error).__name__, str(error), error.exit_code, as_json="--json" in arguments)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)  # the command that was misunderstood
        message = error.format_message() + (f" See {context.command_path} --help." if context else "")
        return _report("UsageError", message, error.exit_code, as_json="--json" in arguments)
    except typer.Abort:  # a question was answered with no, or not at all
        return _report("Abort", "stopped at the question; nothing was changed", 1, as_json=False)
    except BrokenPipeError:  # the reader of our output went away (`metier ... | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        message = (
            f"{error.filename or 'the system'}: {error.strerror or error}; cure: check the path and its permissions"
        )
        return _report(type(error).__name__, message, 1, as_json="--json" in arguments)
    return code if isinstance(code, int) else 0


def _report(kind: str, message: str, code: int, *, as_json: bool) -> int:
    line = " ".join(message.split())
    if as_json:
        line = json.dumps({"error": {"type": kind, "message": line, "exit_code": code}}, ensure_ascii=False)
    else:
        line = f"metier: {line}"
    print(line, file=sys.stderr)
    return code
