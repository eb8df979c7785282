"""`metier embed --compare`: which text encoder finds a person's own jobs, how fast, at which size."""

from enum import StrEnum
from typing import Annotated

import typer

from metier.cli.terminal import Engine, Home, Json, Seed, Workers, note, print_json, print_table


class SplitProtocol(StrEnum):
    """How the history is cut before it is cut once more."""

    temporal = "temporal"
    leave_last_out = "leave-last-out"
    given = "given"


def embed(
    compare: Annotated[str, typer.Option("--compare", metavar="NAME", help="Name of the dataset.")],
    encoders: Annotated[
        str, typer.Option(help="Comma separated: tfidf, static, sentences; an endpoint is added by --base-url.")
    ] = "tfidf,static,sentences",
    sizes: Annotated[str, typer.Option(help="Smaller vectors to try as well, such as 32,64,128.")] = "",
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            help="OpenAI-compatible server; texts go there, people's masked. Key in METIER_EMBEDDINGS_KEY.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="The embedding model of --base-url.")] = None,
    protocol: Annotated[
        SplitProtocol | None, typer.Option(help="Of the outer cut [default: by what the data have].")
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Places of a list that count.")] = 25,
    people: Annotated[int | None, typer.Option(min=1, help="Judge a sample of so many [default: everybody].")] = None,
    seed: Seed = 0,
    engine: Engine = "local",
    workers: Workers = None,
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Compare text encoders on finding a person's own jobs. Cut inside the history; the reported truth is not seen."""
    import json
    import shutil

    import polars as pl

    from metier.data.workspace import Workspace
    from metier.engine import Work, open_engine
    from metier.engine import parts as storage
    from metier.enrich.encoders import ENCODERS
    from metier.errors import UsageError
    from metier.evaluate.experiment import default_protocol
    from metier.evaluate.trials import fingerprint

    try:
        smaller = [int(size) for size in sizes.split(",") if size.strip()]
    except ValueError:
        raise UsageError(f"--sizes {sizes!r} is no list of numbers; cure: --sizes 32,64,128") from None
    if (base_url is None) != (model is None):
        raise UsageError("--base-url and --model go together; cure: give both or neither")
    chosen: dict[str | None, str | None] = {}
    for name in dict.fromkeys(one.strip() for one in encoders.split(",") if one.strip()):
        if name not in ENCODERS:
            raise UsageError(f"no encoder {name!r}; there: {', '.join(ENCODERS)}")
        chosen[name] = None
    if base_url is not None:
        chosen[model] = base_url
    workspace = Workspace.open(home)
    cut = protocol.value if protocol else default_protocol(workspace.load(compare))
    settings = {
        "home": str(workspace.home.absolute()),
        "dataset": compare,
        "fingerprint": fingerprint(workspace.dataset(compare)),
        "protocol": cut,
        "sizes": smaller,
        "k": k,
        "seed": seed,
        "people": people,
    }
    cells = workspace.dataset(compare).with_name(f".{compare}.embed")
    asked = pl.DataFrame(list(chosen.items()), {"name": pl.String, "base_url": pl.String}, orient="row")
    with open_engine(engine, workers=workers) as running:
        parts = storage.save_table(asked, str(cells / "in"), rows=1)
        done = running.map_batches(Work("metier.enrich.encoders:compare", settings), parts, str(cells / "out"))
    found = pl.concat([storage.load(part) for part in done])
    shutil.rmtree(cells)
    for why in found["left_out"].drop_nulls():
        note(f"left out: {why}")
    rows = [json.loads(row) for row in found["row"].drop_nulls()]
    failure = max(int(code) for code in found["code"])
    if as_json:
        print_json({"dataset": compare, "protocol": cut, "k": k, "encoders": rows})
        return failure
    columns = ["encoder", "reduction", "size", "asked by", "people", f"MAP@{k}", f"recall@{k}", "texts/s"]
    lines = [[*list(row.values())[:-1], round(float(row["texts_per_second"]))] for row in rows]
    print_table(columns, lines, title=f"{compare}, a cut inside the history of {cut}")
    return failure
