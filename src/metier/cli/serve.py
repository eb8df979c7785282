"""`metier serve`: recommendations over HTTP, from a trained bundle and a store."""

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from metier.cli.terminal import Database, Home, note, print_json, stages

if TYPE_CHECKING:
    from metier.serve.settings import Settings

LOOPBACK = "127.0.0.1"


def serve(
    home: Home = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at [default: 127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at; 0 takes a free one [default: 8000].")] = None,
    database: Database = None,
    workers: Annotated[int | None, typer.Option(help="Processes [default: 1].")] = None,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help="Search this part of the catalogues only.")] = None,
    shards: Annotated[str | None, typer.Option(help="Addresses of the parts, apart by commas.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of settings.")] = None,
    print_schema: Annotated[bool, typer.Option("--print-schema", help="Print the settings as JSON Schema.")] = False,
    print_openapi: Annotated[bool, typer.Option("--print-openapi", help="Print the API as OpenAPI 3.1.")] = False,
) -> None:
    """Serve recommendations over HTTP; without a bundle of ranker or profile, train one on a synthetic market first."""
    from metier.serve.getting_ready import check_free
    from metier.serve.settings import PREFIX, Settings, read_settings

    if print_schema:
        print_json(Settings.model_json_schema())
        return
    if print_openapi:
        from metier.serve.app import openapi

        print_json(openapi())
        return
    flags = {"home": home, "host": host, "port": port, "database": database, "workers": workers, "config": config}
    flags |= {"shard": shard, "shards": shards}
    # The environment is how every worker process learns of the flags.
    os.environ |= {PREFIX + name.upper(): str(value) for name, value in flags.items() if value is not None}
    settings = read_settings()
    if settings.shard:
        check_free(settings.host, settings.port)
        run(settings, "metier.serve.shard:from_environment", settings.host)
        return
    check_free(address(settings), settings.port)  # before any work, and before a token that was printed becomes void
    listen(settings, newest_bundle(settings))


def listen(settings: "Settings", bundle: str) -> None:
    """Prepare the store, then serve until stopped."""
    from metier.serve.first_start import prepare

    token = prepare(settings, bundle)
    host = settings.host
    if token is not None:
        host = LOOPBACK
        note(f"nobody may sign in yet; one-time token for the first administrator (any earlier one is void): {token}")
        note(f"enter it at http://{host}:{settings.port}/first-start; then start again to listen elsewhere")
    run(settings, "metier.serve.app:from_environment", host)


def run(settings: "Settings", application: str, host: str) -> None:
    """Serve until stopped."""
    import uvicorn

    note(f"serving at http://{host}:{settings.port}")
    uvicorn.run(
        application,
        factory=True,
        host=host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=30,
    )


def address(settings: "Settings") -> str:
    """Where to listen: on this machine only, until the main tenant has an administrator."""
    from metier.serve.first_start import may_sign_in

    return settings.host if may_sign_in(settings) else LOOPBACK


def newest_bundle(settings: "Settings") -> str:
    """The newest bundle that can answer live and is no other tenant's; one is trained when there is none."""
    from metier.bundle import answers_live
    from metier.data.workspace import Workspace
    from metier.serve.first_start import taken

    workspace, theirs = Workspace.open(settings.home), taken(settings)
    folders = [settings.home / "models" / name for name in workspace.names("models") if name not in theirs]
    found = [(folder.stat().st_mtime, folder.name) for folder in folders if answers_live(folder)]
    if found:
        return max(found)[1]
    name = next(name for number in count(1) if (name := f"demo-{number}" if number > 1 else "demo") not in theirs)
    train_one(settings, name)
    return name


def train_one(settings: "Settings", name: str) -> None:
    """Train a ranker on the dataset "demo", or on a synthetic market made for it; stages are shown here and at the
    port, which says meanwhile that it is not ready."""
    from metier.cli.import_ import store_market
    from metier.cli.train import train_bundle
    from metier.data.workspace import Workspace
    from metier.serve.getting_ready import getting_ready

    workspace = Workspace.open(settings.home)
    host = address(settings)
    with getting_ready(host, settings.port) as say, stages(say) as begin:
        where = f"; http://{host}:{settings.port} says meanwhile how far it is" if settings.port else ""
        note(f"no bundle of ranker or profile: training one, some minutes{where}")
        if "demo" not in workspace.names("datasets"):
            begin("no dataset: making a synthetic labour market of 4,000 people, the dataset demo")
            store_market(workspace, "demo", 4000, 0)
        begin("training ranker on the dataset demo")
        train_bundle(workspace, "demo", name, "ranker", {}, 0)
