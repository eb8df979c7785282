"""What the commands share: option types, results on stdout, warnings and progress on stderr."""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.text import Text

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="METIER_HOME", help="Folder of datasets, runs and models [default: ./metier-home]."),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar=["METIER_SERVE_DATABASE", "METIER_DATABASE"],
        help="URL or SQLite file of the service's database [default: metier.db in the home].",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else on stdout.")]
Engine = Annotated[
    str,
    typer.Option("--engine", help="local, dask (a cluster on this machine), or the tcp:// or tls:// address of one."),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Processes of local and dask; 1 local one is this process [default: 1]."),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]

PIPED_WIDTH = 160
"""Columns of a table that goes to a file or a pipe, where no terminal says how wide it is."""

# Postings are other people's text: an escape sequence in a title must not reach the terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def cell(value: Any) -> "Text":
    """A table cell: no markup, no control characters, "" for None, four digits for a float."""
    from rich.text import Text

    if value is None:
        return Text("")
    shown = f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    return Text(_CONTROL.sub(" ", shown))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str | None = None) -> None:
    """A table on stdout; columns that hold only numbers are set to the right."""
    from rich.console import Console
    from rich.table import Table

    lines = [list(row) for row in rows]
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        numeric = all(isinstance(line[place], int | float | None) for line in lines)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for line in lines:
        table.add_row(*map(cell, line))
    Console(width=None if sys.stdout.isatty() else PIPED_WIDTH).print(table)


def print_json(value: Any) -> None:
    """JSON on stdout; paths and dates as text. NaN is a bug of the caller: use None."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=str))


def note(message: str) -> None:
    """One line on stderr, never mixed with the result."""
    print(f"metier: {_CONTROL.sub(' ', message)}", file=sys.stderr)


def progress() -> "Progress":
    """A bar on stderr, invisible unless stderr is a terminal. Use as a context manager."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


@contextmanager
def stages(*listeners: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Show what long work is at, on a bar or, where stderr is no terminal, as a line each; `listeners` hear it, too.

    Told are the stages that the caller names by what this yields, and those that models log while they learn.
    """
    from rich.markup import escape

    with progress() as bar:
        task = bar.add_task("", total=None)

        def say(stage: str) -> None:
            bar.update(task, description=escape(stage), advance=1)
            if bar.disable:
                note(stage)
            for one in listeners:
                one(stage)

        log, handler = logging.getLogger("metier.models"), _Stages(say)
        before = log.level, log.propagate
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False  # a library that sets up logging for itself would print each stage again
        try:
            yield say
        finally:
            log.removeHandler(handler)
            log.setLevel(before[0])
            log.propagate = before[1]


class _Stages(logging.Handler):
    """Hands on what is logged."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(record.getMessage())
