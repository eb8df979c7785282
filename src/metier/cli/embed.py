"""`metier embed --compare`: which text encoder finds a person's own jobs, how fast, at which size."""

from enum import StrEnum
from typing import Annotated

import typer

from metier.cli.terminal import Home, Json, Seed, note, print_json, print_table


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
    home: Home = None,
    as_json: Json = False,
) -> int:
    """Compare text encoders on finding a person's own jobs. Cut inside the history; the reported truth is not seen."""
    from metier.data.workspace import Workspace
    from metier.enrich.grounds import with_masked_people
    from metier.errors import MissingExtraError, ModelAnswerError, UsageError
    from metier.evaluate.encoder_comparison import compare_encoders
    from metier.evaluate.experiment import default_protocol
    from metier.features.sentences import SentenceEmbedder
    from metier.features.text import Embedder, StaticEmbedder

    try:
        smaller = [int(size) for size in sizes.split(",") if size.strip()]
    except ValueError:
        raise UsageError(f"--sizes {sizes!r} is no list of numbers; cure: --sizes 32,64,128") from None
    if (base_url is None) != (model is None):
        raise UsageError("--base-url and --model go together; cure: give both or neither")
    known: dict[str, Embedder | None] = {"tfidf": None, "static": StaticEmbedder(), "sentences": SentenceEmbedder()}
    chosen: dict[str, Embedder | None] = {}
    for name in dict.fromkeys(one.strip() for one in encoders.split(",") if one.strip()):
        if name not in known:
            raise UsageError(f"no encoder {name!r}; there: {', '.join(known)}")
        chosen[name] = known[name]
    if base_url is not None and model is not None:
        from metier.features.endpoint import EndpointEmbedder

        chosen[model] = EndpointEmbedder(base_url, model)
    tables = Workspace.open(home).load(compare)
    cut = protocol.value if protocol else default_protocol(tables)
    rows, failure = [], 0
    for name, embedder in chosen.items():
        shown = with_masked_people(tables) if name == model else tables
        try:
            found = compare_encoders(shown, cut, {name: embedder}, sizes=smaller, k=k, seed=seed, most_people=people)
            rows += [score.as_row() for score in found]
        except MissingExtraError as error:
            note(f"left out: {error}")
        except ModelAnswerError as error:
            note(f"left out: {error}")
            failure = error.exit_code
    if as_json:
        print_json({"dataset": compare, "protocol": cut, "k": k, "encoders": rows})
        return failure
    columns = ["encoder", "reduction", "size", "asked by", "people", f"MAP@{k}", f"recall@{k}", "texts/s"]
    lines = [[*list(row.values())[:-1], round(float(row["texts_per_second"]))] for row in rows]
    print_table(columns, lines, title=f"{compare}, a cut inside the history of {cut}")
    return failure
